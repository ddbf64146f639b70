use super::MediaScreen;
use crate::analysis::index::MediaKind;
use crate::tui::action::Action;
use crate::tui::contract::ScreenId;
use crate::tui::screens::testing::{SIZES, Stage};

#[test]
fn looks_as_it_should_at_every_size() {
    for (name, session) in [
        ("obs_publish_nginx.pcap", 1),
        ("ffmpeg_publish_nginx.pcap", 1),
        ("derived_gap_acked_unseen.pcap", 1),
        ("enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap", 1),
        ("rtmpdump_play_nginx.pcap", 2),
    ] {
        let mut stage: Stage<MediaScreen> = Stage::new(name, session);
        for size in SIZES {
            let text = stage.text(size);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text);
        }
    }
}

#[test]
fn a_gop_leads_to_its_key_frame() {
    let mut stage: Stage<MediaScreen> = Stage::new("ffmpeg_publish_nginx.pcap", 1);
    stage.text((80, 24));
    stage.press(&[Action::NextPane, Action::Down]);
    let row = stage.shared.cursor.row.unwrap();
    let session = &stage.data.index.sessions[0];
    assert_eq!(session.rows[row].media, MediaKind::Key);
    let keys = session.rows[..row].iter().filter(|row| row.media == MediaKind::Key).count();
    assert_eq!(keys, 1, "the second one");
    insta::assert_snapshot!("gops", stage.text((80, 24)));
    stage.press(&[Action::Open]);
    assert_eq!(stage.went, Some(ScreenId::Messages));
}

#[test]
fn configurations_are_decoded() {
    let mut stage: Stage<MediaScreen> = Stage::new("ffmpeg_publish_nginx.pcap", 1);
    stage.text((80, 24));
    stage.press(&[Action::NextPane, Action::NextPane, Action::Maximize]);
    let text = stage.text((80, 60));
    assert!(text.contains("High 1.2 320x180 15 fps"), "{text}");
    assert!(text.contains("onMetaData") && text.contains("AAC LC"), "{text}");
    insta::assert_snapshot!("configurations", text);
}

#[test]
fn a_filter_leaves_only_what_it_takes() {
    let mut stage: Stage<MediaScreen> = Stage::new("ffmpeg_publish_nginx.pcap", 1);
    let rows = stage.data.index.sessions[0].rows.clone();
    let keys = rows.iter().enumerate().filter(|(_, row)| row.media == MediaKind::Key);
    let keys: Vec<u32> = keys.map(|(number, _)| number as u32).collect();
    stage.matches = Some(keys.clone());
    let text = stage.text((80, 24));
    assert_eq!(text.matches("K key").count(), keys.len());
    assert!(!text.contains("  inter "), "{text}");
    stage.shared.theme.ascii = true;
    assert!(stage.text((80, 24)).is_ascii());
}
