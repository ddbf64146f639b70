//! Putting the segments of one direction in order.

use std::borrow::Cow;

use crate::base::{GapKind, Timestamp};

use super::event::{FlowAnomaly, FlowSink, Gap, StreamData};
use super::half::{Ctx, Half, Held, Segment};
use super::limits::{FAR, ONE_SIDED_BYTES, ONE_SIDED_NS};

/// Distance within which a second segment confirms that the sender really went far ahead.
const JUMP_REACH: u64 = 1 << 20;

/// Gaps remembered to recognise bytes that come too late for them.
const RECENT_GAPS: usize = 16;

/// Bytes of each version of a conflicting overlap that an anomaly shows.
const SHOWN: usize = 16;

impl Half {
    /// Takes a segment: hands on what is in order and keeps what is not.
    #[inline]
    pub(super) fn segment<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, segment: &Segment<'_>) {
        let Some(origin) = self.origin else {
            if !segment.payload.is_empty() || segment.cut > 0 || segment.fin {
                self.hold_early(ctx, segment);
            }
            return;
        };
        let at = self.offset_of(origin, segment.sequence);
        if segment.payload.is_empty() && segment.cut == 0 && !segment.fin {
            if at + 1 == self.max_end as i64 {
                self.stats.keep_alives += 1;
            }
            return;
        }
        let plain = segment.cut == 0 && !segment.fin && self.fin.is_none() && !self.ignored;
        if at == self.next as i64 && plain && self.pending.is_empty() {
            self.deliver(ctx, segment.payload, segment.position, segment.frame, segment.time);
            self.sent(self.next, segment.time);
            return;
        }
        self.segment_slow(ctx, segment, at);
    }

    fn segment_slow<S: FlowSink>(
        &mut self,
        ctx: &mut Ctx<'_, S>,
        segment: &Segment<'_>,
        mut at: i64,
    ) {
        let len = segment.payload.len() as i64 + i64::from(segment.cut);
        if len == 1 && !segment.fin && at + 1 == self.max_end as i64 && at < self.next as i64 {
            self.stats.keep_alives += 1;
            return;
        }
        // Older than any retransmission: rather 2 GiB and more ahead.
        if at < self.next as i64 - FAR as i64 {
            at += 1 << 32;
        }
        let known = self.next.max(self.acked).max(self.max_end);
        if at > (known + FAR) as i64 && !self.ignored {
            return self.far_ahead(ctx, segment, at as u64);
        }
        let end = at + len;
        if segment.fin {
            self.note_fin(ctx, end.max(0) as u64);
        }
        if end <= 0 {
            if len > 0 {
                self.retransmitted(at);
            }
            return self.check_fin(ctx);
        }
        if self.ignored {
            return self.count_ignored(ctx, at.max(0) as u64, end as u64, segment.time);
        }
        // What lies before the first byte of the stream.
        let before = (-at).max(0) as usize;
        let mut cut = segment.cut;
        let mut payload = segment.payload.get(before..).unwrap_or_else(|| {
            cut -= (before - segment.payload.len()) as u32;
            &[]
        });
        let position = segment.position + (segment.payload.len() - payload.len()) as u32;
        let at = at.max(0) as u64;
        if let Some(fin) = self.fin
            && end as u64 > fin
        {
            let detail = format!("{} bytes after the FIN", end as u64 - fin);
            self.anomaly(ctx, "data-after-fin", segment, fin, detail.into(), None);
            let keep = fin.saturating_sub(at);
            cut = cut.min(keep.saturating_sub(payload.len() as u64) as u32);
            payload = &payload[..payload.len().min(keep as usize)];
        }
        self.place(ctx, at, payload, cut, position, segment);
    }

    /// Takes the bytes of a segment from stream offset `at` on.
    fn place<S: FlowSink>(
        &mut self,
        ctx: &mut Ctx<'_, S>,
        mut at: u64,
        mut payload: &[u8],
        mut cut: u32,
        mut position: u32,
        segment: &Segment<'_>,
    ) {
        let max_end = self.max_end;
        let end = at + payload.len() as u64 + u64::from(cut);
        self.sent(end, segment.time);

        // What was handed on before.
        if at < self.next && end > at {
            let old = (self.next - at).min(end - at);
            let captured = (old as usize).min(payload.len());
            self.seen_before(ctx, at, &payload[..captured], segment);
            payload = &payload[captured..];
            position += captured as u32;
            cut -= (old - captured as u64) as u32;
            at += old;
        }
        if at == end {
            return self.check_fin(ctx);
        }
        if at == self.next {
            if end <= max_end && !self.pending.is_empty() {
                self.stats.out_of_order += 1;
            }
            self.in_order(ctx, payload, cut, position, segment);
        } else if self.insert(ctx, at, payload, cut, position, segment) && end <= max_end {
            self.stats.out_of_order += 1;
        }
        while self.pending_cost > ctx.shared.limits.max_buffered {
            self.give_up(ctx);
        }
    }

    /// Takes a segment that begins at `next`. Where it overlaps held ones, those came first.
    fn in_order<S: FlowSink>(
        &mut self,
        ctx: &mut Ctx<'_, S>,
        mut payload: &[u8],
        cut: u32,
        mut position: u32,
        segment: &Segment<'_>,
    ) {
        let end = self.next + payload.len() as u64;
        let mut cut_until = if cut > 0 { end + u64::from(cut) } else { 0 };
        let mut overlaps = false;
        while !payload.is_empty() {
            let free = match self.pending.first_key_value() {
                Some((first, _)) if *first < end => (*first - self.next) as usize,
                _ => payload.len(),
            };
            if free > 0 {
                self.deliver(ctx, &payload[..free], position, segment.frame, segment.time);
            } else if let Some((_, held)) = self.pop(ctx) {
                let both = held.bytes.len().min(payload.len());
                overlaps = true;
                self.compare(ctx, self.next, &held.bytes[..both], &payload[..both], segment);
                self.deliver(ctx, &held.bytes, held.position, held.frame, held.time);
                if held.cut > 0 {
                    cut_until = cut_until.max(self.next + u64::from(held.cut));
                }
                payload = &payload[both..];
                position += both as u32;
                continue;
            }
            payload = &payload[free..];
            position += free as u32;
        }
        if overlaps {
            self.retransmitted((end as i64) - 1);
        }
        self.drain(ctx, cut_until);
    }

    /// Keeps those bytes of a segment behind a hole that no other segment brought; whether there
    /// were any.
    fn insert<S: FlowSink>(
        &mut self,
        ctx: &mut Ctx<'_, S>,
        at: u64,
        payload: &[u8],
        cut: u32,
        position: u32,
        segment: &Segment<'_>,
    ) -> bool {
        let end = at + payload.len() as u64;
        let first = self.pending.range(..=at).next_back().map_or(at, |(offset, _)| *offset);
        let mut free = Vec::new();
        let mut conflict = None;
        let mut overlaps = false;
        let mut done = at;
        for (offset, held) in self.pending.range(first..end) {
            let held_end = offset + held.bytes.len() as u64;
            if held_end <= done {
                continue;
            }
            if *offset > done {
                free.push(done..*offset);
            }
            overlaps = true;
            let from = done.max(*offset);
            let to = held_end.min(end);
            let old = &held.bytes[(from - offset) as usize..(to - offset) as usize];
            let new = &payload[(from - at) as usize..(to - at) as usize];
            if conflict.is_none() && old != new {
                conflict = Some((from, old.to_vec(), new));
            }
            done = to;
        }
        // Of a segment whose payload was cut off whole, it is kept where it was.
        let headers_only =
            payload.is_empty() && cut > 0 && !overlaps && !self.pending.contains_key(&at);
        if done < end || headers_only {
            free.push(done..end);
        }
        if overlaps {
            self.retransmitted(at as i64);
        }
        if let Some((from, old, new)) = conflict {
            self.compare(ctx, from, &old, new, segment);
        }
        let any = !free.is_empty();
        for range in free {
            let bytes = &payload[(range.start - at) as usize..(range.end - at) as usize];
            let held = Held {
                bytes: bytes.into(),
                cut: if range.end == end { cut } else { 0 },
                position: position + (range.start - at) as u32,
                frame: segment.frame,
                time: segment.time,
            };
            self.pending_cost += held.cost();
            ctx.shared.buffered += held.cost();
            if let Some(headers_only) = self.pending.insert(range.start, held) {
                self.pending_cost -= headers_only.cost();
                ctx.shared.buffered -= headers_only.cost();
            }
        }
        any
    }

    fn pop<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>) -> Option<(u64, Held)> {
        let (offset, held) = self.pending.pop_first()?;
        self.pending_cost -= held.cost();
        ctx.shared.buffered -= held.cost();
        Some((offset, held))
    }

    /// Hands on what is held right after `next`; bytes up to `cut_until` that nothing holds were
    /// cut off by the snap length.
    fn drain<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, mut cut_until: u64) {
        loop {
            let first = self.pending.first_key_value().map(|(offset, _)| *offset);
            if first.is_some_and(|first| first <= self.next) {
                let Some((offset, held)) = self.pop(ctx) else { break };
                // Nothing held begins before `next`; if it did, this would still end.
                let old = (self.next - offset) as usize;
                let bytes = held.bytes.get(old..).unwrap_or(&[]);
                self.deliver(ctx, bytes, held.position + old as u32, held.frame, held.time);
                if held.cut > 0 {
                    cut_until = cut_until.max(self.next + u64::from(held.cut));
                }
            } else if cut_until > self.next {
                self.gap(ctx, cut_until.min(first.unwrap_or(u64::MAX)), GapKind::Capture);
            } else {
                break;
            }
        }
        self.check_fin(ctx);
    }

    #[inline]
    fn deliver<S: FlowSink>(
        &mut self,
        ctx: &mut Ctx<'_, S>,
        bytes: &[u8],
        position: u32,
        frame: u64,
        time: Timestamp,
    ) {
        if bytes.is_empty() {
            return;
        }
        let offset = self.next;
        let limits = (ctx.shared.limits.max_frames, ctx.shared.limits.max_frames_total);
        let entry = (offset, frame, position, bytes.len() as u32);
        self.frames.push(entry, limits, &mut ctx.shared.frames);
        self.next += bytes.len() as u64;
        self.stats.bytes += bytes.len() as u64;
        ctx.sink.data(ctx.flow, ctx.direction, StreamData { offset, bytes, time, frame });
    }

    /// Gives up the bytes from `next` to `to`.
    fn gap<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, to: u64, kind: GapKind) {
        let (offset, len) = (self.next, to - self.next);
        match kind {
            GapKind::Capture => self.stats.capture_lost_bytes += len,
            GapKind::Network => self.stats.network_lost_bytes += len,
        }
        self.next = to;
        if self.gaps.len() == RECENT_GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back((offset, to));
        let direction = ctx.direction;
        let (time, frame) = (ctx.time, ctx.frame);
        ctx.sink.gap(ctx.flow, Gap { direction, time, frame, offset, len, kind });
    }

    /// Gives up everything up to `to`: what the peer acknowledged was missed by the capture.
    fn skip_to<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, to: u64) {
        let acked = self.acked.min(to);
        if acked > self.next {
            self.gap(ctx, acked, GapKind::Capture);
        }
        if to > self.next {
            self.gap(ctx, to, GapKind::Network);
        }
        self.drain(ctx, 0);
    }

    /// A segment further ahead than any window: kept, alone, until another one or an
    /// acknowledgement shows that the sender really is there.
    fn far_ahead<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, segment: &Segment<'_>, at: u64) {
        if let Some(jump) = &self.jump
            && jump.0 != at
            && jump.0.abs_diff(at) <= JUMP_REACH
        {
            self.accept_jump(ctx);
            return self.segment(ctx, segment);
        }
        if let Some(fin) = self.fin {
            let detail = "far after the FIN";
            return self.anomaly(ctx, "data-after-fin", segment, fin, detail.into(), None);
        }
        let detail = format!("{} bytes ahead of everything known", at - self.next);
        self.anomaly(ctx, "segment-out-of-window", segment, at, detail.into(), None);
        let held = Held {
            bytes: segment.payload.into(),
            cut: segment.cut,
            position: segment.position,
            frame: segment.frame,
            time: segment.time,
        };
        self.jump = Some(Box::new((at, held)));
    }

    /// The sender is where the segment far ahead says. It cannot have got there without an
    /// acknowledgement of what lies between.
    fn accept_jump<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>) {
        let Some(jump) = self.jump.take() else { return };
        let (at, held) = *jump;
        let segment = Segment {
            sequence: 0,
            payload: &held.bytes,
            cut: held.cut,
            fin: false,
            position: held.position,
            frame: held.frame,
            time: held.time,
        };
        self.acked = self.acked.max(at);
        self.note_acked(at, ctx.packet, ctx.clock);
        self.place(ctx, at, &held.bytes, held.cut, held.position, &segment);
    }

    fn note_fin<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, at: u64) {
        if self.fin.is_none() && at >= self.next {
            self.fin = Some(at);
            // An acknowledgement that came before counted the FIN as a byte.
            if self.acked > at {
                self.fin_acked = true;
                self.acked = at;
                self.settled = self.settled.min(at);
            }
            // Segments beyond it are no part of the stream.
            self.jump = None;
            while self.pending.last_key_value().is_some_and(|(offset, _)| *offset >= at) {
                if let Some((_, held)) = self.pending.pop_last() {
                    self.pending_cost -= held.cost();
                    ctx.shared.buffered -= held.cost();
                }
            }
        }
    }

    /// Hands on the FIN when everything before it was.
    fn check_fin<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>) {
        if !self.fin_done && self.fin.is_some_and(|fin| fin <= self.next) {
            self.fin_done = true;
            ctx.sink.fin(ctx.flow, ctx.direction, ctx.time);
        }
    }

    /// Looks again at what waits; `peer_frame` is the peer's last packet.
    pub(super) fn settle<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, peer_frame: u64) {
        if self.early_due(ctx.packet, ctx.clock) {
            self.start_early(ctx);
        }
        self.age_acks(ctx.packet, ctx.clock);
        if self.jump.as_ref().is_some_and(|jump| self.acked > jump.0) {
            self.accept_jump(ctx);
        }
        while let Some((first, held)) = self.pending.first_key_value() {
            let first = *first;
            if self.settled > self.next {
                self.gap(ctx, first.min(self.settled), GapKind::Capture);
            } else if peer_frame < held.frame
                && (self.last_time.nanos_since(held.time) >= ONE_SIDED_NS
                    || self.max_end.saturating_sub(self.next) >= ONE_SIDED_BYTES)
            {
                self.gap(ctx, first, GapKind::Capture);
            } else {
                return;
            }
            self.drain(ctx, 0);
        }
        if let Some(fin) = self.fin
            && self.next < fin.min(self.settled)
        {
            self.gap(ctx, fin.min(self.settled), GapKind::Capture);
            self.check_fin(ctx);
        }
    }

    /// Gives up the first hole because of a limit.
    fn give_up<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>) {
        let Some(first) = self.pending.first_key_value().map(|(offset, _)| *offset) else {
            return;
        };
        let anomaly = FlowAnomaly {
            kind: "reassembly-limit",
            direction: ctx.direction,
            time: ctx.time,
            frame: ctx.frame,
            offset: self.next,
            detail: format!(
                "{} bytes wait behind a hole of {}, which is given up",
                self.pending_cost,
                first - self.next
            )
            .into(),
            versions: None,
        };
        ctx.sink.anomaly(ctx.flow, anomaly);
        self.skip_to(ctx, first);
    }

    /// Gives up every hole because of a limit.
    pub(super) fn give_up_all<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>) {
        self.start_early(ctx);
        while !self.pending.is_empty() {
            self.give_up(ctx);
        }
    }

    /// The end: nothing more will come.
    pub(super) fn finish<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>) {
        self.start_early(ctx);
        while let Some((first, _)) = self.pending.first_key_value() {
            let first = *first;
            self.skip_to(ctx, first);
        }
        if self.ignored || self.stats.packets == 0 {
            return;
        }
        match self.fin {
            Some(fin) => self.skip_to(ctx, fin.max(self.next)),
            // One byte is a FIN that was not captured.
            None if self.acked > self.next + 1 => self.skip_to(ctx, self.acked),
            None => {}
        }
    }

    /// Bytes that came again, from `at` on.
    fn seen_before<S: FlowSink>(
        &mut self,
        ctx: &mut Ctx<'_, S>,
        at: u64,
        bytes: &[u8],
        segment: &Segment<'_>,
    ) {
        let end = at + bytes.len() as u64;
        let missed = self
            .gaps
            .iter()
            .map(|gap| (gap.0.max(at), gap.1.min(end)))
            .find(|(from, to)| from < to);
        if let Some((from, to)) = missed {
            let detail = format!("{} bytes came after their hole was given up", to - from);
            self.anomaly(ctx, "late-segment", segment, from, detail.into(), None);
        } else {
            self.retransmitted(at as i64);
        }
        let mut conflict = None;
        for (part, holder) in self.frames.parts(at..end) {
            let Some((frame, position)) = holder else { continue };
            let Some(buffer) = ctx.shared.ring.get(frame) else { continue };
            let len = (part.end - part.start) as usize;
            let Some(old) = buffer.get(position..position + len) else { continue };
            let begin = (part.start - at) as usize;
            if old != &bytes[begin..begin + len] {
                conflict = Some((part.start, begin..begin + len, old.to_vec()));
                break;
            }
        }
        if let Some((from, range, old)) = conflict {
            self.compare(ctx, from, &old, &bytes[range], segment);
        }
    }

    /// Reports a difference between bytes at stream offset `at`: those seen first count.
    fn compare<S: FlowSink>(
        &mut self,
        ctx: &mut Ctx<'_, S>,
        at: u64,
        old: &[u8],
        new: &[u8],
        segment: &Segment<'_>,
    ) {
        let Some(index) = old.iter().zip(new).position(|(old, new)| old != new) else {
            return;
        };
        self.stats.conflicts += 1;
        let shown = |bytes: &[u8]| bytes[index..].iter().copied().take(SHOWN).collect();
        let versions = Some((shown(old), shown(new)));
        let detail = "a retransmission brought other bytes; those seen first count";
        let offset = at + index as u64;
        self.anomaly(ctx, "conflicting-overlap", segment, offset, detail.into(), versions);
    }

    fn anomaly<S: FlowSink>(
        &mut self,
        ctx: &mut Ctx<'_, S>,
        kind: &'static str,
        segment: &Segment<'_>,
        offset: u64,
        detail: Cow<'static, str>,
        versions: Option<(Vec<u8>, Vec<u8>)>,
    ) {
        let direction = ctx.direction;
        let (time, frame) = (segment.time, segment.frame);
        let anomaly = FlowAnomaly { kind, direction, time, frame, offset, detail, versions };
        ctx.sink.anomaly(ctx.flow, anomaly);
    }

    /// A segment of a flow whose bytes nobody wants: only counters.
    fn count_ignored<S: FlowSink>(
        &mut self,
        ctx: &mut Ctx<'_, S>,
        at: u64,
        end: u64,
        time: Timestamp,
    ) {
        if end > self.max_end {
            self.stats.bytes += end - at.max(self.max_end);
            self.sent(end, time);
        } else if end > at {
            self.retransmitted(at as i64);
        }
        self.next = self.next.max(end);
        self.check_fin(ctx);
    }
}
