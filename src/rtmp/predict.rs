//! Where the next header is if a gap held nothing but chunks of one message.

use super::chunks::{ChunkDecoder, State, Step};
use super::event::{AnomalyKind, Event};
use crate::base::Timestamp;
use crate::wire::chunk::BasicHeader;

/// Where the next header is if the gap held nothing but chunks of one message.
#[derive(Clone, Debug)]
pub(super) struct Predicted {
    pub(super) csid: u32,
    /// Rest of a header that the gap cut, in bytes.
    pub(super) skip: usize,
    /// Payload bytes before the next header.
    pub(super) body: u32,
    /// Payload bytes of the message that the gap swallowed, and chunks that began in it.
    pub(super) missing: u32,
    pub(super) chunks: u32,
    /// No gap: the chunk belongs to a message whose length is in doubt.
    pub(super) doubtful: bool,
    /// Whether the chunk size was proven before the gap.
    pub(super) proven: bool,
}

impl ChunkDecoder {
    /// Walks the chunks that the gap swallowed, supposing that they all belong to the one message
    /// in progress.
    pub(super) fn predict(&self, len: u64) -> Option<Predicted> {
        let (csid, mut left_in_chunk) = match &self.state {
            State::Body { csid, left } => (*csid, *left),
            State::Header => match self.streams.in_progress()[..] {
                [csid] => (csid, 0),
                _ => return None,
            },
            State::Search(_) => return None,
        };
        let stream = self.streams.get(csid)?;
        let partial = stream.partial.as_ref()?;
        if partial.suspect {
            return None;
        }
        let basic = BasicHeader { fmt: 3, csid, len: 0 };
        let mut header = crate::base::Writer::new();
        basic.write(&mut header);
        let header_len = header.len() as u64 + if stream.extended.is_some() { 4 } else { 0 };
        let mut message_left = partial.left() - left_in_chunk;
        let mut pos = u64::from(left_in_chunk);
        let mut missing = left_in_chunk;
        let proven = self.chunk_size_proven;
        let mut chunks = 0;
        loop {
            if pos == len {
                return Some(Predicted {
                    csid,
                    skip: 0,
                    body: 0,
                    missing,
                    chunks,
                    doubtful: false,
                    proven,
                });
            }
            if message_left == 0 {
                return None;
            }
            chunks += 1;
            pos += header_len;
            if pos >= len {
                left_in_chunk = message_left.min(self.chunk_size);
                let skip = (pos - len) as usize;
                let body = left_in_chunk;
                return Some(Predicted {
                    csid,
                    skip,
                    body,
                    missing,
                    chunks,
                    doubtful: false,
                    proven,
                });
            }
            let body = message_left.min(self.chunk_size);
            if pos + u64::from(body) > len {
                let swallowed = (len - pos) as u32;
                missing += swallowed;
                let body = body - swallowed;
                return Some(Predicted {
                    csid,
                    skip: 0,
                    body,
                    missing,
                    chunks,
                    doubtful: false,
                    proven,
                });
            }
            pos += u64::from(body);
            message_left -= body;
            missing += body;
        }
    }

    /// The gap held nothing but chunks of one message, which goes on where it had to.
    pub(super) fn accept_predicted(
        &mut self,
        predicted: Predicted,
        now: Timestamp,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Step {
        let Predicted { csid, skip, body, missing, chunks, doubtful, proven } = predicted;
        let start = skip as u64;
        let offset = self.offset;
        if !doubtful {
            self.chunk_size_proven = proven;
            // That the gap held nothing of the other messages in progress is likely, not certain.
            let others = self.streams.iter_mut().filter(|stream| stream.csid != csid);
            for partial in others.filter_map(|stream| stream.partial.as_mut()) {
                partial.suspect = true;
            }
        }
        let Some(stream) = self.streams.get_mut(csid) else { return Step::Consumed(0) };
        let Some(partial) = &mut stream.partial else {
            // More of a message whose header the gap swallowed.
            let body = (body as usize).min(data.len());
            self.pass_undecoded(body);
            self.state = State::Header;
            return Step::Consumed(body);
        };
        if missing > 0 {
            partial.skip(missing);
        }
        partial.chunks += chunks;
        partial.headers.push(offset, start);
        partial.pieces.push(offset + start, u64::from(body));
        let available = (body as usize).min(data.len() - skip.min(data.len()));
        self.state = State::Body { csid, left: body };
        if !doubtful {
            let detail = "the gap held chunks of one message only";
            out.push(self.anomaly(AnomalyKind::Resynced, now, Some(csid), detail));
        }
        if available == 0 && body == 0 {
            self.state = State::Header;
            self.chunk_ended(csid, now, out);
        }
        Step::Consumed(skip)
    }
}
