//! Flows whose bytes go through a layer before they are a session's.

use super::flows::Flows;
use crate::base::Direction;
use crate::base::Timestamp;
use crate::flow::{DirectionStats, EndReason, FlowId, Gap, StreamData};
use crate::transport::{Item, Source};

/// A flow with a layer above it.
#[derive(Debug)]
pub(super) struct Through {
    /// The session that it belongs to.
    pub number: u32,
    pub flip: bool,
}

impl Flows {
    /// Puts a layer that changes nothing below a session: what comes out must be the same.
    #[cfg(test)]
    pub(super) fn open_identity(
        &mut self,
        flow: FlowId,
        record: super::record::SessionRecord,
        flip: bool,
        handshake: [bool; 2],
    ) -> Through {
        Through { number: self.open_above(flow, flip, record, handshake), flip }
    }

    pub(super) fn through_data(
        &mut self,
        through: &mut Through,
        flow: FlowId,
        direction: Direction,
        data: StreamData<'_>,
    ) {
        let source = Source { flow, direction, offset: data.offset };
        let direction = if through.flip { direction.reverse() } else { direction };
        let item = Item::Data { direction, time: data.time, bytes: data.bytes, source };
        self.item(through.number, flow, item);
    }

    pub(super) fn through_gap(&mut self, through: &mut Through, flow: FlowId, gap: &Gap) {
        let direction = if through.flip { gap.direction.reverse() } else { gap.direction };
        let item = Item::Gap { direction, time: gap.time, len: gap.len, exact: true };
        self.item(through.number, flow, item);
    }

    pub(super) fn through_end(
        &mut self,
        through: &mut Through,
        flow: FlowId,
        reason: EndReason,
        time: Timestamp,
        tcp: [DirectionStats; 2],
    ) {
        self.close_above(through.number, flow, reason, time, tcp);
    }
}
