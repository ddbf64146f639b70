//! Short scripts of sessions for the tests of rules.
//!
//! ```ignore
//! // The server pings at once; the client never answers.
//! Script::publish().control(S2C, 4, &[0, 6, 0, 0, 0, 9]).play_for(15_000).capture()
//! ```

use rtmpscope::analysis::Record;
use rtmpscope::base::Packet;
use rtmpscope::capture::{Capture, Input, OpenOptions};
use rtmpscope::lint::{Finding, Linter, Options};

use super::packets::{ACK, FIN, Net, RST, Segment, Trace};
use super::session::{command, control};
use super::{C2S, Direction, MessageType, Outgoing, Plan, S2C, Scenario, V, amf0, media};

/// What rules are tried on.
pub enum Sample {
    /// A file of `captures/`.
    File(&'static str),
    /// Synthetic packets.
    Packets(Vec<Packet>),
    /// What the pipeline might have said: for what would take gigabytes of packets.
    Records(Vec<Record>),
}

impl Sample {
    /// What the pipeline says about it.
    pub fn records(self) -> Vec<Record> {
        match self {
            Sample::Records(records) => records,
            Sample::Packets(packets) => decode(&packets),
            Sample::File(name) => decode(&read(name)),
        }
    }
}

/// What the rules say about a sample.
pub fn findings(sample: Sample) -> Vec<Finding> {
    findings_with(Options::default(), sample)
}

/// What the rules say about a sample.
pub fn findings_with(options: Options, sample: Sample) -> Vec<Finding> {
    let mut linter = Linter::new(options);
    for record in sample.records() {
        linter.push(&record);
    }
    linter.into_findings()
}

fn decode(packets: &[Packet]) -> Vec<Record> {
    let options = rtmpscope::analysis::Options { tcp: true, ..Default::default() };
    super::check::decode_with(options, packets)
}

/// The packets of a file of `captures/`.
pub fn read(name: &str) -> Vec<Packet> {
    read_path(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name))
}

/// The packets of a capture.
pub fn read_path(path: std::path::PathBuf) -> Vec<Packet> {
    let mut capture = Capture::open(vec![Input::Path(path.clone())], OpenOptions::default())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    std::iter::from_fn(|| capture.next_packet()).collect()
}

/// A session under way, to be put on the wire by [`Script::capture`].
pub struct Script {
    pub s: Scenario,
    pub net: Net,
    /// Milliseconds of media sent so far.
    media_ms: u32,
    /// Silence before the end, in milliseconds.
    silence_ms: i64,
}

impl Script {
    /// Nothing has been said.
    pub fn silent() -> Script {
        Script { s: Scenario::new(7), net: Net::default(), media_ms: 0, silence_ms: 0 }
    }

    /// After the handshake.
    pub fn connected() -> Script {
        let mut script = Script::silent();
        let flights = super::handshake::simple(&mut script.s.rng);
        script.s.raw(C2S, &flights.client_hello);
        script.s.wait_ms(1);
        script.s.raw(S2C, &flights.server);
        script.s.wait_ms(1);
        script.s.raw(C2S, &flights.client_reply);
        script
    }

    /// A publisher after its codec headers, as [`Plan`] makes it; both sides have chunks of 4096.
    pub fn publish() -> Script {
        Script::plan(&Plan::new(7))
    }

    /// What a plan says, before its media.
    pub fn plan(plan: &Plan) -> Script {
        Script { s: plan.begin(), net: Net::default(), media_ms: 0, silence_ms: 0 }
    }

    /// Lets time pass.
    pub fn wait(mut self, ms: i64) -> Script {
        self.s.wait_ms(ms);
        self
    }

    /// Nothing is sent for so long before the end.
    pub fn silence(mut self, ms: i64) -> Script {
        self.silence_ms = ms;
        self
    }

    /// Bytes that are no message.
    pub fn raw(mut self, direction: Direction, bytes: &[u8]) -> Script {
        self.s.raw(direction, bytes);
        self
    }

    /// Any message.
    pub fn send(mut self, direction: Direction, message: Outgoing) -> Script {
        self.s.send(direction, message);
        self
    }

    /// Changes the scenario by hand.
    pub fn with(mut self, change: impl FnOnce(&mut Scenario)) -> Script {
        change(&mut self.s);
        self
    }

    /// A control or user control message where it belongs.
    pub fn control(mut self, direction: Direction, type_id: u8, payload: &[u8]) -> Script {
        control(&mut self.s, direction, type_id, payload);
        self
    }

    /// A command on message stream 0.
    pub fn command(self, direction: Direction, values: &[V<'_>]) -> Script {
        self.command_on(direction, 0, values)
    }

    /// A command.
    pub fn command_on(mut self, direction: Direction, stream: u32, values: &[V<'_>]) -> Script {
        command(&mut self.s, direction, 3, stream, values);
        self
    }

    /// A data message on message stream 1.
    pub fn data(self, direction: Direction, values: &[V<'_>]) -> Script {
        let message = Outgoing::new(4, MessageType::DATA_AMF0, 0, 1, amf0(values));
        self.send(direction, message)
    }

    /// A picture of the publisher on chunk stream 6.
    pub fn video(mut self, timestamp: u32, key: bool, size: usize) -> Script {
        let payload = media::avc_frame(key, size, &mut self.s.rng);
        self.send(C2S, Outgoing::new(6, MessageType::VIDEO, timestamp, 1, payload))
    }

    /// Sound of the publisher on chunk stream 4.
    pub fn audio(mut self, timestamp: u32, size: usize) -> Script {
        let payload = media::aac_frame(size, &mut self.s.rng);
        self.send(C2S, Outgoing::new(4, MessageType::AUDIO, timestamp, 1, payload))
    }

    /// Sends media in time for so long: 25 pictures a second with a key frame every 2 s, and sound.
    pub fn media(self, ms: u32) -> Script {
        self.media_of(ms, 1500, 200)
    }

    /// The same with pictures and sound of these sizes.
    pub fn media_of(mut self, ms: u32, picture: usize, sound: usize) -> Script {
        let end = self.media_ms + ms;
        while self.media_ms < end {
            let at = self.media_ms;
            self = self
                .video(at, at.is_multiple_of(2000), picture)
                .wait(20)
                .audio(at + 10, sound)
                .wait(20);
            self.media_ms += 40;
        }
        self
    }

    /// On the wire; the capture ends first.
    pub fn open(self) -> Sample {
        self.close(|_, _| {})
    }

    /// On the wire, with FIN from the client and then from the server.
    pub fn capture(self) -> Sample {
        self.close(|end, segment| {
            end.push(segment(C2S, FIN | ACK, 1));
            end.push(segment(S2C, FIN | ACK, 1));
        })
    }

    /// On the wire, with FIN from the server, answered by the client.
    pub fn server_closes(self) -> Sample {
        self.close(|end, segment| {
            end.push(segment(S2C, FIN | ACK, 1));
            end.push(segment(C2S, FIN | ACK, 1));
        })
    }

    /// On the wire, ended by a reset of that side.
    pub fn reset(self, direction: Direction) -> Sample {
        self.close(|end, segment| end.push(segment(direction, RST | ACK, 0)))
    }

    /// The segments, without an end.
    pub fn trace(mut self) -> Trace {
        self.net.close = super::Close::Open;
        self.net.packetize(&self.s)
    }

    fn close(
        self,
        close: impl FnOnce(&mut Vec<Segment>, &mut dyn FnMut(Direction, u8, i64) -> Segment),
    ) -> Sample {
        let silence_ms = self.silence_ms;
        let mut trace = self.trace();
        let mut next = trace.streams.each_ref().map(|stream| stream.len() as i64);
        let mut now = trace.segments.last().map_or(0, |segment| segment.time_ns);
        now += silence_ms * 1_000_000;
        let mut end = Vec::new();
        close(&mut end, &mut |direction, flags, len| {
            now += 1_000_000;
            let seq = next[direction.index()];
            next[direction.index()] += len;
            let ack = next[direction.reverse().index()];
            let payload = Default::default();
            Segment {
                time_ns: now,
                direction,
                seq,
                ack,
                flags,
                payload,
                offload: false,
                snaplen: None,
            }
        });
        trace.segments.extend(end);
        Sample::Packets(trace.packets())
    }
}
