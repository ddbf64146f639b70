//! Figures beside the lanes.

use super::draw::Picture;
use super::lanes::Lane;
use crate::analysis::lanes::{Span, TcpColumn};
use crate::tui::screens::chart::{bitrate, bytes, count, duration};

impl Picture<'_> {
    /// Figures beside a lane, most telling first.
    pub(super) fn figures(&self, lane: Lane) -> Vec<String> {
        let total = &self.view.total;
        let seconds = self.view.window.len() as f64 / 1e9;
        let minus = self.theme.glyphs().minus;
        match lane {
            Lane::Commands => {
                let slowest = self.view.commands.iter().filter_map(|span| span.response).max();
                let mut lines = vec![count(self.view.commands.len() as u64, "command")];
                if total.failures > 0 {
                    lines.insert(0, format!("{} refused", total.failures));
                }
                lines.extend(slowest.map(|slowest| format!("slowest {}", duration(slowest))));
                lines
            }
            Lane::Control => vec![match total.acks[0] + total.acks[1] {
                0 => "no acks".into(),
                acks => count(acks, "ack"),
            }],
            Lane::Video if total.video.frames == 0 => vec!["none".into()],
            Lane::Video => {
                let mut lines = vec![
                    format!("{} {} K", count(total.video.frames, "frame"), total.video.keys),
                    format!("{:.1} fps", f64::from(total.video.frames) / seconds),
                ];
                lines.push(format!("gap {}", duration(total.video.max_gap)));
                lines
            }
            Lane::Audio if total.audio.frames == 0 => vec!["none".into()],
            Lane::Audio => vec![
                count(total.audio.frames, "frame"),
                format!("gap {}", duration(total.audio.max_gap)),
            ],
            Lane::Offset => range(total.av_offset, minus),
            Lane::Late => range(total.lateness, minus),
            Lane::Rate => {
                let rate = |bytes: u64| bytes as f64 * 8.0 / seconds;
                let all = self.view.columns.iter().map(|c| c.rate[0] + c.rate[1]);
                vec![
                    format!("top {}", bitrate(all.fold(0.0, f64::max))),
                    format!("video {}", bitrate(rate(total.video.bytes))),
                    format!("audio {}", bitrate(rate(total.audio.bytes))),
                ]
            }
            Lane::Flight => {
                let flight = &self.view.flight[self.media.index()];
                let span = total.flight[self.media.index()];
                let mut lines = Vec::new();
                match flight.acked {
                    Some(_) if span.count > 0 => {
                        lines.push(format!("max {}", bytes(span.max.max(0) as u64)));
                    }
                    _ => lines.push("never acked".into()),
                }
                lines.extend(flight.window.map(|w| format!("window {}", bytes(w.into()))));
                lines
            }
            Lane::Tcp => self.tcp_figures(),
            Lane::Findings => {
                let odd: u32 = self.view.columns.iter().map(|column| column.anomalies).sum();
                match (self.found().count() as u64, odd) {
                    (0, 0) => vec!["nothing".into()],
                    (0, 1) => vec!["1 anomaly".into()],
                    (0, odd) => vec![format!("{odd} anomalies")],
                    (found, _) => vec![count(found, "finding")],
                }
            }
        }
    }

    /// Of TCP: loss first, then what slows.
    fn tcp_figures(&self) -> Vec<String> {
        let columns = &self.view.columns;
        let lost = |kind: usize| columns.iter().map(|column| column.lost[kind]).sum::<u64>();
        let sum = |of: fn(&TcpColumn) -> u32| columns.iter().map(|c| of(&c.tcp)).sum::<u32>();
        let closed = columns.iter().filter(|c| c.tcp.zero_window != [false; 2]).count() as i64;
        let mut lines = Vec::new();
        if lost(1) > 0 {
            lines.push(format!("{} lost", bytes(lost(1))));
        }
        if lost(0) > 0 {
            lines.push(format!("{} missed", bytes(lost(0))));
        }
        if closed > 0 {
            let length = self.view.window.len() / columns.len().max(1) as i64;
            lines.push(format!("0 window {}", duration(closed * length)));
        }
        for (number, what) in [
            (sum(|tcp| tcp.retransmissions), "sent again"),
            (sum(|tcp| tcp.out_of_order), "out of order"),
        ] {
            if number > 0 {
                lines.push(format!("{number} {what}"));
            }
        }
        if lines.is_empty() {
            lines.push("no loss".into());
        }
        let way = self.media.index();
        let flight = columns.iter().filter_map(|column| column.tcp.in_flight[way]).max();
        lines.extend(flight.map(|most| format!("max {}", bytes(most))));
        let rtt = columns.iter().filter_map(|column| column.tcp.rtt).max();
        lines.extend(rtt.map(|rtt| format!("rtt {}", duration(rtt))));
        lines
    }
}

fn range(span: Span, minus: &str) -> Vec<String> {
    if span.count == 0 {
        return vec!["none".into()];
    }
    let signed = |value: i64| format!("{value:+}").replace('-', minus);
    vec![
        format!("{} to {}", signed(span.min), signed(span.max)),
        format!("last {}", signed(span.last)),
    ]
}
