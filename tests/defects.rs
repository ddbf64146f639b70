//! Tests the tester: each fault of the test server against the conformance cases that must notice
//! it, and every case against the faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rtmpscope::conform::{self, Case, Target, Verdict, suite};
use rtmpscope::peer::server::{Defect, Options, Server};

/// Asks nothing of the server but a handshake.
const FIRST: &str = "rtmp/handshake/s0s1s2-length";

/// Runs a case against a server with a fault that is switched on when the server was looked at: one
/// that is broken from the start is none to test.
fn run(defect: &'static Defect, case: &'static Case) -> Verdict {
    let server = Server::start(Options::default()).expect("start");
    let target = Target::parse(&server.url()).expect("a URL");
    let options = conform::Options { jobs: 1, timeout_scale: 0.5, ..Default::default() };
    let first = suite::find(FIRST).expect("the first case");
    let told = AtomicUsize::new(0);
    let switch = |_: &_| {
        if told.fetch_add(1, Ordering::Relaxed) == 0 {
            server.switch(&[defect]);
        }
    };
    // A case that wants to be alone comes after the others, and so does one that runs twice.
    let run = conform::run(target, None, &[first, case], &options, &switch).expect("a server");
    let last = run.cases.into_iter().rfind(|result| result.id == case.id);
    last.expect("a result").verdict
}

/// What a conforming server gets.
fn conforming(cases: &[&'static Case]) -> Seen {
    let server = Server::start(Options::default()).expect("start");
    let target = Target::parse(&server.url()).expect("a URL");
    let run = conform::run(target, None, cases, &conform::Options::default(), &|_| {});
    run.expect("a server").cases.into_iter().map(|case| (case.id, case.verdict)).collect()
}

type Seen = BTreeMap<&'static str, Verdict>;

/// Whether a verdict says that something is wrong, or other than with a conforming server.
fn notices(verdict: &Verdict, conforming: Option<&Verdict>) -> bool {
    match verdict {
        Verdict::Pass | Verdict::Inconclusive(_) => false,
        Verdict::Fact(text) | Verdict::Unsupported(text) => {
            conforming.is_some_and(|before| before.text() != text.as_str())
        }
        _ => conforming.is_none_or(|before| before.name() != verdict.name()),
    }
}

/// Cases that a test can wait for.
fn quick() -> Vec<&'static Case> {
    suite::all().filter(|case| !case.slow).collect()
}

#[test]
fn each_defect_is_noticed() {
    let only = std::env::var("RTMPSCOPE_DEFECTS").unwrap_or_default();
    let cases = quick();
    let conforming = conforming(&cases);
    let work: Vec<(&'static Defect, &'static Case)> = Defect::all()
        .filter(|defect| defect.name.contains(only.as_str()))
        .flat_map(|defect| {
            let named = cases.iter().filter(|case| defect.cases.contains(&case.id));
            named.map(move |case| (defect, *case))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // They wait most of the time.
        for _ in 0..12 {
            scope.spawn(|| {
                while let Some((defect, case)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = run(defect, case);
                    results.lock().expect("results").push((defect.name, case.id, verdict));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("results");
    // Twelve at a time starve each other on a busy machine: what was missed has a try alone.
    for (name, id, verdict) in &mut results {
        if !notices(verdict, conforming.get(id)) {
            let again = work.iter().find(|(defect, case)| defect.name == *name && case.id == *id);
            let (defect, case) = again.expect("the pair");
            *verdict = run(defect, case);
        }
    }
    results.sort_by_key(|(defect, case, _)| (*defect, *case));
    let mut missed = Vec::new();
    let mut killed = BTreeSet::new();
    for (defect, case, verdict) in &results {
        let noticed = notices(verdict, conforming.get(case));
        let (sign, name, text) = (if noticed { "+" } else { "-" }, verdict.name(), verdict.text());
        println!("{sign} {defect} {case}: {name} {text}");
        if noticed {
            killed.insert(*case);
        } else {
            missed.push(format!("{defect}: {case} says {name}"));
        }
    }
    let unkilled: Vec<_> = cases.iter().map(|c| c.id).filter(|id| !killed.contains(id)).collect();
    println!("{} pairs, {} cases noticed a fault", results.len(), killed.len());
    println!("no defect for: {unkilled:#?}");
    assert!(missed.is_empty(), "not noticed: {missed:#?}");
    assert!(!only.is_empty() || unkilled.is_empty(), "no defect fails: {unkilled:#?}");
}
