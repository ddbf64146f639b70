//! RTMFP: startup that fails, what its flows lost.

use crate::analysis::{FactValue, SessionEnd, Transport, TransportRecord};
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "rtmfp/unreachable",
        layer: Layer::Rtmfp,
        title: "Nobody listens on the UDP port",
        severity: Severity::Error,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "A datagram of RTMFP came back as an ICMP message: the host has no program on \
            that UDP port, or a firewall refuses it. Programs wait for an answer all the same, \
            since anyone can forge such a message.",
        advice: "Check that the server runs and listens on UDP: a server that speaks RTMP on TCP \
            1935 need not speak RTMFP on UDP 1935. In mid-session: the server is gone.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("rtmfp", unreachable)],
    },
    Rule {
        id: "rtmfp/no-answer",
        layer: Layer::Rtmfp,
        title: "IHello is never answered",
        severity: Severity::Error,
        escalates: None,
        spec: Some(SpecRef { document: "RFC 7016", section: "3.5.1" }),
        basis: Basis::Spec,
        explanation: "The client sent its IHello more than once and nothing came back, neither RHello \
            nor Redirect. A server that is not the one asked for (another host name or fingerprint) \
            must not answer.",
        advice: "See whether UDP passes between client and server (a firewall, a NAT), and whether \
            the URI or peer id in the IHello is one that this server takes.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(no_answer)],
    },
    Rule {
        id: "rtmfp/keying-mismatch",
        layer: Layer::Rtmfp,
        title: "Both sides do not agree on keys",
        severity: Severity::Error,
        escalates: None,
        spec: Some(SpecRef { document: "RFC 7425", section: "4.5" }),
        basis: Basis::Spec,
        explanation: "The responder's keying answers another Diffie-Hellman group than the \
            initiator chose, or one side asks for HMACs or sequence numbers that the other will \
            not send. No session can come of it; the initiator repeats IIKeying until it gives up.",
        advice: "Let the client offer what the server knows: group 2 is the one that every \
            implementation must have, and HMACs must not be demanded of a server without them \
            (rtmfp-cpp: -H, -S).",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("rtmfp", keying_mismatch)],
    },
    Rule {
        id: "rtmfp/flow-rejected",
        layer: Layer::Rtmfp,
        title: "Receiver rejects a flow",
        severity: Severity::Warning,
        escalates: None,
        spec: Some(SpecRef { document: "RFC 7016", section: "2.3.16" }),
        basis: Basis::Spec,
        explanation: "The receiver answered a flow with a Flow Exception: it does not know what the \
            flow's metadata says, or which flow it is meant to answer.",
        advice: "Look at the flow's metadata and association in the layer records: RTMP flows say TC \
            and the message stream, and a server's flows answer one of the client's.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("rtmfp", flow_rejected)],
    },
    Rule {
        id: "rtmfp/given-up",
        layer: Layer::Rtmfp,
        title: "Sender gave up parts of a flow",
        severity: Severity::Warning,
        escalates: None,
        spec: Some(SpecRef { document: "RFC 7016", section: "3.6.2" }),
        basis: Basis::Robustness,
        explanation: "Sequence numbers of a flow never came, and the sender says that it will not \
            send them again: messages outlived their time while the network lost or delayed them. \
            RTMFP allows that for media; a player shows gaps.",
        advice: "Look at the loss between both ends; a longer message lifetime in the sender trades \
            delay for completeness.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("rtmfp", given_up)],
    },
    Rule {
        id: "rtmfp/opaque",
        layer: Layer::Rtmfp,
        title: "RTMFP without keys",
        severity: Severity::Note,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "The session's startup can be read, what follows cannot: the key log has no \
            RTMFP_SHARED_SECRET for it.",
        advice: "Give a key log that one of both programs wrote.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("rtmfp", opaque)],
    },
];

fn unreachable(cx: &mut Context<'_>, record: &TransportRecord) {
    if record.fact.name == "unreachable" {
        let code = record.fact.number("code").unwrap_or(0);
        let to = record.fact.text("destination").unwrap_or("the far end");
        let words = format!("ICMP says that nothing takes datagrams for {to} (code {code})");
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn no_answer(cx: &mut Context<'_>, end: &SessionEnd) {
    let info = &cx.state.info;
    let asked = end.tcp[0].packets;
    // One may have come too shortly before the end of the capture.
    if info.transport == Transport::Rtmfp
        && !info.midstream
        && end.anomalies == 0
        && end.tcp[1].packets == 0
        && asked >= 2
    {
        let words = format!("{asked} packets to the server, none came back");
        let place = Place {
            frames: vec![info.frame],
            ..Place::at(info.time, Some(Direction::ClientToServer))
        };
        cx.report(Report::new(place, words));
    }
}

fn keying_mismatch(cx: &mut Context<'_>, record: &TransportRecord) {
    if record.fact.name == "keying-mismatch" {
        let words = match record.fact.get("reasons") {
            Some(FactValue::List(reasons)) => reasons.join("; "),
            _ => "the keying components contradict each other".into(),
        };
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn flow_rejected(cx: &mut Context<'_>, record: &TransportRecord) {
    if record.fact.name == "flow-exception" {
        let (flow, code) =
            (record.fact.number("flow").unwrap_or(0), record.fact.number("code").unwrap_or(0));
        let words = format!("flow {flow} of the far end is rejected with code {code}");
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn given_up(cx: &mut Context<'_>, record: &TransportRecord) {
    let lost = record.fact.number("lost").unwrap_or(0);
    if record.fact.name == "flow-figures" && lost > 0 {
        let (flow, came) =
            (record.fact.number("flow").unwrap_or(0), record.fact.number("fragments").unwrap_or(0));
        let words = format!("flow {flow}: {lost} of {} fragments never came", came + lost);
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn opaque(cx: &mut Context<'_>, record: &TransportRecord) {
    if record.fact.name == "no-keys" {
        let words = "what follows the startup cannot be read: no keys".to_owned();
        cx.report(Report::new(Place::of_fact(record), words));
    }
}
