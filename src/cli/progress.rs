//! A bar on standard error for long files.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::capture::Progress;

/// Shorter runs show none.
const PATIENCE: Duration = Duration::from_millis(500);

/// Packets between two looks at the clock.
const STRIDE: u32 = 4096;

pub(super) struct Bar {
    started: Instant,
    progress: Progress,
    bar: Option<ProgressBar>,
    packets: u32,
}

impl Bar {
    pub(super) fn new(progress: Progress) -> Bar {
        Bar { started: Instant::now(), progress, bar: None, packets: 0 }
    }

    /// After each packet.
    pub(super) fn tick(&mut self) {
        self.packets = self.packets.wrapping_add(1);
        if !self.packets.is_multiple_of(STRIDE) {
            return;
        }
        let Some(total) = self.progress.bytes_total() else { return };
        let started = self.started;
        let bar = match &self.bar {
            Some(bar) => bar,
            None if started.elapsed() < PATIENCE => return,
            None => self.bar.insert(new_bar(total)),
        };
        bar.set_position(self.progress.bytes_read());
    }

    /// Takes the bar away.
    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = "{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
