//! TLS, as far as it is in plain text.

use crate::analysis::{HandshakeRecord, SessionEnd, SessionRecord, Transport};
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};
use crate::lint::words::{SecretKind, Words};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "tls/clienthello-on-plain-port",
        layer: Layer::Tls,
        title: "RTMPS client talks to a plain RTMP port",
        severity: Severity::Error,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "The client begins with a TLS ClientHello and the server answers nothing. A \
            plain RTMP server takes the hello for the beginning of C0 and C1 and waits for 1537 \
            bytes; the client waits for the ServerHello. Both wait until one of them gives up.",
        advice: "Use rtmp:// for this port, or the server's TLS port (443, 1936) with rtmps://. A \
            server without TLS (nginx-rtmp) needs stunnel or an nginx stream block in front of it.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(clienthello)],
    },
    Rule {
        id: "tls/plain-rtmp-on-tls-port",
        layer: Layer::Tls,
        title: "Plain RTMP client talks to a TLS or HTTP port",
        severity: Severity::Error,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "The client sent C0 and C1, and the server answered with a TLS record or with \
            HTTP text. Clients say \"expected 3, got 21\" for a TLS alert, \"got 72\" for the H \
            of HTTP.",
        advice: "Use rtmps:// for this port, or the server's plain RTMP port. Some services no \
            longer take plain RTMP at all.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Handshake(plain_client)],
    },
    Rule {
        id: "tls/no-sni",
        layer: Layer::Tls,
        title: "ClientHello carries no server name",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: Some(SpecRef { document: "RFC 6066", section: "3" }),
        basis: Basis::DeFacto,
        explanation: "Ingest services share one address among customers and choose the certificate \
            by the server name (SNI). Without it they send another one, an alert, or close.",
        advice: "Connect by name, not by address. stunnel: sni = NAME; libraries: set the host \
            name of the TLS session.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Session(no_sni)],
    },
    Rule {
        id: "tls/opaque",
        layer: Layer::Tls,
        title: "Encrypted: only timing is analysed",
        severity: Severity::Note,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "Both sides speak TLS. Without the session's keys nothing of RTMP can be \
            seen.",
        advice: "Have the client write a key log (SSLKEYLOGFILE), or terminate TLS with stunnel \
            and capture behind it.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(opaque)],
    },
];

fn clienthello(cx: &mut Context<'_>, end: &SessionEnd) {
    let info = &cx.state.info;
    // A capture of the client's direction alone does not tell.
    let silent = end.tcp[1].bytes == 0 && end.tcp[1].packets > 0;
    if info.transport == Transport::Tls && !info.midstream && silent {
        let note = info.note.as_deref().unwrap_or("TLS");
        let words = Words::default().secret(SecretKind::Description, note).text(format!(
            " to port {}: {} bytes, none came back",
            info.server.port(),
            end.tcp[0].bytes
        ));
        let direction = Some(Direction::ClientToServer);
        let place = Place { frames: vec![info.frame], ..Place::at(info.time, direction) };
        cx.report(Report::new(place, words));
    }
}

fn plain_client(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let handshake = &record.handshake;
    if handshake.direction == Direction::ServerToClient {
        let what = match handshake.version {
            0x15 => "a TLS alert (21)",
            0x16 => "a TLS handshake record (22)",
            b'H' => "HTTP (72 is H)",
            _ => return,
        };
        let words = format!("the server answered C0 and C1 with {what}");
        cx.report(Report::new(Place::of_handshake(record), words));
    }
}

fn no_sni(cx: &mut Context<'_>, record: &SessionRecord) {
    let without = |note: &str| note.ends_with("without a server name");
    if record.transport == Transport::Tls && record.note.as_deref().is_some_and(without) {
        let direction = Some(Direction::ClientToServer);
        let place = Place { frames: vec![record.frame], ..Place::at(record.time, direction) };
        cx.report(Report::new(place, "no server_name extension in the ClientHello"));
    }
}

fn opaque(cx: &mut Context<'_>, end: &SessionEnd) {
    if end.transport == Transport::Tls && end.tcp.iter().all(|stats| stats.bytes > 0) {
        let words = format!(
            "{} bytes from the client and {} from the server are TLS",
            end.tcp[0].bytes, end.tcp[1].bytes
        );
        let place = Place { frames: vec![cx.state.info.frame], ..Place::at(end.start, None) };
        cx.report(Report::new(place, words));
    }
}
