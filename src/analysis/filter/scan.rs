//! An expression over an index, in portions.

use rustc_hash::FxHashMap;

use super::ast::Filter;
use super::subject::{FindingLookup, Subject};
use crate::analysis::index::{Index, Place, Row, SessionIndex};
use crate::analysis::record::AnomalyRecord;
use crate::base::Direction;

/// How far a scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanProgress {
    /// Messages looked at.
    pub done: usize,
    /// Messages there are.
    pub total: usize,
    /// Messages selected.
    pub matches: usize,
}

/// A filter at work on an index that may still grow.
///
/// Call [`Scan::advance`] until it says that all is done, and again when the index has grown.
#[derive(Clone, Debug)]
pub struct Scan {
    filter: Filter,
    sessions: Vec<SessionScan>,
    done: usize,
    matches: usize,
}

#[derive(Clone, Debug, Default)]
struct SessionScan {
    next: usize,
    matches: Vec<u32>,
    history: History,
}

/// What came before, for `gap`, `step` and `delta`.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    last: Option<i64>,
    /// By type, direction and stream: time and timestamp. A peer that invents streams must not
    /// fill memory.
    same: FxHashMap<(u8, Direction, Option<u32>), (i64, u32)>,
}

/// Most streams remembered.
const MAX_SAME: usize = 4096;

impl History {
    /// `gap`, `step` and `delta` of the next message, in nanoseconds.
    pub(super) fn next(&mut self, row: &Row) -> (Option<i64>, Option<i64>, Option<i64>) {
        let time = row.time.0;
        let delta = self.last.replace(time).map(|last| time.saturating_sub(last));
        let key = (row.type_id.0, row.direction(), row.stream_id());
        let previous = match self.same.len() < MAX_SAME || self.same.contains_key(&key) {
            true => self.same.insert(key, (time, row.timestamp)),
            false => None,
        };
        let gap = previous.map(|(last, _)| time.saturating_sub(last));
        // Serial arithmetic: timestamps wrap after 49.7 days.
        let step = previous
            .map(|(_, last)| i64::from(row.timestamp.wrapping_sub(last) as i32) * 1_000_000);
        (gap, step, delta)
    }
}

impl Scan {
    /// A scan that has seen nothing yet.
    pub fn new(filter: Filter) -> Scan {
        Scan { filter, sessions: Vec::new(), done: 0, matches: 0 }
    }

    /// The filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Looks at up to `budget` messages that were not looked at before.
    ///
    /// Findings that come later do not change what was looked at: begin a new scan then.
    pub fn advance(
        &mut self,
        index: &Index,
        findings: Option<&dyn FindingLookup>,
        budget: usize,
    ) -> ScanProgress {
        self.sessions.resize_with(index.sessions.len().max(self.sessions.len()), Default::default);
        let mut left = budget;
        for (session, scan) in index.sessions.iter().zip(&mut self.sessions) {
            let end = session.rows.len().min(scan.next.saturating_add(left));
            if scan.next >= end {
                continue;
            }
            let before = scan.matches.len();
            left -= end - scan.next;
            self.done += end - scan.next;
            scan.run(&self.filter, index, session, findings, end);
            self.matches += scan.matches.len() - before;
            if left == 0 {
                break;
            }
        }
        ScanProgress { done: self.done, total: index.messages(), matches: self.matches }
    }

    /// Looks at everything; the selected rows by session number and row, in order.
    pub fn all(
        filter: &Filter,
        index: &Index,
        findings: Option<&dyn FindingLookup>,
    ) -> Vec<(u32, usize)> {
        let mut scan = Scan::new(filter.clone());
        scan.advance(index, findings, usize::MAX);
        let of = |(i, session): (usize, SessionScan)| {
            session.matches.into_iter().map(move |row| (i as u32 + 1, row as usize))
        };
        scan.sessions.into_iter().enumerate().flat_map(of).collect()
    }

    /// Selected row numbers (from 0) of a session, ascending.
    pub fn matches(&self, session: u32) -> &[u32] {
        let index = (session as usize).checked_sub(1);
        index.and_then(|index| self.sessions.get(index)).map_or(&[], |scan| &scan.matches)
    }

    /// Whether a row that was looked at is selected.
    pub fn contains(&self, session: u32, row: usize) -> bool {
        u32::try_from(row).is_ok_and(|row| self.matches(session).binary_search(&row).is_ok())
    }
}

impl SessionScan {
    fn run(
        &mut self,
        filter: &Filter,
        index: &Index,
        session: &SessionIndex,
        findings: Option<&dyn FindingLookup>,
        end: usize,
    ) {
        let needs = filter.needs();
        let odd = needs.anomalies.then(|| Odd::of(session));
        let mut kinds = Vec::new();
        let mut subject = Subject {
            session: Some(session.number()),
            peers: Some([session.session.client, session.session.server]),
            transport: Some(
                session.end.as_ref().map_or(session.session.transport, |end| end.transport),
            ),
            epoch: index.epoch,
            findings,
            ..Subject::empty(&index.strings)
        };
        let rows = session.rows.get(self.next..end).unwrap_or_default();
        for (number, row) in (self.next..).zip(rows) {
            subject.row = Some(row);
            subject.number = number;
            subject.direction = Some(row.direction());
            subject.time = Some(row.time);
            if needs.history {
                (subject.gap, subject.step, subject.delta) = self.history.next(row);
            }
            if needs.request {
                let request = row.request().and_then(|request| session.rows.get(request));
                subject.response = request.map(|request| row.time.nanos_since(request.time));
                subject.request = request.map(|request| session.place(request).last_frame);
            }
            if needs.place || needs.anomalies {
                let place = session.place(row);
                subject.frames = Some((place.first_frame, place.last_frame));
                subject.received = Some(place.received);
                subject.chunks = Some(place.chunks);
                subject.offset = Some(place.offset);
                subject.transfer = Some((place.transfer_us as i64).saturating_mul(1000));
                if let Some(odd) = &odd {
                    odd.within(row.direction(), &place, &mut kinds);
                }
            }
            // The subject borrows the kinds only while it is looked at.
            let subject = Subject { anomalies: &kinds, ..subject };
            if filter.matches(&subject)
                && let Ok(number) = u32::try_from(number)
            {
                self.matches.push(number);
            }
        }
        self.next = end;
    }
}

/// Anomalies of a session by where they are.
struct Odd {
    by_offset: [Vec<(u64, &'static str)>; 2],
}

impl Odd {
    fn of(session: &SessionIndex) -> Odd {
        let mut odd = Odd { by_offset: [Vec::new(), Vec::new()] };
        for anomaly in &session.anomalies {
            if let (Some(direction), Some(offset)) = (anomaly.direction, anomaly.offset) {
                odd.by_offset[direction.index()].push((offset, anomaly.kind));
            }
        }
        odd.by_offset.iter_mut().for_each(|list| list.sort_unstable());
        odd
    }

    fn within(&self, direction: Direction, place: &Place, kinds: &mut Vec<&'static str>) {
        kinds.clear();
        let list = &self.by_offset[direction.index()];
        let end = end_of(place);
        let from = list.partition_point(|(offset, _)| *offset < place.offset);
        for (offset, kind) in list.iter().skip(from).take_while(|(offset, _)| *offset < end) {
            if holds(place, *offset) {
                kinds.push(kind);
            }
        }
    }
}

/// The anomaly lies within the message: in a header or a piece of it.
pub(super) fn is_within(anomaly: &AnomalyRecord, direction: Direction, place: &Place) -> bool {
    anomaly.direction == Some(direction)
        && anomaly.offset.is_some_and(|offset| holds(place, offset))
}

fn holds(place: &Place, offset: u64) -> bool {
    place.offset == offset
        || [&place.headers, &place.pieces].iter().any(|extents| {
            extents.runs().any(|run| {
                offset.checked_sub(run.offset).is_some_and(|from| {
                    let stride = run.stride.max(1);
                    from / stride < run.count && from % stride < run.len
                })
            })
        })
}

fn end_of(place: &Place) -> u64 {
    [&place.headers, &place.pieces]
        .iter()
        .flat_map(|extents| extents.runs())
        .map(|run| run.offset + run.stride * run.count.saturating_sub(1) + run.len)
        .max()
        .unwrap_or(0)
        .max(place.offset + 1)
}
