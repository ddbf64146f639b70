use super::CompareScreen;
use crate::tui::action::Action;
use crate::tui::contract::{Picked, ScreenId};
use crate::tui::screens::testing::{SIZES, Stage, load};

/// A publish that worked and one that was refused, both to nginx-rtmp.
fn stage() -> Stage<CompareScreen> {
    let mut stage: Stage<CompareScreen> = Stage::new("ffmpeg_publish_nginx.pcap", 1);
    stage.data = load(&["ffmpeg_publish_nginx.pcap", "publish_denied_nginx.pcap"]);
    assert!(stage.data.index.sessions.len() >= 2);
    stage
}

#[test]
fn says_how_to_compare_as_long_as_there_are_not_two() {
    let mut stage = stage();
    assert!(stage.text((80, 24)).contains("Pick two sessions"));
    stage.shared.picked.push(Picked { session: 1, row: None });
    assert!(stage.text((80, 24)).contains("Session #1 is picked."));
}

#[test]
fn looks_as_it_should_at_every_size() {
    let mut stage = stage();
    stage.shared.picked = vec![Picked { session: 1, row: None }, Picked { session: 2, row: None }];
    for size in SIZES {
        let text = stage.text(size);
        insta::assert_snapshot!(format!("worked_and_refused_{}x{}", size.0, size.1), text);
    }
    stage.shared.theme.ascii = true;
    assert!(stage.text((80, 24)).is_ascii());
}

#[test]
fn begins_at_the_first_difference_that_matters_and_opens_it() {
    let mut stage = stage();
    stage.shared.picked = vec![Picked { session: 1, row: None }, Picked { session: 2, row: None }];
    let text = stage.text((120, 40));
    assert!(text.contains("First that matters: "), "{text}");
    stage.press(&[Action::Fold]);
    assert_eq!(stage.status, "showing differences only");
    insta::assert_snapshot!("differences_only", stage.text((120, 40)));
    stage.press(&[Action::Top, Action::NextFinding, Action::Open]);
    assert_eq!(stage.went, Some(ScreenId::Messages));
    assert!(stage.shared.cursor.time.is_some());
}

#[test]
fn the_picked_one_is_compared_with_the_open_one() {
    let mut stage = stage();
    stage.shared.session = 2;
    stage.shared.picked = vec![Picked { session: 1, row: None }];
    assert!(stage.text((120, 40)).contains("A #1"));
}
