use crate::support::lint::{Sample, Script};
use crate::support::{
    C2S, CsidForm, ExtendedTimestampHabit, FmtPolicy, MessageType, Outgoing, Plan, V,
    session::command,
};
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[
    row(
        "chunk/desync",
        || Script::publish().media(400).raw(C2S, &[0xc9; 40]).capture(),
        || Sample::File("derived_gap_acked_unseen.pcap"),
    )
    .error(),
    row(
        "chunk/message-too-large",
        || Sample::File("message_over_1MiB_nginx.pcap"),
        || Sample::File("ffmpeg_publish_nginx.pcap"),
    )
    .error(),
    row(
        "chunk/abort",
        || {
            let abort = |s: &mut crate::support::Scenario| {
                let mut open = s.begin(C2S, video(0, 9000));
                s.step(&mut open);
                s.abort(open);
            };
            Script::publish().media(200).with(abort).server_closes()
        },
        clean,
    )
    .error(),
    row("rtmp/chunk/fmt012-mid-message", || interrupted().capture(), clean).error(),
    row(
        "chunk/ext-ts-missing-on-type3",
        || late(ExtendedTimestampHabit::Omit),
        || Sample::File("publish_ext_timestamp_above_chunk128_ffmpeg_nginx1937.pcap"),
    )
    .error(),
    row(
        "chunk/ext-ts-wrong-on-type3",
        || late(ExtendedTimestampHabit::Zero),
        || late(ExtendedTimestampHabit::Repeat),
    ),
    row(
        "chunk/ext-ts-delta-as-absolute",
        || steps(&[(0, 20_000_000), (1, 40_000_040)]),
        || steps(&[(0, 20_000_000), (1, 20_000_040)]),
    )
    .error(),
    row(
        "chunk/ext-ts-needless",
        || header(&[8, 0xff, 0xff, 0xff, 0, 0, 2, 8, 1, 0, 0, 0, 0, 0, 0, 5, 0xaf, 1]),
        || header(&[8, 0xff, 0xff, 0xff, 0, 0, 2, 8, 1, 0, 0, 0, 1, 0, 0, 5, 0xaf, 1]),
    ),
    row(
        "chunk/type3-starts-message",
        || header(&[8, 0, 0, 40, 0, 0, 2, 8, 1, 0, 0, 0, 0xaf, 1, 0xc8, 0xaf, 1]),
        || header(&[8, 0, 0, 40, 0, 0, 2, 8, 1, 0, 0, 0, 0xaf, 1]),
    ),
    row(
        "rtmp/chunk/fmt0-on-time-backwards",
        || steps(&[(0, 1000), (1, 960)]),
        || steps(&[(0, 1000), (0, 960)]),
    ),
    row(
        "rtmp/chunk/timestamp-wrap-32",
        || plan(|plan| plan.start_timestamp = u32::MAX - 100),
        || steps(&[(0, 1000), (0, 960)]),
    ),
    row(
        "chunk/first-not-type0",
        || Sample::File("rtmp_rtmpdump_play_rtmpsrv.pcap"),
        || Sample::File("rtmpdump_play_nginx.pcap"),
    ),
    row(
        "chunk/control-off-csid2",
        || {
            Script::publish()
                .send(C2S, Outgoing::new(3, MessageType(3), 0, 0, vec![0; 4]))
                .capture()
        },
        || Script::publish().control(C2S, 3, &[0; 4]).capture(),
    ),
    row("chunk/msid-byte-order", || on_stream(1 << 24), clean).error(),
    row("chunk/msid-unknown", || on_stream(5), || on_stream(1)),
    row(
        "rtmp/chunk/zero-length-message",
        || Script::publish().send(C2S, typed(6, MessageType::VIDEO, vec![])).capture(),
        || Script::publish().send(C2S, typed(4, MessageType::AUDIO, vec![])).capture(),
    ),
    row(
        "rtmp/control/reserved-type",
        || Script::publish().send(C2S, typed(6, MessageType(99), vec![1, 2, 3])).capture(),
        clean,
    ),
    row(
        "chunk/csid-wide-form",
        || on_csid(70, CsidForm::Shortest),
        || on_csid(63, CsidForm::Shortest),
    ),
    // Three bytes where two would do.
    row("chunk/csid-wide-form", || on_csid(70, CsidForm::ThreeBytes), clean)
        .like(|finding| finding.message.plain().contains("would do")),
    row(
        "chunk/too-many-csids",
        || on_csid(32, CsidForm::Shortest),
        || on_csid(31, CsidForm::Shortest),
    ),
    row(
        "chunk/mixed-types-one-csid",
        || Sample::File("gst_rtmpsink_librtmp_publish_nginx.pcap"),
        || Sample::File("play_missing_stream_nginx.pcap"),
    ),
    row("chunk/interleaved", || plan(|plan| plan.interleave = true), clean),
    row(
        "rtmp/chunk/compact-header",
        || small_messages(FmtPolicy::Full),
        || small_messages(FmtPolicy::Auto),
    ),
    row("rtmp/chunk/multiple-msid-one-csid", || on_stream(2), clean),
    row("chunk/size-too-large", || announce(134_217_728), || announce(10_485_760)),
    row("chunk/size-invalid", || Sample::File("fail_setchunk_0_nginx.pcap"), clean).error(),
    row(
        "chunk/size-invalid",
        || Sample::File("fail_setchunk_2147483648_nginx.pcap"),
        || Sample::File("ffmpeg_publish_nginx.pcap"),
    ),
    row("rtmp/control/set-chunk-size-1", || announce(64), || announce(128)),
    row(
        "chunk/size-left-at-128",
        || {
            Script::plan(&Plan { client_chunk_size: None, ..Plan::new(7) })
                .media_of(4000, 9000, 200)
                .capture()
        },
        || {
            Script::plan(&Plan { client_chunk_size: None, ..Plan::new(7) })
                .media_of(4000, 900, 200)
                .capture()
        },
    ),
    row("chunk/size-change-late", || announce(8192), clean),
    row(
        "chunk/size-change-mid-message",
        || {
            let change = |s: &mut crate::support::Scenario| {
                let mut open = s.begin(C2S, video(0, 9000));
                s.step(&mut open);
                s.set_chunk_size(C2S, 8192);
                s.finish(open);
            };
            Script::publish().with(change).capture()
        },
        || announce(8192),
    ),
    row("robust/chunk/chunk-size-churn", || churn(9), || churn(5)),
];

fn clean() -> Sample {
    Script::publish().media(400).capture()
}

fn plan(change: impl FnOnce(&mut Plan)) -> Sample {
    let mut plan = Plan::new(7);
    change(&mut plan);
    Script::plan(&plan).with(|s| plan.media(s)).capture()
}

fn small_messages(fmt: FmtPolicy) -> Sample {
    plan(|plan| {
        (plan.key_size, plan.inter_size, plan.audio_size) = (200, 60, 30);
        (plan.fmt, plan.gops) = (fmt, 20);
    })
}

/// Beyond 2^24 milliseconds, with messages of several chunks.
fn late(habit: ExtendedTimestampHabit) -> Sample {
    plan(|plan| {
        plan.start_timestamp = 20_000_000;
        plan.habit = habit;
        // With deltas no picture would need the field.
        plan.fmt = FmtPolicy::Full;
    })
}

fn typed(csid: u32, type_id: MessageType, payload: Vec<u8>) -> Outgoing {
    Outgoing::new(csid, type_id, 0, 1, payload)
}

fn video(timestamp: u32, size: usize) -> Outgoing {
    let mut rng = crate::support::Rng::new(3);
    let payload = crate::support::media::avc_frame(true, size, &mut rng);
    Outgoing::new(6, MessageType::VIDEO, timestamp, 1, payload)
}

/// Pictures of one chunk with these header formats and timestamps, on a chunk stream of their own.
fn steps(steps: &[(u8, u32)]) -> Sample {
    let mut script = Script::publish();
    for (fmt, timestamp) in steps {
        let mut message = video(*timestamp, 500).with_fmt(*fmt);
        message.csid = 9;
        script = script.send(C2S, message).wait(40);
    }
    script.capture()
}

/// These bytes in the client's chunk stream.
fn header(bytes: &[u8]) -> Sample {
    Script::publish().raw(C2S, bytes).wait(1).capture()
}

fn on_stream(id: u32) -> Sample {
    let mut message = video(40, 500);
    message.stream_id = id;
    Script::publish().media(200).send(C2S, message).capture()
}

fn on_csid(csid: u32, form: CsidForm) -> Sample {
    let mut message = video(40, 500).with_csid_form(form);
    message.csid = csid;
    Script::publish().media(200).send(C2S, message).capture()
}

fn announce(size: u32) -> Sample {
    Script::publish().with(|s| s.set_chunk_size(C2S, size)).media(200).capture()
}

fn churn(times: u32) -> Sample {
    let change = |s: &mut crate::support::Scenario| {
        (0..times).for_each(|i| s.set_chunk_size(C2S, 4096 + i));
    };
    Script::publish().with(change).media(200).capture()
}

/// A type 0 header after one chunk of a message of three.
fn interrupted() -> Script {
    let cut = |s: &mut crate::support::Scenario| {
        let mut open = s.begin(C2S, video(0, 9000));
        s.step(&mut open);
        s.raw(C2S, &[6, 0, 0, 40, 0, 0, 2, 9, 1, 0, 0, 0, 0x27, 1]);
    };
    Script::publish().with(cut).wait(10)
}

#[test]
fn a_command_on_its_own_stream_is_no_mixture() {
    let mut script = Script::publish();
    command(&mut script.s, C2S, 3, 0, &[V::Str("FCUnpublish"), V::Num(6.0), V::Null]);
    let found = crate::support::lint::findings(script.capture());
    let mixed = found.iter().find(|finding| finding.id() == "chunk/mixed-types-one-csid");
    assert!(mixed.is_none_or(|finding| !finding.message.plain().contains("commands")));
}
