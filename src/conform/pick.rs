//! Which cases run.

use globset::{Glob, GlobMatcher};
use sha2::{Digest, Sha256};

use super::case::{Case, Level};
use super::suite;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Pick {
    /// Only ids that match one of these; all when empty.
    pub only: Vec<Pattern>,
    /// Not ids that match one of these.
    pub skip: Vec<Pattern>,
    /// The weakest level that runs; all when `None`.
    pub level: Option<Level>,
    /// Slow cases too.
    pub slow: bool,
    /// `k` and `n`: the k-th of n parts, from 1.
    pub shard: Option<(u32, u32)>,
}

/// A pattern of ids: `rtmp/chunk/*`, `*` matches slashes too. A word without `*` and `/` is an area.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    glob: GlobMatcher,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Result<Pattern, String> {
        let is_id = text.contains(['*', '?', '[', '{']) || suite::find(text).is_some();
        let full = if is_id {
            text.to_owned()
        } else {
            format!("{{{text},*/{text},{text}/*,*/{text}/*}}")
        };
        let glob = Glob::new(&full).map_err(|error| format!("pattern {text}: {error}"))?;
        Ok(Pattern { text: text.to_owned(), glob: glob.compile_matcher() })
    }

    /// Whether an id matches.
    pub fn matches(&self, id: &str) -> bool {
        self.glob.is_match(id)
    }

    /// The pattern as typed.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Pick {
    /// The cases, in the order of the suite. A pattern that matches no case is an error: it is
    /// mistyped.
    pub fn cases(&self) -> Result<Vec<&'static Case>, String> {
        for pattern in self.only.iter().chain(&self.skip) {
            if !suite::all().any(|case| pattern.matches(case.id)) {
                let text = pattern.text();
                return Err(format!("no case matches {text}; rtmpscope check --list names them"));
            }
        }
        Ok(suite::all().filter(|case| self.takes(case)).collect())
    }

    fn takes(&self, case: &Case) -> bool {
        (self.only.is_empty() || self.only.iter().any(|pattern| pattern.matches(case.id)))
            && !self.skip.iter().any(|pattern| pattern.matches(case.id))
            && self.level.is_none_or(|level| case.level <= level)
            && (self.slow || !case.slow)
            && self.shard.is_none_or(|(k, n)| shard(case.id, n) + 1 == k)
    }
}

/// Which of `n` parts a case belongs to, from 0: by its id alone, so that new cases move no old one.
fn shard(id: &str, n: u32) -> u32 {
    let digest = Sha256::digest(id);
    let number = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    number % n.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_together_are_the_whole() {
        let ids = |shard| -> Vec<&str> {
            let pick = Pick { slow: true, shard, ..Pick::default() };
            pick.cases().unwrap().iter().map(|case| case.id).collect()
        };
        let mut parts: Vec<_> = (1..=3).flat_map(|k| ids(Some((k, 3)))).collect();
        let mut whole = ids(None);
        parts.sort_unstable();
        whole.sort_unstable();
        assert_eq!(parts, whole);
        assert!(!whole.is_empty());
    }

    #[test]
    fn patterns_name_ids_and_areas() {
        let matches = |pattern, id| Pattern::new(pattern).unwrap().matches(id);
        assert!(matches("rtmp/chunk/fmt1", "rtmp/chunk/fmt1"));
        assert!(!matches("rtmp/chunk/fmt1", "rtmp/chunk/fmt1-length"));
        assert!(matches("rtmp/chunk/*", "rtmp/chunk/fmt1"));
        assert!(matches("chunk", "rtmp/chunk/fmt1"));
        assert!(!matches("chunk", "rtmp/handshake/s0-version"));
        let typo = Pick { only: vec![Pattern::new("chnuk").unwrap()], ..Pick::default() };
        assert!(typo.cases().unwrap_err().contains("chnuk"));
    }
}
