//! User control events, and payloads of the wrong size.

use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::{Direction, StopReason};
use crate::flow::EndReason;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::state::StreamUse;
use crate::wire::message::{Body, MessageType, UserControl};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "control/stream-begin-odd",
        layer: Layer::Control,
        title: "StreamBegin missing, early or for another id",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("7.1.7"),
        basis: Basis::Spec,
        explanation: "The server should say Stream Begin with the id of the message stream before \
            it says Play.Start or Publish.Start. nginx-rtmp says it for play and publish, many \
            others do not. Clients exist that wait for it, or stop at one with another id.",
        advice: "Harmless unless the client waits: then the server should send it.",
        covers: &["rtmp/ucm/stream-begin-play", "rtmp/ucm/stream-begin-publish"],
        needs: Needs::Both,
        checks: &[Check::Command(begin_missing), Check::Control(begin_other)],
    },
    Rule {
        id: "control/stream-eof-missing",
        layer: Layer::Control,
        title: "Play ended without Stream EOF or Play.Stop",
        severity: Severity::Note,
        escalates: None,
        spec: rtmp("7.1.7"),
        basis: Basis::Spec,
        explanation: "The server closed the player's connection and said neither Stream EOF nor \
            Play.Stop nor UnpublishNotify: the player cannot tell an end from a failure.",
        advice: "The server should say it before it closes.",
        covers: &["rtmp/ucm/stream-eof"],
        needs: Needs::Both,
        checks: &[Check::Control(remember_eof), Check::End(eof_missing)],
    },
    Rule {
        id: "rtmp/ucm/stream-is-recorded",
        layer: Layer::Control,
        title: "Server calls a live stream recorded",
        severity: Severity::Warning,
        escalates: None,
        spec: rtmp("7.1.7"),
        basis: Basis::Spec,
        explanation: "Stream Is Recorded came for a stream that another session of this capture \
            publishes. Players may offer to seek. gortmplib sends it always.",
        advice: "A fault of the server that few players show.",
        covers: &["rtmp/ucm/stream-is-recorded"],
        needs: Needs::Message,
        checks: &[Check::Control(recorded)],
    },
    Rule {
        id: "control/unknown-event",
        layer: Layer::Control,
        title: "Unknown user-control event",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("6.2"),
        basis: Basis::DeFacto,
        explanation: "Known are 0 to 4, 6 and 7, 26 and 27 (SWF verification), 31 and 32 (buffer \
            empty and ready, Flash Media Server). Receivers pass over others; gortmplib closes.",
        advice: "An extension of the sender's own.",
        covers: &["rtmp/ucm/unknown-event"],
        needs: Needs::Message,
        checks: &[Check::Control(unknown)],
    },
    Rule {
        id: "rtmp/ucm/swf-verify",
        layer: Layer::Control,
        title: "Server asks for SWF verification",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: None,
        basis: Basis::DeFacto,
        explanation: "Flash Media Server asks the player to prove that it is a certain SWF file. \
            A client that cannot answer is dropped after a while.",
        advice: "rtmpdump: --swfVfy URL. Other clients cannot answer.",
        covers: &["rtmp/ucm/swf-verify"],
        needs: Needs::Message,
        checks: &[Check::Control(swf)],
    },
    Rule {
        id: "rtmp/control/payload-length",
        layer: Layer::Control,
        title: "Control message of the wrong length",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4"),
        basis: Basis::Spec,
        explanation: "Types 1, 2, 3 and 5 have 4 bytes, type 6 has 5, and user control events \
            have what their type says. Short ones lack their value, long ones are refused by \
            strict receivers.",
        advice: "A fault of the sender.",
        covers: &["rtmp/control/payload-length", "rtmp/ucm/payload-size", "rtmp/ucm/short-payload"],
        needs: Needs::Message,
        checks: &[Check::Control(length)],
    },
    Rule {
        id: "rtmp/control/abort-unknown-csid",
        layer: Layer::Control,
        title: "Abort of a message that is not in progress",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.2"),
        basis: Basis::Robustness,
        explanation: "The Abort Message names a chunk stream on which no message is in progress.",
        advice: "Harmless by itself; the sender and the receiver do not agree on what was sent.",
        covers: &["rtmp/control/abort-unknown-csid"],
        needs: Needs::Direction,
        checks: &[Check::Anomaly("abort-of-nothing", abort)],
    },
];

fn event(record: &MessageRecord) -> Option<&UserControl> {
    match &record.message.body {
        Body::UserControl(control) => Some(control),
        _ => None,
    }
}

fn begin_missing(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    let Body::Command(command) = &message.body else { return };
    let code = command.info("code").map(|code| code.lossy().into_owned()).unwrap_or_default();
    let starts = code == "NetStream.Play.Start" || code == "NetStream.Publish.Start";
    let server = message.direction == Direction::ServerToClient;
    if !server || command.name != "onStatus" || !starts {
        return;
    }
    // For publish the figure of the specification alone shows it.
    let play = code == "NetStream.Play.Start";
    let begun = cx.memory.control.event.begun;
    if play && begun.is_none() {
        cx.report(Report::message(record, format!("no Stream Begin before {code}")));
    }
}

fn begin_other(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(event) = event(record).filter(|event| event.event.0 == 0) else { return };
    if record.message.direction != Direction::ServerToClient {
        return;
    }
    let id = event.stream_id.unwrap_or(0);
    // Stream Begin 0 after connect is about the connection.
    if id == 0 {
        return;
    }
    cx.memory.control.event.begun = Some(id);
    if cx.state.stream(id).is_none_or(|stream| stream.created.is_none()) {
        let words = format!("Stream Begin {id} for a stream that was not created");
        cx.report(Report::message(record, words).field(2..6));
    }
}

/// What events were seen.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The last message stream that began.
    begun: Option<u32>,
    /// Whether a message stream was said to be over.
    ended: bool,
}

fn remember_eof(cx: &mut Context<'_>, record: &MessageRecord) {
    if event(record).is_some_and(|event| event.event.0 == 1) {
        cx.memory.control.event.ended = true;
    }
}

fn eof_missing(cx: &mut Context<'_>, end: &SessionEnd) {
    let by_server = matches!(
        end.reason,
        EndReason::Fin(Direction::ServerToClient) | EndReason::Reset(Direction::ServerToClient)
    );
    let played = cx.state.streams().iter().find(|stream| {
        stream.used == Some(StreamUse::Play) && stream.started.is_some() && stream.closed.is_none()
    });
    let Some(stream) = played.filter(|_| by_server && cx.state.goodbye.is_none()) else { return };
    let said = |code: &str| cx.state.statuses().any(|status| status.code == code);
    let ended = cx.memory.control.event.ended
        || said("NetStream.Play.Stop")
        || said("NetStream.Play.Complete")
        || said("NetStream.Play.UnpublishNotify");
    if !ended && cx.state.server().video.messages + cx.state.server().audio.messages > 0 {
        let words = format!("message stream {} was playing when the server closed", stream.id);
        let place = Place::at(end.time, Some(Direction::ServerToClient));
        let report = Report::new(place, words).related_if("Play.Start", stream.started.as_ref());
        cx.report(report);
    }
}

fn recorded(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(event) = event(record).filter(|event| event.event.0 == 4) else { return };
    let id = event.stream_id.unwrap_or(0);
    let Some(name) = cx.state.stream(id).and_then(|stream| stream.name.as_ref()) else { return };
    let app = cx.state.connect.as_ref().and_then(|connect| connect.app.as_ref());
    let live = cx.others.live().any(|other| {
        other.used == Some(StreamUse::Publish)
            && other.stream.as_ref() == Some(name)
            && other.app.as_ref() == app
    });
    if live {
        cx.report(Report::message(record, format!("Stream Is Recorded for message stream {id}")));
    }
}

fn unknown(cx: &mut Context<'_>, record: &MessageRecord) {
    if let Some(event) = event(record).filter(|event| event.event.name() == "unknown") {
        let words = format!("event {} with {} bytes of data", event.event.0, event.data.len());
        cx.report(Report::message(record, words).field(0..2));
    }
}

fn swf(cx: &mut Context<'_>, record: &MessageRecord) {
    if event(record).is_some_and(|event| event.event.0 == 0x1a) {
        // What the client does not answer is the client's to mend.
        cx.report(Report::message(record, "SWF verification request"));
    }
}

fn length(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    if !message.type_id.is_control() {
        return;
    }
    let Some(stop) = message.stop.as_ref().filter(|_| message.length > 0) else { return };
    let kind = message.type_id.kind();
    let (words, short) = match stop.reason {
        StopReason::Truncated { .. } => {
            (format!("{kind} of {} bytes ends before {}", message.length, stop.field), true)
        }
        StopReason::Trailing(left) => {
            (format!("{kind} of {} bytes, {left} too many", message.length), false)
        }
        _ => return,
    };
    // Some senders leave the limit type out: the window counts all the same.
    let harmless = message.type_id == MessageType::SET_PEER_BANDWIDTH && message.length == 4;
    let report = Report::message(record, words).error_if(short && !harmless);
    cx.report(report.field(stop.at..message.length as usize));
}

fn abort(cx: &mut Context<'_>, record: &crate::analysis::AnomalyRecord) {
    cx.report(Report::anomaly(record, record.detail.clone()));
}
