//! Differential test: every recording through tshark and through rtmpscope, message by message.
//!
//! tshark gets the options that serve it best; Wireshark's defaults decode less (see the README).
//! Where the two differ, [`DIFFERENCES`] says why, and the bytes of the capture must say who is
//! right.
#![cfg(feature = "cli")]

#[path = "../support/folders.rs"]
mod folders;
mod ours;
mod pdml;
mod walk;

use std::path::Path;

use Proof::*;

/// A direction in which the two do not agree.
struct Difference {
    capture: &'static str,
    /// `source>destination`, ports only; `*` for all in which they differ.
    ports: &'static str,
    why: &'static str,
    proof: Proof,
}

/// How the bytes tell who is right.
#[derive(Clone, Copy, Debug)]
enum Proof {
    /// A chunk reader that knows nothing of damage reads, with this chunk size, from our first
    /// message to exactly the end of the stream, and counts what we count.
    Walk { chunk_size: usize },
    /// The recording from which packets were taken away has all our messages in this order, with
    /// these timestamps unless deltas are missing.
    PartOf(&'static str),
    /// The handshake begins with version 6, 8 or 9: RTMPE, nothing after it can be read in clear.
    Encrypted,
    /// The connection begins with a request line or a status line: HTTP, RTMP only within it.
    Http,
    /// The direction begins with a TLS handshake record.
    Tls,
    /// In the payload of these packets is this complete message, of this type.
    Message { frames: &'static [u64], type_id: u8, bytes: &'static str },
}

const DIFFERENCES: &[Difference] = &[
    encrypted("fail_rtmpe_ffmpeg9_play_crtmpserver_s1version0.pcap"),
    encrypted("fail_rtmpe_ffmpeg9_publish_crtmpserver.pcap"),
    encrypted("rtmpe_rtmpdump_rtmpsrv_type8.pcap"),
    http("rtmpt_ffmpeg9_play_crtmpserver.pcap"),
    http("rtmpte_ffmpeg9_play_crtmpserver.pcap"),
    Difference {
        capture: "fail_tls_client_on_rtmp_port_nginx.pcap",
        ports: "*",
        why: "tshark reads TLS as RTMP",
        proof: Tls,
    },
    Difference {
        capture: "rtmps_tls12_publish_ffmpeg_pyfwd_stunnel_nginx.pcap",
        ports: "*",
        why: "tshark reads TLS as RTMP",
        proof: Tls,
    },
    Difference {
        capture: "rtmps_tls13_publish_ffmpeg_gnutls_direct.pcap",
        ports: "*",
        why: "tshark reads TLS as RTMP",
        proof: Tls,
    },
    Difference {
        capture: "derived_gap_acked_unseen.pcap",
        ports: "53766>1935",
        why: "tshark stops decoding at the first hole",
        proof: PartOf("ffmpeg_publish_nginx.pcap"),
    },
    Difference {
        capture: "midstream_no_handshake_nginx.pcap",
        ports: "1935>50406",
        why: "tshark takes the middle of a stream for its handshake",
        proof: Walk { chunk_size: 4096 },
    },
    Difference {
        capture: "midstream_no_handshake_nginx.pcap",
        ports: "50396>1935",
        why: "tshark takes the middle of a stream for its handshake",
        proof: Walk { chunk_size: 4096 },
    },
    Difference {
        capture: "nrrs_rtmpe_ffmpeg9_publish.pcap",
        ports: "1935>54056",
        why: "tshark reads RTMPE as RTMP",
        proof: Encrypted,
    },
    Difference {
        capture: "nrrs_rtmpe_ffmpeg9_publish.pcap",
        ports: "54056>1935",
        why: "tshark reads RTMPE as RTMP",
        proof: Encrypted,
    },
    Difference {
        capture: "snaplen96_publish_ffmpeg_nginx.pcap",
        ports: "1935>59176",
        why: "tshark leaves out a message that was captured whole",
        proof: Message {
            frames: &[14],
            type_id: 5,
            bytes: "02 000000 000004 05 00000000 004c4b40",
        },
    },
    Difference {
        capture: "snaplen96_publish_ffmpeg_nginx.pcap",
        ports: "59176>1935",
        why: "tshark takes bytes within messages for headers when the packets are cut",
        proof: Message {
            frames: &[18, 20],
            type_id: 1,
            bytes: "02 000000 000004 01 00000000 00001000",
        },
    },
];

/// The same for recordings that are not in this repository.
const FURTHER: &[Difference] = &[
    Difference {
        capture: "ffmpeg_play_nginx.pcap",
        ports: "48800>1935",
        why: "tshark takes the middle of a stream for its handshake",
        proof: Walk { chunk_size: 4096 },
    },
    Difference {
        capture: "relay_push_nginx_nginx_chunk4096_128.pcap",
        ports: "39800>1935",
        why: "tshark takes the middle of a stream for its handshake",
        proof: Walk { chunk_size: 4096 },
    },
    Difference {
        capture: "rtmfp_librtmfp_play_of_rtmp_publish_monatiny.pcap",
        ports: "*",
        why: "tshark loses its place after Set Chunk Size 2147483647",
        proof: Walk { chunk_size: 128 },
    },
    encrypted("nrrs_rtmpe_rtmpdump_play_live.pcap"),
    encrypted("rtmpe_gst_rtmpsink_publish_monatiny.pcap"),
    encrypted("rtmpe_rtmpdump_play_crtmpserver.pcap"),
    encrypted("rtmpe_rtmpdump_play_crtmpserver_s1version0.pcap"),
    encrypted("rtmpe_rtmpdump_play_rtmpsrv.pcap"),
    encrypted("rtmpe_type6_zleadingzero_rtmpdump_play_pyproxy.pcap"),
    encrypted("rtmpe_type8_rtmpdump_play_pyproxy.pcap"),
    encrypted("rtmpe_type9_gst_publish_pyproxy.pcap"),
    http("nrrs_rtmpt_ffmpeg5_play_live.pcap"),
    http("nrrs_rtmpt_ffmpeg5_publish.pcap"),
    http("rtmpt_gst_rtmpsink_publish_crtmpserver.pcap"),
    http("rtmpte_gst_rtmpsink_publish_crtmpserver.pcap"),
    http("pcapplusplus__4KHttpRequests.pcap"),
    http("pcapplusplus__650HttpResponses.pcap"),
    tls("derived_rtmps_tls13_with_dsb.pcapng"),
    tls("rtmps_lal_ffmpeg5_publish_play.pcap"),
    tls("rtmps_nms4_ffmpeg5_publish_play.pcap"),
    tls("rtmps_tls12_rsakx_publish_ffmpeg_pyfwd_stunnel_nginx.pcap"),
    tls("rtmps_tls13_publish_ffmpeg_pyfwd_stunnel_nginx.pcap"),
    tls("rtmps_tls13_resumption_nms4_ffmpeg5_via_tlstun.pcap"),
];

const fn encrypted(capture: &'static str) -> Difference {
    Difference { capture, ports: "*", why: "tshark reads RTMPE as RTMP", proof: Encrypted }
}

const fn tls(capture: &'static str) -> Difference {
    Difference { capture, ports: "*", why: "tshark reads TLS as RTMP", proof: Tls }
}

const fn http(capture: &'static str) -> Difference {
    Difference { capture, ports: "*", why: "tshark reads HTTP as RTMP", proof: Http }
}

impl Difference {
    /// Checks the proof; `None` when it holds.
    fn refuted(&self, capture: &Path, direction: &str, ours: &[pdml::Message]) -> Option<String> {
        match self.proof {
            Walk { chunk_size } => {
                let start = ours.first()?.offset as usize;
                let bytes = pdml::bytes(capture, direction);
                let walked = walk::messages(&bytes, start, chunk_size);
                let counts = ours::counts(ours);
                (walked.as_ref() != Some(&counts))
                    .then(|| format!("{} bytes hold {walked:?}, not {counts:?}", bytes.len()))
            }
            PartOf(whole) => {
                let whole = ours::decode(&capture.with_file_name(whole));
                let mut all = whole.get(direction).into_iter().flatten();
                let stray = ours.iter().find(|own| !all.any(|other| own.is_part_of(other)));
                stray.map(|message| format!("not in the whole recording: {message:?}"))
            }
            Encrypted => {
                let bytes = pdml::bytes(capture, direction);
                (!matches!(bytes.first(), Some(6 | 8 | 9))).then(|| format!("{:x?}", bytes.first()))
            }
            Http => {
                let bytes = pdml::bytes(capture, direction);
                let http = bytes.starts_with(b"POST /") || bytes.starts_with(b"HTTP/1.");
                (!http).then(|| "neither a request nor a status line".into())
            }
            Tls => {
                let bytes = pdml::bytes(capture, direction);
                (!matches!(bytes.as_slice(), [0x16, 3, ..])).then(|| "no TLS record".into())
            }
            Message { frames, type_id, bytes } => {
                let payload: Vec<u8> =
                    frames.iter().flat_map(|frame| pdml::payload(capture, *frame)).collect();
                let bytes = walk::unhex(&bytes.replace(' ', ""));
                let there = payload.windows(bytes.len()).any(|part| part == bytes);
                let ours =
                    ours.iter().any(|own| own.type_id == type_id && frames.contains(&own.frame));
                (!there || !ours)
                    .then(|| format!("in packets {frames:?}: {there}, in ours: {ours}"))
            }
        }
    }
}

/// What differs in a folder of captures, a line each, and how many directions agree.
fn compare(folder: &Path, differences: &[&Difference]) -> (Vec<String>, usize) {
    let (mut wrong, mut agreed) = (Vec::new(), 0);
    for name in folders::captures(folder) {
        let path = folder.join(&name);
        let ours = ours::decode(&path);
        let theirs = pdml::decode(&path, &ours::ports(&path));
        let mut directions: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
        directions.sort();
        directions.dedup();
        for direction in directions {
            let messages = |all: &pdml::Directions| all.get(direction).cloned().unwrap_or_default();
            let (ours, theirs) = (messages(&ours), messages(&theirs));
            let found = ours::difference(&ours, &theirs);
            let ports = ours::ports_of(direction);
            let known = differences
                .iter()
                .find(|d| d.capture == name && (d.ports == ports || d.ports == "*"));
            match (found, known) {
                (None, None) => agreed += 1,
                (Some(_), Some(known)) => {
                    println!("{name} {direction}: {}, by {:?}", known.why, known.proof);
                    if let Some(why) = known.refuted(&path, direction, &ours) {
                        wrong.push(format!("{name} {direction}: no proof: {why}"));
                    }
                }
                (Some(found), None) => wrong.push(format!("{name} {direction}: {found}")),
                (None, Some(known)) if known.ports == "*" => agreed += 1,
                (None, Some(_)) => {
                    wrong.push(format!("{name} {direction}: a known difference is gone"));
                }
            }
        }
    }
    (wrong, agreed)
}

/// Whether to go on. Without tshark the test passes over, loudly, except in CI.
fn tshark() -> bool {
    if pdml::available() {
        return true;
    }
    let needed = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!needed, "tshark is not installed, and CI must compare with it");
    eprintln!("SKIPPED: tshark is not installed, nothing was compared with it");
    false
}

#[test]
fn tshark_sees_the_same_messages() {
    if !tshark() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let all: Vec<&Difference> = DIFFERENCES.iter().collect();
    let (wrong, agreed) = compare(&folder, &all);
    println!("{agreed} directions are the same");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(agreed >= 100, "only {agreed} directions were compared");
}

#[test]
fn tshark_sees_the_same_messages_in_further_recordings() {
    let Some(folder) = folders::recordings().filter(|_| tshark()) else { return };
    let all: Vec<&Difference> = DIFFERENCES.iter().chain(FURTHER).collect();
    let (mut wrong, agreed) = compare(&folder.join("recorded"), &all);
    println!("{agreed} directions are the same");
    assert!(agreed >= 200, "only {agreed} directions were compared");
    if folder.join("public").is_dir() {
        wrong.extend(compare(&folder.join("public"), &all).0);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
