//! Runs cases against a server, several at a time, and keeps going when it breaks.
//!
//! Cases run side by side until one finds the server broken. Then all stop, the server is started
//! again (or waited for), and the cases that were under way run one after the other, so that a crash
//! is charged to the case that causes it; what none of them does alone is charged to the one that
//! noticed it, with the names of the others.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::case::{Case, Need};
use super::env::{Env, Facts, Target};
use super::passive;
use super::probe::{calibrate, probe};
use super::result::{CaseResult, Expectation, Run};
use super::server::{Manifest, Process};
use super::toolkit::T;
use super::verdict::{Stop, Verdict};
use crate::peer::Clock;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cases at a time.
    pub jobs: usize,
    /// How often a FAIL or HANG is tried again.
    pub retries: u32,
    /// Where all random bytes come from.
    pub seed: u64,
    /// Factor of all time limits.
    pub timeout_scale: f64,
    /// `k` and `n` of `--shard`, for the result.
    pub shard: Option<(u32, u32)>,
}

impl Default for Options {
    fn default() -> Options {
        Options { jobs: 8, retries: 0, seed: 0, timeout_scale: 1.0, shard: None }
    }
}

/// Bytes kept of each connection of a case that passed.
const KEPT_OF_PASS: usize = 256 << 10;

/// Why nothing was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError(pub String);

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RunError {}

/// Runs the cases. `told` hears of each result as it is there.
pub fn run(
    target: Target,
    server: Option<&Manifest>,
    cases: &[&'static Case],
    options: &Options,
    told: &(dyn Fn(&CaseResult) + Sync),
) -> Result<Run, RunError> {
    let clock = Clock::start();
    let started = clock.now();
    let begun = Instant::now();
    let mut desk = Desk { process: None, manifest: server, target: &target };
    desk.restart()?;
    let timeouts = calibrate(options.timeout_scale, Duration::from_secs(3600));
    let mut env = Env {
        target: target.clone(),
        timeouts,
        facts: Facts::default(),
        seed: options.seed,
        clock,
    };
    let single = server.is_some_and(|manifest| manifest.restart_per_case);
    if single {
        // One connection per life: there is nothing to probe with.
        env.facts.play = server.and_then(|manifest| manifest.play).unwrap_or(false);
    } else {
        env.facts = probe(&env).map_err(RunError)?;
        env.timeouts = calibrate(options.timeout_scale, env.facts.latency);
        if let Some(play) = server.and_then(|manifest| manifest.play) {
            env.facts.play &= play;
        }
    }
    let facts = env.facts.clone();
    let mut floor =
        Floor { desk, env: Arc::new(env), options, single, told, results: Vec::new(), gone: None };
    floor.run_all(cases);
    let mut results = floor.results;
    let place = |result: &CaseResult| cases.iter().position(|case| case.id == result.id);
    results.sort_by_key(place);
    Ok(Run {
        server: server.map(|manifest| manifest.name.clone()).filter(|name| !name.is_empty()),
        target,
        facts,
        seed: options.seed,
        started,
        duration: begun.elapsed(),
        shard: options.shard,
        cases: results,
        stale: Vec::new(),
    })
}

/// The server under test, if it is ours to start.
struct Desk<'a> {
    process: Option<Process>,
    manifest: Option<&'a Manifest>,
    target: &'a Target,
}

impl Desk<'_> {
    /// Stops and starts it.
    fn restart(&mut self) -> Result<(), RunError> {
        let Some(manifest) = self.manifest else { return Ok(()) };
        self.process = None;
        let process = Process::start(manifest, self.target.address);
        self.process = Some(process.map_err(|error| RunError(error.0))?);
        Ok(())
    }

    fn crash(&mut self) -> Option<String> {
        self.process.as_mut().and_then(Process::crash)
    }
}

/// A run in progress.
struct Floor<'a> {
    desk: Desk<'a>,
    env: Arc<Env>,
    options: &'a Options,
    single: bool,
    told: &'a (dyn Fn(&CaseResult) + Sync),
    results: Vec<CaseResult>,
    /// Why no more cases can run.
    gone: Option<String>,
}

/// What a case that ran found the server to be afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Health {
    Fine,
    /// It was not served at first, then it was.
    Slow,
    Crashed(String),
    Hangs(String),
}

impl Floor<'_> {
    fn run_all(&mut self, cases: &[&'static Case]) {
        let serial = self.single || self.options.jobs <= 1;
        let (apart, together): (Vec<_>, Vec<_>) =
            cases.iter().copied().partition(|case| serial || case.alone);
        let mut left: VecDeque<&'static Case> = together.into();
        while !left.is_empty() && self.gone.is_none() {
            let Some((health, suspects)) = self.side_by_side(&mut left) else { break };
            let mut again = VecDeque::from(suspects.clone());
            let mut found = false;
            // The first one noticed the damage, and has most likely done it.
            while !found {
                let Some(case) = again.pop_front() else { break };
                found = self.by_itself(case);
            }
            if !found {
                self.charge(&suspects, health);
            }
            again.into_iter().rev().for_each(|case| left.push_front(case));
        }
        for case in apart.into_iter().chain(left) {
            self.by_itself(case);
        }
    }

    /// Charges damage that no suspect does alone, or that cannot be tried again, to the one that
    /// noticed it: a server that broke must not look like one that passed.
    fn charge(&mut self, suspects: &[&'static Case], health: Health) {
        let Some(first) = suspects.first() else { return };
        let others: Vec<&str> = suspects.iter().skip(1).map(|case| case.id).collect();
        let told = match (&self.gone, others.is_empty()) {
            (Some(_), true) => String::new(),
            (Some(_), false) => format!("; under way beside it: {}", others.join(", ")),
            (None, true) => "; not again when tried alone".to_owned(),
            (None, false) => format!(
                "; not again when each ran alone; under way beside it: {}",
                others.join(", ")
            ),
        };
        let verdict = match health {
            Health::Crashed(what) => Verdict::Crash(what + &told),
            Health::Hangs(what) => Verdict::Hang(what + &told),
            Health::Fine | Health::Slow => return,
        };
        if let Some(result) = self.results.iter_mut().find(|result| result.id == first.id) {
            result.verdict = verdict;
        }
    }

    /// Runs cases on several threads until none is left, or the server breaks: gives what became of
    /// it and the cases that were under way then, the one that noticed it first.
    fn side_by_side(
        &mut self,
        left: &mut VecDeque<&'static Case>,
    ) -> Option<(Health, Vec<&'static Case>)> {
        let queue = Mutex::new(std::mem::take(left));
        let broken: Mutex<Option<Health>> = Mutex::new(None);
        let suspects = Mutex::new(Vec::new());
        let results = Mutex::new(Vec::new());
        let desk = Mutex::new(&mut self.desk);
        let (env, options, told) = (&self.env, self.options, self.told);
        let jobs = options.jobs.min(lock(&queue).len()).max(1);
        thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    loop {
                        if lock(&broken).is_some() {
                            return;
                        }
                        let Some(case) = lock(&queue).pop_front() else { return };
                        let result = run_case(env, case, options.retries);
                        let health = health(env, &result);
                        let crash = lock(&desk).crash();
                        let health = crash.map_or(health, Health::Crashed);
                        // Whatever ran while it broke may have broken it, or suffered from it.
                        if matches!(health, Health::Crashed(_) | Health::Hangs(_)) {
                            let mut broken = lock(&broken);
                            let first = broken.is_none();
                            broken.get_or_insert(health);
                            let mut suspects = lock(&suspects);
                            let at = if first { 0 } else { suspects.len() };
                            suspects.insert(at, case);
                        } else if lock(&broken).is_some() {
                            lock(&suspects).push(case);
                        } else {
                            let result = finished(result, health);
                            told(&result);
                            lock(&results).push(result);
                        }
                    }
                });
            }
        });
        self.results.extend(results.into_inner().unwrap_or_else(PoisonError::into_inner));
        *left = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        self.recover();
        Some((broken, suspects.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Runs a case while nothing else runs; true when it broke the server.
    fn by_itself(&mut self, case: &'static Case) -> bool {
        if self.single && self.gone.is_none() {
            self.recover();
        }
        if let Some(gone) = &self.gone {
            let mut result = blank(case);
            result.verdict = Verdict::Inconclusive(gone.clone());
            (self.told)(&result);
            self.results.push(result);
            return false;
        }
        let result = run_case(&self.env, case, self.options.retries);
        let health = if self.single { Health::Fine } else { health(&self.env, &result) };
        if self.desk.process.is_some() && !self.single {
            // nginx's master needs a moment to write down that its worker died.
            thread::sleep(Duration::from_millis(20));
        }
        let health = match self.desk.crash() {
            // A server of one connection ends with it.
            Some(_) if self.single && self.ended_well() => health,
            Some(what) => Health::Crashed(what),
            None => health,
        };
        let broken = matches!(health, Health::Crashed(_) | Health::Hangs(_));
        let result = finished(result, health);
        (self.told)(&result);
        self.results.push(result);
        if broken && !self.single {
            self.recover();
        }
        broken
    }

    fn ended_well(&mut self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        let process = self.desk.process.as_mut();
        process.and_then(Process::exited).is_none_or(|exit| exit.signal().is_none())
    }

    /// Starts the server again, or waits for it to serve again.
    fn recover(&mut self) {
        if self.desk.manifest.is_some() {
            if let Err(error) = self.desk.restart() {
                self.gone = Some(format!("the server does not start again: {error}"));
            }
            return;
        }
        let deadline = Instant::now() + self.env.timeouts.close;
        while !serves(&self.env) {
            if Instant::now() >= deadline {
                self.gone = Some("the server has stopped serving in an earlier case".into());
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

fn lock<V>(mutex: &Mutex<V>) -> std::sync::MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serves(env: &Arc<Env>) -> bool {
    static AFTER: Case = Case::new("alive-new", "A new connection is served", |t| t.pass());
    T::new(Arc::clone(env), &AFTER, 0).alive_new()
}

/// How the server is after a case: asked by a fresh connection, twice before it counts as a hang.
fn health(env: &Arc<Env>, result: &CaseResult) -> Health {
    if serves(env) {
        return Health::Fine;
    }
    if serves(env) {
        return Health::Slow;
    }
    let target = env.target.address;
    let what = format!("after {} a new connection to {target} is not served", result.id);
    match std::net::TcpStream::connect_timeout(&target, env.timeouts.reply) {
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Health::Crashed(format!("after {} {target} refuses connections", result.id))
        }
        _ => Health::Hangs(what),
    }
}

fn blank(case: &'static Case) -> CaseResult {
    CaseResult {
        id: case.id,
        verdict: Verdict::Pass,
        level: case.level,
        basis: case.basis,
        sections: case.sections,
        says: case.says,
        notes: Vec::new(),
        duration: Duration::ZERO,
        attempts: 0,
        findings: Vec::new(),
        transcripts: Vec::new(),
        expectation: Expectation::None,
    }
}

/// Runs a case, again where it fails and retries are allowed.
fn run_case(env: &Arc<Env>, case: &'static Case, retries: u32) -> CaseResult {
    let mut result = blank(case);
    if let Some(missing) = missing(env, case) {
        result.verdict = Verdict::Inconclusive(missing);
        return result;
    }
    let mut all = Vec::new();
    for attempt in 0..=retries {
        let started = Instant::now();
        let mut t = T::new(Arc::clone(env), case, attempt);
        let outcome = catch_unwind(AssertUnwindSafe(|| t.run()));
        result.duration = started.elapsed();
        result.verdict = match outcome {
            Ok(outcome) => outcome.unwrap_or_else(Stop::verdict),
            Err(_) => Stop::Harness("it panicked".into()).verdict(),
        };
        result.attempts = attempt + 1;
        result.notes = t.notes();
        result.transcripts = t.transcripts();
        all.push(result.verdict.clone());
        if !matches!(result.verdict, Verdict::Fail(_) | Verdict::Hang(_)) {
            break;
        }
    }
    let changed = all.windows(2).any(|pair| pair[0].name() != pair[1].name());
    if changed {
        result.verdict = Verdict::Flaky(all);
    }
    result
}

fn missing(env: &Env, case: &Case) -> Option<String> {
    let facts = &env.facts;
    case.needs.iter().find_map(|need| match need {
        Need::Publish if !facts.publish => Some("the server accepts no publisher".to_owned()),
        Need::Play if !facts.play => Some("what is published cannot be played".to_owned()),
        Need::Vod if env.target.vod.is_none() => {
            Some("no recorded stream is known; name one with --vod".to_owned())
        }
        _ => None,
    })
}

/// The result with what was found afterwards.
fn finished(mut result: CaseResult, health: Health) -> CaseResult {
    match health {
        Health::Fine => {}
        Health::Slow => {
            let text = "the first new connection after it was not served".to_owned();
            result.verdict = result.verdict.worst(Verdict::Fail(text));
        }
        Health::Crashed(what) => result.verdict = Verdict::Crash(what),
        Health::Hangs(what) => result.verdict = Verdict::Hang(what),
    }
    result.findings = passive::findings(&result.transcripts);
    if result.verdict == Verdict::Pass {
        result.transcripts.iter_mut().for_each(|transcript| transcript.trim(KEPT_OF_PASS));
    }
    result
}
