//! A handshake again.

use bytes::Bytes;

use super::gather::{Repeat, Source, Wanted};
use crate::analysis::HandshakeRecord;
use crate::analysis::index::Index;
use crate::base::PacketSource;
use crate::wire::handshake::HANDSHAKE_LEN;

/// What is needed of an index to read one side's handshake again.
#[derive(Clone, Debug)]
pub struct HandshakeRequest {
    record: HandshakeRecord,
    wanted: Wanted,
}

/// One side's handshake with its bytes.
#[derive(Clone, Debug)]
pub struct HandshakeDetail {
    /// What it says.
    pub record: HandshakeRecord,
    /// C0, C1 and C2 (or S0, S1 and S2) as far as they were seen; what is missing of them is zero.
    pub bytes: Bytes,
    /// Which packet holds which of them, in order.
    pub sources: Vec<Source>,
    /// Bytes that came again.
    pub repeats: Vec<Repeat>,
}

impl HandshakeRequest {
    /// For handshake number `number` (from 0, in the order of
    /// [`SessionIndex::handshakes`](crate::analysis::index::SessionIndex)) of a session. `Ok(None)`
    /// when there is none.
    pub fn new(
        index: &Index,
        session: u32,
        number: usize,
    ) -> Result<Option<HandshakeRequest>, String> {
        let Some(session) = index.session(session) else { return Ok(None) };
        let Some(record) = session.handshakes.get(number) else { return Ok(None) };
        let first = record.frames.first().copied().unwrap_or(1);
        let last = record.frames.last().copied().unwrap_or(0);
        let range = 0..len(record) as u64;
        let frames = first.max(1)..last.saturating_add(1);
        let direction = record.handshake.direction;
        let wanted = Wanted::new(index, session, direction, frames, std::iter::once(range))?;
        Ok(Some(HandshakeRequest { record: record.clone(), wanted }))
    }

    /// Reads it.
    pub fn read(&self, packets: &mut dyn PacketSource) -> Result<HandshakeDetail, String> {
        let found = self.wanted.find(packets)?;
        let mut bytes = vec![0; len(&self.record)];
        let mut sources = Vec::new();
        found.copy(0..bytes.len() as u64, 0, &mut bytes, &mut sources);
        Ok(HandshakeDetail {
            record: self.record.clone(),
            bytes: bytes.into(),
            sources,
            repeats: found.repeats,
        })
    }
}

fn len(record: &HandshakeRecord) -> usize {
    record.handshake.end_offset.min(HANDSHAKE_LEN as u64) as usize
}
