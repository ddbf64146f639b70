//! What is hidden stays hidden on every screen.

use super::drive::Drive;
use crate::tui::app::Start;

/// The stream name of a capture's first session, as it is.
fn secret(name: &str) -> String {
    let start = Start { show_secrets: true, ..Start::default() };
    let drive = Drive::start(name, start);
    let facts = drive.data.index.sessions[0].facts();
    facts.stream.expect("a stream name")
}

#[test]
fn no_screen_shows_a_stream_name() {
    for name in [
        "hevc_aac_publish_play_srs.pcap",
        "av1_opus_publish_play_lal.pcap",
        "play_missing_stream_nginx.pcap",
    ] {
        let secret = secret(name);
        assert!(secret.len() > 2, "{name}: {secret}");
        let hex: String = secret.bytes().map(|b| format!("{b:02x} ")).collect();
        let mut drive = Drive::open(name);
        drive.resize(200, 60);
        let look = |drive: &mut Drive, place: &str| {
            let screen = drive.screen();
            assert!(!screen.contains(&secret), "{name}, {place}: {screen}");
            assert!(!screen.contains(hex.trim()), "{name}, {place}: {screen}");
        };
        for key in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            drive.keys(key);
            look(&mut drive, key);
        }
        drive.keys("4 g");
        for row in 0..40 {
            drive.keys("j y");
            look(&mut drive, &format!("row {row}"));
            drive.keys("esc r");
            look(&mut drive, &format!("row {row}, raw"));
            drive.keys("r");
        }
        // Searching must not tell what may not be seen.
        drive.keys("g ctrl-f ctrl-u").keys(&format!("\"{secret}\"")).keys("enter");
        assert!(drive.screen().contains("not in the messages"), "{name}: {}", drive.screen());
    }
}
