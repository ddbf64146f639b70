//! `check doctor`: does the manifest work?

use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::args::TargetArgs;
use super::plan::bench;
use crate::cli::EXIT_OK;
use crate::conform::server::Process;
use crate::conform::{Env, Facts, calibrate, probe};
use crate::peer::Clock;

/// Steps, a line each; the first that fails ends it with exit code 3.
pub(super) fn doctor(args: &TargetArgs) -> Result<u8, String> {
    super::run::stop_servers_with_us()?;
    let bench = bench(args)?;
    let address = bench.target.address;
    let mut process = None;
    if let Some(manifest) = &bench.manifest {
        let started = Instant::now();
        match Process::start(manifest, address) {
            Ok(running) => {
                let millis = started.elapsed().as_millis();
                println!("starts     ok, ready after {millis} ms");
                process = Some(running);
            }
            Err(error) => {
                println!("starts     no: {error}");
                return Ok(super::run::EXIT_UNREACHABLE);
            }
        }
    }
    let env = Env {
        target: bench.target.clone(),
        timeouts: calibrate(1.0, Duration::from_secs(3600)),
        facts: Facts::default(),
        seed: 0,
        clock: Clock::start(),
    };
    match probe(&env) {
        Ok(facts) => answers(&facts),
        Err(error) => {
            println!("answers    no: {error}");
            if let Some(process) = process {
                process.tail(5).iter().for_each(|line| println!("           | {line}"));
            }
            return Ok(super::run::EXIT_UNREACHABLE);
        }
    }
    let Some(mut process) = process else { return Ok(EXIT_OK) };
    if let Some(crash) = process.crash() {
        println!("lives      no: {crash}");
        return Ok(super::run::EXIT_CRASH);
    }
    let gently = process.stop();
    let how = if gently { "ok" } else { "only by KILL: the stop signal does not suffice" };
    println!("stops      {how}");
    if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
        println!("stops      no: somebody still listens at {address}");
        return Ok(super::run::EXIT_UNREACHABLE);
    }
    Ok(EXIT_OK)
}

fn answers(facts: &Facts) {
    let software = facts.software.as_deref().unwrap_or("no fmsVer");
    println!(
        "answers    ok, connect after {:.1} ms, {software}",
        facts.latency.as_secs_f64() * 1e3
    );
    println!("publishes  {}", if facts.publish { "ok" } else { "no" });
    println!("plays      {}", if facts.play { "ok" } else { "no" });
    for (state, barriers) in [
        ("connected", facts.connected),
        ("publishing", facts.publishing),
        ("playing", facts.playing),
    ] {
        let by = match (barriers.create_stream, barriers.ping) {
            (true, true) => "createStream and ping are answered",
            (true, false) => "createStream is answered",
            (false, true) => "ping is answered",
            (false, false) => "nothing is answered: liveness by an open connection only",
        };
        println!("barrier    {state}: {by}");
    }
    facts.notes.iter().for_each(|note| println!("note       {note}"));
}
