//! The chunk stream (section 5.3).

use crate::analysis::MessageRecord;
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::rtmp::Confidence;

/// What the chunk rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {}

pub(super) const RULES: &[Rule] = &[Rule {
    id: "chunk/message-too-large",
    layer: Layer::Chunk,
    title: "A message is bigger than the server accepts",
    severity: Severity::Warning,
    escalates: Some(Severity::Error),
    spec: rtmp("5.3.1.2"),
    basis: Basis::DeFacto,
    explanation: "Servers close the connection when a message header announces more than they \
        accept: nginx-rtmp 1 MiB (max_message). Mostly it is a key frame of a detailed scene, so \
        a stream runs for hours and then breaks.",
    advice: "Raise max_message on nginx-rtmp. Or make key frames smaller: a smaller VBV buffer \
        (-bufsize), a lower bit rate or quality ceiling.",
    covers: &["rtmp/chunk/max-message-length"],
    needs: Needs::Nothing,
    checks: &[Check::Message(too_large)],
}];

fn too_large(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    let limit = cx.limit(Limit::MessageMax);
    // After a guess the length may be a bogus one.
    if f64::from(message.length) <= limit || message.confidence != Confidence::Exact {
        return;
    }
    let seen = match message.complete {
        true => String::new(),
        false => format!(", of which {} arrived", message.received),
    };
    let kind = message.type_id.kind();
    let words = format!("{kind} message of {} bytes{seen}; the limit is {limit}", message.length);
    cx.report(Report::message(record, words).weight(f64::from(message.length)));
}
