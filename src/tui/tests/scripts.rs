//! Keys, and what must come of them.

use ratatui::layout::Position;

use super::drive::Drive;
use crate::tui::app::{Outcome, Start};
use crate::tui::contract::{ExportKind, Mouse, ScreenId};

const PUBLISH: &str = "obs_publish_nginx.pcap";

#[test]
fn a_capture_opens_on_its_sessions() {
    let mut drive = Drive::open(PUBLISH);
    let screen = drive.screen();
    assert!(screen.contains("1 session"), "{screen}");
    assert!(screen.contains("<stream-1> publish avc"), "{screen}");
}

#[test]
fn sessions_are_sorted_by_columns() {
    let mut drive = Drive::open("nrrs_rtmp_ffmpeg_publish_rtmpdump_play.pcap");
    let first = |drive: &mut Drive| {
        let screen = drive.screen();
        screen.lines().nth(3).unwrap_or_default().to_owned()
    };
    let before = first(&mut drive);
    drive.keys("s S");
    let after = first(&mut drive);
    assert_ne!(before, after);
    assert!(before.contains(" 1 ") && after.contains(" 2 "), "{before}\n{after}");
    drive.keys("s");
    assert!(drive.screen().contains("client▲"));
    // A click on a heading does the same, a second one turns it round.
    drive.mouse(Mouse::Click(Position { x: 3, y: 2 }));
    drive.mouse(Mouse::Click(Position { x: 3, y: 2 }));
    assert_eq!(first(&mut drive), after);
}

#[test]
fn enter_goes_down_and_escape_up() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("enter");
    assert_eq!(drive.app.screen, ScreenId::Timeline);
    drive.keys("4 esc");
    assert_eq!(drive.app.screen, ScreenId::Timeline);
    drive.keys("esc");
    assert_eq!(drive.app.screen, ScreenId::Sessions);
    drive.keys("q");
    assert_eq!(drive.outcomes, [Outcome::Quit]);
}

#[test]
fn a_filter_is_checked_while_it_is_typed() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("4 /").keys("\"type==vid\"");
    assert!(drive.screen().contains('✗'), "{}", drive.screen());
    drive.keys("\"eo && key\"");
    let screen = drive.screen();
    assert!(screen.contains("✓ 1 message"), "{screen}");
    drive.keys("enter");
    let screen = drive.screen();
    assert!(screen.contains("1 of 747 messages"), "{screen}");
    assert!(screen.contains("filter type==video && key: 1 of 747"), "{screen}");
    let row = drive.app.shared.cursor.row.unwrap();
    assert!(drive.app.ctx(&drive.data).takes(row), "the cursor is on a row that is in sight");
    drive.keys("F");
    assert!(drive.screen().contains("747 messages"));
    drive.keys("F");
    assert!(drive.screen().contains("1 of 747 messages"));
    // Escape leaves what was on.
    drive.keys("/ ctrl-u").keys("\"type==audio\"").keys("esc");
    assert!(drive.screen().contains("1 of 747 messages"));
    drive.keys("/ ctrl-u enter");
    assert!(drive.screen().contains(" 747 messages"), "{}", drive.screen());
}

#[test]
fn a_wrong_filter_says_where() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("/").keys("\"typo==video\"").keys("enter");
    let screen = drive.screen();
    assert!(screen.contains("typo") && screen.contains("type"), "{screen}");
    assert!(drive.app.filter.active().is_none());
}

#[test]
fn completion_offers_fields_and_values() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("/").keys("\"conf\"").keys("tab");
    assert!(drive.screen().contains("filter confidence"), "{}", drive.screen());
    drive.keys("ctrl-u").keys("\"cmd==\"");
    assert!(drive.screen().contains("releaseStream"), "{}", drive.screen());
}

#[test]
fn a_command_leads_to_its_reply_and_back() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("4 j");
    assert!(drive.app.ctx(&drive.data).row().is_some());
    assert_eq!(drive.app.shared.cursor.row, Some(1), "connect");
    drive.keys("f");
    let screen = drive.screen();
    assert_eq!(drive.app.shared.cursor.row, Some(5), "{screen}");
    assert!(screen.contains("_result"), "{screen}");
    drive.keys("f");
    assert_eq!(drive.app.shared.cursor.row, Some(1));
}

#[test]
fn braces_go_from_key_frame_to_key_frame() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("4 }");
    let second = drive.app.shared.cursor.row;
    assert!(drive.screen().contains("KEY avc"), "{}", drive.screen());
    drive.keys("G {");
    assert_eq!(drive.app.shared.cursor.row, second, "there is one key frame");
    drive.keys("}");
    assert!(drive.screen().contains("no key frame after"));
}

/// A key frame of many chunks: the field's bytes are shown in the payload and between chunk headers,
/// with the packet that holds them.
#[test]
fn a_field_shows_its_bytes_through_chunks_and_packets() {
    let mut drive = Drive::open("publish_ext_timestamp_above_chunk128_ffmpeg_nginx1937.pcap");
    drive.resize(120, 40);
    drive.keys("4 } enter j j");
    let screen = drive.screen();
    let (row, first) = {
        let ctx = drive.app.ctx(&drive.data);
        let detail = ctx.detail.expect("a key frame");
        assert!(detail.trouble.is_none(), "{:?}", detail.trouble);
        assert!(detail.chunks.parts.len() > 3, "many chunks");
        (detail.row, detail.frames[0].frame)
    };
    assert!(screen.contains(&format!("frames {first}")), "{screen}");
    assert!(screen.contains("payload "), "{screen}");
    drive.keys("r tab G");
    let screen = drive.screen();
    assert!(screen.contains("chunks "), "{screen}");
    assert_eq!(drive.app.shared.cursor.row, Some(row));
    // The last byte belongs to the last field: the tree follows.
    drive.keys("r G");
    assert!(drive.screen().contains("frame "), "{}", drive.screen());
}

#[test]
fn a_byte_finds_its_field() {
    let mut drive = Drive::open(PUBLISH);
    drive.resize(120, 40);
    // The connect command: its third byte begins the length of the command's name.
    drive.keys("4 j tab tab right right right right");
    let screen = drive.screen();
    assert!(screen.contains("payload 3 frame"), "{screen}");
    drive.keys("y");
    let screen = drive.screen();
    assert!(screen.contains("value of command_name"), "{screen}");
    drive.keys("a");
    assert_eq!(drive.copied(), "connect");
}

#[test]
fn search_finds_text_and_bytes() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("4 ctrl-f").keys("\"NetStream.Publish.Start\"").keys("enter");
    let screen = drive.screen();
    assert!(screen.contains("found; n goes on"), "{screen}");
    assert!(screen.contains("onStatus"), "{screen}");
    let at = drive.app.shared.cursor.row;
    drive.keys("n");
    assert_eq!(drive.app.shared.cursor.row, at, "there is only one: round to it again");
    drive.keys("g ctrl-f ctrl-u").keys("\"0x02 00 07 63 6f\"").keys("enter");
    assert_eq!(drive.app.shared.cursor.row, Some(1), "connect");
    drive.keys("ctrl-f ctrl-u").keys("\"no such text\"").keys("enter");
    assert!(drive.screen().contains("not in the messages"), "{}", drive.screen());
}

#[test]
fn marks_bring_back() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("4 j j j m a G");
    let end = drive.app.shared.cursor.row;
    drive.keys("1 ' a");
    assert_eq!((drive.app.screen, drive.app.shared.cursor.row), (ScreenId::Messages, Some(3)));
    drive.keys("G ' a ' '");
    assert_eq!(drive.app.shared.cursor.row, end);
    drive.keys("' z");
    assert!(drive.screen().contains("no such mark"));
}

#[test]
fn the_palette_and_the_help_do_what_they_name() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys(":").keys("\"mess\"");
    assert!(drive.screen().contains("messages"), "{}", drive.screen());
    drive.keys("enter");
    assert_eq!(drive.app.screen, ScreenId::Messages);
    drive.keys("?").keys("\"time of day\"").keys("enter");
    assert_eq!(drive.app.shared.times.name(), "delta");
    drive.keys("?");
    assert!(drive.screen().contains("Moving"), "{}", drive.screen());
    drive.keys("esc t t t");
    assert_eq!(drive.app.shared.times.name(), "relative");
}

#[test]
fn the_copied_command_line_reopens_the_place() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("4 /").keys("\"type==audio\"").keys("enter G y");
    let screen = drive.screen();
    assert!(screen.contains("command line to here"), "{screen}");
    drive.keys("up up up up up up up up up down down down down down down down down enter");
    let row = drive.app.shared.cursor.row.unwrap() + 1;
    let wanted = format!(
        "rtmpscope view {PUBLISH} --session 1 --screen messages --row {row} --filter type==audio"
    );
    let line = drive.app.command_line();
    assert_eq!(line.replace('\'', ""), wanted);
    let start = Start {
        session: Some(1),
        screen: Some(ScreenId::Messages),
        row: Some(row),
        filter: Some("type==audio".into()),
        captures: vec![PUBLISH.into()],
        ..Start::default()
    };
    let mut again = Drive::start(PUBLISH, start);
    assert_eq!(again.app.shared.cursor, drive.app.shared.cursor);
    drive.app.status = None;
    assert_eq!(again.screen(), drive.screen());
}

#[test]
fn exports_ask_for_a_path() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("4 e j");
    assert!(drive.screen().contains("session-1."), "{}", drive.screen());
    drive.keys("ctrl-u").keys("\"/tmp/x y\"").keys("enter");
    let wanted = Outcome::Export { kind: ExportKind::Ndjson, path: "/tmp/x y".into(), session: 1 };
    assert_eq!(drive.outcomes, [wanted]);
}

#[test]
fn revealing_asks_first() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys(":").keys("\"reveal\"").keys("enter");
    assert!(drive.screen().contains("y/n"), "{}", drive.screen());
    drive.keys("n");
    assert_eq!(drive.outcomes, []);
    drive.keys(":").keys("\"reveal\"").keys("enter y");
    assert_eq!(drive.outcomes, [Outcome::Reload { show_secrets: true }]);
}

#[test]
fn small_terminals_are_told_so() {
    let mut drive = Drive::open(PUBLISH);
    assert!(drive.at(59, 24).contains("needs 60x20"));
    assert!(drive.at(80, 19).contains("this is 80x19"));
    assert!(!drive.at(60, 20).contains("needs"));
    for (width, height) in [(1, 1), (5, 1)] {
        drive.at(width, height);
    }
}

#[test]
fn the_mouse_selects_scrolls_and_changes_tabs() {
    let mut drive = Drive::open(PUBLISH);
    drive.keys("4");
    drive.mouse(Mouse::Click(Position { x: 20, y: 6 }));
    assert_eq!(drive.app.shared.cursor.row, Some(2));
    drive.mouse(Mouse::Wheel { at: Position { x: 20, y: 6 }, lines: 3, zoom: false });
    assert_eq!(drive.app.shared.cursor.row, Some(5));
    drive.mouse(Mouse::Click(Position { x: 1, y: 0 }));
    assert_eq!(drive.app.screen, ScreenId::Sessions);
}

#[test]
fn without_colours_and_unicode_it_is_ascii() {
    use crate::tui::theme::{Theme, ThemeName};
    let mut drive = Drive::open("derived_gap_acked_unseen.pcap");
    drive.app.shared.theme = Theme { name: ThemeName::Mono, ascii: true };
    for keys in ["1", "2", "3", "4", "?", "esc :", "esc /", "esc y", "esc e"] {
        drive.keys(keys);
        let screen = drive.screen();
        assert!(screen.is_ascii(), "{keys}: {screen}");
    }
}
