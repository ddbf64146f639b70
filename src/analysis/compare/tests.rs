//! On real recordings.

use super::*;
use crate::analysis::{Options, Pipeline, Record};
use crate::base::Direction;
use crate::capture::{Capture, Input, OpenOptions};

fn trails(name: &str) -> Trails {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options::default());
    let mut trails = Trails::new();
    let mut sink = |record: Record| trails.push(&record);
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    trails
}

fn of(a: &str, b: &str) -> Comparison {
    let (a, b) = (trails(a), trails(b));
    compare(a.session(1).unwrap(), b.session(1).unwrap())
}

fn first(comparison: &Comparison) -> &Divergence {
    comparison.first.as_ref().expect("a difference that matters")
}

#[test]
fn a_session_equals_itself() {
    for name in ["obs_publish_nginx.pcap", "vod_play_rtmpdump_nginx_flv.pcap"] {
        let comparison = of(name, name);
        assert!(comparison.first.is_none() && comparison.rows.len() > 10, "{name}");
        assert_eq!(comparison.counts, [0, 0, 0], "{name}");
        assert!(comparison.rows.iter().all(|row| row.sameness == Sameness::Same));
    }
}

#[test]
fn the_same_program_twice_differs_in_nothing_that_matters() {
    let comparison = of("ffmpeg_publish_nginx.pcap", "vlan5_publish_ffmpeg_nginx.pcap");
    assert_eq!(comparison.first, None);
    assert!(comparison.counts[Weight::Minor as usize] > 0);
}

#[test]
fn a_refusal_is_led_back_to_its_cause() {
    let comparison = of("ffmpeg_publish_nginx.pcap", "publish_denied_nginx.pcap");
    let found = first(&comparison);
    assert_eq!(found.sentence, "client: connect: app live in A, deny in B; another application");
    let only_a = |kind: &StepKind| {
        comparison.rows.iter().any(|row| {
            row.sameness == Sameness::OnlyA && row.a.as_ref().is_some_and(|a| a.kind == *kind)
        })
    };
    assert!(only_a(&StepKind::FirstKeyFrame));
    // The other way round, A and B change places.
    let back = of("publish_denied_nginx.pcap", "ffmpeg_publish_nginx.pcap");
    assert_eq!(
        first(&back).sentence,
        "client: connect: app deny in A, live in B; another application"
    );
    assert_eq!(back.rows.len(), comparison.rows.len());
}

#[test]
fn what_had_no_consequence_is_minor() {
    // Both get past their handshakes, one with digests and one without.
    let comparison = of("ffmpeg_publish_nginx.pcap", "obs_publish_nginx.pcap");
    let handshake = &comparison.rows[0];
    assert_eq!(handshake.weight, Some(Weight::Minor));
    assert!(handshake.differences.iter().any(|d| d.name == "scheme"));
    let found = first(&comparison);
    assert!(found.sentence.contains("profile High in A, Constrained Baseline in B"), "{found:?}");
    assert!(found.before.iter().any(|before| before.starts_with("client: connect (")), "{found:?}");
    // Set Chunk Size comes before connect in one and after it in the other: no step is missing.
    let chunk_size = comparison
        .rows
        .iter()
        .find(|row| {
            row.step().unwrap().kind
                == StepKind::Control(crate::wire::message::MessageType::SET_CHUNK_SIZE)
                && row.step().unwrap().direction == Some(Direction::ClientToServer)
        })
        .unwrap();
    assert!(chunk_size.a.is_some() && chunk_size.b.is_some());
    assert!(chunk_size.differences.iter().any(|d| d.name == "order"));
}

#[test]
fn enhanced_and_plain() {
    let comparison =
        of("enhanced_hevc_opus_ffmpeg9_publish_fourcclist.pcap", "ffmpeg_publish_nginx.pcap");
    let all: Vec<_> = comparison.rows.iter().flat_map(|row| &row.differences).collect();
    let difference = |name: &str| all.iter().find(|d| d.name == name);
    let list = difference("fourCcList").unwrap();
    assert_eq!((list.a.as_deref(), list.b.as_deref()), (Some("[hvc1, av01, vp09, Opus]"), None));
    assert_eq!(difference("enhanced").unwrap().weight, Weight::Matters);
    assert!(comparison.rows.iter().all(|row| !row.step().unwrap().kind.title().is_empty()));
}

#[test]
fn rows_keep_the_order_of_each_side() {
    let comparison = of("rtmpdump_connect_with_conn_args_amf_nginx.pcap", "obs_publish_nginx.pcap");
    for side in Direction::BOTH {
        let times: Vec<i64> = comparison
            .rows
            .iter()
            .filter_map(|row| row.a.as_ref())
            .filter(|step| step.direction == Some(side))
            .map(|step| step.at)
            .collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

/// A step: what, from where, milliseconds since the beginning, facts.
type Made<'a> = (StepKind, Direction, i64, &'a [(&'a str, &'a str)]);

fn trail(steps: &[Made<'_>]) -> Trail {
    let template = trails("ffmpeg_publish_nginx.pcap").session(1).unwrap().clone();
    let step = |(kind, direction, millis, facts): &Made<'_>| Step {
        kind: kind.clone(),
        direction: Some(*direction),
        at: millis * 1_000_000,
        row: None,
        frame: None,
        facts: facts
            .iter()
            .map(|(name, value)| Fact { name: (*name).into(), value: (*value).into() })
            .collect(),
    };
    Trail { steps: steps.iter().map(step).collect(), ..template }
}

#[test]
fn a_long_wait_is_a_difference() {
    use Direction::{ClientToServer as C, ServerToClient as S};
    let steps = |wait: i64| {
        trail(&[
            (StepKind::Command("connect".into()), C, 10, &[]),
            (StepKind::Reply("connect".into()), S, 20, &[("response", "10.0 ms")]),
            (StepKind::Command("createStream".into()), C, 20 + wait, &[]),
            (StepKind::Reply("createStream".into()), S, 30 + wait, &[("response", "10.0 ms")]),
        ])
    };
    assert!(compare(&steps(5), &steps(900)).first.is_none());
    let slow = compare(&steps(5), &steps(2000));
    assert!(slow.first.is_none() && slow.counts[Weight::Minor as usize] == 1);
    let very_slow = compare(&steps(5), &steps(8000));
    let found = first(&very_slow);
    assert_eq!(found.row, 2, "{found:?}");
    assert!(found.sentence.contains("0.0 s in A, 8.0 s in B"), "{found:?}");
    assert_eq!(very_slow.counts[Weight::Matters as usize], 1);
}

#[test]
fn other_answers_matter() {
    use Direction::{ClientToServer as C, ServerToClient as S};
    let steps = |version: &'static str, code: &'static str| {
        let facts: &'static [(&str, &str)] = Box::leak(Box::new([("code", code)]));
        let connect: &'static [(&str, &str)] = Box::leak(Box::new([("flashVer", version)]));
        trail(&[
            (StepKind::Command("connect".into()), C, 10, connect),
            (StepKind::Reply("connect".into()), S, 20, &[("response", "10.0 ms")]),
            (StepKind::Command("publish".into()), C, 30, &[("stream name", "<stream-1>")]),
            (StepKind::Status, S, 40, facts),
        ])
    };
    let a = steps("FMLE/3.0", "NetStream.Publish.Start");
    let b = steps("LNX 10", "NetStream.Publish.BadName");
    let comparison = compare(&a, &b);
    let found = first(&comparison);
    assert!(found.sentence.starts_with("server: onStatus: code NetStream.Publish.Start in A"));
    assert_eq!(found.before, ["client: connect (flashVer)"]);
}
