//! Decodes, and compares with the truth.

use std::collections::HashMap;

use rtmpscope::analysis::{Options, Pipeline, Record};
use rtmpscope::base::{Direction, Packet, Timestamp};
use rtmpscope::rtmp::{Confidence, Event, Message, Session};

use super::packets::Trace;
use super::scenario::{Scenario, Touch, Truth};

/// What the pipeline says about the packets, no option set.
pub fn decode(packets: &[Packet]) -> Vec<Record> {
    decode_with(Options::default(), packets)
}

/// What the pipeline says about a trace, no option set.
pub fn decode_trace(trace: &Trace) -> Vec<Record> {
    decode(&trace.packets())
}

/// What the pipeline says about the packets.
pub fn decode_with(options: Options, packets: &[Packet]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut pipeline = Pipeline::new(options);
    for packet in packets {
        pipeline.push(packet, &mut |record| records.push(record));
    }
    pipeline.finish(Vec::new(), &mut |record| records.push(record));
    records
}

/// The messages among the records.
pub fn messages(records: &[Record]) -> Vec<&Message> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Message(record) => Some(&*record.message),
            _ => None,
        })
        .collect()
}

/// What the engine alone says about a scenario's streams, fed write by write.
pub fn decode_streams(scenario: &Scenario) -> Vec<Event> {
    let mut events = Vec::new();
    let mut session = Session::new(rtmpscope::rtmp::Options::default());
    for write in scenario.writes() {
        let bytes =
            &scenario.stream(write.direction)[write.range.start as usize..write.range.end as usize];
        session.feed(write.direction, Timestamp(write.time_ns), bytes, &mut |e| events.push(e));
    }
    session.end(Timestamp(i64::MAX), &mut |event| events.push(event));
    events
}

/// How the decoder did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Per message of the truth: what the capture lacks of it.
    pub touch: Vec<Touch>,
    /// Per message of the truth: the confidence it was decoded with, completely.
    pub found: Vec<Option<Confidence>>,
    /// Complete messages that are not in the truth.
    pub invented: Vec<String>,
    /// Those of them that claim to be exact, and messages with a wrong field that claims to be.
    pub lies: Vec<String>,
    /// Messages that do not claim to be exact and have a wrong field, such as the place of a chunk
    /// header under a guessed chunk size.
    pub misread: Vec<String>,
    /// How many of `invented` and `misread` stand exactly where a message begins that is touched: its
    /// header says "as before" of a header that is missing, or the chunk size in force was announced
    /// in missing bytes. The captured bytes would then be the same if what was read had been sent.
    pub excused: usize,
    /// Messages decoded, complete ones only.
    pub complete: usize,
}

impl Outcome {
    /// Messages that no loss touched, as indices of the truth.
    pub fn untouched(&self) -> Vec<usize> {
        self.indices(|touch| touch == Touch::Untouched)
    }

    /// Untouched messages that were not decoded.
    pub fn lost(&self) -> Vec<usize> {
        self.untouched().into_iter().filter(|i| self.found[*i].is_none()).collect()
    }

    fn indices(&self, wanted: impl Fn(Touch) -> bool) -> Vec<usize> {
        (0..self.touch.len()).filter(|i| wanted(self.touch[*i])).collect()
    }

    /// Panics unless all untouched messages were decoded and nothing was invented.
    #[track_caller]
    pub fn assert_perfect(&self, name: &str, scenario: &Scenario) {
        let lost = self.lost();
        assert!(!self.untouched().is_empty(), "{name}: a test of nothing");
        assert!(
            lost.is_empty(),
            "{name}: {} of {} untouched messages lost, the first: {}",
            lost.len(),
            self.untouched().len(),
            describe(&scenario.truth()[lost[0]]),
        );
        assert!(self.invented.is_empty(), "{name}: invented {:?}", self.invented);
        assert!(self.lies.is_empty(), "{name}: exact and wrong: {:?}", self.lies);
        assert!(self.misread.is_empty(), "{name}: misread {:?}", self.misread);
    }

    /// Panics unless, besides, everything that was decoded is exact.
    #[track_caller]
    pub fn assert_exact(&self, name: &str, scenario: &Scenario) {
        self.assert_perfect(name, scenario);
        for (index, confidence) in self.found.iter().enumerate() {
            assert!(
                matches!(confidence, None | Some(Confidence::Exact)),
                "{name}: {confidence:?} for {}",
                describe(&scenario.truth()[index]),
            );
        }
    }
}

/// Compares records of a capture of one session with the truth.
pub fn compare(scenario: &Scenario, trace: &Trace, records: &[Record]) -> Outcome {
    let missing = trace.missing();
    let base = Direction::BOTH.map(|direction| stream_base(trace, direction));
    compare_messages(scenario, scenario.touched(&missing), base, &messages(records))
}

/// Compares messages with the truth. `base` is the true stream offset of what the decoder calls
/// offset 0, per direction; `None` where that cannot be told.
pub fn compare_messages(
    scenario: &Scenario,
    touch: Vec<Touch>,
    base: [Option<u64>; 2],
    messages: &[&Message],
) -> Outcome {
    let truth = scenario.truth();
    let mut outcome = Outcome { found: vec![None; truth.len()], touch, ..Outcome::default() };
    let mut index: HashMap<Key, Vec<usize>> = HashMap::new();
    for (i, message) in truth.iter().enumerate().filter(|(_, message)| message.complete) {
        index.entry(key_of(message)).or_default().push(i);
    }
    for message in messages.iter().filter(|message| message.complete) {
        outcome.complete += 1;
        let base = base[message.direction.index()];
        let key = (message.direction, message.csid, message.type_id.0, message.length);
        let candidates = index.get(&key).map_or(&[][..], Vec::as_slice);
        let fits = |i: &&usize| {
            outcome.found[**i].is_none()
                && truth[**i].payload.starts_with(&message.payload)
                && (message.payload.is_empty() == truth[**i].payload.is_empty())
        };
        let place = |i: &&usize| base.is_some_and(|b| truth[**i].offset() == b + message.offset);
        let time = |i: &&usize| truth[**i].timestamp == message.timestamp;
        let found = candidates
            .iter()
            .filter(fits)
            .max_by_key(|i| (place(i), time(i), std::cmp::Reverse(**i)))
            .copied();
        let Some(found) = found else {
            let what = format!(
                "{} csid {} type {} length {} at {} ({})",
                message.direction,
                message.csid,
                message.type_id.0,
                message.length,
                message.offset,
                message.confidence.name()
            );
            if message.confidence == Confidence::Exact {
                outcome.lies.push(what.clone());
            }
            let here = |t: &Truth| {
                t.direction == message.direction && base == t.offset().checked_sub(message.offset)
            };
            let touched = |i: usize| !matches!(outcome.touch[i], Touch::Untouched);
            if (0..truth.len()).any(|i| here(&truth[i]) && touched(i)) {
                outcome.excused += 1;
            }
            outcome.invented.push(what);
            continue;
        };
        outcome.found[found] = Some(message.confidence);
        let (wrong, claimed) = differs(&truth[found], message, base);
        if let Some(wrong) = wrong {
            let line = format!("{wrong} of {}", describe(&truth[found]));
            if claimed {
                outcome.lies.push(line);
            } else {
                outcome.misread.push(line);
                outcome.excused += usize::from(outcome.touch[found] != Touch::Untouched);
            }
        }
    }
    outcome
}

/// The fields of a decoded message that are not the truth, and whether the decoder claims to know
/// one of them.
fn differs(truth: &Truth, message: &Message, base: Option<u64>) -> (Option<String>, bool) {
    let exact = message.confidence == Confidence::Exact;
    let mut wrong = Vec::new();
    let mut claimed = exact;
    if (exact || message.timestamp_exact) && message.timestamp != truth.timestamp {
        claimed = true;
        wrong.push(format!("timestamp {}, not {}", message.timestamp, truth.timestamp));
    }
    if message.stream_id.map_or(exact, |id| id != truth.stream_id) {
        claimed = true;
        wrong.push(format!("stream {:?}, not {}", message.stream_id, truth.stream_id));
    }
    if message.chunks as usize != truth.headers.len() {
        wrong.push(format!("{} chunks, not {}", message.chunks, truth.headers.len()));
    }
    if message.received != message.length || !message.holes.is_empty() {
        wrong.push(format!("{} of {} bytes", message.received, message.length));
    }
    if message.fmt != truth.fmt {
        wrong.push(format!("format {}, not {}", message.fmt, truth.fmt));
    }
    if exact && message.extended_timestamp != truth.extended_timestamp {
        wrong.push(format!("extended timestamp {}", message.extended_timestamp));
    }
    if let Some(base) = base {
        if message.offset + base != truth.offset() {
            wrong.push(format!("offset {}, not {}", message.offset + base, truth.offset()));
        }
        for (name, ours, theirs) in [
            ("headers", &message.headers, &truth.headers),
            ("pieces", &message.pieces, &truth.pieces),
        ] {
            let theirs = theirs.iter().filter(|r| !r.is_empty());
            let ours: Vec<_> = ours.pieces().map(|r| r.start + base..r.end + base).collect();
            // Neighbouring pieces may be joined.
            if !bytes_of(ours.iter()).eq(&bytes_of(theirs)) {
                wrong.push(format!("{name} begin with {:?}", &ours[..ours.len().min(4)]));
            }
        }
    }
    ((!wrong.is_empty()).then(|| wrong.join(", ")), claimed && !wrong.is_empty())
}

/// Ranges with neighbours joined.
fn bytes_of<'a>(
    ranges: impl Iterator<Item = &'a std::ops::Range<u64>>,
) -> Vec<std::ops::Range<u64>> {
    let mut out: Vec<std::ops::Range<u64>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => out.push(range.clone()),
        }
    }
    out
}

type Key = (Direction, u32, u8, u32);

fn key_of(truth: &Truth) -> Key {
    (truth.direction, truth.csid, truth.type_id.0, truth.payload.len() as u32)
}

/// True stream offset that the decoder calls 0: 0 with the SYN, else the first captured byte.
/// `None` where the first segment of the direction is not the earliest, and nothing says which
/// the decoder must take.
fn stream_base(trace: &Trace, direction: Direction) -> Option<u64> {
    let own: Vec<_> = trace.segments.iter().filter(|s| s.direction == direction).collect();
    // Either side's SYN tells this side's first sequence number: its own, or the SYN-ACK's
    // acknowledgement.
    if trace.segments.iter().any(|s| s.flags & super::packets::SYN != 0) {
        return Some(0);
    }
    let first = own.iter().find(|s| s.is_data())?.range().start;
    own.iter().all(|s| !s.is_data() || s.range().start >= first).then_some(first)
}

/// A message of the truth in a line.
pub fn describe(truth: &Truth) -> String {
    format!(
        "{} csid {} fmt {} type {} timestamp {} length {} at {}..{}",
        truth.direction,
        truth.csid,
        truth.fmt,
        truth.type_id.0,
        truth.timestamp,
        truth.payload.len(),
        truth.offset(),
        truth.end()
    )
}

/// Decodes a capture of one session and compares it with the truth.
pub fn outcome(scenario: &Scenario, trace: &Trace) -> Outcome {
    compare(scenario, trace, &decode_trace(trace))
}

/// The NDJSON of a trace, no option set but secrets shown, without what names packets, capture
/// times and TCP's counters: the lines of each direction, and those that belong to neither.
///
/// What is left is a function of the stream bytes alone.
pub fn normalized(trace: &Trace) -> [Vec<String>; 3] {
    let mut out: [Vec<String>; 3] = Default::default();
    for line in ndjson(&decode_trace(trace)).lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_string();
        let kind = (text("type"), text("kind"));
        // Conflicts, retransmissions and the like are about segments.
        let about_tcp = ["conflicting-overlap", "segment-out-of-window", "reassembly-limit"];
        if kind.0 == "anomaly" && about_tcp.contains(&&*kind.1) {
            continue;
        }
        let index = match text("direction").as_str() {
            "client_to_server" => 0,
            "server_to_client" => 1,
            _ => 2,
        };
        forget(&mut line);
        out[index].push(line.to_string());
    }
    out
}

/// The records as NDJSON, secrets shown.
pub fn ndjson(records: &[Record]) -> String {
    let mut writer = rtmpscope::report::NdjsonWriter::new(Vec::new());
    for record in records {
        writer.write(record, None).expect("a vector takes everything");
    }
    String::from_utf8(std::mem::take(writer.out())).expect("JSON is UTF-8")
}

/// Removes members that name packets, capture times, addresses and TCP's counters, wherever they are.
fn forget(value: &mut serde_json::Value) {
    const FORGOTTEN: [&str; 22] = [
        "frame",
        "frames",
        "first_frame",
        "time",
        "first_time",
        "start_time",
        "epoch_ns",
        "end_time",
        "duration",
        "response_time",
        "tcp",
        "packets",
        "retransmissions",
        "out_of_order",
        "keep_alives",
        "conflicts",
        "rtt",
        "max_in_flight",
        "zero_window_spans",
        "zero_window_time",
        "client",
        "server",
    ];
    match value {
        serde_json::Value::Object(members) => {
            members.retain(|key, _| !FORGOTTEN.contains(&key.as_str()));
            members.values_mut().for_each(forget);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}
