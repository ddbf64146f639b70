//! One session of the index.

use super::arena::{Arena, Place};
use super::row::Row;
use super::tcp::TcpFacts;
use crate::analysis::facts::FactsBuilder;
use crate::analysis::record::{
    AnomalyRecord, GapRecord, HandshakeRecord, SessionEnd, SessionFacts, SessionRecord,
    TransportRecord,
};
use crate::base::Timestamp;
use crate::wire::amf::Property;
use crate::wire::codec::CodecConfig;
use crate::wire::message::MessageType;

/// Most handshakes, gaps, anomalies, configurations and metadata (each) that a session keeps whole;
/// further ones are counted in [`SessionIndex::dropped`].
pub const MAX_KEPT: usize = 1 << 14;

/// A codec configuration that was sent.
#[derive(Clone, Debug)]
pub struct ConfigRow {
    /// Row number of its message.
    pub row: usize,
    /// Audio or video.
    pub media: MessageType,
    /// Track id; `None` outside multitrack.
    pub track: Option<u8>,
    /// What it says.
    pub config: CodecConfig,
}

/// Stream metadata (`onMetaData`) that was sent.
#[derive(Clone, Debug)]
pub struct MetadataRow {
    /// Row number of its message.
    pub row: usize,
    /// Its pairs.
    pub pairs: Vec<Property>,
}

/// One session.
#[derive(Clone, Debug)]
pub struct SessionIndex {
    /// Who talks to whom, as first seen.
    pub session: SessionRecord,
    /// How it ended; `None` while it goes on.
    pub end: Option<SessionEnd>,
    /// Both sides' handshakes.
    pub handshakes: Vec<HandshakeRecord>,
    /// Messages, in the order they were complete.
    pub rows: Vec<Row>,
    /// What was odd.
    pub anomalies: Vec<AnomalyRecord>,
    /// Missing bytes.
    pub gaps: Vec<GapRecord>,
    /// What layers between TCP or UDP and RTMP said.
    pub layers: Vec<TransportRecord>,
    /// Codec configurations, in order.
    pub configs: Vec<ConfigRow>,
    /// Stream metadata, in order.
    pub metadata: Vec<MetadataRow>,
    /// What did not fit [`MAX_KEPT`].
    pub dropped: u64,
    /// Time of the last thing that happened.
    pub last: Timestamp,
    /// Payload bytes of messages per direction.
    pub payload: [u64; 2],
    /// TCP sequence number of stream offset 0 per direction, once something in it was decoded.
    pub origins: [Option<u32>; 2],
    /// What TCP did.
    pub tcp: TcpFacts,
    pub(super) arena: Arena,
    pub(super) facts: FactsBuilder,
}

impl SessionIndex {
    pub(super) fn new(session: SessionRecord) -> SessionIndex {
        SessionIndex {
            last: session.time,
            session,
            end: None,
            handshakes: Vec::new(),
            rows: Vec::new(),
            anomalies: Vec::new(),
            gaps: Vec::new(),
            layers: Vec::new(),
            configs: Vec::new(),
            metadata: Vec::new(),
            dropped: 0,
            payload: [0; 2],
            origins: [None; 2],
            tcp: TcpFacts::default(),
            arena: Arena::default(),
            facts: FactsBuilder::default(),
        }
    }

    /// Session number, from 1.
    pub fn number(&self) -> u32 {
        self.session.session
    }

    /// Where the message of a row lies.
    pub fn place(&self, row: &Row) -> Place {
        self.arena.get(row.place, row.first_frame.into())
    }

    /// Stream offset just past a row's message, in its direction.
    pub fn end_offset(&self, row: &Row) -> u64 {
        self.arena.end(row.place)
    }

    /// What its commands and media say about it so far.
    pub fn facts(&self) -> SessionFacts {
        match &self.end {
            Some(end) => end.facts.clone(),
            None => self.facts.clone().finish(),
        }
    }

    /// Seconds from its request to a reply.
    pub fn response_time(&self, row: &Row) -> Option<f64> {
        let request = self.rows.get(row.request()?)?;
        Some(row.time.seconds_since(request.time))
    }

    /// Rows from `from` up to, not including, `to` in capture time: a range of row numbers. Rows
    /// are in order of time but for packets that were captured out of order.
    pub fn rows_between(&self, from: Timestamp, to: Timestamp) -> std::ops::Range<usize> {
        let start = self.rows.partition_point(|row| row.time < from);
        let end = self.rows.partition_point(|row| row.time < to);
        start..end.max(start)
    }

    /// Bytes of memory that rows and places take.
    pub fn memory(&self) -> usize {
        self.rows.capacity() * size_of::<Row>() + self.arena.len()
    }
}
