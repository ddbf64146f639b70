//! What the packets hold.

use crate::analysis::{HandshakeRecord, SessionEnd, SessionRecord, Transport};
use crate::base::Direction::{self, ClientToServer, ServerToClient};
use crate::flow::EndReason;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::rtmp::{Handshake, Scheme};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "handshake/s2-not-c1",
        layer: Layer::Handshake,
        title: "S2 or C2 does not echo what the peer sent",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: rtmp("5.2.4"),
        basis: Basis::Spec,
        explanation: "C2 must repeat the random bytes of S1, and S2 those of C1; in the digest \
            handshake they may end in a signature instead. These do neither. Most peers never \
            look, strict ones close (\"S2 payload not equal to C1\").",
        advice: "Make the sender echo the packet. librtmp only warns, servers hardly ever look at \
            C2.",
        covers: &[
            "rtmp/handshake/c1-random-echo",
            "rtmp/handshake/client-c2-echo",
            "rtmp/handshake/digest-key-first",
            "rtmp/handshake/digest-digest-first",
        ],
        needs: Needs::Message,
        checks: &[Check::Handshake(echo)],
    },
    Rule {
        id: "rtmp/handshake/s2-time-echo",
        layer: Layer::Handshake,
        title: "S2 or C2 does not repeat the peer's time",
        severity: Severity::Note,
        escalates: None,
        spec: rtmp("5.2.4"),
        basis: Basis::Spec,
        explanation: "The first word of S2 must be the time of C1, and that of C2 the time of S1. \
            The rest of the packet is a right echo.",
        advice: "A fault of the sender that hardly any peer notices.",
        covers: &["rtmp/handshake/s2-time-echo"],
        needs: Needs::Message,
        checks: &[Check::Handshake(time_echo)],
    },
    Rule {
        id: "handshake/digest-invalid",
        layer: Layer::Handshake,
        title: "C1 or S1 claims a digest that does not verify",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: None,
        basis: Basis::DeFacto,
        explanation: "Bytes 4 to 7 hold a version as in the digest handshake of Flash Player, and \
            no digest is where it would have to be. The peer falls back to the simple handshake. \
            Many programs put a version there without a digest.",
        advice: "Harmless for encoders. Players of the Flash age show no H.264 without a digest.",
        covers: &["rtmp/handshake/digest-corrupt", "rtmp/handshake/client-c1-zero"],
        needs: Needs::Message,
        checks: &[Check::Handshake(no_digest)],
    },
    Rule {
        id: "rtmp/handshake/s1-zero-field",
        layer: Layer::Handshake,
        title: "S1's zero field is not zero after a simple C1",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("5.2.3"),
        basis: Basis::Spec,
        explanation: "The client asked for the simple handshake (bytes 4 to 7 zero); those bytes \
            of S1 must be zero then. FFmpeg as a player demands valid digests when it finds a \
            version of 3 or more there.",
        advice: "Let the server write zero, or a real digest. SRS in simple mode copies the time \
            of C1 there.",
        covers: &["rtmp/handshake/s1-zero-field"],
        needs: Needs::Message,
        checks: &[Check::Handshake(zero_field)],
    },
    Rule {
        id: "rtmp/handshake/s1-not-c1-copy",
        layer: Layer::Handshake,
        title: "S1 is a copy of C1",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("5.2.3"),
        basis: Basis::Spec,
        explanation: "S1 should hold random bytes of the server's own, so that each side can tell \
            its packet from the other's. nginx-rtmp and Node-Media-Server send back C1 to simple \
            clients.",
        advice: "Harmless.",
        covers: &["rtmp/handshake/s1-not-c1-copy"],
        needs: Needs::Message,
        checks: &[Check::Handshake(copied)],
    },
    Rule {
        id: "handshake/complex-answered-simple",
        layer: Layer::Handshake,
        title: "Digest handshake answered with a plain one",
        severity: Severity::Note,
        escalates: None,
        spec: None,
        basis: Basis::DeFacto,
        explanation: "C1 holds a valid digest, S1 none: the server knows the simple handshake \
            only.",
        advice: "Fine for today's encoders and players. Flash Player would not show H.264.",
        covers: &[],
        needs: Needs::Direction,
        checks: &[Check::Handshake(answered_simple)],
    },
    Rule {
        id: "handshake/rtmpe",
        layer: Layer::Handshake,
        title: "Encrypted RTMPE handshake",
        severity: Severity::Note,
        escalates: None,
        spec: None,
        basis: Basis::DeFacto,
        explanation: "C0 is 6, 8 or 9: RTMPE. What follows the handshake is encrypted: it can be \
            read with a key log only. Few servers speak it, and some break in its key exchange.",
        advice: "Use RTMPS instead: RTMPE's RC4 and 1024-bit keys keep nobody out for long, and \
            anyone in between can take part in its handshake.",
        covers: &["rtmp/handshake/version-rtmpe"],
        needs: Needs::Nothing,
        checks: &[Check::Handshake(rtmpe), Check::End(rtmpe_end)],
    },
    Rule {
        id: "rtmp/handshake/s0-version",
        layer: Layer::Handshake,
        title: "Server answers with another version",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.2.2"),
        basis: Basis::Spec,
        explanation: "S0 must be 3 when C0 is 3: the version that the server chose. The client \
            does not know another one.",
        advice: "The server (or what sits before it) does not speak RTMP on this port, or is at \
            fault.",
        covers: &["rtmp/handshake/s0-version", "rtmp/handshake/unsupported-version"],
        needs: Needs::Nothing,
        checks: &[Check::Handshake(s0_version)],
    },
    Rule {
        id: "handshake/version-odd",
        layer: Layer::Handshake,
        title: "First byte is not an RTMP version",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.2.2"),
        basis: Basis::Spec,
        explanation: "The first byte of the client must be 3 (or 6, 8, 9 for RTMPE); 0 to 2 are \
            deprecated, 4 to 31 reserved, and 32 on are text, which RTMP never is.",
        advice: "Something else is talking to this port: RTSP interleaved data begins with 0x24, \
            PROXY v2 with 0x0d, TLS with 0x16, HTTP with a letter.",
        covers: &["rtmp/handshake/version-text", "rtmp/handshake/version-deprecated"],
        needs: Needs::Nothing,
        checks: &[Check::Handshake(version), Check::Session(foreign)],
    },
];

fn names(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        ClientToServer => ("C1", "C2"),
        ServerToClient => ("S1", "S2"),
    }
}

fn echo(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let direction = record.handshake.direction;
    // What breaks in RTMPE's handshake has a rule of its own.
    let rtmpe = matches!(record.handshake.version, 6 | 8 | 9);
    if record.handshake.valid == Some(false) && !rtmpe {
        let own = names(direction).1;
        let theirs = names(direction.reverse()).0;
        let words = format!("{own} neither echoes {theirs} nor is it signed");
        cx.report(Report::new(Place::of_handshake(record), words));
    }
}

fn time_echo(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let handshake = &record.handshake;
    // What the server echoes is in C1, whose epoch is told when the client's handshake is over.
    let (own, peer) = match handshake.direction {
        ClientToServer => (handshake, cx.state.server().handshake.as_ref()),
        ServerToClient => return,
    };
    let Some(server) = peer else { return };
    for (sender, other) in [(own, server), (server, own)] {
        let (Some(epoch), Some(word)) = (other.epoch, first_word(sender)) else { continue };
        if sender.echo == Some(true) && word != epoch {
            let (_, name) = names(sender.direction);
            let words = format!("{name} begins with {word}, the peer's time is {epoch}");
            let at = Place::at(sender.time, Some(sender.direction));
            cx.report(Report::new(at, words));
        }
    }
}

fn first_word(handshake: &Handshake) -> Option<u32> {
    let bytes = handshake.answer.get(..4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn no_digest(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let client = &record.handshake;
    if client.direction != ClientToServer {
        return;
    }
    // After a simple C1 another rule speaks of S1.
    let server = cx.state.server().handshake.clone();
    let server = server.filter(|_| client.software.is_some_and(|version| version != [0; 4]));
    for handshake in [Some(client.clone()), server].into_iter().flatten() {
        let said = handshake.software.filter(|version| *version != [0; 4]);
        if let Some([a, b, c, d]) = said
            && handshake.scheme == Scheme::Simple
            && handshake.version == 3
        {
            let name = names(handshake.direction).0;
            let words = format!("{name} says version {a}.{b}.{c}.{d} and holds no digest");
            let place = Place::at(handshake.time, Some(handshake.direction));
            cx.report(Report::new(place, words));
        }
    }
}

fn zero_field(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let Some(server) = &cx.state.server().handshake else { return };
    let client = &record.handshake;
    let asked_simple = client.direction == ClientToServer && client.software == Some([0; 4]);
    let Some([a, b, c, d]) = server.software.filter(|field| *field != [0; 4]) else { return };
    if asked_simple {
        let words = format!("bytes 4 to 7 of S1 are {a:02x} {b:02x} {c:02x} {d:02x}");
        cx.report(Report::new(Place::at(server.time, Some(ServerToClient)), words));
    }
}

fn copied(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let handshake = &record.handshake;
    // The client came first: it can copy nothing.
    if handshake.direction == ServerToClient && handshake.copy == Some(true) {
        let words = "the random bytes of S1 are those of C1";
        cx.report(Report::new(Place::of_handshake(record), words));
    }
}

fn answered_simple(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let client = &record.handshake;
    let Some(server) = &cx.state.server().handshake else { return };
    if client.direction == ClientToServer
        && client.scheme != Scheme::Simple
        && server.scheme == Scheme::Simple
        && server.version == 3
    {
        let words = format!("C1 has a digest ({}), S1 has none", client.scheme.name());
        cx.report(Report::new(Place::at(server.time, Some(ServerToClient)), words));
    }
}

fn rtmpe(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let handshake = &record.handshake;
    if handshake.direction == ClientToServer && matches!(handshake.version, 6 | 8 | 9) {
        let server = cx.state.server().handshake.as_ref().map(|server| server.version);
        // The server chooses among the types: librtmp says 6 and takes 8 and 9.
        let refused = server.is_some_and(|version| !matches!(version, 6 | 8 | 9));
        let answer = match server {
            Some(version) => format!("S0 is {version}"),
            None => "no S0".into(),
        };
        let words = format!("C0 is {}, {answer}", handshake.version);
        cx.report(Report::new(Place::of_handshake(record), words).error_if(refused));
    }
}

fn rtmpe_end(cx: &mut Context<'_>, end: &SessionEnd) {
    // Nothing after the handshake: it failed.
    let [client, server] = &end.tcp;
    let handshakes = [&cx.state.sides[0].handshake, &cx.state.sides[1].handshake];
    let encrypted = handshakes[0].as_ref().is_some_and(|h| matches!(h.version, 6 | 8 | 9));
    let closed = matches!(end.reason, EndReason::Fin(_) | EndReason::Reset(_));
    if encrypted && closed && client.bytes <= 3073 && server.bytes <= 3073 && server.packets > 0 {
        let words = "closed right after the RTMPE handshake, before any message";
        let place = Place::at(end.time, Some(ClientToServer));
        cx.report(Report::new(place, words).weight(1.0).severity(Severity::Error));
    }
}

fn s0_version(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let handshake = &record.handshake;
    let tls_or_http = matches!(handshake.version, 0x15 | 0x16 | b'H');
    if handshake.direction == ServerToClient && handshake.version != 3 && !tls_or_http {
        // C0 is told when the client's handshake is over: an RTMPE client announces itself in the
        // session.
        let tunnel = matches!(cx.state.info.transport, Transport::Rtmpte | Transport::Rtmpts);
        if cx.state.info.transport != Transport::Rtmpe && !tunnel {
            let words = format!("S0 is {}", handshake.version);
            cx.report(Report::new(Place::of_handshake(record), words));
        }
    }
}

fn version(cx: &mut Context<'_>, record: &HandshakeRecord) {
    let handshake = &record.handshake;
    let from_start = cx.state.client().is_whole();
    let odd = !matches!(handshake.version, 3 | 6 | 8 | 9);
    if handshake.direction == ClientToServer && odd && from_start {
        let words = format!("C0 is {} (0x{:02x})", handshake.version, handshake.version);
        cx.report(Report::new(Place::of_handshake(record), words));
    }
}

fn foreign(cx: &mut Context<'_>, record: &SessionRecord) {
    let note = record.note.as_deref().unwrap_or_default();
    let odd = note.starts_with("first byte");
    if record.transport == Transport::Unknown && !record.midstream && odd {
        let direction = Some(ClientToServer);
        let place = Place { frames: vec![record.frame], ..Place::at(record.time, direction) };
        cx.report(Report::new(place, format!("the connection begins with the {note}")));
    }
}
