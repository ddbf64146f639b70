//! Records in, findings out.

use std::collections::BTreeMap;

use super::cause::{Headline, Stories};
use super::context::{CaptureContext, Context, Desk};
use super::ending::Ending;
use super::finding::{Finding, Place, Related};
use super::limits::{Limit, Thresholds};
use super::others::Others;
use super::rule::{Check, Needs, Rule};
use super::rules::{self, Memory};
use super::state::SessionState;
use crate::analysis::{
    AnomalyRecord, End, GapRecord, HandshakeRecord, MessageRecord, Record, SessionEnd,
    SessionRecord, TcpRecord, TransportRecord,
};
use crate::base::{Direction, Timestamp};
use crate::wire::message::MessageType;

/// How to judge.
#[derive(Clone, Debug)]
pub struct Options {
    /// The thresholds.
    pub thresholds: Thresholds,
    /// The rules to be used, as [`rules::select`] gives them.
    pub rules: Vec<&'static Rule>,
}

impl Default for Options {
    fn default() -> Options {
        Options { thresholds: Thresholds::default(), rules: rules::all().collect() }
    }
}

/// Judges a capture: takes every record of the pipeline in order.
///
/// ```no_run
/// # let records: Vec<rtmpscope::analysis::Record> = Vec::new();
/// use rtmpscope::lint::Linter;
/// let mut linter = Linter::new(Default::default());
/// for record in &records {
///     linter.push(record);
/// }
/// for finding in linter.findings() {
///     println!("{} {}: {}", finding.severity.name(), finding.id(), finding.rule.title);
/// }
/// ```
pub struct Linter {
    thresholds: Thresholds,
    hooks: Hooks,
    sessions: BTreeMap<u32, Entry>,
    others: Others,
    stories: Stories,
    findings: Vec<Finding>,
    dropped: u64,
    /// Of the capture itself.
    capture_open: Vec<usize>,
    now: Timestamp,
    next_tick: Timestamp,
}

/// A session that goes on.
struct Entry {
    state: SessionState,
    memory: Memory,
    /// Its findings.
    open: Vec<usize>,
}

/// A function of a rule that looks at such records.
type Look<T> = fn(&mut Context<'_>, &T);

/// A function of a rule that looks at a session once in a second.
type Watch = fn(&mut Context<'_>);

/// A function of a rule that looks at the whole capture.
type Survey = fn(&mut CaptureContext<'_>, &End);

/// Rules and their functions.
type Hooked<T> = Vec<(&'static Rule, Look<T>)>;

/// The checks by what they look at: a picture meets only those that want pictures.
#[derive(Default)]
struct Hooks {
    session: Hooked<SessionRecord>,
    handshake: Hooked<HandshakeRecord>,
    message: Hooked<MessageRecord>,
    control: Hooked<MessageRecord>,
    command: Hooked<MessageRecord>,
    data: Hooked<MessageRecord>,
    media: Hooked<MessageRecord>,
    anomaly: Vec<(&'static str, &'static Rule, Look<AnomalyRecord>)>,
    gap: Hooked<GapRecord>,
    fact: Vec<(&'static str, &'static Rule, Look<TransportRecord>)>,
    tcp: Hooked<TcpRecord>,
    tick: Vec<(&'static Rule, Watch)>,
    end: Hooked<SessionEnd>,
    capture: Vec<(&'static Rule, Survey)>,
}

impl Hooks {
    fn of(rules: &[&'static Rule]) -> Hooks {
        let mut hooks = Hooks::default();
        for &rule in rules {
            for check in rule.checks {
                match *check {
                    Check::Session(f) => hooks.session.push((rule, f)),
                    Check::Handshake(f) => hooks.handshake.push((rule, f)),
                    Check::Message(f) => hooks.message.push((rule, f)),
                    Check::Control(f) => hooks.control.push((rule, f)),
                    Check::Command(f) => hooks.command.push((rule, f)),
                    Check::Data(f) => hooks.data.push((rule, f)),
                    Check::Media(f) => hooks.media.push((rule, f)),
                    Check::Anomaly(kind, f) => hooks.anomaly.push((kind, rule, f)),
                    Check::Gap(f) => hooks.gap.push((rule, f)),
                    Check::Fact(layer, f) => hooks.fact.push((layer, rule, f)),
                    Check::Tcp(f) => hooks.tcp.push((rule, f)),
                    Check::Tick(f) => hooks.tick.push((rule, f)),
                    Check::End(f) => hooks.end.push((rule, f)),
                    Check::Capture(f) => hooks.capture.push((rule, f)),
                }
            }
        }
        hooks
    }
}

/// Nanoseconds between ticks.
const TICK_NS: i64 = 1_000_000_000;

/// The entry of a session and all else that its checks need, borrowed apart.
macro_rules! parts {
    ($linter:ident, $session:expr) => {{
        let entry = $linter.sessions.get_mut(&$session);
        entry.map(|entry| {
            let parts = Parts {
                thresholds: &$linter.thresholds,
                others: &$linter.others,
                findings: &mut $linter.findings,
                dropped: &mut $linter.dropped,
                now: $linter.now,
            };
            (entry, parts)
        })
    }};
}
impl Linter {
    /// A linter that has seen nothing.
    pub fn new(options: Options) -> Linter {
        Linter {
            thresholds: options.thresholds,
            hooks: Hooks::of(&options.rules),
            sessions: BTreeMap::new(),
            others: Others::default(),
            stories: Stories::default(),
            findings: Vec::new(),
            dropped: 0,
            capture_open: Vec::new(),
            now: Timestamp::default(),
            next_tick: Timestamp(i64::MIN),
        }
    }

    /// Takes the next record.
    pub fn push(&mut self, record: &Record) {
        if let Some(time) = time(record) {
            self.advance(time);
        }
        match record {
            Record::Message(record) => self.message(record),
            Record::Session(record) => self.session(record),
            Record::Handshake(record) => self.handshake(record),
            Record::Anomaly(record) => self.anomaly(record),
            Record::Gap(record) => self.gap(record),
            Record::SessionEnd(end) => self.session_end(end),
            Record::End(end) => self.end(end),
            Record::Tcp(record) => self.tcp(record),
            Record::Transport(record) => self.transport(record),
            Record::Begin(_) => {}
        }
    }

    /// What was found so far, in the order it was first found. A finding of a session that goes on
    /// may still grow, and become worse.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Findings beyond the most that are kept: they are not among [`Linter::findings`].
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What was found.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// What to say of each session in one sentence: of those that ended and those that go on, by
    /// number. After the last record it also knows what later sessions tell about earlier ones.
    pub fn headlines(&self) -> Vec<Headline> {
        let live = self.sessions.values().map(|entry| (&entry.state, entry.open.as_slice()));
        self.stories.headlines(live, &self.findings)
    }

    /// The state of a session that goes on.
    pub fn state(&self, session: u32) -> Option<&SessionState> {
        self.sessions.get(&session).map(|entry| &entry.state)
    }

    fn advance(&mut self, time: Timestamp) {
        self.now = self.now.max(time);
        if self.now < self.next_tick {
            return;
        }
        self.next_tick = Timestamp(self.now.0.saturating_add(TICK_NS));
        let mut desk = Parts {
            thresholds: &self.thresholds,
            others: &self.others,
            findings: &mut self.findings,
            dropped: &mut self.dropped,
            now: self.now,
        };
        for entry in self.sessions.values_mut() {
            for (rule, check) in &self.hooks.tick {
                if sees(rule, &entry.state, None, true) {
                    check(&mut desk.context(entry, rule));
                }
            }
        }
        for entry in self.sessions.values() {
            self.others.note(&entry.state);
        }
    }

    fn session(&mut self, record: &SessionRecord) {
        let state = SessionState::new(record);
        self.others.note(&state);
        let entry = Entry { state, memory: Memory::default(), open: Vec::new() };
        self.sessions.insert(record.session, entry);
        let hooks = &self.hooks.session;
        let Some((entry, mut parts)) = parts!(self, record.session) else { return };
        for (rule, check) in hooks {
            if sees(rule, &entry.state, None, true) {
                check(&mut parts.context(entry, rule), record);
            }
        }
    }

    fn handshake(&mut self, record: &HandshakeRecord) {
        let hooks = &self.hooks.handshake;
        let Some((entry, mut parts)) = parts!(self, record.session) else { return };
        let direction = Some(record.handshake.direction);
        for (rule, check) in hooks {
            if sees(rule, &entry.state, direction, record.handshake.complete) {
                check(&mut parts.context(entry, rule), record);
            }
        }
        entry.state.now = self.now;
        entry.state.handshake(record);
    }

    fn message(&mut self, record: &MessageRecord) {
        let hooks = &self.hooks;
        let type_id = record.message.type_id;
        let own = match type_id {
            MessageType::AUDIO | MessageType::VIDEO | MessageType::AGGREGATE => &hooks.media,
            MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => &hooks.command,
            MessageType::DATA_AMF0 | MessageType::DATA_AMF3 => &hooks.data,
            _ => &hooks.control,
        };
        let own = if type_id.is_known() { &own[..] } else { &[] };
        let Some((entry, mut parts)) = parts!(self, record.session) else { return };
        let direction = Some(record.message.direction);
        for (rule, check) in hooks.message.iter().chain(own) {
            if sees(rule, &entry.state, direction, record.message.complete) {
                check(&mut parts.context(entry, rule), record);
            }
        }
        entry.state.now = self.now;
        entry.state.message(record);
        if matches!(type_id, MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3) {
            self.others.note(&entry.state);
        }
    }

    fn anomaly(&mut self, record: &AnomalyRecord) {
        let hooks = &self.hooks.anomaly;
        let Some((entry, mut parts)) = record.session.and_then(|session| parts!(self, session))
        else {
            return;
        };
        for (kind, rule, check) in hooks {
            if *kind == record.kind && sees(rule, &entry.state, record.direction, true) {
                check(&mut parts.context(entry, rule), record);
            }
        }
    }

    fn gap(&mut self, record: &GapRecord) {
        let hooks = &self.hooks.gap;
        let Some((entry, mut parts)) = parts!(self, record.session) else { return };
        for (rule, check) in hooks {
            if sees(rule, &entry.state, Some(record.direction), true) {
                check(&mut parts.context(entry, rule), record);
            }
        }
        entry.state.now = self.now;
        entry.state.gap(record);
    }

    fn transport(&mut self, record: &TransportRecord) {
        let hooks = &self.hooks.fact;
        let Some((entry, mut parts)) = parts!(self, record.session) else { return };
        for (layer, rule, check) in hooks {
            if *layer == record.fact.layer
                && sees(rule, &entry.state, Some(record.fact.direction), true)
            {
                check(&mut parts.context(entry, rule), record);
            }
        }
        entry.state.now = self.now;
        if record.fact.name == "session-ticket" {
            entry.state.ticket.get_or_insert_with(|| Place::of_fact(record));
        }
    }

    fn tcp(&mut self, record: &TcpRecord) {
        let hooks = &self.hooks.tcp;
        let Some((entry, mut parts)) = parts!(self, record.session) else { return };
        for (rule, check) in hooks {
            if sees(rule, &entry.state, Some(record.direction), true) {
                check(&mut parts.context(entry, rule), record);
            }
        }
        entry.state.now = self.now;
        entry.state.tcp(record);
    }

    fn session_end(&mut self, end: &SessionEnd) {
        let hooks = &self.hooks.end;
        let Some((entry, mut parts)) = parts!(self, end.session) else { return };
        for (rule, check) in hooks {
            if sees(rule, &entry.state, None, true) {
                check(&mut parts.context(entry, rule), end);
            }
        }
        let after = self.thresholds.value(Limit::EscalateSeconds);
        let closing = Ending::of(end);
        // What the client says after the server has closed is no goodbye: FFmpeg still sends its
        // deleteStream.
        let goodbye = entry.state.goodbye.as_ref().filter(|place| place.time <= closing.time);
        if goodbye.is_none() {
            for at in &entry.open {
                if let Some(finding) = self.findings.get_mut(*at) {
                    escalate(finding, &entry.state, &closing, after);
                }
            }
        }
        if let Some(entry) = self.sessions.remove(&end.session) {
            self.stories.end(&entry.state, end, &closing, &entry.open);
            self.others.end(&entry.state, end);
        }
    }

    fn end(&mut self, end: &End) {
        for (rule, check) in &self.hooks.capture {
            let desk = Desk {
                rule,
                session: None,
                findings: &mut self.findings,
                open: &mut self.capture_open,
                dropped: &mut self.dropped,
            };
            let (others, limits) = (&self.others, &self.thresholds);
            check(&mut CaptureContext { others, now: self.now, limits, desk }, end);
        }
    }
}

/// What all checks share.
struct Parts<'a> {
    thresholds: &'a Thresholds,
    others: &'a Others,
    findings: &'a mut Vec<Finding>,
    dropped: &'a mut u64,
    now: Timestamp,
}

impl Parts<'_> {
    fn context<'a>(&'a mut self, entry: &'a mut Entry, rule: &'static Rule) -> Context<'a> {
        Context {
            state: &entry.state,
            memory: &mut entry.memory,
            others: self.others,
            now: self.now,
            limits: self.thresholds,
            desk: Desk {
                rule,
                session: Some(entry.state.info.session),
                findings: self.findings,
                open: &mut entry.open,
                dropped: self.dropped,
            },
        }
    }
}

/// Whether the bytes that a rule needs were captured.
fn sees(rule: &Rule, state: &SessionState, direction: Option<Direction>, complete: bool) -> bool {
    match rule.needs {
        Needs::Nothing => true,
        Needs::Message => complete,
        Needs::Direction => complete && direction.is_none_or(|d| state.side(d).is_whole()),
        Needs::Both => complete && state.is_whole(),
    }
}

/// Makes a finding worse when the receiver of the odd bytes closed the connection right after.
fn escalate(finding: &mut Finding, state: &SessionState, closing: &Ending, after: f64) {
    let Some(severity) = finding.rule.escalates.filter(|s| *s > finding.severity) else { return };
    let receiver = finding.place.direction.map(Direction::reverse);
    // A player that went on to take pictures closes because its user wants to.
    let server = state.server();
    let first = finding.place.time;
    let played_on = receiver == Some(Direction::ClientToServer)
        && [&server.audio, &server.video].iter().any(|clock| clock.last_time > Some(first));
    if played_on {
        return;
    }
    // What the receiver took once without closing it took; the first time counts.
    let (closer, time) = (closing.by, closing.time);
    if closer.is_some() && closer == receiver && time.seconds_since(first) <= after {
        finding.severity = severity;
        let place = Place::at(time, closer);
        finding.related.push(Related { what: "the peer closed here", session: None, place });
    }
}

fn time(record: &Record) -> Option<Timestamp> {
    match record {
        Record::Begin(_) => None,
        Record::Session(record) => Some(record.time),
        Record::Handshake(record) => Some(record.handshake.time),
        Record::Message(record) => Some(record.message.time),
        Record::Anomaly(record) => record.time,
        Record::Gap(record) => Some(record.time),
        Record::Transport(record) => Some(record.fact.time),
        Record::Tcp(record) => Some(record.time),
        Record::SessionEnd(end) => Some(end.time),
        Record::End(end) => end.last,
    }
}
