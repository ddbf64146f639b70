//! Flow control of a session: windows, Acknowledgements, chunk sizes, and what chunking costs.

use super::index::{Row, SessionIndex};
use crate::base::{Direction, Timestamp};
use crate::wire::message::MessageType;

/// Most acknowledgements and changes (each, per direction) that are kept.
const MAX_KEPT: usize = 1 << 16;
/// Chunk size before anybody sets one (RTMP 1.0, section 5.4.1).
const DEFAULT_CHUNK_SIZE: u32 = 128;

/// A value that a control message set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Row number of the message.
    pub row: usize,
    /// When it came.
    pub time: Timestamp,
    /// The new value, in bytes.
    pub value: u32,
    /// What set it: `SET_CHUNK_SIZE`, `WINDOW_ACKNOWLEDGEMENT_SIZE` or `SET_PEER_BANDWIDTH`.
    pub by: MessageType,
}

/// An Acknowledgement, judged by the data it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Row number of the message.
    pub row: usize,
    /// When it came.
    pub time: Timestamp,
    /// Its sequence number.
    pub sequence: u32,
    /// Bytes it newly acknowledges.
    pub newly: u64,
    /// Bytes in flight before it.
    pub before: u64,
    /// Bytes in flight after it.
    pub after: u64,
    /// Nanoseconds since the window was full; `None` when it was not.
    pub late: Option<i64>,
}

/// How a peer counts in its Acknowledgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckStyle {
    /// It sent none.
    None,
    /// From the beginning of the connection, as section 5.4.3 says.
    Cumulative,
    /// From the last one.
    Incremental,
}

impl AckStyle {
    /// `none`, `cumulative` or `incremental`.
    pub fn name(self) -> &'static str {
        match self {
            AckStyle::None => "none",
            AckStyle::Cumulative => "cumulative",
            AckStyle::Incremental => "incremental",
        }
    }
}

/// What one direction sends, and how its flow is controlled.
#[derive(Clone, Debug, Default)]
pub struct DirectionFlow {
    /// Windows in force for it, in order: its sender's Window Acknowledgement Size, or the peer's
    /// Set Peer Bandwidth while there is none.
    pub windows: Vec<Change>,
    /// Chunk sizes its sender set.
    pub chunk_sizes: Vec<Change>,
    /// The peer's Acknowledgements.
    pub acks: Vec<Ack>,
    /// What was not kept of these.
    pub dropped: u64,
    /// Stream bytes sent, and those acknowledged.
    pub flight: super::lanes::Flight,
    /// Most bytes that were in flight.
    pub max_flight: u64,
    /// Acknowledgements that only made sense as increments.
    pub incremental: u64,
    /// Acknowledgements that came after the window was full.
    pub late: u64,
    /// Messages.
    pub messages: u64,
    /// Chunks.
    pub chunks: u64,
    /// Bytes of chunk headers.
    pub header_bytes: u64,
    /// Payload bytes.
    pub payload_bytes: u64,
    /// Largest message in bytes, and its row.
    pub max_message: Option<(u32, usize)>,
    /// When the window filled without an Acknowledgement since.
    full_since: Option<Timestamp>,
}

impl DirectionFlow {
    /// The window in force at the end.
    pub fn window(&self) -> Option<u32> {
        self.flight.window
    }

    /// The chunk size at the end.
    pub fn chunk_size(&self) -> u32 {
        self.chunk_sizes.last().map_or(DEFAULT_CHUNK_SIZE, |change| change.value)
    }

    /// Chunk headers as a share of all bytes, in percent.
    pub fn overhead(&self) -> Option<f64> {
        let all = self.header_bytes + self.payload_bytes;
        (all > 0).then(|| self.header_bytes as f64 * 100.0 / all as f64)
    }

    /// How the peer counts.
    pub fn style(&self) -> AckStyle {
        match (self.acks.len(), self.incremental) {
            (0, _) => AckStyle::None,
            (_, 0) => AckStyle::Cumulative,
            _ => AckStyle::Incremental,
        }
    }

    /// Nanoseconds for which the window has been full at `now` without an Acknowledgement.
    pub fn overdue(&self, now: Timestamp) -> Option<i64> {
        self.full_since.map(|since| now.nanos_since(since).max(0))
    }
}

/// Flow control of both directions; follows a session that grows.
#[derive(Clone, Debug, Default)]
pub struct FlowControl {
    /// By [`Direction::index`] of the data.
    pub directions: [DirectionFlow; 2],
    rows: usize,
}

impl FlowControl {
    /// Takes in the rows that the session has got since the last call.
    pub fn update(&mut self, session: &SessionIndex) {
        if session.rows.len() < self.rows {
            *self = FlowControl::default();
        }
        for (number, row) in session.rows.iter().enumerate().skip(self.rows) {
            self.row(session, number, row);
        }
        self.rows = session.rows.len();
    }

    /// What is known of a direction.
    pub fn of(&self, direction: Direction) -> &DirectionFlow {
        &self.directions[direction.index()]
    }

    fn row(&mut self, session: &SessionIndex, number: usize, row: &Row) {
        let way = row.direction().index();
        let place = session.place(row);
        let flow = &mut self.directions[way];
        flow.messages += 1;
        flow.chunks += u64::from(place.chunks);
        flow.header_bytes += place.headers.len();
        flow.payload_bytes += u64::from(place.received);
        if flow.max_message.is_none_or(|(most, _)| row.length > most) {
            flow.max_message = Some((row.length, number));
        }
        flow.flight.send(session.end_offset(row));
        let change =
            |by| Change { row: number, time: row.time, value: row.value().unwrap_or(0), by };
        match row.type_id {
            MessageType::SET_CHUNK_SIZE => {
                flow.keep(|flow| &mut flow.chunk_sizes, change(row.type_id));
            }
            MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE => {
                flow.flight.set_window(row.value().unwrap_or(0), true);
                flow.keep(|flow| &mut flow.windows, change(row.type_id));
            }
            MessageType::SET_PEER_BANDWIDTH => {
                let flow = &mut self.directions[1 - way];
                flow.flight.set_window(row.value().unwrap_or(0), false);
                flow.keep(|flow| &mut flow.windows, change(row.type_id));
            }
            MessageType::ACKNOWLEDGEMENT => {
                let midstream = session.session.midstream;
                self.directions[1 - way].acknowledgement(number, row, midstream);
            }
            _ => {}
        }
        let flow = &mut self.directions[way];
        if let Some(bytes) = flow.flight.bytes() {
            flow.max_flight = flow.max_flight.max(bytes);
            let full = flow.flight.window.is_some_and(|window| bytes > u64::from(window));
            if full && flow.full_since.is_none() {
                flow.full_since = Some(row.time);
            }
        }
    }
}

impl DirectionFlow {
    fn acknowledgement(&mut self, number: usize, row: &Row, midstream: bool) {
        let before = self.flight.bytes().unwrap_or(self.flight.sent);
        let acked = self.flight.acked;
        let sequence = row.value().unwrap_or(0);
        self.flight.acknowledge(sequence, midstream);
        let now = self.flight.acked.unwrap_or(0);
        self.incremental += u64::from(self.flight.incremental);
        let late = self.full_since.take().map(|since| row.time.nanos_since(since).max(0));
        self.late += u64::from(late.is_some());
        // The first Acknowledgement of a capture that begins in mid-stream only sets the base.
        let first = if midstream { now } else { 0 };
        let ack = Ack {
            row: number,
            time: row.time,
            sequence,
            newly: now.saturating_sub(acked.unwrap_or(first)),
            before,
            after: self.flight.bytes().unwrap_or(0),
            late,
        };
        self.keep(|flow| &mut flow.acks, ack);
    }

    fn keep<T>(&mut self, list: impl Fn(&mut DirectionFlow) -> &mut Vec<T>, item: T) {
        match list(self).len() < MAX_KEPT {
            true => list(self).push(item),
            false => self.dropped += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::lanes::load;

    #[test]
    fn nginx_publish_sets_windows_and_chunk_sizes_and_acknowledges_nothing() {
        let index = load("ffmpeg_publish_nginx.pcap");
        let mut flow = FlowControl::default();
        flow.update(&index.sessions[0]);
        let up = flow.of(Direction::ClientToServer);
        // nginx sets the client's bandwidth to 5000000; FFmpeg announces no window of its own.
        assert_eq!(up.window(), Some(5_000_000));
        assert_eq!(up.windows[0].by, MessageType::SET_PEER_BANDWIDTH);
        assert_eq!(up.chunk_size(), 4096);
        assert_eq!(up.style(), AckStyle::None);
        let session = &index.sessions[0];
        let tcp = &session.end.as_ref().unwrap().tcp;
        // Every byte of the stream is handshake, chunk header or payload.
        assert_eq!(up.header_bytes + up.payload_bytes + 3073, tcp[0].bytes);
        assert_eq!(up.flight.sent, tcp[0].bytes);
        assert!(up.overhead().unwrap() < 3.0);
    }

    #[test]
    fn acknowledgements_are_judged_by_the_window() {
        // librtmp acknowledges as a player.
        let index = load("vod_play_rtmpdump_nginx_flv.pcap");
        let mut flow = FlowControl::default();
        flow.update(&index.sessions[0]);
        let down = flow.of(Direction::ServerToClient);
        let rows = &index.sessions[0].rows;
        let sent = rows.iter().filter(|r| r.type_id == MessageType::ACKNOWLEDGEMENT).count();
        assert_eq!(down.acks.len(), sent);
        for ack in &down.acks {
            assert_eq!(ack.before - ack.newly, ack.after);
        }
    }
}
