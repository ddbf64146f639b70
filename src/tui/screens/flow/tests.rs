use super::FlowScreen;
use crate::tui::action::Action;
use crate::tui::contract::ScreenId;
use crate::tui::screens::testing::{SIZES, Stage};
use crate::wire::message::MessageType;

#[test]
fn looks_as_it_should_at_every_size() {
    for (name, session) in [
        ("obs_publish_nginx.pcap", 1),
        ("vod_play_rtmpdump_nginx_flv.pcap", 1),
        ("stall_zero_window_server_stopped_6s.pcap", 1),
    ] {
        let mut stage: Stage<FlowScreen> = Stage::new(name, session);
        for size in SIZES {
            let text = stage.text(size);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text);
        }
    }
}

#[test]
fn lists_every_control_message_and_opens_it() {
    let mut stage: Stage<FlowScreen> = Stage::new("vod_play_rtmpdump_nginx_flv.pcap", 1);
    stage.text((120, 40));
    stage.press(&[Action::Bottom, Action::Open]);
    assert_eq!(stage.went, Some(ScreenId::Messages));
    let rows = &stage.data.index.sessions[0].rows;
    let controls = |kind: MessageType| kind.is_control() && kind != MessageType::USER_CONTROL;
    let last = rows.iter().rposition(|row| controls(row.type_id));
    assert_eq!(stage.shared.cursor.row, last);
}

#[test]
fn tab_shows_the_other_direction() {
    let mut stage: Stage<FlowScreen> = Stage::new("obs_publish_nginx.pcap", 1);
    assert!(stage.text((80, 24)).contains("client → server"));
    stage.press(&[Action::NextPane]);
    assert!(stage.text((80, 24)).contains("server → client"));
    stage.shared.theme.ascii = true;
    assert!(stage.text((80, 24)).is_ascii());
}
