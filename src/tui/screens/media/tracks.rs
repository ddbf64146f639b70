//! A line per track, and one for audio against video.

use crate::analysis::figures::{SessionFigures, StreamFigures, TrackFigures};
use crate::analysis::index::SessionIndex;
use crate::report::codec_config;
use crate::tui::screens::chart::{bitrate, count, duration};
use crate::tui::theme::Role;
use crate::wire::message::MessageType;

/// The lines: how they look and what they say.
pub fn lines(session: &SessionIndex, figures: &SessionFigures, minus: &str) -> Vec<(Role, String)> {
    let mut lines = Vec::new();
    for stream in &figures.streams {
        for track in &stream.tracks {
            let role = if track.media == MessageType::VIDEO { Role::Video } else { Role::Audio };
            lines.push((role, of_track(session, track)));
        }
        lines.extend(against(stream, minus));
    }
    for found in &figures.contradictions {
        let text = format!(
            "{} is {} in the metadata, {} in the {}",
            found.name, found.metadata, found.actual, found.source
        );
        lines.push((Role::Warning, text));
    }
    if lines.is_empty() {
        lines.push((Role::Dim, "no media in this session".into()));
    }
    lines
}

fn of_track(session: &SessionIndex, track: &TrackFigures) -> String {
    let number = track.track.map_or_else(String::new, |track| format!(" {track}"));
    let mut parts = vec![format!("{}{number} {}", track.media.kind(), track.codec)];
    let same = |config: &&crate::analysis::index::ConfigRow| {
        config.media == track.media && config.track == track.track
    };
    if let Some(config) = session.configs.iter().rev().find(same) {
        parts.push(codec_config(&config.config));
    }
    let frames = match (track.media == MessageType::VIDEO, track.key_frames) {
        (true, keys) => format!("{}, {keys} K", count(track.frames, "frame")),
        (false, _) => count(track.frames, "frame"),
    };
    parts.push(frames);
    parts.extend(track.fps_timestamp.map(|fps| format!("{fps:.2} fps")));
    if let Some(gop) = track.gop.millis {
        parts.push(format!("GOP {}", range(gop.min / 1e3, gop.max / 1e3, " s")));
    }
    parts.extend(track.bitrate.map(bitrate));
    parts.extend(track.largest_gap.map(|gap| format!("gap {}", duration(gap.gap))));
    parts.extend(track.jitter.map(|jitter| format!("jitter {}", duration(jitter))));
    for (number, what) in [
        (track.backwards, "backwards"),
        (track.resets, "restarts"),
        (track.interruptions, "interrupted by loss"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    parts.join("  ")
}

fn range(min: f64, max: f64, unit: &str) -> String {
    match max - min < 0.05 {
        true => format!("{max:.1}{unit}"),
        false => format!("{min:.1} to {max:.1}{unit}"),
    }
}

fn against(stream: &StreamFigures, minus: &str) -> Option<(Role, String)> {
    let av = stream.av.as_ref()?;
    let mut parts = Vec::new();
    let signed = |value: f64| format!("{value:+.0}").replace('-', minus);
    parts.extend(av.start.map(|start| format!("at start {} ms", signed(start as f64))));
    parts.extend(av.range.map(|(low, high)| format!("{} to {} ms", signed(low), signed(high))));
    parts.extend(av.drift_ppm.map(|ppm| format!("drift {} ppm", signed(ppm))));
    parts.push(format!("interleave {} ms", av.interleave));
    let far = av.start.is_some_and(|start| start.abs() > 200) || av.interleave > 1000;
    let role = if far { Role::Warning } else { Role::Text };
    Some((role, format!("A{minus}V  {}", parts.join("  "))))
}
