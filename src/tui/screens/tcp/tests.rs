use super::TcpScreen;
use crate::tui::action::Action;
use crate::tui::contract::ScreenId;
use crate::tui::screens::testing::{SIZES, Stage};

const SESSIONS: [&str; 3] = [
    "stall_zero_window_server_stopped_6s.pcap",
    "derived_gap_acked_unseen.pcap",
    "net_loss3_dup2_reorder10_delay20_publish_server_side.pcap",
];

#[test]
fn looks_as_it_should_at_every_size() {
    for name in SESSIONS {
        let mut stage: Stage<TcpScreen> = Stage::new(name, 1);
        for size in SIZES {
            let text = stage.text(size);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text);
        }
    }
}

#[test]
fn an_event_leads_to_its_time() {
    let mut stage: Stage<TcpScreen> = Stage::new("derived_gap_acked_unseen.pcap", 1);
    stage.text((120, 40));
    let gap = stage.data.index.session(1).unwrap().gaps[0].time;
    stage.press(&[Action::Top]);
    for _ in 0..200 {
        if stage.shared.cursor.time == Some(gap) {
            stage.press(&[Action::Open]);
            assert_eq!(stage.went, Some(ScreenId::Timeline));
            return;
        }
        stage.press(&[Action::Down]);
    }
    panic!("no event at the gap's time");
}
