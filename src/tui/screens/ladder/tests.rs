use super::LadderScreen;
use crate::tui::action::Action;
use crate::tui::contract::ScreenId;
use crate::tui::screens::testing::{SIZES, Stage};

const SESSIONS: [(&str, u32); 5] = [
    ("obs_publish_nginx.pcap", 1),
    ("ffmpeg_publish_nginx.pcap", 1),
    ("derived_gap_acked_unseen.pcap", 1),
    ("rtmpdump_play_nginx.pcap", 2),
    ("fail_auth_adobe_crtmpserver.pcap", 2),
];

#[test]
fn looks_as_it_should_at_every_size() {
    for (name, session) in SESSIONS {
        let mut stage: Stage<LadderScreen> = Stage::new(name, session);
        for size in SIZES {
            let text = stage.text(size);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text);
        }
    }
}

#[test]
fn unfolds_a_run_of_media_and_opens_a_message_of_it() {
    let mut stage: Stage<LadderScreen> = Stage::new("ffmpeg_publish_nginx.pcap", 1);
    stage.text((120, 40));
    let folded = stage.text((120, 40));
    assert!(folded.contains("▸ 64 video, 3 K, 174 audio, 2 config, 4.0 s"), "{folded}");
    while !matches!(stage.shared.cursor.row, Some(row) if stage.data.index.sessions[0].rows[row].type_id.is_media())
    {
        stage.press(&[Action::Down]);
    }
    stage.press(&[Action::Fold, Action::Down, Action::Down, Action::Down]);
    let text = stage.text((120, 40));
    insta::assert_snapshot!("unfolded", text);
    let row = stage.shared.cursor.row.unwrap();
    stage.press(&[Action::Open]);
    assert_eq!(stage.went, Some(ScreenId::Messages));
    assert_eq!(stage.shared.cursor.row, Some(row));
    stage.press(&[Action::FoldAll]);
    assert_eq!(stage.text((120, 40)).lines().count(), folded.lines().count());
    assert!(stage.text((120, 40)).contains("▸ 64 video"));
}

#[test]
fn finds_trouble_by_key_and_says_when_there_is_none() {
    let mut stage: Stage<LadderScreen> = Stage::new("derived_gap_acked_unseen.pcap", 1);
    stage.text((80, 24));
    // Gaps and anomalies are steps of their own; each is reached once, in order.
    let mut times = Vec::new();
    while stage.status.is_empty() {
        stage.press(&[Action::NextFinding]);
        times.push(stage.shared.cursor.time.unwrap());
    }
    let session = &stage.data.index.sessions[0];
    assert_eq!(times.len() - 1, session.gaps.len() + session.anomalies.len());
    assert!(times.is_sorted());
    stage.status.clear();
    stage.press(&[Action::Top, Action::PreviousFinding]);
    assert_eq!(stage.status, "no further trouble in the ladder");
}

#[test]
fn ascii_draws_with_ascii_only() {
    let mut stage: Stage<LadderScreen> = Stage::new("derived_gap_acked_unseen.pcap", 1);
    stage.shared.theme.ascii = true;
    let text = stage.text((80, 24));
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn a_filter_hides_steps() {
    let mut stage: Stage<LadderScreen> = Stage::new("ffmpeg_publish_nginx.pcap", 1);
    stage.matches = Some(vec![0]);
    let text = stage.text((80, 24));
    assert!(text.contains("connect live") && !text.contains("createStream"), "{text}");
}
