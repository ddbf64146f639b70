//! `rtmpscope dump`: packets through the pipeline to the printer.

use std::time::{Duration, Instant};

use super::keylog::add_secrets;
#[cfg(feature = "live")]
use super::live::LiveRun;
use super::plan::{Plan, Source};
use super::printer::Printer;
use super::progress::Bar;
use super::{EXIT_OK, EXIT_TROUBLE};
use crate::analysis::{End, Options, OtherFlows, Pipeline, Record};
use crate::capture::{Capture, Next, OpenOptions, StopFlag};
use crate::transport::Keys;

/// How long output may lie about unseen while input goes on or waits.
const FLUSH: Duration = Duration::from_millis(100);

/// Runs a plan to its exit code; `Err` is why it could not begin.
pub(super) fn run(mut plan: Plan) -> Result<u8, String> {
    let stop = StopFlag::new();
    let mut packets = Packets::open(&mut plan, &stop)?;
    if plan.prompt {
        stop_on_ctrl_c(&stop)?;
    }
    let mut printer = Printer::new(&mut plan);
    let mut pipeline = Pipeline::new(options(&plan));
    let mut bar = plan.progress.then(|| packets.bar()).flatten();
    let mut flushed = Instant::now();
    let mut secrets = 0;
    while !printer.failed() {
        let mut sink = |record: Record| printer.record(record);
        let next = packets.next(plan.prompt);
        packets.secrets(&plan.keys, &mut secrets);
        match next {
            Next::Packet(packet) => pipeline.push(&packet, &mut sink),
            Next::Idle => printer.flush(),
            Next::End => break,
        }
        if plan.prompt && flushed.elapsed() >= FLUSH {
            if let Some(record) = packets.lost() {
                printer.record(record);
            }
            printer.flush();
            flushed = Instant::now();
        }
        if let Some(bar) = &mut bar {
            bar.tick();
        }
    }
    if let Some(bar) = bar {
        bar.finish();
    }
    if let Some(record) = packets.lost() {
        printer.record(record);
    }
    let errors = packets.errors();
    let mut nothing = None;
    pipeline.finish(errors.clone(), &mut |record| {
        if let Record::End(end) = &record {
            nothing = (end.sessions == 0).then(|| what_else(end));
        }
        printer.record(record);
    });
    let errors: Vec<String> = errors.iter().map(|error| printer.clean(error)).collect();
    // A closed pipe is how a reader says that it has seen enough.
    let read_on = printer.finish().map_err(|e| format!("cannot write the output: {e}"))?;
    if !read_on {
        return Ok(EXIT_OK);
    }
    for error in &errors {
        eprintln!("rtmpscope: {error}");
    }
    if let Some(line) = packets.farewell() {
        eprintln!("rtmpscope: {line}");
    }
    if let (Some(what), true) = (nothing, errors.is_empty()) {
        eprintln!("rtmpscope: no RTMP found: {what}");
    }
    Ok(if errors.is_empty() { EXIT_OK } else { EXIT_TROUBLE })
}

/// What a capture without RTMP holds, and what to try.
fn what_else(end: &End) -> String {
    if end.packets == 0 {
        return "there is no packet in it".into();
    }
    if end.other_flows == 0 {
        return format!("no TCP connection with data in {} packets", end.packets);
    }
    let OtherFlows { tls, http, unknown_port } = end.others;
    let speak = |count: u64| if count == 1 { "connection speaks" } else { "connections speak" };
    let mut parts = Vec::new();
    if tls > 0 {
        let try_this = "if it is RTMPS, --keylog reads it, or capture where TLS has ended";
        parts.push(format!("{tls} {} TLS ({try_this})", speak(tls)));
    }
    if http > 0 {
        parts.push(format!("{http} {} HTTP other than RTMPT", speak(http)));
    }
    let rest = end.other_flows - tls - http;
    match unknown_port {
        Some(port) => parts.push(format!(
            "{rest} {} something else (--decode-as tcp.port=={port} takes it for RTMP)",
            speak(rest)
        )),
        None if rest > 0 => parts.push(format!("{rest} carried no data")),
        None => {}
    }
    parts.join(", ")
}

fn options(plan: &Plan) -> Options {
    let mut options = Options {
        decode_as: plan.decode_as.clone(),
        keys: plan.keys.clone(),
        ..Options::default()
    };
    options.session.keep_media = plan.detail.needs_payload();
    // Text shows packets only beside fields, a summary not at all.
    options.frames = !plan.summary;
    options.spans = plan.detail.ranges;
    options
}

/// What a terminal's Ctrl-C ends is the input: the report is finished. A second one ends the
/// program.
fn stop_on_ctrl_c(stop: &StopFlag) -> Result<(), String> {
    let stop = stop.clone();
    ctrlc::set_handler(move || {
        if stop.is_set() {
            std::process::exit(130);
        }
        stop.stop();
    })
    .map_err(|e| format!("cannot handle Ctrl-C: {e}"))
}

/// The inputs of a plan.
enum Packets {
    Captures(Box<Capture>),
    #[cfg(feature = "live")]
    Live(Box<LiveRun>),
}

impl Packets {
    fn open(plan: &mut Plan, stop: &StopFlag) -> Result<Packets, String> {
        let nothing = Source::Captures { inputs: Vec::new(), follow: false };
        match std::mem::replace(&mut plan.source, nothing) {
            Source::Captures { inputs, follow } => {
                let options = OpenOptions { follow, stop: stop.clone() };
                let capture = Capture::open(inputs, options).map_err(|e| e.to_string())?;
                Ok(Packets::Captures(Box::new(capture)))
            }
            #[cfg(feature = "live")]
            Source::Live(setup) => {
                let listening = setup.listening();
                let feed = setup.open(stop)?;
                // As tcpdump does: what happened before this line was not seen.
                eprintln!("rtmpscope: {listening}");
                Ok(Packets::Live(Box::new(LiveRun::new(feed))))
            }
        }
    }

    /// The next packet; with `prompt` the wait for it is short.
    fn next(&mut self, prompt: bool) -> Next {
        match self {
            Packets::Captures(capture) if prompt => capture.poll_packet(FLUSH),
            Packets::Captures(capture) => capture.next_packet().map_or(Next::End, Next::Packet),
            #[cfg(feature = "live")]
            Packets::Live(live) => live.next(FLUSH),
        }
    }

    /// Hands over secrets that came with the packets.
    fn secrets(&self, keys: &Keys, seen: &mut usize) {
        match self {
            Packets::Captures(capture) => add_secrets(keys, capture.secrets(), seen),
            #[cfg(feature = "live")]
            Packets::Live(_) => {}
        }
    }

    fn bar(&self) -> Option<Bar> {
        match self {
            Packets::Captures(capture) => Some(Bar::new(capture.progress())),
            #[cfg(feature = "live")]
            Packets::Live(_) => None,
        }
    }

    /// What went wrong while reading, a line each.
    fn errors(&mut self) -> Vec<String> {
        match self {
            Packets::Captures(capture) => {
                capture.errors().iter().map(ToString::to_string).collect()
            }
            #[cfg(feature = "live")]
            Packets::Live(live) => live.status().errors,
        }
    }

    /// Packets that were lost since this was asked last.
    fn lost(&mut self) -> Option<Record> {
        match self {
            Packets::Captures(_) => None,
            #[cfg(feature = "live")]
            Packets::Live(live) => live.lost().map(Record::Anomaly),
        }
    }

    /// What there is to say at the end of a run that went well.
    fn farewell(&self) -> Option<String> {
        match self {
            Packets::Captures(_) => None,
            #[cfg(feature = "live")]
            Packets::Live(live) => Some(live.farewell()),
        }
    }
}
