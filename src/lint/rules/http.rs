//! HTTP where RTMP was expected.

use crate::analysis::{SessionRecord, Transport};
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};

pub(super) const RULES: &[Rule] = &[Rule {
    id: "http/http-client-on-rtmp-port",
    layer: Layer::Http,
    title: "Someone sent HTTP to the RTMP port",
    severity: Severity::Error,
    escalates: None,
    spec: None,
    basis: Basis::Robustness,
    explanation: "The client begins with an HTTP request line. An RTMP server takes its first \
        letter for the version in C0 (71 is G, 80 is P, 72 is H, 79 is O) and either closes or \
        waits for the rest of C1.",
    advice: "The URL says http:// in place of rtmp://, a web scanner found the port, or a player \
        fell back to RTMPT, which this port does not speak.",
    covers: &[],
    needs: Needs::Nothing,
    checks: &[Check::Session(http_client)],
}];

fn http_client(cx: &mut Context<'_>, record: &SessionRecord) {
    if record.transport == Transport::Http {
        let note = record.note.as_deref().unwrap_or("HTTP");
        let port = record.server.port();
        let known = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH"];
        let method = note.strip_prefix("HTTP ").filter(|method| known.contains(method));
        let words = match method {
            Some(method) => format!("an HTTP {method} request to port {port}"),
            None => format!("HTTP on port {port}"),
        };
        let direction = Some(Direction::ClientToServer);
        let place = Place { frames: vec![record.frame], ..Place::at(record.time, direction) };
        cx.report(Report::new(place, words));
    }
}
