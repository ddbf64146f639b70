use super::*;
use crate::analysis::index::{Index, SessionIndex};
use crate::analysis::{Options, Pipeline};
use crate::base::Timestamp;
use crate::capture::{Capture, Input, OpenOptions};
use crate::wire::message::MessageType;

/// The index of a bundled capture, secrets and all.
pub(crate) fn load(name: &str) -> Index {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options { tcp: true, ..Options::default() });
    let mut index = Index::new();
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut |record| index.push(&record));
    }
    pipeline.finish(Vec::new(), &mut |record| index.push(&record));
    index
}

fn lanes(index: &Index, session: &SessionIndex, clock: Clock) -> Lanes {
    let mut lanes = Lanes::new(clock);
    lanes.update(session, &index.strings);
    lanes
}

const CAPTURES: [&str; 6] = [
    "obs_publish_nginx.pcap",
    "rtmpdump_play_nginx.pcap",
    "derived_gap_acked_unseen.pcap",
    "midstream_no_handshake_nginx.pcap",
    "enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap",
    "publish_ext_timestamp_above_chunk128_ffmpeg_nginx1937.pcap",
];

#[test]
fn every_message_is_in_one_column() {
    for name in CAPTURES {
        let index = load(name);
        for session in &index.sessions {
            for clock in [Clock::Capture, Clock::Rtmp] {
                let lanes = lanes(&index, session, clock);
                let window = lanes.extent(session);
                for columns in [1, 60, 200] {
                    let view = lanes.view(session, &index.strings, window, columns);
                    assert_eq!(view.columns.len(), columns);
                    let sum = |of: fn(&Summary) -> u32| -> usize {
                        view.columns.iter().map(|c| of(&c.sum) as usize).sum()
                    };
                    assert_eq!(sum(|s| s.messages), session.rows.len(), "{name} {clock:?}");
                    let is = |kind| session.rows.iter().filter(|r| r.type_id == kind).count();
                    let video = |s: &Summary| s.video.frames + s.video.other;
                    let audio = |s: &Summary| s.audio.frames + s.audio.other;
                    assert_eq!(sum(video), is(MessageType::VIDEO));
                    assert_eq!(sum(audio), is(MessageType::AUDIO));
                    assert_eq!(view.total.messages as usize, session.rows.len());
                    let lost: u64 = view.columns.iter().map(|c| c.lost[0] + c.lost[1]).sum();
                    assert_eq!(lost, session.gaps.iter().map(|gap| gap.len).sum::<u64>());
                }
            }
        }
    }
}

/// Any range must give what going through the rows one by one gives, growing or not.
#[test]
fn sums_do_not_depend_on_blocks_or_on_how_the_session_grew() {
    let index = load("obs_publish_nginx.pcap");
    let session = &index.sessions[0];
    for clock in [Clock::Capture, Clock::Rtmp] {
        let whole = lanes(&index, session, clock);
        let mut grown = Lanes::new(clock);
        let mut part = session.clone();
        for rows in (0..session.rows.len()).step_by(37).chain([session.rows.len()]) {
            part.rows = session.rows[..rows].to_vec();
            grown.update(&part, &index.strings);
        }
        let rows = session.rows.len();
        let mut state = State::default();
        for from in (0..rows).step_by(83) {
            for to in [from + 1, from + 60, from + 300, rows] {
                let to = to.min(rows);
                let sum = whole.sum(session, &index.strings, from..to);
                assert_eq!(grown.sum(session, &index.strings, from..to), sum, "{from}..{to}");
                let mut plain = Summary::default();
                for position in from..to {
                    plain.merge(&whole.sum(session, &index.strings, position..position + 1));
                }
                assert_eq!(plain, sum, "{from}..{to}");
            }
        }
        for position in 0..rows {
            let number = whole.row_at(position).unwrap();
            let row = &session.rows[number];
            let axis = (whole.at(number, row), clock == Clock::Capture);
            state.step(&mut Summary::default(), session, &index.strings, row, axis);
        }
        assert_eq!(whole.state(session, &index.strings, rows).flight, state.flight);
    }
}

#[test]
fn obs_sends_ten_frames_a_second() {
    let index = load("obs_publish_nginx.pcap");
    let session = &index.sessions[0];
    let lanes = lanes(&index, session, Clock::Rtmp);
    let view = lanes.view(session, &index.strings, lanes.extent(session), 100);
    // 10 fps: 100 ms apart on its own clock. x264's default GOP of 250 frames is longer than this.
    assert_eq!(view.total.video.max_gap, 100_000_000);
    assert_eq!(view.total.video.keys, 1);
    assert_eq!(view.total.jumps, 0);
    let offset = view.total.av_offset;
    assert!(offset.count > 100 && offset.min > -1000 && offset.max < 1000, "{offset:?}");
}

#[test]
fn commands_span_to_their_replies() {
    let index = load("ffmpeg_publish_nginx.pcap");
    let session = &index.sessions[0];
    let lanes = lanes(&index, session, Clock::Capture);
    let all = lanes.commands(session, &index.strings, lanes.extent(session), 100);
    let names: Vec<_> = all.iter().map(|span| index.strings.get(span.name)).collect();
    assert_eq!(&names[..4], ["connect", "releaseStream", "FCPublish", "createStream"]);
    let connect = all[0];
    assert_eq!(index.strings.get(connect.code), "NetConnection.Connect.Success");
    assert_eq!(connect.response.unwrap() / 1_000_000, 44);
    assert!(!connect.failed);
    assert_eq!(lanes.exchange(connect.reply.unwrap()), Some((connect.row, connect.reply)));
    // A window between request and reply shows the span that crosses it.
    let middle = (connect.at + connect.until.unwrap()) / 2;
    let inner = lanes.commands(session, &index.strings, Window::new(middle, middle + 1), 9);
    assert_eq!(inner.first(), Some(&connect));
}

#[test]
fn a_network_stall_makes_media_late_and_a_stall_is_a_gap() {
    let index = load("stall_zero_window_server_stopped_6s.pcap");
    let session = &index.sessions[0];
    let capture = lanes(&index, session, Clock::Capture);
    let view = capture.view(session, &index.strings, capture.extent(session), 80);
    let total = view.total;
    assert!(total.lateness.max > 4_000, "{:?}", total.lateness);
    assert!(total.video.max_gap > 4_000_000_000);
    let rtmp = lanes(&index, session, Clock::Rtmp);
    let view = rtmp.view(session, &index.strings, rtmp.extent(session), 80);
    assert!(view.total.video.max_gap < 500_000_000, "its own clock went on");
}

#[test]
fn a_closed_window_is_in_all_columns_it_lasts() {
    let index = load("stall_zero_window_server_stopped_6s.pcap");
    let session = &index.sessions[0];
    let lanes = lanes(&index, session, Clock::Capture);
    let whole = lanes.extent(session);
    let view = lanes.view(session, &index.strings, whole, 100);
    let closed = view.columns.iter().filter(|column| column.tcp.zero_window[0]).count() as f64;
    let stats = &session.end.as_ref().unwrap().tcp[1];
    let share = stats.zero_window_ns as f64 / whole.len() as f64;
    assert!(share > 0.2 && (closed / 100.0 - share).abs() < 0.03, "{closed} {share}");
    assert!(view.columns.iter().all(|column| !column.tcp.zero_window[1]));
    // Zoomed into the middle of the closed span, nothing begins or ends there.
    let middle = view.columns.iter().position(|c| c.tcp.zero_window[0]).unwrap() + 10;
    let inner = Window { from: view.columns[middle].from, to: view.columns[middle + 1].from };
    let view = lanes.view(session, &index.strings, inner, 10);
    assert!(view.columns.iter().all(|column| column.tcp.zero_window[0]));
}

#[test]
fn retransmissions_are_counted_once() {
    let index = load("net_loss3_dup2_reorder10_delay20_publish_server_side.pcap");
    for session in &index.sessions {
        let lanes = lanes(&index, session, Clock::Capture);
        let view = lanes.view(session, &index.strings, lanes.extent(session), 73);
        let sum: u32 = view.columns.iter().map(|column| column.tcp.retransmissions).sum();
        let stats = &session.end.as_ref().unwrap().tcp;
        assert_eq!(u64::from(sum), stats[0].retransmissions + stats[1].retransmissions);
    }
}

#[test]
fn extended_timestamps_do_not_blow_up_the_rtmp_clock() {
    let index = load("publish_ext_timestamp_above_chunk128_ffmpeg_nginx1937.pcap");
    let session = &index.sessions[0];
    let lanes = lanes(&index, session, Clock::Rtmp);
    let window = lanes.extent(session);
    let capture = session.last.seconds_since(session.session.time);
    let rtmp = window.len() as f64 / 1e9;
    assert!((rtmp - capture).abs() < 3.0, "{rtmp} s by timestamps, {capture} s by capture");
    assert!(lanes.moment(session, Timestamp(session.last.0)) <= window.to);
}

#[test]
fn failures_are_counted() {
    let index = load("fail_auth_adobe_crtmpserver.pcap");
    let mut failures = 0;
    for session in &index.sessions {
        let lanes = lanes(&index, session, Clock::Capture);
        let view = lanes.view(session, &index.strings, lanes.extent(session), 10);
        failures += view.total.failures;
        let spans = view.commands.iter().filter(|span| span.failed).count();
        assert_eq!(spans, view.total.failures as usize);
    }
    assert!(failures >= 3);
}

/// `cargo test --release -- --ignored --nocapture million` prints what a million rows cost.
#[test]
#[ignore = "measures"]
fn a_million_rows() {
    let mut index = load("obs_publish_nginx.pcap");
    let session = &mut index.sessions[0];
    let rows = session.rows.clone();
    let length = session.last.0 - rows[0].time.0 + 1;
    while session.rows.len() < 1_000_000 {
        let round = (session.rows.len() / rows.len()) as i64;
        session.rows.extend(rows.iter().map(|row| {
            let mut row = *row;
            row.time.0 += round * length;
            row.timestamp = row.timestamp.wrapping_add((round * length / 1_000_000) as u32);
            row
        }));
    }
    session.last = session.rows.last().unwrap().time;
    let session = &index.sessions[0];
    for clock in [Clock::Capture, Clock::Rtmp] {
        let start = std::time::Instant::now();
        let lanes = lanes(&index, session, clock);
        println!("{clock:?}: took in {} rows in {:?}", session.rows.len(), start.elapsed());
        for share in [1, 10, 1000, 100_000] {
            let whole = lanes.extent(session);
            let window = Window::new(
                whole.from + whole.len() / 3,
                whole.from + whole.len() / 3 + whole.len() / share,
            );
            let window = if share == 1 { whole } else { window };
            let start = std::time::Instant::now();
            let view = lanes.view(session, &index.strings, window, 200);
            println!("  1/{share}: {} rows in {:?}", view.total.messages, start.elapsed());
        }
    }
}
