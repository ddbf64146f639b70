//! C0 C1 C2 and S0 S1 S2 (section 5.2).

use crate::analysis::HandshakeRecord;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};

pub(super) const RULES: &[Rule] = &[Rule {
    id: "handshake/s2-not-c1",
    layer: Layer::Handshake,
    title: "S2 or C2 does not echo what the peer sent",
    severity: Severity::Note,
    escalates: Some(Severity::Error),
    spec: rtmp("5.2.4"),
    basis: Basis::Spec,
    explanation: "C2 must repeat the random bytes of S1, and S2 those of C1; in the digest \
        handshake they may end in a signature instead. These do neither. Most peers never look, \
        strict ones close (\"S2 payload not equal to C1\").",
    advice: "Make the sender echo the packet. librtmp only warns; FFmpeg sends a C2 that many \
        servers would refuse if they looked.",
    covers: &["rtmp/handshake/c1-random-echo", "rtmp/handshake/client-c2-echo"],
    needs: Needs::Both,
    checks: &[Check::Handshake(echo)],
}];

fn echo(cx: &mut Context<'_>, record: &HandshakeRecord) {
    if record.handshake.valid == Some(false) {
        let words = match record.handshake.direction {
            crate::base::Direction::ClientToServer => "C2 neither echoes S1 nor is it signed",
            crate::base::Direction::ServerToClient => "S2 neither echoes C1 nor is it signed",
        };
        cx.report(Report::new(Place::of_handshake(record), words));
    }
}
