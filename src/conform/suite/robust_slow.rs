//! What a server must survive for longer: clients that trickle, stall or sit idle.

use std::time::{Duration, Instant};

use super::support_a::call;
use crate::conform::{Case, Conn, Level, Need, Outcome, Stop, T};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "robust/slow/slow-loris",
        "Clients that trickle a byte every 5 s do not keep others from being served",
        slow_loris,
    )
    .robustness()
    .slow()
    .alone()
    .explain("200 such connections for 60 s", "a normal client is served in 5 s all the time"),
    Case::new(
        "robust/slow/partial-chunk-timeout",
        "A message that is never finished times out",
        partial_chunk_timeout,
    )
    .robustness()
    .level(Level::Should)
    .slow()
    .explain("half a chunk, then silence", "a close within T_IDLE; NONSTRICT when it stays open"),
    Case::new(
        "robust/slow/idle-publisher",
        "A publisher that sends nothing is kept or ended",
        idle_publisher,
    )
    .robustness()
    .level(Level::May)
    .slow()
    .needs(&[Need::Publish])
    .explain("publish, then silence", "a FACT: whether it is still connected after T_IDLE"),
    Case::new(
        "robust/connections/many-idle",
        "500 connections that send nothing do not keep others from being served",
        many_idle,
    )
    .robustness()
    .slow()
    .alone()
    .explain("500 TCP connections", "a normal client is served in 5 s"),
];

fn slow_loris(t: &mut T) -> Outcome {
    let mut all: Vec<Conn> = (0..200).map(|_| t.open()).collect::<Result<_, _>>()?;
    let (c1, begun) = (t.c1("C1"), Instant::now());
    let bytes = [&[3], &c1[..]].concat();
    for round in 0..12 {
        for c in &mut all {
            c.raw(&bytes[round..=round]);
        }
        if !t.alive_new() {
            return t.fail(format!("nobody is served after {} s", begun.elapsed().as_secs()));
        }
        let next = Duration::from_secs(5) * (round as u32 + 1);
        std::thread::sleep(next.saturating_sub(begun.elapsed()));
    }
    let left = all.iter().filter(|c| c.closed().is_none()).count();
    t.note(format!("{left} of 200 are still connected after 60 s"));
    t.pass()
}

fn partial_chunk_timeout(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    // A client that answered pings would be a live one.
    c.pongs = false;
    let bytes = c.encode(call(9.0, 100));
    let begun = Instant::now();
    match c.raw(&bytes[..50]).wait_close(t.timeouts().idle) {
        Some(_) => t.note(format!("closed after {} s", begun.elapsed().as_secs())),
        None => return t.nonstrict("still open after T_IDLE"),
    }
    t.pass()
}

fn idle_publisher(t: &mut T) -> Outcome {
    let mut c = t.publisher(&t.name())?;
    let begun = Instant::now();
    match c.wait_close(t.timeouts().idle) {
        Some(_) => t.fact(format!("closed after {} s", begun.elapsed().as_secs())),
        None => t.fact("still connected after T_IDLE; pings were answered"),
    }
}

fn many_idle(t: &mut T) -> Outcome {
    let all: Result<Vec<Conn>, Stop> = (0..500).map(|_| t.open()).collect();
    let all = all?;
    let begun = Instant::now();
    let alive = t.alive_new();
    t.note(format!("{} connections, {:.0?}", all.len(), begun.elapsed()));
    t.pass_if(alive, "nobody is served meanwhile")
}
