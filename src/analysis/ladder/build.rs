//! Rows to steps.

use std::ops::Range;

use crate::analysis::index::{Interner, MediaKind, Row, SessionIndex};
use crate::analysis::lanes::is_failure;
use crate::base::{Direction, Timestamp};
use crate::wire::message::MessageType;

/// Most steps; a session of more says how many it leaves out.
const MAX_STEPS: usize = 100_000;
/// Media that pauses for longer begins a new run.
const PAUSE_NS: i64 = 1_000_000_000;

/// One rung of the ladder.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it happened; of a run: when it began.
    pub time: Timestamp,
    /// Nanoseconds since the step before it: since the end of a run.
    pub delta: i64,
    /// Who sent it; `None` when it is about both or neither.
    pub direction: Option<Direction>,
    /// What.
    pub kind: StepKind,
}

/// What a step is.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// First packet of the session.
    Start,
    /// A side's handshake: index into `SessionIndex::handshakes`.
    Handshake(usize),
    /// A command that is not a reply.
    Command {
        /// Row number.
        row: usize,
        /// Whether it is a status that says no.
        failed: bool,
    },
    /// A reply to a command.
    Reply {
        /// Row number.
        row: usize,
        /// Row number of the command.
        request: usize,
        /// Nanoseconds since the command.
        response: i64,
        /// Whether it says no.
        failed: bool,
    },
    /// A protocol control or user control message.
    Control(usize),
    /// Stream data or a shared object, or a message of an unknown type.
    Data(usize),
    /// Media messages that nothing but Acknowledgements interrupts.
    Media(MediaRun),
    /// Missing bytes: index into `SessionIndex::gaps`.
    Gap(usize),
    /// Something odd: index into `SessionIndex::anomalies`.
    Anomaly(usize),
    /// The session's end.
    End,
}

/// A run of media messages of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaRun {
    /// Rows from the first message to the last; rows of the other direction may lie between.
    pub rows: Range<usize>,
    /// When the last message came.
    pub until: Timestamp,
    /// Video messages.
    pub video: u32,
    /// Key frames.
    pub keys: u32,
    /// Audio messages.
    pub audio: u32,
    /// Codec configurations.
    pub configs: u32,
    /// Aggregate messages.
    pub aggregates: u32,
    /// Payload bytes.
    pub bytes: u64,
    /// Messages that are not complete.
    pub damaged: u32,
}

impl MediaRun {
    /// Messages in the run.
    pub fn messages(&self) -> u32 {
        self.video + self.audio + self.aggregates
    }

    fn add(&mut self, number: usize, row: &Row) {
        self.rows.end = number + 1;
        self.until = self.until.max(row.time);
        self.bytes += u64::from(row.length);
        self.damaged += u32::from(!row.complete());
        self.keys += u32::from(row.media == MediaKind::Key);
        self.configs += u32::from(row.media == MediaKind::SequenceHeader);
        match row.type_id {
            MessageType::VIDEO => self.video += 1,
            MessageType::AUDIO => self.audio += 1,
            _ => self.aggregates += 1,
        }
    }

    /// Whether a row of a session is in the run that begins with its first row.
    pub fn holds(&self, session: &SessionIndex, number: usize) -> bool {
        let direction = |number: usize| session.rows.get(number).map(Row::direction);
        self.rows.contains(&number)
            && direction(number) == direction(self.rows.start)
            && session.rows.get(number).is_some_and(in_run)
    }
}

fn in_run(row: &Row) -> bool {
    row.type_id.is_media() || row.type_id == MessageType::AGGREGATE
}

/// A session as a ladder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ladder {
    /// The steps, in order of time.
    pub steps: Vec<Step>,
    /// Steps that were left out.
    pub dropped: usize,
}

impl Ladder {
    /// The ladder of a session as far as it goes.
    pub fn of(session: &SessionIndex, strings: &Interner) -> Ladder {
        let mut builder = Builder::default();
        builder.at(session.session.time, None, StepKind::Start);
        let mut rare = rare(session);
        rare.sort_by_key(|(time, _, _)| *time);
        let mut rare = rare.into_iter().peekable();
        for (number, row) in session.rows.iter().enumerate() {
            while let Some((time, direction, kind)) = rare.next_if(|(time, _, _)| *time <= row.time)
            {
                builder.flush(direction);
                builder.at(time, direction, kind);
            }
            builder.row(session, strings, number, row);
        }
        for (time, direction, kind) in rare {
            builder.flush(direction);
            builder.at(time, direction, kind);
        }
        builder.flush(None);
        if let Some(end) = &session.end {
            builder.at(end.time, None, StepKind::End);
        }
        builder.finish()
    }

    /// The step that holds a row, or the last one before it.
    pub fn step_of(&self, session: &SessionIndex, row: usize) -> usize {
        let time = session.rows.get(row).map_or(Timestamp(i64::MAX), |row| row.time);
        let exact = self.steps.iter().position(|step| {
            step.row() == Some(row)
                || match &step.kind {
                    StepKind::Media(run) => run.holds(session, row),
                    _ => false,
                }
        });
        exact.unwrap_or_else(|| {
            self.steps.partition_point(|step| step.time <= time).saturating_sub(1)
        })
    }
}

impl Step {
    /// The row it stands for, or begins with.
    pub fn row(&self) -> Option<usize> {
        match &self.kind {
            StepKind::Command { row, .. } | StepKind::Reply { row, .. } => Some(*row),
            StepKind::Control(row) | StepKind::Data(row) => Some(*row),
            StepKind::Media(run) => Some(run.rows.start),
            _ => None,
        }
    }

    /// When it was over.
    pub fn until(&self) -> Timestamp {
        match &self.kind {
            StepKind::Media(run) => run.until,
            _ => self.time,
        }
    }

    /// Whether it says no, or tells of something wrong.
    pub fn is_trouble(&self) -> bool {
        match &self.kind {
            StepKind::Command { failed, .. } | StepKind::Reply { failed, .. } => *failed,
            StepKind::Gap(_) | StepKind::Anomaly(_) => true,
            _ => false,
        }
    }
}

type Rare = (Timestamp, Option<Direction>, StepKind);

fn rare(session: &SessionIndex) -> Vec<Rare> {
    let mut rare: Vec<Rare> = Vec::new();
    for (index, record) in session.handshakes.iter().enumerate() {
        let handshake = &record.handshake;
        rare.push((handshake.time, Some(handshake.direction), StepKind::Handshake(index)));
    }
    for (index, gap) in session.gaps.iter().enumerate() {
        rare.push((gap.time, Some(gap.direction), StepKind::Gap(index)));
    }
    for (index, anomaly) in session.anomalies.iter().enumerate() {
        let time = anomaly.time.unwrap_or(session.last);
        rare.push((time, anomaly.direction, StepKind::Anomaly(index)));
    }
    rare
}

#[derive(Default)]
struct Builder {
    steps: Vec<Step>,
    /// Index into `steps` of the run that goes on, per direction.
    running: [Option<usize>; 2],
    dropped: usize,
}

impl Builder {
    fn at(&mut self, time: Timestamp, direction: Option<Direction>, kind: StepKind) {
        match self.steps.len() < MAX_STEPS {
            true => self.steps.push(Step { time, delta: 0, direction, kind }),
            false => self.dropped += 1,
        }
    }

    /// Ends the run of a direction, or both.
    fn flush(&mut self, direction: Option<Direction>) {
        match direction {
            Some(direction) => self.running[direction.index()] = None,
            None => self.running = [None, None],
        }
    }

    fn row(&mut self, session: &SessionIndex, strings: &Interner, number: usize, row: &Row) {
        let direction = row.direction();
        if in_run(row) {
            return self.media(direction, number, row);
        }
        let kind = match row.type_id {
            // A player sends them all the time; in between media they are no event.
            MessageType::ACKNOWLEDGEMENT if self.running != [None, None] => return,
            MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => {
                let failed = is_failure(strings, row);
                match row.request().and_then(|n| Some((n, session.rows.get(n)?))) {
                    Some((request, asked)) => {
                        let response = row.time.nanos_since(asked.time);
                        StepKind::Reply { row: number, request, response, failed }
                    }
                    None => StepKind::Command { row: number, failed },
                }
            }
            kind if kind.is_control() => StepKind::Control(number),
            _ => StepKind::Data(number),
        };
        self.flush(None);
        self.at(row.time, Some(direction), kind);
    }

    fn media(&mut self, direction: Direction, number: usize, row: &Row) {
        if let Some(step) = self.running[direction.index()].and_then(|at| self.steps.get_mut(at))
            && let StepKind::Media(run) = &mut step.kind
            && row.time.nanos_since(run.until) < PAUSE_NS
        {
            run.add(number, row);
            // What is found again after damage may be older than what was found before.
            step.time = step.time.min(row.time);
            return;
        }
        let rows = number..number + 1;
        let mut run = MediaRun { rows, until: row.time, ..MediaRun::default() };
        run.add(number, row);
        self.running[direction.index()] = Some(self.steps.len());
        self.at(row.time, Some(direction), StepKind::Media(run));
    }

    fn finish(mut self) -> Ladder {
        self.steps.sort_by_key(|step| step.time);
        let mut before: Option<Timestamp> = None;
        for step in &mut self.steps {
            step.delta = before.map_or(0, |before| step.time.nanos_since(before).max(0));
            before = before.max(Some(step.until()));
        }
        Ladder { steps: self.steps, dropped: self.dropped }
    }
}
