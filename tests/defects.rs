//! Tests the tester: each fault of the test server against the conformance cases that must notice
//! it, and every case against the faults.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rtmpscope::conform::{self, Case, Target, Verdict, suite};
use rtmpscope::peer::server::{Defect, Options, Server};

/// Runs cases against a server with these faults.
fn run(defects: Vec<&'static Defect>, cases: &[&'static Case], scale: f64) -> Seen {
    // A fault may end the server's thread: its last words are not the test's.
    let server = Server::start(Options { defects, ..Options::default() }).expect("start");
    let target = Target::parse(&server.url()).expect("a URL");
    let options = conform::Options { jobs: 1, timeout_scale: scale, ..Default::default() };
    let run = conform::run(target, None, cases, &options, &|_| {});
    drop(server);
    match run {
        Ok(run) => run.cases.into_iter().map(|case| (case.id, case.verdict)).collect(),
        Err(error) => {
            let text = error.to_string();
            cases.iter().map(|case| (case.id, Verdict::Inconclusive(text.clone()))).collect()
        }
    }
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
    let conforming = run(Vec::new(), &cases, 1.0);
    let work: Vec<(&'static Defect, Vec<&'static Case>)> = Defect::all()
        .filter(|defect| defect.name.contains(only.as_str()))
        .map(|defect| {
            let named = cases.iter().filter(|case| defect.cases.contains(&case.id));
            (defect, named.copied().collect::<Vec<_>>())
        })
        .filter(|(_, cases)| !cases.is_empty())
        .collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some((defect, cases)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let seen = run(vec![defect], cases, 0.5);
                    results.lock().expect("results").push((defect.name, seen));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("results");
    results.sort_by_key(|(name, _)| *name);
    let mut missed = Vec::new();
    let mut killed: BTreeMap<&str, usize> = BTreeMap::new();
    for (defect, seen) in &results {
        for (case, verdict) in seen {
            let noticed = notices(verdict, conforming.get(case));
            println!("{} {defect} {case}: {} {}", if noticed { "+" } else { "-" }, verdict.name(), verdict.text());
            *killed.entry(case).or_default() += usize::from(noticed);
            if !noticed {
                missed.push(format!("{defect}: {case} says {}", verdict.name()));
            }
        }
    }
    let unkilled: Vec<_> =
        cases.iter().filter(|c| killed.get(c.id).is_none_or(|n| *n == 0)).map(|c| c.id).collect();
    println!("{} defects, {} pairs, {} missed", results.len(), killed.len(), missed.len());
    println!("no defect for: {unkilled:#?}");
    assert!(missed.is_empty(), "not noticed: {missed:#?}");
    assert!(!only.is_empty() || unkilled.is_empty(), "no defect fails: {unkilled:#?}");
}
