//! Which lanes there are, and how high each is.

/// A lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Commands with their replies.
    Commands,
    /// Protocol control and user control messages, handshakes.
    Control,
    /// Video frames, key frames above them.
    Video,
    /// Audio frames.
    Audio,
    /// How far video is ahead of audio.
    Offset,
    /// How late media is by its own timestamps.
    Late,
    /// Bitrate of audio and video.
    Rate,
    /// Bytes that are not acknowledged.
    Flight,
    /// TCP: retransmissions, zero windows, loss, the end.
    Tcp,
    /// Findings and anomalies.
    Findings,
}

impl Lane {
    /// From top to bottom.
    pub const ALL: [Lane; 10] = [
        Lane::Commands,
        Lane::Control,
        Lane::Video,
        Lane::Audio,
        Lane::Offset,
        Lane::Late,
        Lane::Rate,
        Lane::Flight,
        Lane::Tcp,
        Lane::Findings,
    ];

    /// Its name, in at most seven cells.
    pub fn label(self, minus: &str) -> String {
        match self {
            Lane::Commands => "cmds".into(),
            Lane::Control => "ctrl".into(),
            Lane::Video => "video".into(),
            Lane::Audio => "audio".into(),
            Lane::Offset => format!("A{minus}V ms"),
            Lane::Late => "late ms".into(),
            Lane::Rate => "bitrate".into(),
            Lane::Flight => "flight".into(),
            Lane::Tcp => "tcp".into(),
            Lane::Findings => "finds".into(),
        }
    }

    /// Lines it needs, and lines that it can make use of.
    fn heights(self) -> (u16, u16) {
        match self {
            Lane::Commands => (2, 6),
            Lane::Control | Lane::Findings => (1, 1),
            Lane::Tcp => (1, 4),
            Lane::Video => (2, 7),
            Lane::Audio => (1, 3),
            Lane::Offset | Lane::Late => (1, 3),
            Lane::Rate => (1, 8),
            Lane::Flight => (1, 6),
        }
    }
}

/// Who gets spare lines first.
const SPARE: [Lane; 8] = [
    Lane::Rate,
    Lane::Commands,
    Lane::Video,
    Lane::Offset,
    Lane::Flight,
    Lane::Tcp,
    Lane::Audio,
    Lane::Late,
];

/// Divides lines among lanes. With too few, the last lanes stay away.
pub fn divide(lines: u16) -> Vec<(Lane, u16)> {
    let mut lanes: Vec<(Lane, u16)> = Vec::new();
    let mut left = lines;
    for lane in Lane::ALL {
        let (least, _) = lane.heights();
        let height = least.min(left);
        if height > 0 {
            lanes.push((lane, height));
        }
        left -= height;
    }
    while left > 0 {
        let before = left;
        for lane in SPARE {
            let Some((_, height)) = lanes.iter_mut().find(|(other, _)| *other == lane) else {
                continue;
            };
            if left > 0 && *height < lane.heights().1 {
                *height += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lanes_fit_a_small_terminal_and_grow_with_a_large_one() {
        let lines = |total| divide(total).iter().map(|(_, height)| height).sum::<u16>();
        assert_eq!(divide(12).len(), 10);
        assert_eq!(lines(12), 12);
        assert_eq!(lines(30), 30);
        assert_eq!(lines(0), 0);
        assert_eq!(divide(5).len(), 3);
        assert_eq!(lines(500), Lane::ALL.iter().map(|lane| lane.heights().1).sum::<u16>());
    }
}
