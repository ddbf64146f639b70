//! AMF0 and AMF3 values in commands and data messages.

use crate::analysis::MessageRecord;
use crate::base::StopReason;
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};

const AMF0: Option<SpecRef> = Some(SpecRef { document: "AMF 0", section: "2" });

pub(super) const RULES: &[Rule] = &[Rule {
    id: "amf/truncated",
    layer: Layer::Amf,
    title: "AMF value runs past the end of the message",
    severity: Severity::Error,
    escalates: None,
    spec: AMF0,
    basis: Basis::Spec,
    explanation: "A string, array or object announces more than the message holds, or an object \
        has no end marker (00 00 09). A strict receiver drops the message or the connection.",
    advice: "A fault in the sender's AMF writer, unless the chunk stream was misread before it: \
        look for chunk/desync first.",
    covers: &["amf0/string/truncated", "amf0/object/missing-end"],
    needs: Needs::Message,
    checks: &[Check::Command(truncated), Check::Data(truncated)],
}];

fn truncated(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(stop) = &record.message.stop else { return };
    if let StopReason::Truncated { needed, left } = stop.reason {
        let words =
            format!("{} at byte {} needs {needed} byte(s), {left} are left", stop.field, stop.at);
        let end = stop.at.saturating_add(left as usize);
        cx.report(Report::message(record, words).field(stop.at..end));
    }
}
