//! Faults of playing.

use super::defect::{Defect, Flag, flag, ignore, output, wedge};
use crate::wire::amf::Value;
use crate::wire::message::MessageType;

pub(super) const ROWS: &[Defect] = &[
    output("play/no-start", "does not say Play.Start", &["rtmp/play/start"], |s| {
        !s.is_status("NetStream.Play.Start")
    }),
    output("play/no-media", "sends no media to players", &["rtmp/play/start"], |s| {
        !s.type_id.is_media()
    }),
    flag(
        "play/reset-always",
        "says Play.Reset although nobody asked for it",
        &["rtmp/play/reset-only-if-requested"],
        Flag::ResetAlways,
    ),
    output(
        "play/reset-never",
        "does not say Play.Reset when asked to",
        &["rtmp/play/reset-only-if-requested"],
        |s| !s.is_status("NetStream.Play.Reset"),
    ),
    flag(
        "play/missing-stream-closes",
        "closes without a word when nobody publishes the stream",
        &["rtmp/play/missing-stream"],
        Flag::NotFoundCloses,
    ),
    flag(
        "play/missing-stream-silent",
        "waits for ever for a publisher",
        &["rtmp/play/missing-stream"],
        Flag::NeverNotFound,
    ),
    flag(
        "play/start-must-be-minus-2",
        "sends no media to players with start -1 or -1000",
        &["rtmp/play/start-parameter"],
        Flag::StartMustBeMinus2,
    ),
    flag(
        "play/duration-ignored",
        "plays on after the duration",
        &["rtmp/play/duration-parameter"],
        Flag::DurationIgnored,
    ),
    wedge(
        "play/duration-wedges",
        "is stuck at play with a duration",
        &["rtmp/play/duration-parameter"],
        |s| s.argument("play", 2).and_then(Value::as_number).is_some_and(|d| d >= 0.0),
    ),
    flag(
        "play/no-headers-for-late",
        "gives late players no codec headers",
        &["rtmp/play/sequence-headers-first", "flv/av/codec-change-mid-stream"],
        Flag::NoHeadersForLate,
    ),
    flag(
        "play/starts-with-inter",
        "begins with whatever picture comes next",
        &["rtmp/play/sequence-headers-first"],
        Flag::StartsWithInter,
    ),
    output(
        "play/payload-damaged",
        "flips a bit in each frame of sound",
        &["rtmp/play/payload-integrity"],
        |s| {
            if s.type_id == MessageType::AUDIO {
                s.change_raw(|bytes| {
                    if let Some(byte) = bytes.last_mut() {
                        *byte ^= 1;
                    }
                });
            }
            true
        },
    ),
    output(
        "play/frames-lost",
        "loses one of four frames of audio and video",
        &["rtmp/play/payload-integrity"],
        |s| {
            let spared =
                |bytes: &[u8]| bytes.len() < 32 || bytes.last().is_some_and(|b| b % 4 != 0);
            !s.type_id.is_media() || s.raw_bytes().is_none_or(spared)
        },
    ),
    output(
        "play/timestamps-shaken",
        "moves timestamps by up to two seconds",
        &["rtmp/play/timestamp-monotonic"],
        |s| {
            if s.type_id.is_media() {
                s.timestamp = s.timestamp.wrapping_add(s.timestamp.wrapping_mul(7919) % 2000);
            }
            true
        },
    ),
    output(
        "play/media-on-stream-0",
        "sends media on message stream 0",
        &["rtmp/play/msid-of-media"],
        |s| {
            if s.type_id.is_media() {
                s.stream_id = 0;
            }
            true
        },
    ),
    flag(
        "play/pause-ignored",
        "says Pause.Notify and sends on",
        &["rtmp/play/pause-unpause"],
        Flag::PauseIgnored,
    ),
    wedge("play/pause-wedges", "is stuck at pause", &["rtmp/play/pause-unpause"], |s| {
        s.is_command("pause")
    }),
    wedge("play/seek-wedges", "is stuck at seek", &["rtmp/play/seek-live"], |s| {
        s.is_command("seek")
    }),
    ignore("play/seek-ignored", "does not answer seek", &["rtmp/play/seek-live"], |s| {
        s.is_command("seek")
    }),
    flag(
        "play/receive-audio-ignored",
        "sends audio to those who do not want it",
        &["rtmp/play/receive-audio-false"],
        Flag::ReceiveAudioIgnored,
    ),
    flag(
        "play/receive-video-ignored",
        "sends video to those who do not want it",
        &["rtmp/play/receive-video-false"],
        Flag::ReceiveVideoIgnored,
    ),
    wedge("play/play2-wedges", "is stuck at play2", &["rtmp/play/play2"], |s| {
        s.is_command("play2")
    }),
    flag(
        "play/close-keeps-playing",
        "plays on after closeStream and deleteStream",
        &["rtmp/play/closestream-stops"],
        Flag::CloseKeepsPlaying,
    ),
    wedge(
        "play/on-publishing-connection-wedges",
        "is stuck at play on a connection that publishes",
        &["rtmp/play/while-publishing-same-conn"],
        |s| s.publishes && s.is_command("play"),
    ),
    flag(
        "play/never-waits",
        "gives up at once when nobody publishes the stream yet",
        &["rtmp/play/publisher-joins-later"],
        Flag::NeverWaits,
    ),
    flag(
        "play/old-headers-stay",
        "gives players the headers of the publisher before",
        &["rtmp/play/publisher-restart"],
        Flag::OldConfigStays,
    ),
    wedge("play/fcsubscribe-wedges", "is stuck at FCSubscribe", &["rtmp/play/fcsubscribe"], |s| {
        s.is_command("FCSubscribe")
    }),
    wedge(
        "play/getstreamlength-wedges",
        "is stuck at getStreamLength",
        &["rtmp/play/getstreamlength"],
        |s| s.is_command("getStreamLength"),
    ),
    flag(
        "play/slow-player-stops-all",
        "reads nothing from anybody while one player does not read",
        &["rtmp/play/slow-reader"],
        Flag::SlowStopsAll,
    ),
    output(
        "play/no-data",
        "sends players no data messages",
        &["rtmp/publish/metadata-setdataframe"],
        |s| s.type_id != MessageType::DATA_AMF0,
    ),
];
