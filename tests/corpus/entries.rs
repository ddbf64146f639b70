//! The entries of the corpus: one fault or oddity each.

use crate::support::scenario::Open;
use crate::support::{
    C2S, Close, CsidForm, Cut, ExtendedTimestampHabit, FmtPolicy, HandshakeKind, MessageType, Net,
    Outgoing, Plan, Rng, Role, S2C, Scenario, Trace, Video, media,
};

/// One capture.
pub struct Entry {
    pub name: &'static str,
    pub about: &'static str,
    pub scenario: Scenario,
    pub trace: Trace,
    pub pcapng: bool,
}

/// Stream offset in the middle of the second key frame.
fn middle_of_key(scenario: &Scenario) -> u64 {
    let mut keys = scenario.truth().iter().filter(|truth| truth.payload.starts_with(&[0x17, 1]));
    let key = keys.nth(1).expect("two key frames");
    (key.offset() + key.end()) / 2
}

fn plan() -> Plan {
    Plan { gops: 3, frames_per_gop: 8, key_size: 20_000, inter_size: 4000, ..Plan::new(2026) }
}

struct Corpus(Vec<Entry>);

impl Corpus {
    fn add(
        &mut self,
        name: &'static str,
        about: &'static str,
        scenario: Scenario,
        net: Net,
        fault: impl FnOnce(&mut Trace),
    ) {
        let mut trace = net.packetize(&scenario);
        fault(&mut trace);
        self.0.push(Entry { name, about, scenario, trace, pcapng: false });
    }

    fn plain(&mut self, name: &'static str, about: &'static str, plan: Plan) {
        self.add(name, about, plan.build(), Net::default(), |_| {});
    }
}

/// All entries.
pub fn all() -> Vec<Entry> {
    let mut corpus = Corpus(Vec::new());
    clean(&mut corpus);
    chunking(&mut corpus);
    tcp(&mut corpus);
    loss(&mut corpus);
    corpus.0
}

fn clean(corpus: &mut Corpus) {
    let c = corpus;
    c.plain("publish", "publish, AVC and AAC, chunks of 4096 bytes", plan());
    c.plain("play", "play", Plan { role: Role::Play, ..plan() });
    let digest = Plan { handshake: HandshakeKind::DigestFirst, ..plan() };
    c.plain("digest_first", "digest handshake, digest block first", digest);
    let digest = Plan { handshake: HandshakeKind::KeyFirst, ..plan() };
    c.plain("key_first", "digest handshake, key block first", digest);
    c.plain("hevc", "Enhanced RTMP, hvc1", Plan { video: Video::Hevc, ..plan() });
    let net = Net::default().port(2935);
    c.add("port_2935", "server port 2935", plan().build(), net, |_| {});
    c.add("ipv6", "IPv6, pcapng", plan().build(), Net::default().v6(), |_| {});
    c.0.last_mut().expect("just added").pcapng = true;
    let net = Net { close: Close::Reset, ..Net::default() };
    c.add("reset", "ends with RST", plan().build(), net, |_| {});
}

fn chunking(corpus: &mut Corpus) {
    let c = corpus;
    let small = Plan { client_chunk_size: None, ..plan() };
    c.plain("chunks_128", "never sets a chunk size", small.clone());
    let large = Plan { client_chunk_size: Some(60_000), key_size: 90_000, ..plan() };
    c.plain("chunks_60000", "chunks of 60000 bytes, key frames of 90 kB", large);
    let large = Plan { client_chunk_size: Some(0x7fff_ffff), key_size: 90_000, ..plan() };
    c.plain("chunks_max", "chunk size 0x7fffffff", large);
    c.plain(
        "interleaved",
        "chunks of audio between chunks of video",
        Plan { interleave: true, audio_size: 1000, ..small.clone() },
    );
    c.plain(
        "formats",
        "any header format that can say the message",
        Plan { fmt: FmtPolicy::Random, ..plan() },
    );
    for (name, about, video_csid, csid_form) in [
        ("csid_64_two_bytes", "csid 64 in 2 bytes", 64, CsidForm::TwoBytes),
        ("csid_64_three_bytes", "csid 64 in 3 bytes", 64, CsidForm::ThreeBytes),
        ("csid_500", "csid 500", 500, CsidForm::Shortest),
        ("csid_65599", "csid 65599", 65_599, CsidForm::Shortest),
    ] {
        c.plain(name, about, Plan { video_csid, csid_form, ..plan() });
    }
    for (name, about, habit) in [
        (
            "extended_repeated",
            "extended timestamps, type 3 chunks repeat them",
            ExtendedTimestampHabit::Repeat,
        ),
        (
            "extended_omitted",
            "extended timestamps, type 3 chunks omit them (librtmp before 2024)",
            ExtendedTimestampHabit::Omit,
        ),
        (
            "extended_zero",
            "extended timestamps, type 3 chunks carry zero (gortmplib)",
            ExtendedTimestampHabit::Zero,
        ),
    ] {
        let plan = Plan { habit, start_timestamp: 0x0123_4567, fmt: FmtPolicy::Full, ..plan() };
        c.plain(name, about, plan);
    }
    let wrap = Plan { start_timestamp: u32::MAX - 200, ..plan() };
    c.plain("timestamp_wrap", "timestamps wrap at 2^32", wrap);
    let with_key = |act: fn(&mut Scenario, Open)| {
        let plan = plan();
        let mut scenario = plan.begin();
        let payload = media::avc_frame(true, 20_000, &mut scenario.rng);
        let mut open = plan.open(&mut scenario, plan.video_message(0, payload));
        scenario.step(&mut open);
        act(&mut scenario, open);
        plan.media(&mut scenario);
        plan.end(&mut scenario);
        scenario
    };
    let aborted = with_key(|scenario, open| scenario.abort(open));
    c.add("abort", "Abort in a message", aborted, Net::default(), |_| {});
    let resized = with_key(|scenario, open| {
        scenario.set_chunk_size(C2S, 300);
        scenario.finish(open);
    });
    c.add("chunk_size_midway", "Set Chunk Size in a message", resized, Net::default(), |_| {});
    let plan = plan();
    let mut scenario = plan.begin();
    let parts = [
        (9, 0, media::avc_frame(true, 3000, &mut scenario.rng)),
        (8, 10, media::aac_frame(300, &mut scenario.rng)),
        (9, 40, media::avc_frame(false, 900, &mut scenario.rng)),
    ];
    let payload = media::aggregate(&parts);
    scenario.send(C2S, Outgoing::new(6, MessageType::AGGREGATE, 0, 1, payload));
    plan.end(&mut scenario);
    c.add("aggregate", "an aggregate message", scenario, Net::default(), |_| {});
}

fn tcp(corpus: &mut Corpus) {
    let c = corpus;
    let build = || plan().build();
    let net = Net::default;
    c.add("swapped", "two segments swapped in a key frame", build(), net(), |trace| {
        let data = trace.data_of(C2S);
        trace.swap(data[20], data[21]);
    });
    let turn = Net { ack_every: 100, ..net() };
    c.add("shuffled", "each flight shuffled", build(), turn.clone(), |trace| {
        trace.shuffle_flights(&mut Rng::new(1));
    });
    c.add("repeated", "every seventh data segment twice", build(), net(), |trace| {
        for index in trace.data().into_iter().step_by(7).rev() {
            trace.duplicate(index, 1);
        }
    });
    c.add("retransmitted", "a segment lost on the way and sent again", build(), net(), |trace| {
        let at = trace.data_of(C2S)[20];
        trace.lose_on_network(at, 3);
    });
    c.add(
        "overlapping",
        "segments that repeat the end of the one before",
        build(),
        net(),
        |trace| {
            for index in trace.data().into_iter().step_by(5) {
                trace.widen(index, 500, 0);
            }
        },
    );
    c.add(
        "contradicting",
        "a segment again with other bytes: the first counts",
        build(),
        net(),
        |trace| {
            let at = trace.data_of(C2S)[20];
            trace.contradict(at);
        },
    );
    c.add("split", "segments of 1 to 60 bytes", build(), net(), |trace| {
        trace.resplit(&mut Rng::new(2), 60);
    });
    c.add("offload", "frames of up to 16 kB, IP length 0", build(), turn.clone(), |trace| {
        trace.offload(16_000);
    });
    c.add("coalesced", "frames of up to 60 kB", build(), turn, |trace| {
        trace.coalesce(60_000);
    });
    let wrap = Net { isn: [u32::MAX - 5000, u32::MAX - 100], ..net() };
    c.add("sequence_wrap", "sequence numbers wrap", build(), wrap, |_| {});
}

fn loss(corpus: &mut Corpus) {
    let c = corpus;
    let build = || plan().build();
    let net = Net::default;
    let scenario = build();
    let middle = middle_of_key(&scenario);
    c.add(
        "gap_in_key_frame",
        "the capture misses a segment in a key frame",
        scenario,
        net(),
        |trace| {
            let at = trace.segment_at(C2S, middle);
            trace.drop_from_capture(&[at]);
        },
    );
    let scenario = Plan { client_chunk_size: None, ..plan() }.build();
    let middle = middle_of_key(&scenario);
    c.add("gap_over_headers", "the same with chunks of 128 bytes", scenario, net(), |trace| {
        let at = trace.segment_at(C2S, middle);
        trace.drop_from_capture(&[at]);
    });
    let scenario = build();
    let middle = middle_of_key(&scenario);
    c.add("lost_for_good", "a segment lost and never acknowledged", scenario, net(), |trace| {
        let at = trace.segment_at(C2S, middle);
        trace.lose_for_good(at);
    });
    let turn = Net { cut: Cut::Turn, ..net() };
    c.add("gaps_5_percent", "the capture misses every 20th data segment", build(), turn, |trace| {
        let gone: Vec<usize> = trace.data().into_iter().skip(10).step_by(20).collect();
        trace.drop_from_capture(&gone);
    });
    c.add("gap_in_handshake", "the capture misses a piece of S1", build(), net(), |trace| {
        let at = trace.segment_at(S2C, 1500);
        trace.drop_from_capture(&[at]);
    });
    c.add("snaplen_200", "200 bytes kept of each frame", build(), net(), |trace| {
        trace.snaplen(200);
    });
    let scenario = build();
    let first = scenario.truth()[0].offset();
    c.add("after_handshake", "the capture begins with connect", scenario, net(), |trace| {
        trace.start_at(trace.segment_at(C2S, first));
    });
    let scenario = build();
    let middle = middle_of_key(&scenario);
    c.add("midstream", "the capture begins inside a key frame", scenario, net(), |trace| {
        trace.start_at(trace.segment_at(C2S, middle));
    });
    c.add("client_only", "only the client's packets", build(), net(), |trace| {
        trace.only(C2S);
    });
    c.add("server_only", "only the server's packets", build(), net(), |trace| {
        trace.only(S2C);
    });
}
