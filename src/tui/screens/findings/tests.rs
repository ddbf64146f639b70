use super::FindingsScreen;
use super::explain::wrap;
use crate::tui::action::Action;
use crate::tui::contract::{Screen, ScreenId};
use crate::tui::screens::testing::{SIZES, Stage};

#[test]
fn looks_as_it_should_at_every_size() {
    for name in ["obs_publish_nginx.pcap", "stall_zero_window_server_stopped_6s.pcap"] {
        let mut stage: Stage<FindingsScreen> = Stage::new(name, 1);
        for size in SIZES {
            let text = stage.text(size);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text);
        }
    }
}

#[test]
fn enter_goes_to_the_evidence() {
    let mut stage: Stage<FindingsScreen> = Stage::new("obs_publish_nginx.pcap", 1);
    stage.text((120, 40));
    let bandwidth = stage
        .data
        .findings
        .iter()
        .find(|f| f.id() == "control/peer-bandwidth-ignored")
        .expect("a finding about a message")
        .clone();
    stage.press(&[Action::Bottom]);
    for _ in 0..stage.data.findings.len() {
        let row = stage.shared.cursor.row.expect("a row");
        if stage.shared.cursor.time == Some(bandwidth.place.time) {
            let session = stage.data.index.session(1).unwrap();
            assert_eq!(
                Some(session.place(&session.rows[row]).offset),
                bandwidth.place.bytes.as_ref().map(|bytes| bytes.start)
            );
            stage.press(&[Action::Open]);
            assert_eq!(stage.went, Some(ScreenId::Messages));
            return;
        }
        stage.press(&[Action::PreviousFinding]);
    }
    panic!("the finding is not in the list");
}

#[test]
fn a_session_without_findings_says_so() {
    let mut stage: Stage<FindingsScreen> = Stage::new("obs_publish_nginx.pcap", 1);
    stage.data.findings.clear();
    let text = stage.text((80, 24));
    assert!(text.contains("nothing was found in this session"), "{text}");
    stage.press(&[Action::Down, Action::Open, Action::NextFinding, Action::SortNext]);
}

#[test]
fn the_explanation_scrolls_and_can_be_copied() {
    let mut stage: Stage<FindingsScreen> = Stage::new("obs_publish_nginx.pcap", 1);
    let before = stage.text((80, 24));
    stage.press(&[Action::NextPane, Action::Down, Action::Down]);
    assert_ne!(stage.text((80, 24)), before);
    let ctx = crate::tui::contract::Ctx {
        index: &stage.data.index,
        shared: &stage.shared,
        findings: &stage.data.findings,
        figures: &stage.data.figures,
        trails: &stage.data.trails,
        matches: None,
        detail: None,
        focused: true,
    };
    let (_, text) = stage.screen.copies(&ctx).pop().expect("something to copy");
    assert!(text.contains("rule ") && text.contains("frame"), "{text}");
}

#[test]
fn text_wraps_at_spaces() {
    assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
    assert_eq!(wrap("", 4), [""]);
}
