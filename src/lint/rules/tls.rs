//! TLS, as far as it is in plain text.

use crate::analysis::{FactValue, HandshakeRecord, SessionEnd, Transport, TransportRecord};
use crate::base::Direction;
use crate::flow::EndReason;
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
        checks: &[Check::Fact("tls", no_sni)],
    },
    Rule {
        id: "tls/certificate-refused",
        layer: Layer::Tls,
        title: "Client does not trust the server certificate",
        severity: Severity::Error,
        escalates: None,
        spec: Some(SpecRef { document: "RFC 8446", section: "6.2" }),
        basis: Basis::Spec,
        explanation: "The client answered the server's certificate with an alert that names it: it \
            is not signed by anyone the client knows, expired, revoked, or of a kind that the \
            client does not take.",
        advice: "Look at the certificate with openssl s_client -connect HOST:PORT -servername HOST. \
            The server must send the whole chain but the root; the client needs a bundle of roots \
            (OBS and mbedTLS say -0x7680 without one) and a clock that is right.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("tls", refused)],
    },
    Rule {
        id: "tls/name-mismatch",
        layer: Layer::Tls,
        title: "Certificate is for another host",
        severity: Severity::Error,
        escalates: None,
        spec: Some(SpecRef { document: "RFC 9525", section: "6" }),
        basis: Basis::Spec,
        explanation: "None of the names in the server's certificate is the one that the client asked \
            for. Clients that check the name refuse it.",
        advice: "Connect by a name that the certificate has, or get one for this name. A relay \
            that connects to an address must be told the name (stunnel: sni and checkHost).",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("tls", name_mismatch)],
    },
    Rule {
        id: "tls/handshake-alert",
        layer: Layer::Tls,
        title: "TLS handshake failed",
        severity: Severity::Error,
        escalates: None,
        spec: Some(SpecRef { document: "RFC 8446", section: "6.2" }),
        basis: Basis::Spec,
        explanation: "One side gave up the handshake with a fatal alert: there is no version, \
            cipher suite or protocol that both take, or something in it failed.",
        advice: "Compare what the ClientHello offers with what the server takes. Old encoders know \
            no TLS 1.3 and some no TLS 1.2; some servers take 1.2 only.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("tls", handshake_alert)],
    },
    Rule {
        id: "tls/closed-on-session-ticket",
        layer: Layer::Tls,
        title: "Client gives up right after a TLS 1.3 session ticket",
        severity: Severity::Error,
        escalates: None,
        spec: Some(SpecRef { document: "RFC 8446", section: "4.6.1" }),
        basis: Basis::DeFacto,
        explanation: "The handshake was done and the server sent a session ticket; the client closed \
            without a message of RTMP. Programs with mbedTLS 3.6 that do not expect a ticket take \
            it for a failed read.",
        advice: "Update the client, or let the server offer TLS 1.2 only.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(closed_on_ticket)],
    },
    Rule {
        id: "tls/alpn-picked-http",
        layer: Layer::Tls,
        title: "TLS negotiated HTTP, not RTMP",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: Some(SpecRef { document: "RFC 7301", section: "3.2" }),
        basis: Basis::Spec,
        explanation: "The server chose HTTP from the protocols that the client offered, and the \
            connection is used for RTMP. There is no name for RTMP in ALPN: clients offer none.",
        advice: "Let the client offer no protocols, and the server accept RTMP on a listener that \
            does not choose among HTTP's.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("tls", alpn)],
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

fn no_sni(cx: &mut Context<'_>, record: &TransportRecord) {
    let fact = &record.fact;
    if fact.name == "client-hello" && fact.get("server_name").is_none() {
        let words = "no server_name extension in the ClientHello";
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn opaque(cx: &mut Context<'_>, end: &SessionEnd) {
    let is_tls = matches!(end.transport, Transport::Tls | Transport::Rtmps);
    let unread = Direction::BOTH.map(|way| {
        let stats = &end.tcp[way.index()];
        stats.bytes > 0 && end.undecoded_bytes[way.index()] == stats.bytes
    });
    if is_tls && unread == [true, true] {
        let words = format!(
            "{} bytes from the client and {} from the server are TLS",
            end.tcp[0].bytes, end.tcp[1].bytes
        );
        let place = Place { frames: vec![cx.state.info.frame], ..Place::at(end.start, None) };
        cx.report(Report::new(place, words));
    }
}

/// The code of an alert.
fn alert(record: &TransportRecord) -> Option<u64> {
    (record.fact.name == "alert").then(|| record.fact.number("code"))?
}

fn refused(cx: &mut Context<'_>, record: &TransportRecord) {
    let fact = &record.fact;
    // bad, unsupported, revoked, expired and unknown certificates, unknown CA
    if fact.direction == Direction::ClientToServer && matches!(alert(record), Some(42..=46 | 48)) {
        let what = fact.text("description").unwrap_or_default();
        let words = format!("the client refused the server's certificate: {what}");
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn name_mismatch(cx: &mut Context<'_>, record: &TransportRecord) {
    let fact = &record.fact;
    if fact.name == "certificate" && fact.get("covers_server_name") == Some(&FactValue::Flag(false))
    {
        let names = match fact.get("names") {
            Some(FactValue::List(names)) if !names.is_empty() => names.join(", "),
            _ => "no name".into(),
        };
        let words = format!("the certificate is for {names}, which is not what was asked for");
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn handshake_alert(cx: &mut Context<'_>, record: &TransportRecord) {
    let fact = &record.fact;
    let fatal = fact.text("level") == Some("fatal");
    // No common suite, version, security, internal error, fallback, extension, name, protocol.
    if fatal
        && matches!(alert(record), Some(40 | 47 | 50 | 51 | 70 | 71 | 80 | 86 | 109 | 112 | 120))
    {
        let who = match fact.direction {
            Direction::ClientToServer => "client",
            Direction::ServerToClient => "server",
        };
        let what = fact.text("description").unwrap_or_default();
        let words = format!("the {who} ended the handshake: {what}");
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn closed_on_ticket(cx: &mut Context<'_>, end: &SessionEnd) {
    let by_client = matches!(
        end.reason,
        EndReason::Fin(Direction::ClientToServer) | EndReason::Reset(Direction::ClientToServer)
    );
    if let Some(ticket) = cx.state.ticket.clone()
        && by_client
        && end.messages == [0, 0]
    {
        let after = end.time.seconds_since(ticket.time);
        let words = format!("closed {after:.3} s after the server's session ticket");
        cx.report(Report::new(ticket, words));
    }
}

fn alpn(cx: &mut Context<'_>, record: &TransportRecord) {
    let fact = &record.fact;
    let is_http = |name: &str| name == "h2" || name.starts_with("http/");
    if cx.state.info.transport == Transport::Rtmps
        && matches!(fact.name, "server-hello" | "encrypted-extensions")
        && let Some(name) = fact.text("alpn").filter(|name| is_http(name))
    {
        let words = format!("the server chose {name}");
        cx.report(Report::new(Place::of_fact(record), words));
    }
}
