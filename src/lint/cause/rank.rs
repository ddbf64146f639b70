//! Which finding explains the end of a session.

use crate::lint::finding::{Finding, Severity};
use crate::lint::rule::Rule;

/// Rules in the order in which they explain an end; a name with a slash at its end stands for the
/// layer's other rules. What is not in here explains nothing by itself.
const ORDER: &[&str] = &[
    // It was never RTMP.
    "tls/",
    "http/",
    "handshake/version-odd",
    "tcp/connect-refused",
    "tcp/connect-timeout",
    "rtmfp/unreachable",
    "rtmfp/no-answer",
    "rtmfp/keying-mismatch",
    // A peer said what is wrong.
    "command/auth-failed",
    "command/auth-challenge",
    "command/redirect-ignored",
    "command/app-not-found",
    "command/connect-rejected",
    "publish/badname",
    "publish/rejected",
    "play/stream-not-found",
    "play/rejected",
    // The protocol broke.
    "chunk/message-too-large",
    "chunk/size-invalid",
    "chunk/ext-ts-missing-on-type3",
    "chunk/size-too-large",
    "chunk/desync",
    "ertmp/hevc-labelled-avc",
    "ertmp/legacy-hevc-id12",
    "ertmp/not-negotiated",
    "ertmp/fourcc-unknown",
    "ertmp/multitrack-not-negotiated",
    "ertmp/connect-refused-on-fourcclist",
    "command/app-holds-stream-name",
    "publish/name-empty",
    "handshake/",
    "chunk/",
    "amf/",
    "control/ack-wraps-badly",
    "control/ack-missing",
    // It can be inferred.
    "close/on-first-media",
    "publish/start-then-close",
    "publish/closed-without-status",
    "play/start-then-close",
    "play/closed-without-status",
    "command/optional-call-kills",
    "tcp/peer-vanished",
    "tcp/zero-window-stall",
    "tcp/uplink-saturated",
    "tcp/full-size-segments-lost",
    "play/start-without-media",
    "play/no-answer",
    "play/phantom-track",
    "play/config-not-replayed",
    "publish/no-media",
    "publish/media-gap",
    "command/no-reply",
    "command/",
    "control/ping-unanswered",
    "tcp/idle-cut",
    "rtmfp/",
    // What viewers notice.
    "media/slower-than-realtime",
    "media/avc-config-missing",
    "media/aac-config-missing",
    "media/annexb-payload",
    "media/track-late",
    "media/",
    "ertmp/",
    "play/",
    "publish/media-after-refusal",
    "tcp/loss-burst",
    "tcp/",
    "control/",
    "publish/",
    // The frame, when nothing better is known.
    "close/error-status-before",
    "close/mid-message",
    "close/calls-pending",
];

/// Rules that never make a headline although they may be warnings: they say what to take care of,
/// not what went wrong.
const ASIDE: &[&str] =
    &["publish/key-in-clear", "close/verdict", "close/graceful", "tls/opaque", "rtmfp/opaque"];

/// Where a rule stands; less explains more.
fn place(rule: &Rule) -> Option<usize> {
    let id = rule.id;
    if ASIDE.contains(&id) {
        return None;
    }
    let exact = ORDER.iter().position(|entry| *entry == id);
    let layer =
        || ORDER.iter().position(|entry| entry.strip_suffix('/') == Some(rule.layer.name()));
    exact.or_else(layer)
}

/// The finding that explains best, of those that are at least that bad: errors before warnings,
/// then by rank, then the first one.
pub(super) fn best<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    least: Severity,
) -> Option<&'a Finding> {
    let ranked = findings
        .filter(|finding| finding.severity >= least)
        .filter_map(|finding| Some((place(finding.rule)?, finding)));
    ranked
        .min_by_key(|(place, f)| (std::cmp::Reverse(f.severity), *place, f.place.time))
        .map(|(_, finding)| finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint;

    #[test]
    fn every_rule_has_a_place_or_stands_aside() {
        let lost: Vec<&str> = lint::all()
            .filter(|rule| place(rule).is_none() && !ASIDE.contains(&rule.id))
            .map(|rule| rule.id)
            .collect();
        // The frame of a session explains nothing by itself.
        assert!(lost.iter().all(|id| id.starts_with("close/")), "{lost:?}");
        let place = |id: &str| place(lint::find(id).unwrap()).unwrap();
        assert!(place("publish/badname") < place("publish/start-then-close"));
        assert!(place("chunk/message-too-large") < place("publish/start-then-close"));
        assert!(place("amf/truncated") < place("media/interleave"));
        for id in ORDER.iter().chain(ASIDE).filter(|id| !id.ends_with('/')) {
            assert!(lint::find(id).is_some(), "{id} is no rule");
        }
    }
}
