//! Keys that lead through the screens which show a session as a whole.

use super::drive::Drive;
use crate::analysis::index::MediaKind;
use crate::tui::contract::ScreenId;

#[test]
fn keys_zoom_the_timeline_to_a_key_frame_and_other_screens_follow() {
    let mut drive = Drive::open("ffmpeg_publish_nginx.pcap");
    drive.resize(120, 40);
    drive.keys("2").paint();
    drive.keys("} } + + + + + +");
    let screen = drive.screen();
    let row = drive.app.shared.cursor.row.unwrap();
    assert_eq!(drive.data.index.sessions[0].rows[row].media, MediaKind::Key);
    assert!(screen.contains("video key avc"), "{screen}");
    assert!(screen.contains(" of 4.2 s"), "{screen}");
    // The cursor is the same everywhere.
    drive.keys("5");
    let media = drive.screen();
    assert!(media.contains("K key"), "{media}");
    assert_eq!(drive.app.shared.cursor.row, Some(row));
    drive.keys("2 0");
    assert!(drive.screen().contains("all 4.2 s"));
}

#[test]
fn keys_follow_a_command_to_its_reply_on_timeline_and_ladder() {
    let mut drive = Drive::open("ffmpeg_publish_nginx.pcap");
    for screen in ["2", "3"] {
        drive.keys("4 g").keys(screen).paint();
        drive.app.shared.cursor.row = Some(0);
        drive.keys("f");
        let row = drive.app.shared.cursor.row.unwrap();
        let index = &drive.data.index;
        assert_eq!(index.strings.get(index.sessions[0].rows[row].label), "_result");
        drive.keys("f");
        assert_eq!(drive.app.shared.cursor.row, Some(0));
    }
}

#[test]
fn keys_pick_two_sessions_and_compare_them() {
    let mut drive = Drive::open("rtmpdump_play_nginx.pcap");
    drive.keys("1 g space j space =");
    assert_eq!(drive.app.screen, ScreenId::Compare);
    let screen = drive.screen();
    assert!(screen.contains("A #") && screen.contains("B #"), "{screen}");
    assert!(screen.contains("First that matters: "), "{screen}");
    drive.keys("z").paint();
    assert!(drive.screen().contains("differences only"));
}
