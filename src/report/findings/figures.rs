//! Figures of a session out of its index.

use super::model::{
    ClockLine, ConfidenceLine, ContradictionLine, DirectionLine, Figures, HandshakeLine,
    MediaFigures, ResponseLine, TrackLine,
};
use crate::analysis::figures::{SessionFigures, Spread};
use crate::analysis::index::{Interner, MediaKind, Row, SessionIndex};
use crate::analysis::lanes::{self, Lanes, Window};
use crate::base::Direction;
use crate::wire::message::MessageType;

/// Requests listed; a session has a dozen.
const MAX_RESPONSES: usize = 200;

/// Takes over what [`SessionFigures`] counted.
pub(super) fn add(figures: &mut Figures, of: &SessionFigures) {
    let ms = |nanos: i64| round(nanos as f64 / 1e6, 3);
    let ppm = |value: Option<f64>| value.map(|value| round(value, 1));
    let kbps = |bits: f64| round(bits / 1e3, 1);
    let spread = |s: Option<Spread>| s.map(|s| [s.min, round(s.mean, 1), s.max]);
    figures.handshake = HandshakeLine {
        client: of.handshake.client.map(|scheme| scheme.name()),
        server: of.handshake.server.map(|scheme| scheme.name()),
        version: of.handshake.version,
        round_trip_ms: of.handshake.round_trip.map(ms),
        complete: of.handshake.complete,
    };
    let responses = of.responses.iter().take(MAX_RESPONSES);
    figures.responses = responses
        .map(|response| ResponseLine {
            command: response.command.clone(),
            direction: response.direction.name(),
            at: response.time.seconds_since(of.start),
            response_ms: response.response.map(ms),
            result: response.result,
            code: response.code.clone(),
        })
        .collect();
    figures.directions = Direction::BOTH
        .iter()
        .zip(&of.directions)
        .map(|(direction, sent)| DirectionLine {
            direction: direction.name(),
            chunks: sent.chunks,
            payload: sent.payload,
            headers: sent.headers,
            overhead_percent: sent.overhead().map(|share| round(share, 3)),
            kbps: sent.bitrate.map(kbps),
            peak_kbps: kbps(sent.peak_bitrate),
            chunk_sizes: sent.chunk_sizes.iter().map(|changed| changed.value).collect(),
            max_message: sent.max_message.map(|message| message.value),
            ack_windows: sent.acks.windows.iter().map(|changed| changed.value).collect(),
            ack_style: sent.acks.style.name(),
            acks: sent.acks.count,
            max_unacked: sent.acks.max_unacked,
            max_ack_distance: sent.acks.max_distance,
            out_of_order: sent.tcp.as_ref().map_or(0, |tcp| tcp.stats.out_of_order),
        })
        .collect();
    for stream in &of.streams {
        let direction = stream.direction.name();
        let av = stream.av.as_ref();
        figures.clocks.push(ClockLine {
            direction,
            stream_id: stream.stream_id,
            av_start_ms: av.and_then(|av| av.start),
            av_range_ms: av
                .and_then(|av| av.range)
                .map(|(least, greatest)| [round(least, 1), round(greatest, 1)]),
            av_drift_ppm: ppm(av.and_then(|av| av.drift_ppm)),
            interleave_ms: av.map(|av| av.interleave),
            clock_drift_ppm: ppm(stream.clock.drift_ppm),
        });
        figures.tracks.extend(stream.tracks.iter().map(|track| TrackLine {
            direction,
            stream_id: stream.stream_id,
            media: if track.media == MessageType::AUDIO { "audio" } else { "video" },
            track: track.track,
            codec: track.codec.clone(),
            enhanced: track.enhanced,
            frames: track.frames,
            key_frames: track.key_frames,
            configs: track.configs,
            bytes: track.bytes,
            kbps: track.bitrate.map(kbps),
            fps_timestamp: track.fps_timestamp.map(|fps| round(fps, 3)),
            fps_arrival: track.fps_arrival.map(|fps| round(fps, 3)),
            gop_ms: spread(track.gop.millis),
            gop_frames: spread(track.gop.frames),
            largest_gap_ms: track.largest_gap.map(|gap| ms(gap.gap)),
            jitter_ms: track.jitter.map(ms),
            max_jitter_ms: ms(track.max_jitter),
            backwards: track.backwards,
            repeated: track.repeated,
            resets: track.resets,
            interruptions: track.interruptions,
        }));
    }
    figures.confidence = ConfidenceLine {
        exact: of.confidence.exact,
        inferred: of.confidence.inferred,
        resynced: of.confidence.resynced,
        damaged: of.confidence.damaged,
    };
    figures.contradictions = of
        .contradictions
        .iter()
        .map(|contradiction| ContradictionLine {
            name: contradiction.name,
            metadata: contradiction.metadata.clone(),
            actual: contradiction.actual.clone(),
            source: contradiction.source,
        })
        .collect();
}

pub(super) fn of(session: &SessionIndex, strings: &Interner, lanes: &Lanes) -> Figures {
    let start = session.session.time.0;
    let window = Window::new(start, session.last.0.saturating_add(1));
    let total = lanes.view(session, strings, window, 1).total;
    let mut figures = Figures {
        video: media(session, MessageType::VIDEO, &total.video),
        audio: media(session, MessageType::AUDIO, &total.audio),
        av_offset_ms: (total.av_offset.count > 0).then_some([
            total.av_offset.min,
            total.av_offset.max,
            total.av_offset.last,
        ]),
        lateness_ms: (total.lateness.count > 0).then_some(total.lateness.max),
        ..Figures::default()
    };
    let Some(end) = &session.end else { return figures };
    figures.messages = end.messages;
    figures.damaged_messages = end.damaged;
    figures.uncertain_messages = end.uncertain;
    figures.undecoded_bytes = end.undecoded_bytes.iter().sum();
    for (side, tcp) in end.tcp.iter().enumerate() {
        figures.bytes[side] = tcp.bytes;
        figures.capture_lost_bytes += tcp.capture_lost_bytes;
        figures.network_lost_bytes += tcp.network_lost_bytes;
        figures.retransmissions[side] = tcp.retransmissions;
        figures.zero_window_seconds[side] = round(tcp.zero_window_ns as f64 / 1e9, 6);
        figures.rtt_ms[side] = tcp.rtt_mean_ns.map(|ns| round(ns as f64 / 1e6, 3));
        // The handshake is no part of the chunk stream.
        let direction = Direction::BOTH[side];
        let before = session
            .handshakes
            .iter()
            .find(|record| record.handshake.direction == direction)
            .map_or(0, |record| record.handshake.end_offset);
        let stream = tcp.bytes.saturating_sub(before);
        let overhead = stream.saturating_sub(session.payload[side]);
        figures.overhead_percent[side] = (stream > 0 && figures.undecoded_bytes == 0)
            .then(|| round(overhead as f64 * 100.0 / stream as f64, 3));
    }
    figures
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

fn media(session: &SessionIndex, kind: MessageType, sum: &lanes::Media) -> MediaFigures {
    let start = session.session.time;
    let mut figures = MediaFigures {
        frames: sum.frames.into(),
        key_frames: sum.keys.into(),
        bytes: sum.bytes,
        max_gap: round(sum.max_gap as f64 / 1e9, 6),
        ..MediaFigures::default()
    };
    let mut first: Option<&Row> = None;
    let mut last: Option<&Row> = None;
    let mut last_key: Option<u32> = None;
    let mut gops = (f64::INFINITY, 0.0, 0.0_f64, 0_u32);
    // Timestamps of several tracks and directions have clocks of their own.
    let same = |a: &Row, b: &Row| a.direction() == b.direction() && a.track() == b.track();
    for row in session.rows.iter().filter(|row| row.type_id == kind && row.media.is_coded()) {
        let head = *first.get_or_insert(row);
        if !same(head, row) {
            continue;
        }
        last = Some(row);
        if row.media == MediaKind::Key {
            if figures.first_key.is_none() {
                figures.first_key = Some(row.time.seconds_since(start));
            }
            if let Some(before) = last_key {
                let ms = f64::from(row.timestamp.wrapping_sub(before));
                // A clock that was set back is no group of pictures.
                if ms < 3_600_000.0 {
                    gops = (gops.0.min(ms), gops.1 + ms, gops.2.max(ms), gops.3 + 1);
                }
            }
            last_key = Some(row.timestamp);
        }
    }
    let (Some(first), Some(last)) = (first, last) else { return figures };
    figures.first = Some(first.time.seconds_since(start));
    let seconds = last.time.seconds_since(first.time);
    if seconds > 0.0 {
        figures.kbps = Some(round(sum.bytes as f64 * 8.0 / 1e3 / seconds, 1));
    }
    let by_timestamps = f64::from(last.timestamp.wrapping_sub(first.timestamp)) / 1e3;
    if sum.frames > 1 && by_timestamps > 0.0 && by_timestamps < 2_000_000.0 {
        figures.fps = Some(round(f64::from(sum.frames - 1) / by_timestamps, 3));
    }
    if gops.3 > 0 {
        figures.gop_ms = Some([gops.0, round(gops.1 / f64::from(gops.3), 1), gops.2]);
    }
    figures
}
