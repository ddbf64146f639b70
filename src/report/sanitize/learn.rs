//! The first reading: where the secrets are.

use std::ops::Range;

use super::super::redact::{Redactions, Redactor};
use super::patches::{self, Patch};
use super::plan::{Media, Net, Options, Plan, Side, Stream, Tally, Ways};
use crate::analysis::{self, MessageRecord, Pipeline, Record, Transport};
use crate::base::{Direction, Packet};
use crate::rtmp::Message;
use crate::wire::flv;
use crate::wire::message::{AggregatePart, Body, MessageType};

/// Secrets that are searched for at most; a capture that holds more is no capture of people.
const MAX_SEARCHED: usize = 4096;

/// Payload bytes of a media message that stay with [`Media::Zero`]: its headers, however many
/// Enhanced RTMP stacks up, are shorter, and so is what names a codec in a frame's beginning.
const MEDIA_HEAD: u64 = 24;

/// Takes every packet of a capture and gives the plan by which a
/// [`Rewriter`](super::Rewriter) rewrites them.
pub struct Learner {
    pipeline: Pipeline,
    state: State,
}

struct State {
    options: Options,
    redactor: Redactor,
    streams: Vec<Stream>,
    by_address: Ways,
    /// Sessions whose bases are looked for: those that had a record since.
    touched: Vec<u32>,
}

impl Learner {
    /// Before the first packet.
    pub fn new(options: Options) -> Learner {
        let pipeline = Pipeline::new(analysis::Options {
            frames: false,
            decode_as: options.decode_as.clone(),
            ..analysis::Options::default()
        });
        let state = State {
            options,
            redactor: Redactor::same_length(),
            streams: Vec::new(),
            by_address: Ways::default(),
            touched: Vec::new(),
        };
        Learner { pipeline, state }
    }

    /// Takes the next packet.
    pub fn push(&mut self, packet: &Packet) {
        let state = &mut self.state;
        self.pipeline.push(packet, &mut |record| state.record(record));
        self.find_bases();
    }

    /// After the last packet.
    pub fn finish(mut self) -> Plan {
        let state = &mut self.state;
        self.pipeline.finish(Vec::new(), &mut |record| state.record(record));
        self.find_bases();
        self.state.finish()
    }

    fn find_bases(&mut self) {
        for session in self.state.touched.drain(..) {
            let Some(stream) = self.state.streams.get_mut(session as usize - 1) else { continue };
            for direction in Direction::BOTH {
                let side = &mut stream.sides[direction.index()];
                if side.base.is_none() {
                    side.base = self.pipeline.sequence_base(session, direction);
                }
            }
        }
    }
}

impl State {
    fn record(&mut self, mut record: Record) {
        let redactions = self.redactor.redact(&mut record);
        match record {
            Record::Session(session) => {
                let index = self.streams.len();
                self.streams
                    .push(Stream { transport: session.transport, sides: Default::default() });
                let ways = [(session.client, session.server), (session.server, session.client)];
                for (side, way) in ways.into_iter().enumerate() {
                    let list = self.by_address.entry(way).or_default();
                    list.push((session.frame, index, side));
                }
                self.touch(session.session);
            }
            Record::Handshake(record) => {
                let handshake = &record.handshake;
                if let Some(side) = self.side(record.session, handshake.direction) {
                    side.keep(0..handshake.end_offset);
                }
                self.touch(record.session);
            }
            Record::Message(record) => {
                self.message(&record, &redactions);
                self.touch(record.session);
            }
            Record::SessionEnd(end) => {
                if let Some(stream) = self.streams.get_mut(end.session as usize - 1) {
                    stream.transport = end.transport;
                    // What is encrypted stays: nobody can read it, and it has no structure.
                    if matches!(end.transport, Transport::Rtmpe | Transport::Rtmps | Transport::Tls)
                    {
                        stream.sides.iter_mut().for_each(|side| side.keep(0..u64::MAX >> 1));
                    }
                }
                self.touch(end.session);
            }
            _ => {}
        }
    }

    fn touch(&mut self, session: u32) {
        if self.touched.last() != Some(&session) {
            self.touched.push(session);
        }
    }

    fn side(&mut self, session: u32, direction: Direction) -> Option<&mut Side> {
        let stream = self.streams.get_mut((session as usize).checked_sub(1)?)?;
        Some(&mut stream.sides[direction.index()])
    }

    fn message(&mut self, record: &MessageRecord, redactions: &Redactions) {
        let message = &*record.message;
        // Of text stays what was decoded, of media all.
        let (shown, patches) = if patches::carries_text(message.type_id, &message.body) {
            let hosts = self.options.addresses;
            let patches = patches::of(message, &self.redactor, redactions, hosts);
            (message.payload.len() as u64, patches)
        } else {
            (message.pieces.len(), Vec::new())
        };
        let zeroed = self.zeroed(message);
        let Some(side) = self.side(record.session, message.direction) else { return };
        for piece in message.headers.pieces().chain(message.pieces.slice(0..shown).pieces()) {
            side.keep(piece);
        }
        for range in zeroed {
            for piece in message.pieces.slice(range).pieces() {
                side.zero.push((piece.start, (piece.end - piece.start) as u32));
            }
        }
        for patch in patches {
            let end = patch.at + patch.bytes.len();
            let mut taken = 0;
            for piece in message.pieces.slice(patch.at as u64..end as u64).pieces() {
                let len = (piece.end - piece.start) as usize;
                let bytes = patch.bytes.get(taken..taken + len).unwrap_or_default();
                side.patches.push(Patch { at: piece.start, bytes: bytes.to_vec() });
                taken += len;
            }
        }
    }

    /// Ranges of the payload that become zeros.
    fn zeroed(&self, message: &Message) -> Vec<Range<u64>> {
        let all = message.pieces.len();
        if self.options.media == Media::Keep {
            return Vec::new();
        }
        match &message.body {
            Body::Aggregate(parts) => {
                let media = parts.iter().filter(|part| part.type_id.is_media());
                let tail = |part: &AggregatePart| {
                    let (start, end) = (part.range.start as u64, part.range.end as u64);
                    (start + MEDIA_HEAD).min(end)..end
                };
                media.map(tail).collect()
            }
            _ if message.type_id.is_media() && !is_configuration(message) => {
                vec![MEDIA_HEAD.min(all)..all]
            }
            _ => Vec::new(),
        }
    }

    fn finish(mut self) -> Plan {
        for stream in &mut self.streams {
            for side in &mut stream.sides {
                side.patches.sort_by_key(|patch| patch.at);
                side.zero.sort_unstable();
            }
        }
        for list in self.by_address.values_mut() {
            list.sort_unstable();
        }
        let secrets = self.redactor.secrets(1);
        let tally =
            Tally { secrets: secrets.len(), sessions: self.streams.len(), ..Tally::default() };
        let mut searched: Vec<&[u8]> =
            secrets.into_iter().filter(|secret| secret.len() >= patches::MIN_SEARCHED).collect();
        // The longest first: it wins where several match.
        searched.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        searched.truncate(MAX_SEARCHED);
        let net = net(&searched, &self.redactor);
        Plan {
            options: self.options,
            streams: self.streams,
            by_address: self.by_address,
            net,
            tally,
        }
    }
}

/// Whether a media message is a codec configuration.
fn is_configuration(message: &Message) -> bool {
    let media = match message.type_id {
        MessageType::VIDEO => flv::Media::Video,
        MessageType::AUDIO => flv::Media::Audio,
        _ => return false,
    };
    flv::needs_whole(media, &message.payload[..message.payload.len().min(16)])
}

/// A search for all of the secrets, and what stands for each.
fn net(secrets: &[&[u8]], redactor: &Redactor) -> Option<Net> {
    if secrets.is_empty() {
        return None;
    }
    let pattern: Vec<String> = secrets
        .iter()
        .map(|secret| secret.iter().map(|byte| format!("\\x{byte:02x}")).collect())
        .collect();
    let pattern = format!("(?s-u:{})", pattern.join("|"));
    let regex = regex::bytes::RegexBuilder::new(&pattern).size_limit(64 << 20).build().ok()?;
    let names = secrets
        .iter()
        .map(|secret| {
            let mut name = redactor
                .stand_ins(secret)
                .into_iter()
                .find(|(range, _)| *range == (0..secret.len()))
                .and_then(|(_, name)| name)
                .unwrap_or_default()
                .into_bytes();
            name.resize(secret.len(), b'x');
            (secret.to_vec(), name)
        })
        .collect();
    Some((regex, names))
}
