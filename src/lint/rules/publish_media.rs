//! What a publisher sends, and when.

use super::command::from_client;
use super::publish::said_goodbye;
use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::{Direction, Timestamp};
use crate::lint::cause::span;
use crate::lint::context::{Context, Report};
use crate::lint::ending::Ending;
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::state::{SessionState, StreamUse};

/// What these rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    /// Start of the silence that was reported.
    gap: Option<Timestamp>,
    /// Media bytes after a refusal.
    refused_bytes: u64,
}

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Publish,
    title: "",
    severity: Severity::Warning,
    escalates: Some(Severity::Error),
    spec: rtmp("7.2.2.6"),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Direction,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "publish/media-before-start",
        title: "Media sent before the server agreed",
        severity: Severity::Note,
        explanation: "Audio, video or metadata came before NetStream.Publish.Start. Strict servers \
            drop the codec headers that come then.",
        advice: "Wait for the status before the first media message.",
        covers: &["rtmp/publish/media-before-publish", "rtmp/publish/pipelined-media"],
        needs: Needs::Both,
        checks: &[Check::Media(early)],
        ..BASE
    },
    Rule {
        id: "publish/media-after-refusal",
        title: "Encoder keeps sending after an error status",
        escalates: None,
        explanation: "The server refused the publish, and the encoder sends media all the same. \
            Its user believes to be on air.",
        advice: "Update the encoder, or look at its log: it does not read the status.",
        needs: Needs::Both,
        checks: &[Check::Media(after_refusal)],
        ..BASE
    },
    Rule {
        id: "publish/no-media",
        title: "Published, but no audio or video followed",
        severity: Severity::Error,
        escalates: None,
        explanation: "The server agreed and the encoder sent nothing: it has no frames (no camera \
            permission, no signal at the input, a codec that does not start), or it waits.",
        advice: "Look at the encoder's preview and log at this time, and at unanswered commands.",
        needs: Needs::Both,
        checks: &[Check::End(no_media)],
        ..BASE
    },
    Rule {
        id: "publish/media-gap",
        title: "Media stopped for a while",
        explanation: "The publisher sent no audio and no video for seconds although the receiver's \
            window was open. Servers drop idle publishers after 5, 10 or 30 s.",
        advice: "Look at the source: a device that sleeps, a scene without frames, a paused app.",
        checks: &[Check::Media(gap), Check::End(gap_at_end)],
        ..BASE
    },
    Rule {
        id: "publish/ended-without-unpublish",
        title: "Encoder left without saying goodbye",
        severity: Severity::Note,
        escalates: None,
        explanation: "The client closed without FCUnpublish, closeStream or deleteStream: it was \
            killed, it crashed, or it never says it. Some servers take that for a fault.",
        advice: "Harmless if the encoder was meant to stop; otherwise look for its crash.",
        covers: &["rtmp/publish/abrupt-disconnect"],
        needs: Needs::Both,
        checks: &[Check::End(no_goodbye)],
        ..BASE
    },
];

/// Whether the client publishes and the server has agreed.
fn started(state: &SessionState) -> Option<&Place> {
    let mut streams = state.streams().iter();
    streams.find(|s| s.used == Some(StreamUse::Publish))?.started.as_ref()
}

fn early(cx: &mut Context<'_>, record: &MessageRecord) {
    if !from_client(record) {
        return;
    }
    let id = record.message.stream_id.unwrap_or(0);
    let Some(stream) = cx.state.stream(id).filter(|s| s.used == Some(StreamUse::Publish)) else {
        return;
    };
    // Servers without any onStatus (SRS's onFCPublish) are another matter.
    if stream.started.is_none() && stream.last_code.is_empty() {
        if cx.repeats(Direction::ClientToServer, record.message.time) {
            return;
        }
        let kind = record.message.type_id.kind();
        cx.report(Report::message(record, format!("{kind} before NetStream.Publish.Start")));
    }
}

fn after_refusal(cx: &mut Context<'_>, record: &MessageRecord) {
    if !from_client(record) || cx.state.purpose() != Some(StreamUse::Publish) {
        return;
    }
    let refusal = cx
        .state
        .statuses()
        .rev()
        .find(|status| status.is_failure() && status.code.starts_with("NetStream."));
    let Some(refusal) = refusal else { return };
    cx.memory.publish.refused_bytes += u64::from(record.message.received);
    let bytes = cx.memory.publish.refused_bytes;
    if bytes > cx.limit(Limit::RefusedBytes) as u64 && !cx.has_reported(Direction::ClientToServer) {
        let words = format!("{bytes} bytes of media after the server's error status");
        let place = refusal.place.clone();
        cx.report(Report::message(record, words).related("the status", place));
    }
}

fn no_media(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let Some(start) = started(state) else { return };
    let waited = closing.time.seconds_since(start.time);
    if state.client().media_messages() == 0 && waited >= cx.limit(Limit::NoMediaSeconds) {
        let words = format!("no audio and no video in {waited:.0} s after Publish.Start");
        cx.report(Report::new(start.clone(), words));
    }
}

/// When the last audio or video of the client came.
fn last_media(state: &SessionState) -> Option<Timestamp> {
    state.client().media_times().map(|(_, last)| last)
}

fn silence(cx: &mut Context<'_>, until: Timestamp) {
    let state = cx.state;
    let (Some(last), Some(_)) = (last_media(state), started(state)) else { return };
    let waited = until.seconds_since(last);
    let limit = cx.limit(Limit::MediaGapSeconds);
    if waited > limit && cx.memory.publish.gap != Some(last) {
        cx.memory.publish.gap = Some(last);
        let words = format!("no audio and no video for {}", span(waited));
        let place = Place::at(last, Some(Direction::ClientToServer));
        cx.report(Report::new(place, words).weight(waited));
    }
}

fn gap(cx: &mut Context<'_>, record: &MessageRecord) {
    if from_client(record) {
        // The message's first byte: a picture that needs seconds on a slow path is no silence.
        silence(cx, record.message.first_time);
    }
}

fn gap_at_end(cx: &mut Context<'_>, end: &SessionEnd) {
    let closing = Ending::of(end);
    let stalled = end.tcp[1].zero_window_ns > 0;
    let busy = end.tcp[0].retransmissions > 3;
    if !said_goodbye(cx.state, &closing) && !stalled && !busy {
        silence(cx, closing.time);
    }
}

fn no_goodbye(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let published = started(state).is_some() && state.client().media_messages() > 0;
    if published && closing.by_client() && !said_goodbye(state, &closing) {
        let words = format!(
            "the client closed the connection ({}) without FCUnpublish or deleteStream",
            closing.how()
        );
        cx.report(Report::new(Place::at(closing.time, closing.by), words));
    }
}
