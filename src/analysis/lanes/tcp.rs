//! TCP beside the messages.

use super::axis::Window;
use crate::analysis::index::SessionIndex;
use crate::base::{Direction, Timestamp};
use crate::flow::TcpEventKind;

/// What TCP did in a column. All zero when the index was made without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpColumn {
    /// Segments sent again.
    pub retransmissions: u32,
    /// Segments that came late, into a hole.
    pub out_of_order: u32,
    /// Runs of duplicate acknowledgements.
    pub duplicate_acks: u32,
    /// Keep-alive probes.
    pub keep_alives: u32,
    /// Per direction of the data: whether the receiver's window was closed at any time of it.
    pub zero_window: [bool; 2],
    /// Who sent a FIN, and who a RST.
    pub fin: [bool; 2],
    /// Who sent a RST.
    pub reset: [bool; 2],
    /// Per direction: most bytes sent and not acknowledged.
    pub in_flight: [Option<u64>; 2],
    /// Per direction: smallest receive window.
    pub window: [Option<u64>; 2],
    /// Longest round trip, in nanoseconds.
    pub rtt: Option<i64>,
}

/// Fills the columns of a window.
pub(super) fn fill(
    session: &SessionIndex,
    window: Window,
    columns: usize,
    at: impl Fn(Timestamp) -> i64,
    mut column: impl FnMut(usize, &mut dyn FnMut(&mut TcpColumn)),
) {
    // A closed window lasts: since when, per direction of the data.
    let mut closed: [Option<i64>; 2] = [None; 2];
    let mut close = |from: i64, to: i64, way: usize| {
        if to < window.from || from >= window.to {
            return;
        }
        for number in window.column(from, columns)..=window.column(to, columns) {
            column(number, &mut |tcp| tcp.zero_window[way] = true);
        }
    };
    for event in &session.tcp.events {
        let place = at(event.time);
        // Who sends the window limits the data of the other side.
        let data = event.direction.reverse().index();
        match event.kind {
            TcpEventKind::ZeroWindow => closed[data] = Some(place),
            TcpEventKind::WindowOpen { .. } => {
                if let Some(since) = closed[data].take() {
                    close(since, place, data);
                }
            }
            _ => {}
        }
    }
    for (way, since) in closed.into_iter().enumerate() {
        if let Some(since) = since {
            close(since, at(session.last), way);
        }
    }
    for event in &session.tcp.events {
        let place = at(event.time);
        if !window.contains(place) {
            continue;
        }
        let way = event.direction.index();
        column(window.column(place, columns), &mut |tcp| match event.kind {
            TcpEventKind::Retransmission { .. } => tcp.retransmissions += 1,
            TcpEventKind::OutOfOrder { .. } => tcp.out_of_order += 1,
            TcpEventKind::DuplicateAck { .. } => tcp.duplicate_acks += 1,
            TcpEventKind::KeepAlive => tcp.keep_alives += 1,
            TcpEventKind::Fin => tcp.fin[way] = true,
            TcpEventKind::Reset => tcp.reset[way] = true,
            _ => {}
        });
    }
    for direction in Direction::BOTH {
        let way = direction.index();
        for sample in session.tcp.samples(direction) {
            let place = at(sample.time);
            if !window.contains(place) {
                continue;
            }
            column(window.column(place, columns), &mut |tcp| {
                tcp.in_flight[way] = tcp.in_flight[way].max(Some(sample.in_flight()));
                tcp.window[way] = match (tcp.window[way], sample.window()) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                tcp.rtt = tcp.rtt.max(sample.rtt_ns());
            });
        }
    }
}
