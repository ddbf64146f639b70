//! RTMPT: recordings, and connections written by hand.

#[path = "support/unwrapped.rs"]
mod unwrapped;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use rtmpscope::analysis::Transport;
use rtmpscope::base::{Direction, Timestamp};
use rtmpscope::flow::FlowId;
use rtmpscope::transport::http::{Outcome, TunnelId, Tunnels};
use rtmpscope::transport::{Fact, FactValue, Item, Source};
use serde_json::Value;
use unwrapped::Seen;

/// Recordings (with key logs those of RTMPTE): what they speak, and messages by type from the client
/// and from the server. The streams that tshark follows, cut by Content-Length, put in the order of
/// the URLs' numbers and walked chunk by chunk, give the same for the four of RTMPT.
const SHEETS: &[(&str, Transport, &str)] = &[
    (
        "nrrs_rtmpt_ffmpeg5_play_live.pcap",
        Transport::Rtmpt,
        "4=1 5=1 20=5; 1=1 4=2 5=1 6=1 8=1 9=1 18=3 20=5 22=26",
    ),
    ("nrrs_rtmpt_ffmpeg5_publish.pcap", Transport::Rtmpt, "8=109 9=40 18=1 20=6; 4=1 5=1 6=1 20=6"),
    (
        "rtmpt_ffmpeg9_play_crtmpserver.pcap",
        Transport::Rtmpt,
        "4=1 5=1 20=5; 4=3 5=1 6=1 8=60 9=27 18=2 20=9",
    ),
    (
        "rtmpt_gst_rtmpsink_publish_crtmpserver.pcap",
        Transport::Rtmpt,
        "8=109 9=64 18=18 20=8; 4=1 5=1 6=1 20=8",
    ),
    (
        "rtmpte_ffmpeg9_play_crtmpserver.pcap",
        Transport::Rtmpte,
        "4=1 5=1 20=5; 4=2 5=1 6=1 8=82 9=42 18=2 20=7",
    ),
    (
        "rtmpte_gst_rtmpsink_publish_crtmpserver.pcap",
        Transport::Rtmpte,
        "8=109 9=64 18=18 20=8; 4=1 5=1 6=1 20=8",
    ),
    (
        "rtmpts_ffmpeg5_publish_crtmpserver_stunnel.pcap",
        Transport::Rtmpts,
        "8=88 9=51 18=1 20=6; 4=1 5=1 6=1 20=8",
    ),
];

fn tunnels(name: &str, seen: Vec<Seen>) -> Vec<Seen> {
    let inside = |seen: &Seen| {
        matches!(seen.end.transport, Transport::Rtmpt | Transport::Rtmpte | Transport::Rtmpts)
    };
    let found: Vec<Seen> = seen.into_iter().filter(inside).collect();
    assert!(!found.is_empty(), "{name}");
    found
}

#[test]
fn recordings_have_the_counts_of_their_sheets() {
    let mut wrong = Vec::new();
    for (name, transport, sheet) in SHEETS {
        let Some(path) = unwrapped::find(name) else { continue };
        let seen = tunnels(name, unwrapped::decode_with_keys(&path));
        let counts: Vec<String> = seen.iter().map(Seen::sheet).collect();
        if counts != [*sheet] {
            wrong.push(format!("{name}: {counts:?}"));
        }
        for seen in seen {
            assert_eq!(seen.end.transport, *transport, "{name}");
            assert_eq!(seen.begin.transport, *transport, "{name}");
            assert_eq!(seen.unplaced, 0, "{name}");
            assert_eq!((seen.end.damaged, seen.end.uncertain), (0, 0), "{name}");
            assert_eq!(seen.end.undecoded_bytes, [0, 0], "{name}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rtmpte_without_keys_shows_its_handshake() {
    for (name, transport, _) in SHEETS {
        let Some(path) = unwrapped::find(name) else { continue };
        if *transport != Transport::Rtmpte {
            continue;
        }
        let [seen] = &tunnels(name, unwrapped::decode(&path, ""))[..] else { panic!("{name}") };
        assert_eq!(seen.sheet(), "; ", "{name}");
        assert_eq!(seen.field("s2", "signature"), Some(&FactValue::Text("valid".into())));
        assert!(seen.fact("no-keys").is_some() && seen.fact("polling").is_some(), "{name}");
    }
}

/// Both streams of every session, and the names of its facts.
#[derive(Default)]
struct Run {
    tunnels: Tunnels,
    offsets: BTreeMap<(FlowId, Direction), u64>,
    out: BTreeMap<TunnelId, Out>,
}

#[derive(Debug, Default, PartialEq)]
struct Out {
    bytes: [String; 2],
    gaps: Vec<(Direction, u64, bool)>,
    facts: Vec<Fact>,
    midstream: bool,
    closed: bool,
}

impl Out {
    fn names(&self) -> Vec<&str> {
        self.facts.iter().map(|fact| fact.name).collect()
    }

    fn number(&self, fact: &str, field: &str) -> Option<u64> {
        let fact = self.facts.iter().find(|known| known.name == fact)?;
        match unwrapped::value(fact, field)? {
            FactValue::Number(value) => Some(*value),
            _ => None,
        }
    }
}

fn take(out: &mut BTreeMap<TunnelId, Out>, tunnel: TunnelId, outcome: Outcome<'_>) {
    if let Outcome::Opened { midstream, .. } = outcome {
        assert!(out.insert(tunnel, Out { midstream, ..Out::default() }).is_none());
        return;
    }
    let own = out.get_mut(&tunnel).expect("opened first");
    assert!(!own.closed, "nothing after the end");
    match outcome {
        Outcome::Opened { .. } | Outcome::Joined { .. } => {}
        Outcome::Closed { .. } => own.closed = true,
        Outcome::Item(Item::Data { direction, bytes, .. }) => {
            own.bytes[direction.index()].push_str(&String::from_utf8_lossy(bytes));
        }
        Outcome::Item(Item::Gap { direction, len, exact, .. }) => {
            own.gaps.push((direction, len, exact));
        }
        Outcome::Item(Item::Readable { .. }) => panic!("nothing is deciphered"),
        Outcome::Item(Item::Fact(fact)) => own.facts.push(fact),
    }
}

const C2S: Direction = Direction::ClientToServer;
const S2C: Direction = Direction::ServerToClient;

impl Run {
    fn new(flows: u32) -> Run {
        let mut run = Run::default();
        for flow in 0..flows {
            let client = SocketAddr::from(([10, 0, 0, 1], 4000 + flow as u16));
            run.tunnels.opened(FlowId(flow), client, SocketAddr::from(([10, 0, 0, 2], 80)));
        }
        run
    }

    fn data(&mut self, flow: u32, direction: Direction, bytes: &str) -> &mut Run {
        let flow = FlowId(flow);
        let offset = self.offsets.entry((flow, direction)).or_default();
        let source = Source { flow, direction, offset: *offset };
        *offset += bytes.len() as u64;
        let out = &mut self.out;
        let mut sink = |tunnel: TunnelId, outcome: Outcome<'_>| take(out, tunnel, outcome);
        self.tunnels.data(flow, direction, Timestamp(1), bytes.as_bytes(), source, &mut sink);
        self
    }

    fn gap(&mut self, flow: u32, direction: Direction, len: u64) -> &mut Run {
        let out = &mut self.out;
        let mut sink = |tunnel: TunnelId, outcome: Outcome<'_>| take(out, tunnel, outcome);
        self.tunnels.gap(FlowId(flow), direction, Timestamp(1), len, &mut sink);
        self
    }

    fn fin(&mut self, flow: u32, direction: Direction) -> &mut Run {
        let out = &mut self.out;
        let mut sink = |tunnel: TunnelId, outcome: Outcome<'_>| take(out, tunnel, outcome);
        self.tunnels.fin(FlowId(flow), direction, Timestamp(2), &mut sink);
        self
    }

    fn ended(&mut self, flow: u32) -> &mut Run {
        let out = &mut self.out;
        let mut sink = |tunnel: TunnelId, outcome: Outcome<'_>| take(out, tunnel, outcome);
        self.tunnels.ended(FlowId(flow), Timestamp(2), &mut sink);
        self
    }

    fn finish(&mut self) -> Vec<Out> {
        let out = &mut self.out;
        let mut sink = |tunnel: TunnelId, outcome: Outcome<'_>| take(out, tunnel, outcome);
        self.tunnels.finish(Timestamp(3), &mut sink);
        let out: Vec<Out> = std::mem::take(&mut self.out).into_values().collect();
        assert!(out.iter().all(|out| out.closed));
        out
    }

    /// A request and its answer on one connection.
    fn ask(&mut self, flow: u32, path: &str, body: &str, answer: &str) -> &mut Run {
        self.data(flow, C2S, &post(path, body)).data(flow, S2C, &ok(answer))
    }

    fn open(&mut self, flow: u32) -> &mut Run {
        self.ask(flow, "/open/1", "\0", "id7\n")
    }
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-length: {}\r\n\r\n{body}", body.len())
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-fcs\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn one(mut out: Vec<Out>) -> Out {
    assert_eq!(out.len(), 1, "{out:#?}");
    out.remove(0)
}

#[test]
fn the_observed_requests_of_three_clients() {
    let vectors: Value =
        serde_json::from_str(include_str!("data/vectors/rtmpt.json")).expect("vectors");
    let clients = vectors[0]["captures"].as_array().expect("captures");
    assert_eq!(clients.len(), 3);
    for client in clients {
        let mut run = Run::new(1);
        let requests = client["requests"].as_array().expect("requests");
        let mut sent = 0;
        for request in requests {
            let head = request["head"].as_str().expect("a head");
            let len = request["body_len"].as_u64().expect("a length");
            let body = "x".repeat(len as usize);
            let answer = if head.contains("/open/") { "4242424242\n" } else { "\u{1}yy" };
            run.data(0, C2S, &format!("{head}\r\n\r\n{body}")).data(0, S2C, &ok(answer));
            sent += if head.contains("/send/") { len } else { 0 };
        }
        let out = one(run.finish());
        assert_eq!(out.bytes[0].len() as u64, sent, "{}", client["cmd"]);
        assert_eq!(out.bytes[1].len(), 2 * (requests.len() - 1), "{}", client["cmd"]);
        assert!(out.gaps.is_empty() && !out.midstream);
        assert_eq!(out.names(), ["open", "polling"]);
    }
}

#[test]
fn in_pieces_of_any_size() {
    let up = [
        post("/open/1", "\0"),
        post("/send/id7/0", "abc"),
        post("/idle/id7/1", "\0"),
        post("/send/id7/2", "d"),
        post("/close/id7/3", "\0"),
    ];
    let down = [ok("id7\n"), ok("\u{1}"), ok("\u{1}xyz"), ok("\u{1}w"), ok("\0")];
    for step in [1, 2, 7, 1000] {
        let mut run = Run::new(1);
        for (request, answer) in up.iter().zip(&down) {
            for (direction, text) in [(C2S, request), (S2C, answer)] {
                for piece in text.as_bytes().chunks(step) {
                    run.data(0, direction, std::str::from_utf8(piece).expect("ASCII"));
                }
            }
        }
        run.ended(0);
        let out = one(run.finish());
        assert_eq!(out.bytes, ["abcd", "xyzw"], "{step}");
        assert_eq!(out.names(), ["open", "close", "polling"]);
        assert_eq!(out.number("polling", "idles"), Some(1));
        assert_eq!(out.number("polling", "empty_answers"), Some(2));
    }
}

#[test]
fn requests_and_answers_on_many_connections_out_of_order() {
    let mut run = Run::new(4);
    run.open(0).ask(1, "/send/id7/0", "a", "\u{1}A");
    run.data(2, C2S, &post("/send/id7/2", "c")).data(2, S2C, &ok("\u{1}C"));
    run.data(3, C2S, &post("/send/id7/1", "b")).data(3, S2C, &ok("\u{1}B"));
    run.ended(0).ended(1).ended(2).ended(3);
    let out = one(run.finish());
    assert_eq!(out.bytes, ["abc", "ABC"]);
    assert_eq!(out.number("polling", "connections"), Some(4));
}

#[test]
fn two_sessions_on_one_connection() {
    let mut run = Run::new(1);
    run.open(0).ask(0, "/open/1", "\0", "other\n");
    run.ask(0, "/send/id7/0", "a", "\u{1}A").ask(0, "/send/other/0", "b", "\u{1}B");
    run.ask(0, "/send/id7/1", "c", "\u{1}C");
    let out = run.finish();
    let bytes: Vec<_> = out.iter().map(|out| out.bytes.clone()).collect();
    assert_eq!(bytes, [["ac", "AC"], ["b", "B"]].map(|both| both.map(String::from)));
}

#[test]
fn pipelined_requests() {
    let mut run = Run::new(1);
    run.open(0);
    run.data(0, C2S, &(post("/send/id7/0", "a") + &post("/send/id7/1", "b")));
    run.data(0, S2C, &(ok("\u{1}A") + &ok("\u{1}B")));
    assert_eq!(one(run.finish()).bytes, ["ab", "AB"]);
}

#[test]
fn an_answer_captured_before_its_request() {
    let mut run = Run::new(1);
    run.open(0);
    run.data(0, S2C, &ok("\u{1}A")).data(0, C2S, &post("/send/id7/0", "a"));
    run.ask(0, "/idle/id7/1", "\0", "\u{1}B");
    assert_eq!(one(run.finish()).bytes, ["a", "AB"]);
}

#[test]
fn chunked_and_close_delimited_bodies_expect_and_absolute_targets() {
    let mut run = Run::new(1);
    let mut head = "POST http://h/open/1 HTTP/1.1\r\nExpect: 100-continue\r\n".to_string();
    head += "Transfer-Encoding: chunked\r\n\r\n1\r\n\0\r\n0\r\n\r\n";
    run.data(0, C2S, &head).data(0, S2C, "HTTP/1.1 100 Continue\r\n\r\n");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    run.data(0, S2C, &format!("{chunked}2\r\nid\r\n2\r\n7\n\r\n0\r\n\r\n"));
    run.data(0, C2S, &post("http://h:80/send/id7/0", "a"));
    run.data(0, S2C, &format!("{chunked}1\r\n\u{1}\r\n3\r\nABC\r\n0\r\n\r\n"));
    run.data(0, C2S, &post("/idle/id7/1", "\0"));
    run.data(0, S2C, "HTTP/1.1 200 OK\r\n\r\n\u{1}D").data(0, S2C, "E").fin(0, S2C);
    assert_eq!(one(run.finish()).bytes, ["a", "ABCDE"]);
}

#[test]
fn one_direction_alone() {
    let mut run = Run::new(1);
    for (path, body) in [("/open/1", "\0"), ("/send/id7/0", "ab"), ("/idle/id7/1", "\0")] {
        run.data(0, C2S, &post(path, body));
    }
    run.data(0, C2S, &post("/send/id7/2", "cd"));
    // Without the answer to open its id is not known: requests name one of which nobody has heard.
    let out = run.finish();
    assert_eq!(out.last().expect("a session").bytes, ["abcd", ""]);

    let mut run = Run::new(1);
    run.data(0, S2C, &(ok("id7\n") + &ok("\u{1}AB") + &ok("\u{1}") + &ok("\u{1}CD")));
    let out = one(run.finish());
    assert_eq!(out.bytes, ["", "ABCD"]);
    assert!(out.names().contains(&"open"));
}

#[test]
fn in_the_middle_of_a_session() {
    let mut run = Run::new(1);
    run.ask(0, "/send/id7/90", "a", "\u{1}A").ask(0, "/send/id7/91", "b", "\u{1}B");
    let out = one(run.finish());
    assert!(out.midstream);
    assert_eq!(out.bytes, ["ab", "AB"]);
}

#[test]
fn ident_is_refused_and_open_goes_on_elsewhere() {
    let mut run = Run::new(2);
    run.data(0, C2S, &post("/fcs/ident2", "\0"));
    run.data(0, S2C, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ended(0);
    run.open(1).ask(1, "/send/id7/0", "a", "\u{1}A");
    let out = one(run.finish());
    assert_eq!(out.bytes, ["a", "A"]);
    assert_eq!(out.names(), ["ident", "open", "polling"]);
    assert!(out.facts.iter().all(|fact| !fact.odd));
}

#[test]
fn open_is_refused() {
    let mut run = Run::new(1);
    run.data(0, C2S, &post("/open/1", "\0"));
    run.data(0, S2C, "HTTP/1.1 501 No\r\nContent-Length: 6\r\n\r\n<html>");
    run.data(0, C2S, &post("/idle/<html>/0", "\0"));
    run.data(0, S2C, "HTTP/1.1 501 No\r\nContent-Length: 0\r\n\r\n").ended(0);
    let out = one(run.finish());
    assert_eq!(out.names(), ["refused", "refused", "polling"]);
    assert_eq!(out.number("refused", "status"), Some(501));
}

#[test]
fn a_repeated_request_is_taken_once() {
    let mut run = Run::new(2);
    run.open(0).data(0, C2S, &post("/send/id7/0", "abc")).ended(0);
    run.ask(1, "/send/id7/0", "abc", "\u{1}A").ask(1, "/send/id7/1", "d", "\u{1}B");
    let out = one(run.finish());
    assert_eq!(out.bytes, ["abcd", "AB"]);
    assert!(out.names().contains(&"sequence-repeated"));
}

#[test]
fn a_client_that_does_not_count() {
    let mut run = Run::new(1);
    run.open(0).ask(0, "/send/id7/0", "ab", "\u{1}A").ask(0, "/send/id7/0", "cd", "\u{1}B");
    let out = one(run.finish());
    assert_eq!(out.bytes, ["abcd", "AB"]);
    assert!(out.facts.iter().any(|fact| fact.odd));
}

#[test]
fn a_number_that_never_comes() {
    let mut run = Run::new(1);
    run.open(0).ask(0, "/send/id7/0", "ab", "\u{1}A").ask(0, "/send/id7/2", "ef", "\u{1}C");
    let out = one(run.finish());
    assert_eq!(out.bytes, ["abef", "AC"]);
    assert_eq!(out.number("sequence-gap", "expected"), Some(1));
    assert!(out.gaps.iter().all(|(_, _, exact)| !exact));
    assert_eq!(out.gaps.len(), 2);
}

#[test]
fn holes_in_bodies_and_in_heads() {
    let mut run = Run::new(1);
    run.open(0).ask(0, "/send/id7/0", "ab", "\u{1}A");
    let request = post("/send/id7/1", "0123456789");
    let (head, _) = request.split_at(request.len() - 10);
    run.data(0, C2S, head).data(0, C2S, "01").gap(0, C2S, 5).data(0, C2S, "789");
    run.data(0, S2C, &ok("\u{1}B"));
    // A whole request is missing; its answer has nothing that it could belong to.
    run.gap(0, C2S, 100).data(0, S2C, &ok("\u{1}?"));
    run.ask(0, "/send/id7/3", "ef", "\u{1}D");
    let out = one(run.finish());
    assert_eq!(out.bytes, ["ab01789ef", "ABD"]);
    assert_eq!(out.gaps, [(C2S, 5, true), (C2S, 1, false), (S2C, 1, false)]);
}

#[test]
fn noise_ends_nothing() {
    let mut run = Run::new(2);
    run.open(0).data(0, C2S, "\u{0}\u{1}noise\r\n\r\n").ask(0, "/send/id7/0", "a", "\u{1}A");
    run.data(1, S2C, &"x".repeat(200_000)).data(1, C2S, &"y".repeat(200_000));
    run.data(1, C2S, &post("/send/id7/1", "b")).ended(1);
    let out = run.finish();
    assert_eq!(out[0].bytes[0], "ab");
}

/// Bytes that nobody meant: nothing may panic, nothing may be held without end, and what comes out
/// never has more bytes than what came in.
#[test]
fn hostile_bytes() {
    let mut rng = fastrand::Rng::with_seed(5);
    let mut exchanges = vec![post("/open/1", "\0"), ok("id7\n")];
    for seq in 0..6 {
        exchanges.push(post(&format!("/send/id7/{seq}"), "abcdefgh"));
        exchanges.push(ok("\u{1}ABCDEFGH"));
    }
    for _ in 0..3000 {
        let mut run = Run::new(3);
        let mut fed = 0;
        for (index, text) in exchanges.iter().enumerate() {
            let direction = [C2S, S2C][index % 2];
            let mut bytes = text.clone().into_bytes();
            for _ in 0..rng.usize(0..3) {
                let at = rng.usize(0..bytes.len());
                match rng.u8(0..4) {
                    0 => bytes[at] = rng.u8(0..128),
                    1 => bytes.truncate(at.max(1)),
                    2 => _ = bytes.remove(at),
                    _ => bytes.insert(at, rng.u8(32..127)),
                }
                if bytes.is_empty() {
                    bytes.push(b'x');
                }
            }
            let flow = rng.u32(0..3);
            let cut = rng.usize(0..=bytes.len());
            for piece in [&bytes[..cut], &bytes[cut..]] {
                fed += piece.len();
                run.data(flow, direction, std::str::from_utf8(piece).expect("ASCII"));
            }
            match rng.u8(0..20) {
                0 => _ = run.gap(flow, direction, rng.u64(1..300)),
                1 => _ = run.fin(flow, direction),
                2 => _ = run.ended(flow),
                _ => {}
            }
        }
        let out: usize = run.finish().iter().map(|out| out.bytes.concat().len()).sum();
        assert!(out <= fed);
    }
}
