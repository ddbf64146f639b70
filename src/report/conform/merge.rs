//! Results of shards put together.

use std::collections::HashMap;

use super::model::{Counts, Results};
use crate::conform::suite;

/// Puts the results of the shards of one run together; the error says what does not fit.
///
/// They must be of the same server, suite and seed, and no case may be in two of them. Entries of
/// the expectation file that are stale in one shard are stale; the program leaves out of a shard's
/// what another shard's cases match.
/// Shards that are missing are an error too, unless `partial`.
pub fn merge(shards: &[(String, Results)], partial: bool) -> Result<Results, String> {
    let Some(((first_name, first), rest)) = shards.split_first() else {
        return Err("there is nothing to merge".to_owned());
    };
    let mut out = first.clone();
    if !rest.is_empty() || !partial {
        out.shard = None;
    }
    for (name, shard) in rest {
        for (what, one, other) in [
            ("version", &first.version, &shard.version),
            ("target", &first.target, &shard.target),
            ("seed", &first.seed, &shard.seed),
        ] {
            if one != other {
                return Err(format!(
                    "{name}: its {what} is {other}, that of {first_name} is {one}; \
                     merge shards of one run"
                ));
            }
        }
        out.server = out.server.or_else(|| shard.server.clone());
        out.started = out.started.min(shard.started.clone());
        // Shards run side by side.
        out.duration_ms = out.duration_ms.max(shard.duration_ms);
        out.cases.extend(shard.cases.iter().cloned());
        out.stale.extend(shard.stale.iter().cloned());
    }
    if !partial {
        missing(shards)?;
    }
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for (name, shard) in shards {
        for case in &shard.cases {
            if let Some(before) = seen.insert(&case.id, name) {
                return Err(format!("{name}: {} is in {before} too", case.id));
            }
        }
    }
    // The order of the suite; cases of another version's suite keep theirs, at the end.
    let order: HashMap<&str, usize> =
        suite::all().enumerate().map(|(i, case)| (case.id, i)).collect();
    out.cases.sort_by_key(|case| order.get(case.id.as_str()).copied().unwrap_or(usize::MAX));
    out.stale.sort();
    out.stale.dedup();
    out.counts = Counts::of(&out.cases);
    Ok(out)
}

/// Whether all parts are there, as far as they say of how many they are.
fn missing(shards: &[(String, Results)]) -> Result<(), String> {
    let mut of: Option<u32> = None;
    let mut have: Vec<u32> = Vec::new();
    for (name, shard) in shards {
        let Some(text) = &shard.shard else { continue };
        let (k, n) = text
            .split_once('/')
            .and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)))
            .ok_or_else(|| format!("{name}: its shard is {text}, not k/n"))?;
        if of.is_some_and(|of| of != n) {
            return Err(format!(
                "{name}: it is shard {text}; the others are of {}",
                of.unwrap_or(n)
            ));
        }
        of = Some(n);
        have.push(k);
    }
    let absent: Vec<String> = (1..=of.unwrap_or(0))
        .filter(|k| !have.contains(k))
        .take(8)
        .map(|k| format!("{k}/{}", of.unwrap_or(0)))
        .collect();
    match absent.is_empty() {
        true => Ok(()),
        false => Err(format!("shard {} is missing; --partial goes on without", absent.join(", "))),
    }
}
