//! Whole sessions by description.

use rtmpscope::base::Direction;
use rtmpscope::rtmp::{CsidForm, ExtendedTimestampHabit, Outgoing};
use rtmpscope::wire::message::MessageType;

use super::amf::{V, amf0};
use super::handshake::{self, Layout};
use super::media;
use super::scenario::Scenario;

const C2S: Direction = Direction::ClientToServer;
const S2C: Direction = Direction::ServerToClient;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeKind {
    Simple,
    DigestFirst,
    KeyFirst,
}

/// Who sends the media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Publish,
    Play,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Video {
    Avc,
    /// Enhanced RTMP, FourCC `hvc1`.
    Hevc,
    None,
}

/// Header format of media messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FmtPolicy {
    /// What the encoder thinks best.
    Auto,
    /// Format 0 always.
    Full,
    /// Format 0 or 1: every header says its length and type.
    Explicit,
    /// Any format that can say the message, at random.
    Random,
}

/// A session to be built. Change fields of [`Plan::new`]'s result at will.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub handshake: HandshakeKind,
    pub role: Role,
    /// Set Chunk Size of the client; `None` sends none and stays at 128.
    pub client_chunk_size: Option<u32>,
    /// Set Chunk Size of the server.
    pub server_chunk_size: Option<u32>,
    pub video: Video,
    pub audio: bool,
    pub gops: usize,
    pub frames_per_gop: usize,
    /// Payload bytes of a key frame; other sizes vary around half and a tenth of theirs.
    pub key_size: usize,
    pub inter_size: usize,
    pub audio_size: usize,
    /// Milliseconds between video frames.
    pub frame_ms: u32,
    /// RTMP timestamp of the first media message.
    pub start_timestamp: u32,
    pub fmt: FmtPolicy,
    pub video_csid: u32,
    pub audio_csid: u32,
    pub csid_form: CsidForm,
    /// Chunks of audio between the chunks of video.
    pub interleave: bool,
    pub habit: ExtendedTimestampHabit,
    /// Acknowledgements and pings from the receiver once per group of pictures.
    pub chatter: bool,
    pub stream_key: String,
    pub app: String,
}

impl Plan {
    /// A small publish session: AVC and AAC, two groups of five pictures, chunks of 4096 bytes.
    pub fn new(seed: u64) -> Plan {
        Plan {
            seed,
            handshake: HandshakeKind::Simple,
            role: Role::Publish,
            client_chunk_size: Some(4096),
            server_chunk_size: Some(4096),
            video: Video::Avc,
            audio: true,
            gops: 2,
            frames_per_gop: 5,
            key_size: 6000,
            inter_size: 1500,
            audio_size: 200,
            frame_ms: 40,
            start_timestamp: 0,
            fmt: FmtPolicy::Auto,
            video_csid: 6,
            audio_csid: 4,
            csid_form: CsidForm::Shortest,
            interleave: false,
            habit: ExtendedTimestampHabit::Repeat,
            chatter: true,
            stream_key: "example-key".into(),
            app: "live".into(),
        }
    }

    /// Who sends the media.
    pub fn sender(&self) -> Direction {
        match self.role {
            Role::Publish => C2S,
            Role::Play => S2C,
        }
    }

    /// The whole session: [`Plan::begin`], [`Plan::media`], [`Plan::end`].
    pub fn build(&self) -> Scenario {
        let mut scenario = self.begin();
        self.media(&mut scenario);
        self.end(&mut scenario);
        scenario
    }

    /// Handshake and commands up to the first configuration records.
    pub fn begin(&self) -> Scenario {
        let mut s = Scenario::new(self.seed);
        s.set_habit(C2S, self.habit);
        s.set_habit(S2C, self.habit);
        let flights = match self.handshake {
            HandshakeKind::Simple => handshake::simple(&mut s.rng),
            HandshakeKind::DigestFirst => handshake::digest(Layout::DigestFirst, &mut s.rng),
            HandshakeKind::KeyFirst => handshake::digest(Layout::KeyFirst, &mut s.rng),
        };
        s.raw(C2S, &flights.client_hello);
        s.wait_ms(1);
        s.raw(S2C, &flights.server);
        s.wait_ms(1);
        s.raw(C2S, &flights.client_reply);
        self.connect(&mut s);
        match self.role {
            Role::Publish => self.publish(&mut s),
            Role::Play => self.play(&mut s),
        }
        self.headers(&mut s);
        s
    }

    fn connect(&self, s: &mut Scenario) {
        let tc_url = format!("rtmp://media.example/{}", self.app);
        command(
            s,
            C2S,
            3,
            0,
            &[
                V::Str("connect"),
                V::Num(1.0),
                V::Obj(vec![
                    ("app", V::Str(&self.app)),
                    ("type", V::Str("nonprivate")),
                    ("flashVer", V::Str("FMLE/3.0 (compatible; synthetic)")),
                    ("tcUrl", V::Str(&tc_url)),
                ]),
            ],
        );
        s.wait_ms(2);
        control(s, S2C, 5, &2_500_000_u32.to_be_bytes());
        control(s, S2C, 6, &[0, 0x26, 0x25, 0xa0, 2]);
        if let Some(size) = self.server_chunk_size {
            s.set_chunk_size(S2C, size);
        }
        command(
            s,
            S2C,
            3,
            0,
            &[
                V::Str("_result"),
                V::Num(1.0),
                V::Obj(vec![("fmsVer", V::Str("FMS/3,0,1,123")), ("capabilities", V::Num(31.0))]),
                V::Obj(vec![
                    ("level", V::Str("status")),
                    ("code", V::Str("NetConnection.Connect.Success")),
                    ("description", V::Str("Connection succeeded.")),
                    ("objectEncoding", V::Num(0.0)),
                ]),
            ],
        );
        s.wait_ms(1);
        if let Some(size) = self.client_chunk_size {
            s.set_chunk_size(C2S, size);
        }
    }

    fn publish(&self, s: &mut Scenario) {
        let key = self.stream_key.as_str();
        command(s, C2S, 3, 0, &[V::Str("releaseStream"), V::Num(2.0), V::Null, V::Str(key)]);
        command(s, C2S, 3, 0, &[V::Str("FCPublish"), V::Num(3.0), V::Null, V::Str(key)]);
        command(s, C2S, 3, 0, &[V::Str("createStream"), V::Num(4.0), V::Null]);
        s.wait_ms(1);
        command(s, S2C, 3, 0, &[V::Str("_result"), V::Num(4.0), V::Null, V::Num(1.0)]);
        s.wait_ms(1);
        let publish = [V::Str("publish"), V::Num(5.0), V::Null, V::Str(key), V::Str("live")];
        command(s, C2S, 8, 1, &publish);
        s.wait_ms(1);
        control(s, S2C, 4, &[0, 0, 0, 0, 0, 1]);
        status(s, "NetStream.Publish.Start");
        s.wait_ms(2);
    }

    fn play(&self, s: &mut Scenario) {
        control(s, C2S, 5, &2_500_000_u32.to_be_bytes());
        command(s, C2S, 3, 0, &[V::Str("createStream"), V::Num(2.0), V::Null]);
        s.wait_ms(1);
        command(s, S2C, 3, 0, &[V::Str("_result"), V::Num(2.0), V::Null, V::Num(1.0)]);
        s.wait_ms(1);
        let play = [V::Str("play"), V::Num(0.0), V::Null, V::Str(&self.stream_key), V::Num(-2.0)];
        command(s, C2S, 8, 1, &play);
        control(s, C2S, 4, &[0, 3, 0, 0, 0, 1, 0, 0, 0x0b, 0xb8]);
        s.wait_ms(1);
        control(s, S2C, 4, &[0, 0, 0, 0, 0, 1]);
        status(s, "NetStream.Play.Reset");
        status(s, "NetStream.Play.Start");
        let access = amf0(&[V::Str("|RtmpSampleAccess"), V::Bool(true), V::Bool(true)]);
        s.send(S2C, Outgoing::new(5, MessageType::DATA_AMF0, 0, 1, access));
        s.wait_ms(2);
    }

    /// onMetaData and the configuration records.
    fn headers(&self, s: &mut Scenario) {
        let codec = match self.video {
            Video::Hevc => f64::from(u32::from_be_bytes(*b"hvc1")),
            _ => 7.0,
        };
        let values = V::Ecma(vec![
            ("width", V::Num(640.0)),
            ("height", V::Num(360.0)),
            ("framerate", V::Num(1000.0 / f64::from(self.frame_ms.max(1)))),
            ("videocodecid", V::Num(codec)),
            ("audiocodecid", V::Num(10.0)),
            ("stereo", V::Bool(true)),
            ("encoder", V::Str("synthetic")),
        ]);
        let name = V::Str("onMetaData");
        let payload = match self.role {
            Role::Publish => amf0(&[V::Str("@setDataFrame"), name, values]),
            Role::Play => amf0(&[name, values]),
        };
        let start = self.start_timestamp;
        let sender = self.sender();
        s.send(sender, Outgoing::new(4, MessageType::DATA_AMF0, start, 1, payload));
        s.wait_ms(1);
        match self.video {
            Video::Avc => self.send_video(s, start, media::avc_sequence_header()),
            Video::Hevc => self.send_video(s, start, media::hevc_sequence_header()),
            Video::None => {}
        }
        s.wait_ms(1);
        if self.audio {
            self.send_audio(s, start, media::aac_sequence_header());
            s.wait_ms(1);
        }
    }

    /// `gops` groups of pictures with an audio frame after each picture.
    pub fn media(&self, s: &mut Scenario) {
        let receiver = self.sender().reverse();
        let mut timestamp = self.start_timestamp;
        for gop in 0..self.gops {
            for frame in 0..self.frames_per_gop {
                let video = self.picture(s, frame == 0).map(|p| self.video_message(timestamp, p));
                let sound = timestamp.wrapping_add(self.frame_ms / 4);
                let audio = self.audio.then(|| {
                    let size = vary(s, self.audio_size, 10);
                    self.audio_message(sound, media::aac_frame(size, &mut s.rng))
                });
                if self.interleave {
                    let open = [video, audio].into_iter().flatten();
                    let mut open: Vec<_> = open.map(|m| self.open(s, m)).collect();
                    s.interleave_open(&mut open);
                    s.wait_ms(i64::from(self.frame_ms));
                } else {
                    if let Some(message) = video {
                        let open = self.open(s, message);
                        s.finish(open);
                    }
                    s.wait_ms(i64::from(self.frame_ms / 2) + 1);
                    if let Some(message) = audio {
                        let open = self.open(s, message);
                        s.finish(open);
                    }
                    s.wait_ms(i64::from(self.frame_ms / 2) + 1);
                }
                timestamp = timestamp.wrapping_add(self.frame_ms);
            }
            if self.chatter {
                let received = s.stream(self.sender()).len() as u32;
                control(s, receiver, 3, &received.to_be_bytes());
                if gop % 2 == 1 {
                    s.wait_ms(1);
                    control(s, S2C, 4, &[0, 6, 0, 0, 0, gop as u8]);
                    s.wait_ms(1);
                    control(s, C2S, 4, &[0, 7, 0, 0, 0, gop as u8]);
                }
                s.wait_ms(1);
            }
        }
    }

    /// The commands that close the stream.
    pub fn end(&self, s: &mut Scenario) {
        if self.role == Role::Publish {
            let key = V::Str(&self.stream_key);
            command(s, C2S, 3, 0, &[V::Str("FCUnpublish"), V::Num(6.0), V::Null, key]);
        }
        command(s, C2S, 3, 0, &[V::Str("deleteStream"), V::Num(7.0), V::Null, V::Num(1.0)]);
        s.wait_ms(1);
    }

    fn picture(&self, s: &mut Scenario, key: bool) -> Option<Vec<u8>> {
        let size = if key { vary(s, self.key_size, 2) } else { vary(s, self.inter_size, 2) };
        match self.video {
            Video::Avc => Some(media::avc_frame(key, size, &mut s.rng)),
            Video::Hevc => Some(media::hevc_frame(key, size, &mut s.rng)),
            Video::None => None,
        }
    }

    /// A video message on this plan's csid.
    pub fn video_message(&self, timestamp: u32, payload: Vec<u8>) -> Outgoing {
        Outgoing::new(self.video_csid, MessageType::VIDEO, timestamp, 1, payload)
            .with_csid_form(self.form(self.video_csid))
    }

    /// An audio message on this plan's csid.
    pub fn audio_message(&self, timestamp: u32, payload: Vec<u8>) -> Outgoing {
        Outgoing::new(self.audio_csid, MessageType::AUDIO, timestamp, 1, payload)
            .with_csid_form(self.form(self.audio_csid))
    }

    /// Sends a video message with this plan's header policy.
    pub fn send_video(&self, s: &mut Scenario, timestamp: u32, payload: Vec<u8>) {
        let open = self.open(s, self.video_message(timestamp, payload));
        s.finish(open);
    }

    /// Sends an audio message with this plan's header policy.
    pub fn send_audio(&self, s: &mut Scenario, timestamp: u32, payload: Vec<u8>) {
        let open = self.open(s, self.audio_message(timestamp, payload));
        s.finish(open);
    }

    /// Begins a message with this plan's header policy.
    pub fn open(&self, s: &mut Scenario, message: Outgoing) -> super::scenario::Open {
        let wanted = match self.fmt {
            FmtPolicy::Auto => None,
            FmtPolicy::Full => Some(0),
            FmtPolicy::Explicit => Some(1),
            FmtPolicy::Random => Some(s.rng.below(4) as u8),
        };
        if let Some(fmt) = wanted
            && let Ok(open) = s.try_begin(self.sender(), message.clone().with_fmt(fmt))
        {
            return open;
        }
        let fallback = match self.fmt {
            FmtPolicy::Explicit => message.with_fmt(0),
            _ => message,
        };
        s.begin(self.sender(), fallback)
    }

    fn form(&self, csid: u32) -> CsidForm {
        if csid < 64 { CsidForm::Shortest } else { self.csid_form }
    }
}

/// `size` plus or minus a `part`th at most.
fn vary(s: &mut Scenario, size: usize, part: usize) -> usize {
    let spread = size / part;
    size - spread / 2 + s.rng.below(spread + 1)
}

/// Sends an AMF0 command at timestamp 0.
pub fn command(s: &mut Scenario, direction: Direction, csid: u32, msid: u32, values: &[V<'_>]) {
    s.send(direction, Outgoing::new(csid, MessageType::COMMAND_AMF0, 0, msid, amf0(values)));
}

/// Sends a control or user control message where it belongs.
pub fn control(s: &mut Scenario, direction: Direction, type_id: u8, payload: &[u8]) {
    let message = Outgoing::new(2, MessageType(type_id), 0, 0, payload.to_vec()).with_fmt(0);
    s.send(direction, message);
}

/// Sends `onStatus` from the server on stream 1.
pub fn status(s: &mut Scenario, code: &str) {
    command(
        s,
        S2C,
        5,
        1,
        &[
            V::Str("onStatus"),
            V::Num(0.0),
            V::Null,
            V::Obj(vec![
                ("level", V::Str("status")),
                ("code", V::Str(code)),
                ("description", V::Str("as asked")),
            ]),
        ],
    );
}
