//! Differential test: every recording through tshark and through rtmpscope, message by message.
//!
//! tshark gets the options that serve it best; Wireshark's defaults decode less (see the README).
//! Where the two differ, [`DIFFERENCES`] says why, and the bytes of the capture must say who is
//! right.
#![cfg(feature = "cli")]

mod ours;
mod pdml;
mod walk;

use std::path::Path;

use Proof::*;

/// A direction in which the two do not agree.
struct Difference {
    capture: &'static str,
    /// `source>destination`, ports only.
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
    /// The connection begins with this byte: RTMPE, so that nothing in it can be read in clear.
    Version(u8),
    /// In the payload of these packets is this complete message, of this type.
    Message { frames: &'static [u64], type_id: u8, bytes: &'static str },
}

const DIFFERENCES: &[Difference] = &[
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
        proof: Version(6),
    },
    Difference {
        capture: "nrrs_rtmpe_ffmpeg9_publish.pcap",
        ports: "54056>1935",
        why: "tshark reads RTMPE as RTMP",
        proof: Version(6),
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
            Version(version) => {
                let bytes = pdml::bytes(capture, direction);
                (bytes.first() != Some(&version)).then(|| format!("begins with {bytes:.4x?}"))
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
fn compare(folder: &Path, differences: &[Difference]) -> (Vec<String>, usize) {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder of captures")
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".pcap") || name.ends_with(".cap"))
        .collect();
    names.sort();
    let (mut wrong, mut agreed) = (Vec::new(), 0);
    for name in names {
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
            let known = differences.iter().find(|d| d.capture == name && d.ports == ports);
            match (found, known) {
                (None, None) => agreed += 1,
                (Some(_), Some(known)) => {
                    println!("{name} {direction}: {}, by {:?}", known.why, known.proof);
                    if let Some(why) = known.refuted(&path, direction, &ours) {
                        wrong.push(format!("{name} {direction}: no proof: {why}"));
                    }
                }
                (Some(found), None) => wrong.push(format!("{name} {direction}: {found}")),
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
    let (wrong, agreed) = compare(&folder, DIFFERENCES);
    println!("{agreed} directions are the same");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(agreed >= 100, "only {agreed} directions were compared");
}
