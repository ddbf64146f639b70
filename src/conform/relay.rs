//! A published stream and who plays it: what comes out of what went in.

use std::time::Instant;

use super::conn::Conn;
use super::msg::Msg;
use super::toolkit::T;
use super::verdict::{Outcome, Setup, Stop, Verdict};
use crate::rtmp::Message;
use crate::wire::message::MessageType;

/// Media time between closing key frames: servers that gather a span of media time hand on then.
const STEP: u32 = 250;

/// Most closing key frames: 10 s of media time.
const CLOSING: u32 = 40;

/// A message of media or data that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Message type.
    pub type_id: MessageType,
    /// Timestamp as the player got it.
    pub timestamp: u32,
    /// All of the payload.
    pub payload: Vec<u8>,
}

/// A publisher and a player of the same stream, through which key frames have flowed.
#[derive(Debug)]
pub struct Relay {
    /// Publishes. Send the frames under test here, on [`Conn::stream_id`], from [`Relay::time`] on.
    pub publisher: Conn,
    /// Plays.
    pub player: Conn,
    /// Media time of the last frame, as the publisher counts: the next ones are later.
    pub time: u32,
    closing: u32,
}

impl T {
    /// Publishes metadata and codec headers, joins a player, and sends key frames until one comes
    /// out. INCONCLUSIVE when none does.
    pub fn relay(&self) -> Result<Relay, Stop> {
        let name = self.name();
        let mut publisher = self.publisher(&name)?;
        self.send_headers(&mut publisher);
        publisher.send(Msg::video(0, self.picture("first", true, 200)).on(publisher.stream_id));
        // A player that comes before the stream is known would wait for another one.
        self.barrier(&mut publisher, self.timeouts().reply).setup()?;
        let player = self.player(&name)?;
        let mut relay = Relay { publisher, player, time: 0, closing: 0 };
        // nginx-rtmp sends the audio header with the first audio after the join.
        relay.send(Msg::audio(STEP, self.sound("first", 100)));
        self.flow(&mut relay).setup()?;
        relay.player.mark();
        Ok(relay)
    }

    /// Sends key frames, each 250 ms of media time later, until one comes out.
    pub fn flow(&self, relay: &mut Relay) -> Result<(), Stop> {
        let started = Instant::now();
        let from = relay.player.messages().len();
        let mut sent = Vec::new();
        for _ in 0..CLOSING {
            relay.closing += 1;
            let frame = self.picture(&format!("closing {}", relay.closing), true, 200);
            let id = relay.publisher.stream_id;
            relay.time = relay.time.wrapping_add(STEP);
            relay.publisher.send(Msg::video(relay.time, frame.clone()).on(id));
            sent.push(frame);
            // The first wait is short: most servers hand on at once.
            let wait = self.timeouts().quiet / 2;
            let came = |m: &Message| {
                m.type_id == MessageType::VIDEO && sent.iter().any(|s| s[..] == m.payload[..])
            };
            match relay.player.expect_in(wait, "key frame at the player", came) {
                Ok(_) => return Ok(()),
                Err(stop) if relay.player.closed().is_some() => return Err(stop),
                Err(_) => {}
            }
            relay.publisher.absorb();
            if let Some(close) = relay.publisher.closed() {
                let how = close.name();
                return Err(Stop::Fail(format!("the publisher's connection was closed ({how})")));
            }
            if started.elapsed() > self.timeouts().media {
                break;
            }
        }
        let from = relay.player.messages().len() - from;
        Err(Stop::Fail(format!("no key frame reaches the player ({from} other messages did)")))
    }

    /// Sends closing key frames until one comes out, then gives all media and data that the player
    /// got since the last call, without the closing frames and the codec headers.
    pub fn collect(&self, relay: &mut Relay) -> Result<Vec<Frame>, Stop> {
        self.flow(relay)?;
        let closing: Vec<_> =
            (0..=relay.closing).map(|n| self.picture(&format!("closing {n}"), true, 200)).collect();
        let frames = relay
            .player
            .since_mark()
            .iter()
            .filter(|message| {
                message.type_id.is_media()
                    || matches!(message.type_id, MessageType::DATA_AMF0 | MessageType::DATA_AMF3)
            })
            .filter(|message| !closing.iter().any(|frame| frame[..] == message.payload[..]))
            .map(|message| Frame {
                type_id: message.type_id,
                timestamp: message.timestamp,
                payload: message.payload.to_vec(),
            })
            .collect();
        relay.player.mark();
        Ok(frames)
    }

    /// Whether the frames came out as they went in: payloads and order per type, and the steps
    /// between their timestamps (servers may move all timestamps alike). FAIL says what differs.
    pub fn same_frames(&self, sent: &[Frame], got: &[Frame]) -> Outcome {
        for type_id in [MessageType::AUDIO, MessageType::VIDEO] {
            let of = |frames: &[Frame]| -> Vec<Frame> {
                frames.iter().filter(|f| f.type_id == type_id).cloned().collect()
            };
            let (sent, got) = (of(sent), of(got));
            let kind = type_id.kind();
            if sent.len() != got.len() {
                let (sent, got) = (sent.len(), got.len());
                return self.fail(format!("{got} of {sent} {kind} messages came out"));
            }
            for (at, (sent, got)) in sent.iter().zip(&got).enumerate() {
                if sent.payload != got.payload {
                    let n = at + 1;
                    return self
                        .fail(format!("the payload of {kind} message {n} came out changed"));
                }
            }
            if let Some(verdict) = steps(kind, &sent, &got) {
                return Ok(verdict);
            }
        }
        self.pass()
    }
}

fn steps(kind: &str, sent: &[Frame], got: &[Frame]) -> Option<Verdict> {
    let step = |pair: &[Frame]| pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
    sent.windows(2).zip(got.windows(2)).find_map(|(sent, got)| {
        let (sent, got) = (step(sent), step(got));
        (sent != got).then(|| {
            Verdict::Fail(format!("{kind}: a step of {sent} ms came out as one of {got} ms"))
        })
    })
}

impl Relay {
    /// Sends a frame on the published stream and gives it as it should come out.
    pub fn send(&mut self, message: Msg) -> Frame {
        let frame = Frame {
            type_id: message.0.type_id,
            timestamp: message.0.timestamp,
            payload: message.0.payload.to_vec(),
        };
        let id = self.publisher.stream_id;
        self.publisher.send(message.on(id));
        if (frame.timestamp.wrapping_sub(self.time) as i32) > 0 {
            self.time = frame.timestamp;
        }
        frame
    }
}
