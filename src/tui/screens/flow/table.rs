//! What changed flow control, in order.

use crate::analysis::flowctl::{Ack, Change, FlowControl};
use crate::base::{Direction, Timestamp};
use crate::tui::screens::chart::{bytes, duration};
use crate::tui::theme::Role;
use crate::tui::view::widgets::Column;
use crate::wire::message::MessageType;

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Direction whose data it is about.
    pub data: Direction,
    /// What happened.
    pub what: What,
}

/// What a line is.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// A value was set.
    Change(Change),
    /// Data was acknowledged.
    Ack(Ack),
}

impl Entry {
    /// Row of the message.
    pub fn row(&self) -> usize {
        match self.what {
            What::Change(change) => change.row,
            What::Ack(ack) => ack.row,
        }
    }

    /// When.
    pub fn time(&self) -> Timestamp {
        match self.what {
            What::Change(change) => change.time,
            What::Ack(ack) => ack.time,
        }
    }

    /// How it looks.
    pub fn role(&self) -> Role {
        match self.what {
            What::Ack(Ack { late: Some(late), .. }) if late > 1_000_000_000 => Role::Warning,
            What::Ack(_) => Role::Text,
            What::Change(_) => Role::Control,
        }
    }

    /// The cells, by column.
    pub fn cells(&self, seconds: f64, arrow: &str) -> [String; 8] {
        let data = match self.data {
            Direction::ClientToServer => format!("C{arrow}S"),
            Direction::ServerToClient => format!("S{arrow}C"),
        };
        let time = format!("{seconds:.6}");
        let row = (self.row() + 1).to_string();
        match self.what {
            What::Change(change) => {
                let what = match change.by {
                    MessageType::SET_CHUNK_SIZE => "Set Chunk Size",
                    MessageType::SET_PEER_BANDWIDTH => "Set Peer Bandwidth",
                    _ => "Window Acknowledgement Size",
                };
                let value = change.value.to_string();
                [time, row, data, what.into(), value, String::new(), String::new(), String::new()]
            }
            What::Ack(ack) => [
                time,
                row,
                data,
                "Acknowledgement".into(),
                ack.sequence.to_string(),
                format!("+{}", bytes(ack.newly)),
                format!("{} {arrow} {}", bytes(ack.before), bytes(ack.after)),
                ack.late.map_or_else(String::new, |late| format!("late {}", duration(late))),
            ],
        }
    }
}

/// The columns.
pub const COLUMNS: [Column; 8] = [
    Column { title: "time s", width: 11, grow: 0, priority: 0, right: true },
    Column { title: "row", width: 7, grow: 0, priority: 6, right: true },
    Column { title: "for", width: 3, grow: 0, priority: 0, right: false },
    Column { title: "message", width: 27, grow: 1, priority: 0, right: false },
    Column { title: "value", width: 10, grow: 0, priority: 0, right: true },
    Column { title: "newly", width: 9, grow: 0, priority: 3, right: true },
    Column { title: "in flight", width: 18, grow: 0, priority: 4, right: false },
    Column { title: "", width: 12, grow: 0, priority: 2, right: false },
];

/// All entries in the order of their rows.
pub fn entries(flow: &FlowControl) -> Vec<Entry> {
    let mut all = Vec::new();
    for data in Direction::BOTH {
        let of = flow.of(data);
        let changes = of.windows.iter().chain(&of.chunk_sizes);
        all.extend(changes.map(|change| Entry { data, what: What::Change(*change) }));
        all.extend(of.acks.iter().map(|ack| Entry { data, what: What::Ack(*ack) }));
    }
    all.sort_by_key(Entry::row);
    all
}
