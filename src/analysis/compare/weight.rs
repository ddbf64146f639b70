//! Which differences matter.

use super::steps::{Step, StepKind};
use crate::wire::message::MessageType;

/// How much a difference matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// To be expected: times, counters, names of streams and clients.
    Expected,
    /// Could be the cause of something, and usually is not.
    Minor,
    /// Explains different outcomes, or is one.
    Matters,
}

impl Weight {
    /// `expected`, `minor` or `matters`.
    pub fn name(self) -> &'static str {
        match self {
            Weight::Expected => "expected",
            Weight::Minor => "minor",
            Weight::Matters => "matters",
        }
    }
}

/// A fact that differs: how much it matters, and why.
pub(super) fn of_fact(
    kind: &StepKind,
    name: &str,
    a: Option<&str>,
    b: Option<&str>,
) -> (Weight, &'static str) {
    match kind {
        StepKind::Handshake => match name {
            "version" => (Weight::Matters, "another protocol version"),
            "scheme" => (Weight::Matters, "some peers insist on one kind of handshake"),
            "complete" => (Weight::Matters, "one handshake stopped half-way"),
            "answer valid" => (Weight::Matters, "strict peers refuse an answer that does not fit"),
            _ => (Weight::Expected, ""),
        },
        StepKind::Command(command) => command_fact(command, name),
        StepKind::Reply(_) | StepKind::Status => match name {
            "code" => (Weight::Matters, "the server answered differently"),
            "outcome" => (Weight::Matters, "one request was refused"),
            "level" => (Weight::Matters, "one status is an error"),
            "response" => response(a, b),
            "objectEncoding" => (Weight::Matters, "the AMF version that follows differs"),
            "capsEx" | "fourCcList" | "videoFunction" => {
                (Weight::Minor, "the server announced other Enhanced RTMP abilities")
            }
            "fmsVer" | "capabilities" | "mode" | "data.version" => {
                (Weight::Minor, "another server software")
            }
            "encoding" => (Weight::Minor, "another AMF version"),
            "csid" | "message stream" => (Weight::Minor, "other stream numbers"),
            _ => (Weight::Expected, ""),
        },
        StepKind::Control(MessageType::SET_CHUNK_SIZE) => match (size(a), size(b)) {
            (Some(a), Some(b)) if odd_chunk_size(a) != odd_chunk_size(b) => {
                (Weight::Matters, "a chunk size that some peers refuse")
            }
            _ => (Weight::Minor, "another chunk size"),
        },
        StepKind::Control(_) => (Weight::Minor, "another value"),
        StepKind::Event(_) => (Weight::Expected, ""),
        StepKind::Data(_) => match name {
            "videocodecid" | "audiocodecid" => (Weight::Matters, "another codec is announced"),
            "wrapped in" => (Weight::Minor, "metadata is sent in another way"),
            "width" | "height" | "framerate" | "audiosamplerate" | "audiochannels" | "stereo" => {
                (Weight::Minor, "other properties are announced")
            }
            _ => (Weight::Expected, ""),
        },
        StepKind::Config(..) => match name {
            "codec" => (Weight::Matters, "another codec"),
            "enhanced" => {
                (Weight::Matters, "one uses Enhanced RTMP's header, which old peers drop")
            }
            "profile" | "chroma" | "bit depth" | "NAL length size" | "sample rate" | "channels" => {
                (Weight::Matters, "another codec configuration, which not every decoder takes")
            }
            "undecoded" => (Weight::Matters, "one configuration cannot be read to its end"),
            _ => (Weight::Minor, "another codec configuration"),
        },
        StepKind::FirstMedia(_) => match name {
            "codec" => (Weight::Matters, "another codec"),
            "enhanced" => {
                (Weight::Matters, "one uses Enhanced RTMP's header, which old peers drop")
            }
            "multitrack" => (Weight::Matters, "one sends several tracks in a message"),
            "key" => (Weight::Matters, "one begins without a key frame: nothing can be decoded"),
            _ => (Weight::Expected, ""),
        },
        StepKind::FirstKeyFrame => (Weight::Expected, ""),
        StepKind::Gap => (Weight::Minor, "other bytes are missing in the capture"),
        StepKind::End => match (name, a, b) {
            ("by", Some("nobody"), _) | ("by", _, Some("nobody")) => {
                (Weight::Minor, "one was still open")
            }
            ("by", ..) => (Weight::Matters, "another side ended the connection"),
            ("how", Some("capture ended"), _) | ("how", _, Some("capture ended")) => {
                (Weight::Expected, "")
            }
            ("how", ..) => (Weight::Minor, "it ended in another way"),
            _ => (Weight::Expected, ""),
        },
    }
}

fn command_fact(command: &str, name: &str) -> (Weight, &'static str) {
    match (command, name) {
        ("connect", "app") => (Weight::Matters, "another application"),
        ("connect", "objectEncoding") => (Weight::Matters, "another AMF version is asked for"),
        ("connect", "fourCcList" | "capsEx" | "videoFunction") => {
            (Weight::Matters, "other Enhanced RTMP abilities; some servers refuse them")
        }
        ("connect", name)
            if name.starts_with("videoFourCcInfoMap") || name.starts_with("audioFourCcInfoMap") =>
        {
            (Weight::Matters, "other Enhanced RTMP abilities; some servers refuse them")
        }
        ("connect", "flashVer" | "type" | "swfUrl" | "pageUrl") => {
            (Weight::Minor, "some servers let in by it")
        }
        ("connect", "tcUrl") => (Weight::Minor, "another host, application or token"),
        ("connect", "audioCodecs" | "videoCodecs" | "capabilities" | "fpad") => {
            (Weight::Minor, "other abilities are announced")
        }
        (_, "publishing type") => {
            (Weight::Matters, "live, record and append are different requests")
        }
        ("play", "start" | "duration" | "reset") => (Weight::Minor, "another part is asked for"),
        (_, "stream name") => (Weight::Minor, "another stream"),
        (_, "message stream") => (Weight::Minor, "another message stream"),
        (_, "encoding") => (Weight::Minor, "another AMF version"),
        (_, "csid") => (Weight::Minor, "another chunk stream; a few servers care"),
        ("connect", _) => (Weight::Minor, "another property"),
        _ => (Weight::Expected, ""),
    }
}

/// Sizes that real servers refuse: nginx-rtmp above 10 MB, others above 64 KiB; 0 stops everything.
fn odd_chunk_size(size: u64) -> bool {
    size == 0 || size > 65_536
}

fn size(text: Option<&str>) -> Option<u64> {
    text?.parse().ok()
}

/// `12.3 ms` against `4021.0 ms`.
fn response(a: Option<&str>, b: Option<&str>) -> (Weight, &'static str) {
    let millis = |text: Option<&str>| -> Option<f64> { text?.strip_suffix(" ms")?.parse().ok() };
    let (Some(a), Some(b)) = (millis(a), millis(b)) else { return (Weight::Expected, "") };
    let (fast, slow) = (a.min(b), a.max(b));
    // A round trip around the world is 0.3 s: a second more is something else.
    match slow - fast {
        1000.0.. => (Weight::Matters, "one reply took more than a second longer"),
        100.0.. if slow > 3.0 * fast => (Weight::Minor, "one reply took much longer"),
        _ => (Weight::Expected, ""),
    }
}

/// A step that only one of them has.
pub(super) fn of_step(step: &Step) -> (Weight, &'static str) {
    match &step.kind {
        StepKind::Handshake => (Weight::Matters, "one side never finished its handshake"),
        StepKind::Command(name) => match &**name {
            "connect" | "createStream" | "publish" | "play" | "play2" => {
                (Weight::Matters, "a request that only one makes")
            }
            "close" | "deleteStream" | "closeStream" | "FCUnpublish" => {
                (Weight::Minor, "only one says goodbye")
            }
            _ => (Weight::Minor, "a command that only one sends"),
        },
        StepKind::Reply(request) => match &**request {
            "connect" | "createStream" | "publish" | "play" => {
                (Weight::Matters, "a request that only one got a reply to")
            }
            _ => (Weight::Minor, "a reply that only one got"),
        },
        StepKind::Status => match step.fact("level") {
            Some("error") => (Weight::Matters, "an error that only one got"),
            // The same news is told in one status or in two.
            _ if step.fact("code").is_some_and(|code| code.ends_with(".Start")) => {
                (Weight::Matters, "only one was told that it may begin")
            }
            _ => (Weight::Minor, "a status that only one got"),
        },
        StepKind::Control(MessageType::SET_CHUNK_SIZE) => {
            (Weight::Minor, "only one changes the chunk size here")
        }
        StepKind::Control(_) | StepKind::Event(_) => {
            (Weight::Minor, "a control message that only one sends")
        }
        StepKind::Data(handler) if handler == "onMetaData" => {
            (Weight::Minor, "metadata that only one sends")
        }
        StepKind::Data(_) => (Weight::Minor, "data that only one sends"),
        StepKind::Config(..) => (Weight::Matters, "a codec configuration that only one sends"),
        StepKind::FirstMedia(_) => (Weight::Matters, "media that only one sends"),
        StepKind::FirstKeyFrame => (Weight::Matters, "only one ever sends a key frame"),
        StepKind::Gap => (Weight::Minor, "bytes are missing in the capture of only one"),
        StepKind::End => (Weight::Minor, "only one ended"),
    }
}
