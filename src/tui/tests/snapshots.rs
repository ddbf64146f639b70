//! Screens at three sizes.

use super::drive::Drive;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn snapshots(what: &str, capture: &str, keys: &str) {
    for (width, height) in SIZES {
        let mut drive = Drive::open(capture);
        drive.resize(width, height);
        drive.keys(keys);
        let name = format!("{what}_{width}x{height}");
        insta::assert_snapshot!(name, drive.at(width, height));
    }
}

#[test]
fn sessions() {
    snapshots("sessions", "obs_publish_nginx.pcap", "1");
    snapshots("sessions_several", "nrrs_rtmp_ffmpeg_publish_rtmpdump_play.pcap", "1 j");
    snapshots("sessions_gap", "derived_gap_acked_unseen.pcap", "1");
}

#[test]
fn messages() {
    snapshots("messages_command", "obs_publish_nginx.pcap", "4 j tab j j j");
    snapshots("messages_key_frame", "obs_publish_nginx.pcap", "4 } r tab tab j");
    snapshots("messages_denied", "publish_denied_nginx.pcap", "4 G");
    snapshots("messages_gap", "derived_gap_acked_unseen.pcap", "4 ]");
}

#[test]
fn overlays() {
    snapshots("help", "obs_publish_nginx.pcap", "4 ?");
    snapshots("palette", "obs_publish_nginx.pcap", "4 : z o");
    snapshots("filter", "obs_publish_nginx.pcap", "4 / t y p e = = v i d");
    snapshots("copy_menu", "obs_publish_nginx.pcap", "4 j tab j y");
}
