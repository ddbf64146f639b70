//! Damaged captures end no run, whatever the rules make of them.

use rtmpscope::lint::Linter;

use crate::support::Rng;
use crate::support::check::decode_with;
use crate::support::lint::read;

/// Recordings that reach most rules.
const VICTIMS: [&str; 6] = [
    "connect_unknown_app_nginx.pcap",
    "fail_auth_adobe_crtmpserver.pcap",
    "fail_tls_client_on_rtmp_port_nginx.pcap",
    "publish_denied_nginx.pcap",
    "rtmp_rtmpdump_play_rtmpsrv.pcap",
    "server_ping_idle_player_nginx1937.pcap",
];

#[test]
fn damaged_bytes_panic_nowhere() {
    let mut rng = Rng::new(11);
    let mut found = 0;
    for name in VICTIMS {
        let packets = read(name);
        for _ in 0..40 {
            let mut packets = packets.clone();
            for packet in &mut packets {
                if rng.chance(20) {
                    let mut data = packet.data.to_vec();
                    // The headers stay: what reassembly drops reaches no rule.
                    for _ in 0..rng.between(1, 4) {
                        if data.len() > 70 {
                            let at = rng.between(66, data.len() - 1);
                            data[at] = rng.next() as u8;
                        }
                    }
                    packet.data = data.into();
                }
            }
            let options = rtmpscope::analysis::Options { tcp: true, ..Default::default() };
            let mut linter = Linter::new(Default::default());
            for record in decode_with(options, &packets) {
                linter.push(&record);
            }
            found += linter.findings().len();
            assert!(linter.findings().iter().all(|finding| finding.count > 0));
        }
    }
    assert!(found > 500, "damage is noticed: {found}");
}
