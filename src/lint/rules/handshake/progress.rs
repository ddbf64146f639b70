//! Who waited for what.

use crate::analysis::{HandshakeRecord, SessionEnd};
use crate::base::Direction::{ClientToServer, ServerToClient};
use crate::flow::EndReason;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::wire::handshake::PACKET_LEN;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "handshake/server-silent",
        layer: Layer::Handshake,
        title: "Server accepted TCP but never sent S0",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.2.1"),
        basis: Basis::Robustness,
        explanation: "C0 and C1 arrived whole, and the server sent not a byte until the end.",
        advice: "It is no RTMP service, it is the wrong port, it wants TLS or a PROXY header, or \
            an access list drops the client after accept.",
        covers: &[],
        needs: Needs::Direction,
        checks: &[Check::End(server_silent)],
    },
    Rule {
        id: "handshake/truncated",
        layer: Layer::Handshake,
        title: "Handshake stopped half-way",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.2.1"),
        basis: Basis::Spec,
        explanation: "A side stopped in the middle of its packets, and the other one had to wait \
            for the rest.",
        advice: "The sender crashed or hangs, its large packets get lost on the way (MTU), or it \
            does not speak RTMP.",
        covers: &["rtmp/handshake/s0s1s2-length"],
        needs: Needs::Direction,
        checks: &[Check::End(truncated)],
    },
    Rule {
        id: "handshake/c2-missing",
        layer: Layer::Handshake,
        title: "Client skipped C2",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.2.4"),
        basis: Basis::Spec,
        explanation: "Where C2 must be stands a chunk with a command. Tolerant servers go on, \
            strict ones take 1536 bytes of commands for C2 and then wait, or misread what follows.",
        advice: "Have the client send C2, the echo of S1, before connect.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Handshake(c2_missing)],
    },
    Rule {
        id: "handshake/slow",
        layer: Layer::Handshake,
        title: "Handshake took long",
        severity: Severity::Warning,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "S0, S1 and S2 came late.",
        advice: "The server is overloaded, or looks up names or access lists when it accepts a \
            connection.",
        covers: &[],
        needs: Needs::Direction,
        checks: &[Check::Handshake(slow)],
    },
    Rule {
        id: "rtmp/handshake/no-data-before-c2",
        layer: Layer::Handshake,
        title: "Server sends messages before it has C2",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.2.1"),
        basis: Basis::Spec,
        explanation: "The server must wait for C2 before it sends anything else. A client that is \
            still in its handshake may take the message for a part of it.",
        advice: "A fault of the server; most clients do not mind.",
        covers: &["rtmp/handshake/no-data-before-c2"],
        needs: Needs::Direction,
        checks: &[Check::Handshake(data_before_c2)],
    },
    Rule {
        id: "rtmp/handshake/client-waits-s1-s2",
        layer: Layer::Handshake,
        title: "Client goes on before it has S2",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.2.1"),
        basis: Basis::Spec,
        explanation: "The client must wait for S2 before it sends anything but C2. A \
            server that reads one step at a time may lose what comes early.",
        advice: "A fault of the client, sometimes on purpose to save a round trip.",
        covers: &["rtmp/handshake/client-waits-s1-s2"],
        needs: Needs::Direction,
        checks: &[Check::Handshake(early_message)],
    },
];

/// Whether the end is one: a capture that ends first says nothing about who would have answered.
fn gave_up(cx: &Context<'_>, end: &SessionEnd) -> bool {
    let waited = end.time.seconds_since(end.start) >= cx.limit(Limit::HandshakeSilentSeconds);
    !matches!(end.reason, EndReason::EndOfCapture(None)) || waited
}

fn server_silent(cx: &mut Context<'_>, end: &SessionEnd) {
    let client = cx.state.client();
    let asked = client.handshake.as_ref().filter(|h| h.end_offset > PACKET_LEN as u64);
    let silent = end.tcp[1].bytes == 0 && end.tcp[1].packets > 0;
    if asked.is_some() && client.is_whole() && silent && gave_up(cx, end) {
        let words = format!(
            "{} bytes of handshake, no byte back in {:.1} s",
            end.tcp[0].bytes,
            end.time.seconds_since(end.start)
        );
        cx.report(Report::new(Place::at(end.time, Some(ServerToClient)), words));
    }
}

fn truncated(cx: &mut Context<'_>, end: &SessionEnd) {
    if !gave_up(cx, end) {
        return;
    }
    let packet = PACKET_LEN as u64;
    let server_done = cx.state.server().handshake.as_ref().is_some_and(|h| h.complete);
    let mut found = Vec::new();
    for side in cx.sides() {
        let Some(handshake) = side.handshake.as_ref().filter(|h| !h.complete) else { continue };
        let seen = handshake.end_offset;
        // C2 is sent when S1 is there: a client that waits for it has done its part.
        let waits = side.direction == ClientToServer && seen == 1 + packet && !server_done;
        // RTMPE has a rule of its own.
        if waits || handshake.version != 3 {
            continue;
        }
        let names = match side.direction {
            ClientToServer => ["C1", "C2"],
            ServerToClient => ["S1", "S2"],
        };
        let (name, missing) = match seen <= packet {
            true => (names[0], 1 + packet - seen),
            false => (names[1], 1 + 2 * packet - seen),
        };
        let words = match missing == packet {
            true => format!("{name} never came"),
            false => format!("{missing} of {packet} bytes of {name} never came"),
        };
        let place = Place { bytes: Some(0..seen), ..Place::at(end.time, Some(side.direction)) };
        found.push(Report::new(place, words));
    }
    found.into_iter().for_each(|report| cx.report(report));
}

fn c2_missing(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let handshake = &record.handshake;
    // A type 0 header of a command of less than 64 KiB, and the string "connect".
    let chunk = |answer: &[u8]| {
        answer.get(..6).is_some_and(|header| header[0] < 0x40 && header[4] == 0)
            && answer.get(7) == Some(&20)
            && answer.get(12..22) == Some(b"\x02\x00\x07connect")
    };
    if handshake.direction == ClientToServer && chunk(&handshake.answer) {
        let at = 1 + PACKET_LEN as u64;
        let place = Place { bytes: Some(at..at + 22), ..Place::of_handshake(record) };
        cx.report(Report::new(place, "the connect command stands where C2 must be"));
    }
}

fn slow(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let took = record.handshake.time.seconds_since(cx.state.info.time);
    let server = record.handshake.direction == ServerToClient;
    if server && record.handshake.complete && took > cx.limit(Limit::HandshakeSeconds) {
        let words = format!("S2 was complete {took:.2} s after the first packet");
        cx.report(Report::new(Place::of_handshake(record), words));
    }
}

fn data_before_c2(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let handshake = &record.handshake;
    let server = cx.state.server();
    let Some(first) = server.first_message.filter(|_| server.is_whole()) else { return };
    if handshake.direction == ClientToServer && handshake.complete && first < handshake.time {
        let ms = 1000.0 * handshake.time.seconds_since(first);
        let words = format!("the first message came {ms:.1} ms before the end of C2");
        let place = Place::at(first, Some(ServerToClient));
        cx.report(Report::new(place, words).related("C2", Place::of_handshake(record)));
    }
}

fn early_message(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let server = &record.handshake;
    let client = cx.state.client();
    let Some(first) = client.first_message.filter(|_| client.is_whole()) else { return };
    if server.direction == ServerToClient && server.complete && first < server.time {
        let ms = 1000.0 * server.time.seconds_since(first);
        let words = format!("the first message came {ms:.1} ms before the end of S2");
        let place = Place::at(first, Some(ClientToServer));
        cx.report(Report::new(place, words).related("S2", Place::of_handshake(record)));
    }
}
