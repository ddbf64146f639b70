//! A media stream as an FLV file.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::redact::Redactions;
use crate::analysis::{MessageRecord, Record};
use crate::base::{Direction, GapKind, Timestamp, Writer};
use crate::wire::amf::Value;
use crate::wire::flv::{file_header, write_tag};
use crate::wire::message::{self, Body, MessageType};

/// Which stream of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    /// Session number.
    pub session: u32,
    /// Message stream; `None` when a mid-stream capture never showed it.
    pub stream_id: Option<u32>,
    /// Who sends.
    pub direction: Direction,
}

/// A media stream that a capture holds.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaStream {
    /// Which one.
    pub key: StreamKey,
    /// Name that `publish` or `play` gave it.
    pub name: Option<String>,
    /// Audio messages, those in aggregates included.
    pub audio: u64,
    /// Video messages, those in aggregates included.
    pub video: u64,
    /// Timestamp that becomes 0.
    base: Option<u32>,
}

/// Finds the media streams of a capture: the first of two passes.
#[derive(Clone, Debug, Default)]
pub struct MediaSurvey {
    streams: BTreeMap<StreamKey, MediaStream>,
    names: BTreeMap<(u32, Option<u32>), String>,
}

/// Most streams that are told apart.
const MAX_STREAMS: usize = 1 << 16;

impl MediaSurvey {
    /// Nothing yet.
    pub fn new() -> MediaSurvey {
        MediaSurvey::default()
    }

    /// Takes the next record, secrets hidden.
    pub fn push(&mut self, record: &Record) {
        let Record::Message(record) = record else { return };
        let message = &*record.message;
        match &message.body {
            Body::Command(command) if command.name == "publish" || command.name == "play" => {
                if let Some(name) = command.arguments.first().and_then(Value::as_text)
                    && self.names.len() < MAX_STREAMS
                {
                    let key = (record.session, message.stream_id);
                    self.names.insert(key, name.lossy().into_owned());
                }
            }
            Body::Aggregate(parts) => {
                let first = parts.first().map_or(0, |part| part.timestamp);
                for part in parts {
                    let timestamp =
                        message.timestamp.wrapping_add(part.timestamp.wrapping_sub(first));
                    self.media(record, &part.body, timestamp);
                }
            }
            body => self.media(record, body, message.timestamp),
        }
    }

    fn media(&mut self, record: &MessageRecord, body: &Body, timestamp: u32) {
        let (video, coded) = match body {
            Body::Video(tag) => (true, tag.is_coded()),
            Body::Audio(tag) => (false, tag.is_coded() && !tag.empty),
            _ => return,
        };
        let key = key(record);
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(&key) {
            return;
        }
        let stream = self.streams.entry(key).or_insert_with(|| MediaStream {
            key,
            name: self.names.get(&(key.session, key.stream_id)).cloned(),
            audio: 0,
            video: 0,
            base: None,
        });
        if video {
            stream.video += 1
        } else {
            stream.audio += 1
        }
        if coded {
            stream.base = Some(match stream.base {
                // The first frame of the other kind may be the earlier one. Interleaving is a matter of seconds: what is much earlier is a clock set anew.
                Some(base) if (-MAX_INTERLEAVE..0).contains(&since(base, timestamp)) => timestamp,
                Some(base) => base,
                None => timestamp,
            });
        }
    }

    /// The streams, by session.
    pub fn streams(&self) -> impl Iterator<Item = &MediaStream> {
        self.streams.values()
    }
}

fn key(record: &MessageRecord) -> StreamKey {
    StreamKey {
        session: record.session,
        stream_id: record.message.stream_id,
        direction: record.message.direction,
    }
}

/// Milliseconds that audio and video may be apart.
const MAX_INTERLEAVE: i64 = 5000;
/// A jump of timestamps by more milliseconds than that, either way, is a clock set anew.
const MAX_JUMP: i64 = 10_000;

/// Milliseconds from one timestamp to another, both modulo 2^32.
fn since(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from) as i32)
}

/// What an extraction wrote, and what it could not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Audio tags.
    pub audio: u64,
    /// Video tags.
    pub video: u64,
    /// Script tags.
    pub data: u64,
    /// Aggregates taken apart.
    pub aggregates: u64,
    /// Messages left out because bytes of them are missing.
    pub damaged: u64,
    /// Messages left out because a tag cannot be so large.
    pub too_large: u64,
    /// Gaps: when, how many bytes, and why. The first `MAX_GAPS` of them.
    pub gaps: Vec<(Timestamp, u64, GapKind)>,
    /// All gaps.
    pub gap_count: u64,
    /// Audio and video frames that came before any configuration of their codec, where the codec
    /// has one: players cannot decode them, nor those after them while none comes.
    pub unconfigured: [u64; 2],
    /// Times at which timestamps began anew; the file goes on without the jump.
    pub resets: Vec<Timestamp>,
    /// Milliseconds from the first tag to the last.
    pub duration: u32,
}

impl Extracted {
    /// Whether everything that was sent is in the file.
    pub fn is_whole(&self) -> bool {
        self.damaged == 0 && self.too_large == 0 && self.gap_count == 0
    }
}

/// Gaps that are listed.
pub const MAX_GAPS: usize = 16;
/// Resets that are listed.
const MAX_RESETS: usize = 16;

/// Writes one stream: the second pass. Its records need whole payloads
/// ([`crate::rtmp::Options::keep_media`]).
#[derive(Debug)]
pub struct FlvExtractor<W> {
    out: W,
    key: StreamKey,
    base: u32,
    /// The last media tag: its timestamp as sent, and when it came.
    last: Option<(u32, Timestamp)>,
    /// Its timestamp in the file.
    at: i64,
    /// Whether a configuration of audio and of video was written.
    configured: [bool; 2],
    done: Extracted,
}

impl<W: Write> FlvExtractor<W> {
    /// Begins a file for a stream of the survey.
    pub fn new(mut out: W, stream: &MediaStream) -> io::Result<FlvExtractor<W>> {
        out.write_all(&file_header(stream.audio > 0, stream.video > 0))?;
        Ok(FlvExtractor {
            out,
            key: stream.key,
            base: stream.base.unwrap_or(0),
            last: None,
            at: 0,
            configured: [false; 2],
            done: Extracted::default(),
        })
    }

    /// Takes the next record and what was hidden in it.
    pub fn push(&mut self, record: &Record, redactions: &Redactions) -> io::Result<()> {
        match record {
            Record::Message(record) if key(record) == self.key => self.message(record, redactions),
            Record::Gap(gap)
                if (gap.session, gap.direction) == (self.key.session, self.key.direction) =>
            {
                self.done.gap_count += 1;
                if self.done.gaps.len() < MAX_GAPS {
                    self.done.gaps.push((gap.time, gap.len, gap.kind));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn message(&mut self, record: &MessageRecord, redactions: &Redactions) -> io::Result<()> {
        let message = &*record.message;
        let is_wanted = matches!(
            message.type_id,
            MessageType::AUDIO
                | MessageType::VIDEO
                | MessageType::AGGREGATE
                | MessageType::DATA_AMF0
                | MessageType::DATA_AMF3
        );
        if !is_wanted {
            return Ok(());
        }
        let whole = message.complete && message.payload.len() as u64 == u64::from(message.length);
        if !whole {
            self.done.damaged += 1;
            return Ok(());
        }
        match &message.body {
            Body::Audio(_) | Body::Video(_) => {
                self.note_config(&message.body);
                let kind = message.type_id.0;
                self.tag(kind, message.timestamp, message.time, &message.payload)
            }
            Body::Aggregate(parts) => {
                self.done.aggregates += 1;
                let first = parts.first().map_or(0, |part| part.timestamp);
                for part in parts {
                    let timestamp =
                        message.timestamp.wrapping_add(part.timestamp.wrapping_sub(first));
                    let Some(data) = message.payload.get(part.range.clone()) else {
                        self.done.damaged += 1;
                        continue;
                    };
                    match &part.body {
                        Body::Audio(_) | Body::Video(_) => {
                            self.note_config(&part.body);
                            self.tag(part.type_id.0, timestamp, message.time, data)?;
                        }
                        Body::Data(_) => {
                            self.script(part.type_id, timestamp, message.time, data)?;
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Body::Data(data) => {
                // What players are told about themselves is not media.
                let name = data.name().map(|name| name.lossy());
                if matches!(name.as_deref(), Some("|RtmpSampleAccess" | "onStatus")) {
                    return Ok(());
                }
                let (timestamp, time) = (message.timestamp, message.time);
                match redactions.is_empty() {
                    true => self.script(message.type_id, timestamp, time, &message.payload),
                    // What was hidden must not be in the file.
                    false => match message::encode(message.type_id, &message.body) {
                        Some(data) => self.script(message.type_id, timestamp, time, &data),
                        None => Ok(()),
                    },
                }
            }
            _ => Ok(()),
        }
    }

    fn note_config(&mut self, body: &Body) {
        let (index, codec, config, coded) = match body {
            Body::Audio(tag) if !tag.empty => {
                (0, tag.codec_name(), tag.is_sequence_header(), tag.is_coded())
            }
            Body::Video(tag) => (1, tag.codec_name(), tag.is_sequence_header(), tag.is_coded()),
            _ => return,
        };
        let needed = matches!(codec, "avc" | "hevc" | "vvc" | "av1" | "aac" | "opus" | "flac");
        if config {
            self.configured[index] = true;
        } else if coded && needed && !self.configured[index] {
            self.done.unconfigured[index] += 1;
        }
    }

    /// A data message as a script tag: without the call that a publisher wraps it in, and without
    /// the format byte of AMF3 messages when AMF0 follows it.
    fn script(
        &mut self,
        type_id: MessageType,
        timestamp: u32,
        time: Timestamp,
        data: &[u8],
    ) -> io::Result<()> {
        let (kind, data) = match (type_id, data) {
            (MessageType::DATA_AMF3, [0, rest @ ..]) => (MessageType::DATA_AMF0.0, rest),
            (type_id, data) => (type_id.0, data),
        };
        let data = data.strip_prefix(b"\x02\x00\x0d@setDataFrame").unwrap_or(data);
        self.tag(kind, timestamp, time, data)
    }

    fn tag(&mut self, kind: u8, raw: u32, time: Timestamp, data: &[u8]) -> io::Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        let timestamp = self.rebase(kind, raw, time);
        let mut tag = Writer::new();
        if !write_tag(&mut tag, kind, timestamp, data) {
            self.done.too_large += 1;
            return Ok(());
        }
        match kind {
            8 => self.done.audio += 1,
            9 => self.done.video += 1,
            _ => self.done.data += 1,
        }
        self.done.duration = self.done.duration.max(timestamp);
        self.out.write_all(&tag.into_bytes())
    }

    /// The file's timestamp: from 0, without wraps and resets.
    fn rebase(&mut self, kind: u8, raw: u32, time: Timestamp) -> u32 {
        let clamp = |at: i64| u32::try_from(at.clamp(0, i64::from(i32::MAX))).unwrap_or(0);
        if !matches!(kind, 8 | 9) {
            // Data messages often bear 0 whatever the time is.
            return clamp(self.at);
        }
        match self.last {
            None => {
                let at = since(self.base, raw);
                // Configurations and the like are sent with 0 before the first frame.
                if !(-MAX_INTERLEAVE..=MAX_JUMP).contains(&at) {
                    return 0;
                }
                self.at = at;
            }
            Some((last, last_time)) => {
                let step = since(last, raw);
                let arrival = time.nanos_since(last_time) / 1_000_000;
                if step.abs() > MAX_JUMP && (step - arrival).abs() > MAX_JUMP {
                    if self.done.resets.len() < MAX_RESETS {
                        self.done.resets.push(time);
                    }
                } else {
                    self.at += step;
                }
            }
        }
        self.last = Some((raw, time));
        clamp(self.at)
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<(W, Extracted)> {
        self.out.flush()?;
        Ok((self.out, self.done))
    }
}
