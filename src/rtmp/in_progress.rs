//! Messages in progress: what chunks add to them, and what becomes of those that are complete.

use super::chunks::{ChunkDecoder, State};
use super::event::{AnomalyKind, Confidence, Event};
use super::search::Search;
use crate::base::Timestamp;
use crate::wire::chunk::MAX_CHUNK_SIZE;
use crate::wire::flv;
use crate::wire::message::MessageType;

impl ChunkDecoder {
    /// Takes payload bytes of the chunk in progress.
    pub(super) fn absorb(&mut self, csid: u32, bytes: &[u8], out: &mut Vec<Event>) {
        let (keep_all, prefix, whole) =
            (self.keep_all, self.limits.media_prefix, self.limits.message_bytes);
        let over = self.pending_bytes >= self.limits.pending_bytes;
        let Some(stream) = self.streams.get_mut(csid) else { return };
        let Some(partial) = &mut stream.partial else { return };
        if partial.accounted == 0 && partial.type_id.is_media() {
            stream.first_byte = bytes.first().copied();
        }
        if over && partial.keep.is_none_or(|keep| keep > partial.payload.len()) {
            partial.keep = Some(partial.payload.len());
            if !self.pending_limit_told {
                self.pending_limit_told = true;
                let detail = "payload of further messages in progress is not kept";
                let time = partial.first_time;
                out.push(self.anomaly(AnomalyKind::PendingLimit, time, Some(csid), detail));
            }
            let Some(stream) = self.streams.get_mut(csid) else { return };
            let Some(partial) = &mut stream.partial else { return };
            partial.absorb(bytes, |_| 0);
            return;
        }
        let type_id = partial.type_id;
        let kept = partial.absorb(bytes, |first| {
            let coded = media_of(type_id).is_some_and(|media| !flv::needs_whole(media, first));
            if coded && !keep_all { prefix } else { whole }
        });
        self.pending_bytes += kept;
    }

    /// All of a chunk has come (or is known to be missing).
    pub(super) fn chunk_ended(&mut self, csid: u32, now: Timestamp, out: &mut Vec<Event>) {
        let done = self
            .streams
            .get(csid)
            .and_then(|stream| stream.partial.as_ref())
            .is_some_and(|partial| partial.left() == 0);
        if done {
            let time = self.time_at(self.offset.saturating_sub(1), now);
            self.end_partial(csid, time, out);
        }
        if !self.chunk_size_proven && matches!(self.state, State::Header) {
            // The chunk size is a guess: each header must prove itself.
            self.state = State::Search(Search::here());
        }
    }

    /// Hands on the message in progress on `csid`, complete or not.
    pub(super) fn end_partial(&mut self, csid: u32, time: Timestamp, out: &mut Vec<Event>) {
        let Some(stream) = self.streams.get_mut(csid) else { return };
        let Some(mut partial) = stream.partial.take() else { return };
        self.pending_bytes = self.pending_bytes.saturating_sub(partial.payload.len());
        if partial.suspect || partial.confidence < self.confidence && partial.left() > 0 {
            partial.confidence = partial.confidence.max(Confidence::Resynced);
        }
        let (type_id, complete) =
            (partial.type_id, partial.left() == 0 && partial.holes.is_empty());
        let mut argument = None;
        if let [a, b, c, d, ..] = partial.payload[..] {
            argument = Some(u32::from_be_bytes([a, b, c, d]));
        }
        out.push(Event::Message(Box::new(partial.into_message(self.direction, csid, time))));
        match (type_id, argument) {
            (MessageType::SET_CHUNK_SIZE, Some(size)) if complete => {
                self.set_chunk_size(size, time, out);
            }
            // Its value is lost: the size has to be found out.
            (MessageType::SET_CHUNK_SIZE, _) if !complete => self.chunk_size_proven = false,
            (MessageType::ABORT, Some(target)) if complete => self.abort(target, time, out),
            _ => {}
        }
    }

    fn set_chunk_size(&mut self, size: u32, time: Timestamp, out: &mut Vec<Event>) {
        if size == 0 || size >> 31 != 0 {
            // Whatever the sender goes on with is not what it says: fail_setchunk captures show
            // 128, nginx-rtmp takes 2^31 for a huge size.
            let detail = format!("chunk size 0x{size:08x}: 1 to 0x7fffffff is allowed");
            out.push(self.anomaly(AnomalyKind::InvalidChunkSize, time, Some(2), detail));
            self.chunk_size_proven = false;
            self.chunk_size_guessed = true;
            if size != 0 {
                self.chunk_size = MAX_CHUNK_SIZE;
            }
            return;
        }
        self.chunk_size = size.min(MAX_CHUNK_SIZE);
        self.chunk_size_proven = true;
        self.chunk_size_guessed = false;
    }

    fn abort(&mut self, csid: u32, time: Timestamp, out: &mut Vec<Event>) {
        let in_progress = self.streams.get(csid).is_some_and(|stream| stream.partial.is_some());
        if in_progress {
            let detail = "the sender dropped the message";
            out.push(self.anomaly(AnomalyKind::MessageAborted, time, Some(csid), detail));
            self.end_partial(csid, time, out);
        } else {
            let detail = "no message is in progress there";
            out.push(self.anomaly(AnomalyKind::AbortOfNothing, time, Some(csid), detail));
        }
    }
}

/// The kind of media a message type carries, if any.
pub(super) fn media_of(type_id: MessageType) -> Option<flv::Media> {
    match type_id {
        MessageType::AUDIO => Some(flv::Media::Audio),
        MessageType::VIDEO => Some(flv::Media::Video),
        _ => None,
    }
}
