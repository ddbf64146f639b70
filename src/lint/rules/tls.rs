//! TLS, as far as it is in plain text.

use crate::analysis::{SessionRecord, Transport};
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};
use crate::lint::words::{SecretKind, Words};

pub(super) const RULES: &[Rule] = &[Rule {
    id: "tls/clienthello-on-plain-port",
    layer: Layer::Tls,
    title: "RTMPS client talks to a plain RTMP port",
    severity: Severity::Error,
    escalates: None,
    spec: None,
    basis: Basis::Robustness,
    explanation: "The client begins with a TLS ClientHello. A plain RTMP server takes it for the \
        beginning of C0 and C1 and waits for 1537 bytes; the client waits for the ServerHello. \
        Both wait until one of them gives up.",
    advice: "Use rtmp:// for this port, or the server's TLS port (443, 1936) with rtmps://. A \
        server without TLS (nginx-rtmp) needs stunnel or an nginx stream block in front of it.",
    covers: &[],
    needs: Needs::Nothing,
    checks: &[Check::Session(clienthello)],
}];

fn clienthello(cx: &mut Context<'_>, record: &SessionRecord) {
    if record.transport == Transport::Tls {
        let note = record.note.as_deref().unwrap_or("TLS");
        let words = Words::default()
            .secret(SecretKind::Description, note)
            .text(format!(" on port {}", record.server.port()));
        let place = Place { frames: vec![record.frame], ..Place::at(record.time, None) };
        cx.report(Report::new(place, words));
    }
}
