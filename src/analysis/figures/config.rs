//! What metadata says of the media, against what the media says of itself.

use super::model::{Contradiction, TrackFigures};
use crate::base::{Direction, Timestamp};
use crate::wire::amf::{Property, Value};
use crate::wire::codec::CodecConfig;
use crate::wire::message::MessageType;

/// Most contradictions that are kept.
pub(super) const MAX_CONTRADICTIONS: usize = 64;

/// The last metadata and configurations of a stream. Only tracks that are not multitrack, or are
/// track 0: metadata describes those.
#[derive(Clone, Debug, Default)]
pub(super) struct Configs {
    metadata: Option<Said>,
    video: Option<CodecConfig>,
    audio: Option<CodecConfig>,
}

/// What metadata said, as far as it can be compared.
#[derive(Clone, Debug, Default)]
struct Said {
    time: Timestamp,
    width: Option<f64>,
    height: Option<f64>,
    frame_rate: Option<f64>,
    sample_rate: Option<f64>,
    channels: Option<f64>,
    stereo: Option<bool>,
    video_codec: Option<&'static str>,
    audio_codec: Option<&'static str>,
}

/// Where things were said.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub direction: Direction,
    pub stream_id: Option<u32>,
    pub time: Timestamp,
}

impl Configs {
    pub fn metadata(&mut self, place: Place, pairs: &[Property], out: &mut Vec<Contradiction>) {
        let find = |name: &str| pairs.iter().find(|pair| pair.name == name).map(|pair| &pair.value);
        // Some senders write numbers as text.
        let number = |name: &str| match find(name)? {
            Value::String(text) => text.lossy().trim().parse().ok(),
            value => value.as_number(),
        };
        let positive = |name: &str| number(name).filter(|n: &f64| *n > 0.0);
        self.metadata = Some(Said {
            time: place.time,
            width: positive("width"),
            height: positive("height"),
            frame_rate: positive("framerate").or_else(|| positive("fps")),
            sample_rate: positive("audiosamplerate"),
            channels: positive("audiochannels"),
            stereo: match find("stereo") {
                Some(Value::Boolean(stereo)) => Some(*stereo),
                _ => None,
            },
            video_codec: find("videocodecid").and_then(video_codec),
            audio_codec: find("audiocodecid").and_then(audio_codec),
        });
        if let Some(config) = self.video.clone() {
            self.compare(place, &config, MessageType::VIDEO, out);
        }
        if let Some(config) = self.audio.clone() {
            self.compare(place, &config, MessageType::AUDIO, out);
        }
    }

    pub fn config(
        &mut self,
        place: Place,
        media: MessageType,
        config: &CodecConfig,
        out: &mut Vec<Contradiction>,
    ) {
        self.compare(place, config, media, out);
        let slot = if media == MessageType::VIDEO { &mut self.video } else { &mut self.audio };
        *slot = Some(config.clone());
    }

    /// The codec of a frame, for streams without a configuration record.
    pub fn codec(
        &self,
        place: Place,
        media: MessageType,
        codec: &str,
        out: &mut Vec<Contradiction>,
    ) {
        let Some(said) = &self.metadata else { return };
        let (name, announced) = match media {
            MessageType::VIDEO => ("videocodecid", said.video_codec),
            _ => ("audiocodecid", said.audio_codec),
        };
        if let Some(announced) = announced
            && codec != "unknown"
            && !same_codec(announced, codec)
        {
            note(out, place, name, announced.to_owned(), codec.to_owned(), "codec");
        }
    }

    fn compare(
        &self,
        place: Place,
        config: &CodecConfig,
        media: MessageType,
        out: &mut Vec<Contradiction>,
    ) {
        let Some(said) = &self.metadata else { return };
        self.codec(place, media, config.codec, out);
        let mut differ =
            |name, metadata: Option<f64>, actual: Option<f64>, same: &dyn Fn(f64, f64) -> bool| {
                if let (Some(metadata), Some(actual)) = (metadata, actual)
                    && !same(metadata, actual)
                {
                    note(out, place, name, plain(metadata), plain(actual), "configuration");
                }
            };
        let exact = |a: f64, b: f64| (a - b).abs() < 0.5;
        if media == MessageType::VIDEO {
            differ("width", said.width, config.width.map(f64::from), &exact);
            differ("height", said.height, config.height.map(f64::from), &exact);
            // A parameter set counts fields where it was made for interlaced video.
            let rate = |a: f64, b: f64| near(a, b) || near(2.0 * a, b);
            differ("framerate", said.frame_rate, config.frame_rate, &rate);
        } else {
            // SBR doubles the rate that the configuration's core has, and old senders round 44100
            // to 44000.
            let rate = |a: f64, b: f64| near(a, b) || near(a, 2.0 * b) || near(2.0 * a, b);
            differ("audiosamplerate", said.sample_rate, config.sample_rate.map(f64::from), &rate);
            // PS makes stereo of a mono core.
            let channels = config.channels.map(f64::from);
            let parametric = |a: f64, b: f64| exact(a, b) || a == 2.0 && b == 1.0;
            differ("audiochannels", said.channels, channels, &parametric);
            if let (Some(false), Some(2..), None) = (said.stereo, config.channels, said.channels) {
                let actual = format!("{} channels", config.channels.unwrap_or(0));
                note(out, place, "stereo", "false".into(), actual, "configuration");
            }
        }
    }

    /// The announced frame rate against the one that timestamps have.
    pub fn measured(&self, place: Place, track: &TrackFigures) -> Option<Contradiction> {
        let said = self.metadata.as_ref()?;
        let (announced, measured) = (said.frame_rate?, track.fps_timestamp?);
        // Below two seconds of frames the rate says little.
        let enough = track.frames as f64 >= 2.0 * announced && track.interruptions == 0;
        let apart = (announced - measured).abs() > 0.1 * announced;
        (enough && apart && track.media == MessageType::VIDEO).then(|| Contradiction {
            direction: place.direction,
            stream_id: place.stream_id,
            name: "framerate",
            metadata: plain(announced),
            actual: plain(measured),
            source: "timestamps",
            time: said.time,
        })
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 0.01 * a.max(b)
}

fn note(
    out: &mut Vec<Contradiction>,
    place: Place,
    name: &'static str,
    metadata: String,
    actual: String,
    source: &'static str,
) {
    let known = |other: &Contradiction| {
        (other.direction, other.stream_id, other.name) == (place.direction, place.stream_id, name)
            && other.metadata == metadata
            && other.actual == actual
    };
    if out.len() < MAX_CONTRADICTIONS && !out.iter().any(known) {
        out.push(Contradiction {
            direction: place.direction,
            stream_id: place.stream_id,
            name,
            metadata,
            actual,
            source,
            time: place.time,
        });
    }
}

/// At most three decimals, none where there are none.
fn plain(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `videocodecid`: FLV's number, a FourCC as a number (Enhanced RTMP), or either as text.
fn video_codec(value: &Value) -> Option<&'static str> {
    codec(value, |id| match id {
        2 => Some("h263"),
        3 => Some("screen"),
        4 => Some("vp6"),
        5 => Some("vp6a"),
        6 => Some("screen2"),
        7 => Some("avc"),
        12 => Some("hevc"),
        13 => Some("av1"),
        _ => None,
    })
}

fn audio_codec(value: &Value) -> Option<&'static str> {
    codec(value, |id| match id {
        1 => Some("adpcm"),
        2 | 14 => Some("mp3"),
        4..=6 => Some("nellymoser"),
        7 => Some("g711a"),
        8 => Some("g711u"),
        10 => Some("aac"),
        11 => Some("speex"),
        _ => None,
    })
}

fn codec(value: &Value, by_number: impl Fn(u32) -> Option<&'static str>) -> Option<&'static str> {
    let fourcc = |bytes: [u8; 4]| {
        let name = crate::wire::flv::FourCc(bytes).codec_name();
        (name != "unknown").then_some(name)
    };
    match value {
        Value::String(text) => match <[u8; 4]>::try_from(&*text.0) {
            Ok(bytes) => fourcc(bytes),
            Err(_) => by_number(text.lossy().trim().parse().ok()?),
        },
        value => {
            let number = value.as_number().filter(|n| *n >= 0.0 && *n <= f64::from(u32::MAX))?;
            by_number(number as u32).or_else(|| fourcc((number as u32).to_be_bytes()))
        }
    }
}

fn same_codec(a: &str, b: &str) -> bool {
    // VP6 with and without alpha channel share a decoder.
    a == b || (a.starts_with("vp6") && b.starts_with("vp6"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::amf::Value;

    fn found(pairs: &[(&str, Value)], config: &CodecConfig, media: MessageType) -> Vec<String> {
        let place =
            Place { direction: Direction::ClientToServer, stream_id: Some(1), time: Timestamp(0) };
        let pairs: Vec<Property> = pairs
            .iter()
            .map(|(name, value)| Property { name: (*name).into(), value: value.clone() })
            .collect();
        // The order in which they come must not matter, nor that they come twice.
        let mut both = Vec::new();
        for metadata_first in [true, false] {
            let (mut configs, mut out) = (Configs::default(), Vec::new());
            for _ in 0..2 {
                if metadata_first {
                    configs.metadata(place, &pairs, &mut out);
                }
                configs.config(place, media, config, &mut out);
                configs.metadata(place, &pairs, &mut out);
            }
            let told = |c: &Contradiction| format!("{} {} {}", c.name, c.metadata, c.actual);
            both.push(out.iter().map(told).collect::<Vec<_>>());
        }
        assert_eq!(both[0], both[1]);
        both.remove(0)
    }

    #[test]
    fn video() {
        let config = CodecConfig {
            codec: "avc",
            width: Some(128),
            height: Some(1072),
            frame_rate: Some(60.0),
            ..CodecConfig::default()
        };
        let pairs = [
            ("width", Value::Number(1280.0)),
            ("height", Value::string("1072")),
            ("framerate", Value::Number(30.0)),
            ("videocodecid", Value::Number(12.0)),
        ];
        assert_eq!(
            found(&pairs, &config, MessageType::VIDEO),
            ["videocodecid hevc avc", "width 1280 128"]
        );
        let hevc = CodecConfig { codec: "hevc", ..CodecConfig::default() };
        for id in [Value::Number(12.0), Value::Number(1_752_589_105.0), Value::string("hvc1")] {
            let none = found(&[("videocodecid", id)], &hevc, MessageType::VIDEO);
            assert_eq!(none, Vec::<String>::new());
        }
    }

    #[test]
    fn audio() {
        let config = CodecConfig {
            codec: "aac",
            sample_rate: Some(48_000),
            channels: Some(2),
            ..CodecConfig::default()
        };
        let pairs = [
            ("audiosamplerate", Value::Number(44_100.0)),
            ("stereo", Value::Boolean(false)),
            ("audiocodecid", Value::string("mp4a")),
        ];
        assert_eq!(
            found(&pairs, &config, MessageType::AUDIO),
            ["audiosamplerate 44100 48000", "stereo false 2 channels"]
        );
        let half = [("audiosamplerate", Value::Number(24_000.0))];
        assert_eq!(found(&half, &config, MessageType::AUDIO), Vec::<String>::new());
    }
}
