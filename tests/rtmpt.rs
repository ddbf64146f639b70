//! RTMPT: recordings, and connections written by hand.

#[path = "support/unwrapped.rs"]
mod unwrapped;

use rtmpscope::analysis::Transport;
use rtmpscope::transport::FactValue;
use unwrapped::Seen;

/// Recordings (with key logs those of RTMPTE): what they speak, and messages by type from the client
/// and from the server. An independent parser counted the same but for the last two commands of
/// GStreamer, in requests that the server does not answer; and the two of node-rtsp-rtmp-server,
/// which only tshark counted: it misses 8 audio messages there as it does over TCP.
const SHEETS: &[(&str, Transport, &str)] = &[
    ("nrrs_rtmpt_ffmpeg5_play_live.pcap", Transport::Rtmpt, ""),
    ("nrrs_rtmpt_ffmpeg5_publish.pcap", Transport::Rtmpt, "8=109 9=40 18=1 20=6; 4=1 5=1 6=1 20=6"),
    (
        "rtmpt_ffmpeg9_play_crtmpserver.pcap",
        Transport::Rtmpt,
        "4=1 5=1 20=5; 4=3 5=1 6=1 8=60 9=27 18=2 20=9",
    ),
    (
        "rtmpt_gst_rtmpsink_publish_crtmpserver.pcap",
        Transport::Rtmpt,
        "8=109 9=64 18=18 20=8; 4=1 5=1 6=1 20=8",
    ),
    (
        "rtmpte_ffmpeg9_play_crtmpserver.pcap",
        Transport::Rtmpte,
        "4=1 5=1 20=5; 4=2 5=1 6=1 8=82 9=42 18=2 20=7",
    ),
    (
        "rtmpte_gst_rtmpsink_publish_crtmpserver.pcap",
        Transport::Rtmpte,
        "8=109 9=64 18=18 20=8; 4=1 5=1 6=1 20=8",
    ),
    (
        "rtmpts_ffmpeg5_publish_crtmpserver_stunnel.pcap",
        Transport::Rtmpts,
        "8=88 9=51 18=1 20=6; 4=1 5=1 6=1 20=8",
    ),
];

fn tunnels(name: &str, seen: Vec<Seen>) -> Vec<Seen> {
    let inside = |seen: &Seen| {
        matches!(seen.end.transport, Transport::Rtmpt | Transport::Rtmpte | Transport::Rtmpts)
    };
    let found: Vec<Seen> = seen.into_iter().filter(inside).collect();
    assert!(!found.is_empty(), "{name}");
    found
}

#[test]
fn recordings_have_the_counts_of_their_sheets() {
    let mut wrong = Vec::new();
    for (name, transport, sheet) in SHEETS {
        let Some(path) = unwrapped::find(name) else { continue };
        let seen = tunnels(name, unwrapped::decode_with_keys(&path));
        let counts: Vec<String> = seen.iter().map(Seen::sheet).collect();
        if counts != [*sheet] {
            wrong.push(format!("{name}: {counts:?}"));
        }
        for seen in seen {
            assert_eq!(seen.end.transport, *transport, "{name}");
            assert_eq!(seen.begin.transport, *transport, "{name}");
            assert_eq!(seen.unplaced, 0, "{name}");
            assert_eq!((seen.end.damaged, seen.end.uncertain), (0, 0), "{name}");
            assert_eq!(seen.end.undecoded_bytes, [0, 0], "{name}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rtmpte_without_keys_shows_its_handshake() {
    for (name, transport, _) in SHEETS {
        let Some(path) = unwrapped::find(name) else { continue };
        if *transport != Transport::Rtmpte {
            continue;
        }
        let [seen] = &tunnels(name, unwrapped::decode(&path, ""))[..] else { panic!("{name}") };
        assert_eq!(seen.sheet(), "; ", "{name}");
        assert_eq!(seen.field("s2", "signature"), Some(&FactValue::Text("valid".into())));
        assert!(seen.fact("no-keys").is_some() && seen.fact("polling").is_some(), "{name}");
    }
}
