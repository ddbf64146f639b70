use ratatui::layout::Position;

use super::Timeline;
use crate::tui::action::Action;
use crate::tui::contract::{Mouse, ScreenId};
use crate::tui::screens::testing::{SIZES, Stage};

const SESSIONS: [(&str, u32); 6] = [
    ("obs_publish_nginx.pcap", 1),
    ("ffmpeg_publish_nginx.pcap", 1),
    ("derived_gap_acked_unseen.pcap", 1),
    ("stall_zero_window_server_stopped_6s.pcap", 1),
    ("rtmpdump_play_nginx.pcap", 2),
    ("enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap", 1),
];

#[test]
fn looks_as_it_should_at_every_size() {
    for (name, session) in SESSIONS {
        let mut stage: Stage<Timeline> = Stage::new(name, session);
        for size in SIZES {
            let text = stage.text(size);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text);
        }
    }
}

#[test]
fn the_rtmp_clock_and_ascii_have_their_looks() {
    let mut stage: Stage<Timeline> = Stage::new("stall_zero_window_server_stopped_6s.pcap", 1);
    stage.press(&[Action::Clock]);
    insta::assert_snapshot!("rtmp_clock", stage.text((120, 40)));
    stage.shared.theme.ascii = true;
    let text = stage.text((80, 24));
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("ascii", text);
}

#[test]
fn zooms_to_a_key_frame() {
    let mut stage: Stage<Timeline> = Stage::new("ffmpeg_publish_nginx.pcap", 1);
    stage.text((120, 40));
    stage.press(&[Action::NextKeyFrame, Action::NextKeyFrame]);
    stage.press(&[Action::ZoomIn; 6]);
    let row = stage.shared.cursor.row.unwrap();
    let text = stage.text((120, 40));
    assert!(text.contains("video key avc"), "{text}");
    assert!(text.contains(&format!("row {}", row + 1)));
    insta::assert_snapshot!("zoomed_to_a_key_frame", text);
    stage.press(&[Action::PreviousKeyFrame]);
    assert!(stage.shared.cursor.row.unwrap() < row);
    // The deepest zoom is a millisecond, and all of it is one key away.
    stage.press(&[Action::ZoomIn; 40]);
    let window = stage.shared.window.unwrap();
    assert_eq!(window.to.0 - window.from.0, 1_000_000);
    stage.press(&[Action::ZoomFit]);
    assert_eq!(stage.shared.window, None);
}

#[test]
fn follows_a_command_to_its_reply_and_back() {
    let mut stage: Stage<Timeline> = Stage::new("ffmpeg_publish_nginx.pcap", 1);
    stage.text((80, 24));
    let is = |stage: &Stage<Timeline>, name: &str| {
        let row = &stage.data.index.sessions[0].rows[stage.shared.cursor.row.unwrap()];
        stage.data.index.strings.get(row.label) == name
    };
    stage.shared.cursor.row = Some(0);
    assert!(is(&stage, "connect"));
    stage.press(&[Action::FollowReply]);
    assert!(is(&stage, "_result"));
    let text = stage.text((80, 24));
    assert!(text.contains("_result(connect) NetConnection.Connect.Success"), "{text}");
    stage.press(&[Action::FollowReply]);
    assert!(is(&stage, "connect"));
    stage.press(&[Action::Open]);
    assert_eq!(stage.went, Some(ScreenId::Messages));
}

#[test]
fn the_cursor_pans_at_the_edge_and_stays_within() {
    let mut stage: Stage<Timeline> = Stage::new("obs_publish_nginx.pcap", 1);
    stage.text((80, 24));
    let session = stage.data.index.sessions[0].clone();
    stage.press(&[Action::Top, Action::ZoomIn, Action::ZoomIn]);
    let before = stage.shared.window.unwrap();
    for _ in 0..100 {
        stage.press(&[Action::Right]);
    }
    let after = stage.shared.window.unwrap();
    assert!(after.from > before.from);
    let cursor = stage.shared.cursor.time.unwrap();
    assert!(after.from <= cursor && cursor < after.to);
    stage.press(&[Action::PanRight; 40]);
    assert!(stage.shared.window.unwrap().to.0 <= session.last.0 + 1);
    stage.press(&[Action::PanLeft; 80]);
    assert_eq!(stage.shared.window.unwrap().from, session.session.time);
    stage.press(&[Action::Bottom]);
    assert_eq!(stage.shared.cursor.time.unwrap(), session.last);
}

#[test]
fn dragging_zooms_and_the_wheel_too() {
    let mut stage: Stage<Timeline> = Stage::new("obs_publish_nginx.pcap", 1);
    stage.text((80, 24));
    let (from, to) = (Position::new(28, 6), Position::new(48, 9));
    stage.mouse(Mouse::Drag { from, to });
    stage.text((80, 24));
    stage.mouse(Mouse::Drop { from, to });
    let window = stage.shared.window.unwrap();
    let session = &stage.data.index.sessions[0];
    let share = (window.to.0 - window.from.0) as f64
        / session.last.seconds_since(session.session.time)
        / 1e9;
    assert!((share - 21.0 / 72.0).abs() < 0.02, "{share}");
    stage.text((80, 24));
    stage.mouse(Mouse::Wheel { at: Position::new(40, 8), lines: -1, zoom: false });
    let closer = stage.shared.window.unwrap();
    assert!(closer.to.0 - closer.from.0 < window.to.0 - window.from.0);
    stage.text((80, 24));
    stage.mouse(Mouse::Click(Position::new(8, 4)));
    assert_eq!(stage.shared.cursor.time, Some(closer.from));
}

#[test]
fn odd_things_are_reached_by_key() {
    let mut stage: Stage<Timeline> = Stage::new("derived_gap_acked_unseen.pcap", 1);
    stage.text((120, 40));
    let gap = stage.data.index.sessions[0].gaps[0].time;
    while stage.shared.cursor.time.is_none_or(|time| time < gap) {
        stage.press(&[Action::NextFinding]);
    }
    let text = stage.text((120, 60));
    assert!(text.contains("capture-loss: "), "{text}");
    stage.press(&[Action::PreviousFinding]);
    assert!(stage.shared.cursor.time.unwrap() < gap);
}

#[test]
fn what_is_in_sight_follows_a_cursor_that_another_screen_moved() {
    let mut stage: Stage<Timeline> = Stage::new("obs_publish_nginx.pcap", 1);
    stage.text((80, 24));
    stage.press(&[Action::Top, Action::ZoomIn, Action::ZoomIn, Action::ZoomIn]);
    stage.text((80, 24));
    let session = &stage.data.index.sessions[0];
    let last = session.rows.len() - 100;
    stage.shared.cursor.row = Some(last);
    stage.shared.cursor.time = Some(session.rows[last].time);
    let text = stage.text((80, 24));
    assert!(text.contains(&format!("row {}", last + 1)), "{text}");
    assert!(stage.text((80, 24)) == text, "it stays there");
    stage.press(&[Action::ZoomIn]);
    let window = stage.shared.window.unwrap();
    let time = stage.shared.cursor.time.unwrap();
    assert!(window.from <= time && time < window.to);
}
