//! `server.toml`: how a server under test is started, and what it can do.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// What says that a server is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ready {
    /// It accepts a connection. For servers that serve one connection only, use `log` or `wait`.
    Tcp,
    /// It answers an RTMP handshake.
    #[default]
    Handshake,
    /// A line of its output matches `ready_pattern`.
    Log,
}

/// How to start, stop and judge a server under test.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// Its name in reports.
    pub name: String,
    /// Its version, for expectations with a version range.
    pub version: Option<String>,
    /// Program and arguments.
    pub start: Vec<String>,
    /// Where to start it; relative to the manifest.
    pub dir: Option<PathBuf>,
    /// Environment variables to set.
    pub env: BTreeMap<String, String>,
    /// The URL to test, when none is given on the command line.
    pub url: Option<String>,
    /// What says that it is ready.
    pub ready: Ready,
    /// For `ready = "log"`: a regular expression.
    pub ready_pattern: Option<String>,
    /// Seconds it may take to be ready.
    pub ready_seconds: f64,
    /// The signal that stops it: TERM, INT, QUIT, HUP or KILL.
    pub stop: String,
    /// Seconds it may take to stop before the process group is killed.
    pub stop_seconds: f64,
    /// Whether a published stream can be played: `false` keeps those cases from being tried.
    pub play: Option<bool>,
    /// A recorded stream that can be played.
    pub vod: Option<String>,
    /// Query to put after stream names, such as `?token=abc`: authentication.
    pub query: Option<String>,
    /// Start it anew before each case: for servers that serve one connection.
    pub restart_per_case: bool,
    /// Log files to read besides its output; relative to `dir`.
    pub logs: Vec<PathBuf>,
    /// Regular expressions of lines that mean a crash although the process lives.
    pub crash_patterns: Vec<String>,
}

impl Default for Manifest {
    fn default() -> Manifest {
        Manifest {
            name: String::new(),
            version: None,
            start: Vec::new(),
            dir: None,
            env: BTreeMap::new(),
            url: None,
            ready: Ready::default(),
            ready_pattern: None,
            ready_seconds: 10.0,
            stop: "TERM".into(),
            stop_seconds: 3.0,
            play: None,
            vod: None,
            query: None,
            restart_per_case: false,
            logs: Vec::new(),
            crash_patterns: Vec::new(),
        }
    }
}

/// What sanitizers, runtimes and servers write when something broke.
pub(super) const CRASH_PATTERNS: &[&str] = &[
    r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|MemorySanitizer",
    r"runtime error: .*(overflow|out of bounds|misaligned|null pointer)",
    r"^panic: |^fatal error: ",
    r"thread '.*' \(?.*panicked at|thread '.*' panicked at",
    r"uncaughtException|Unhandled ?'?error'? event|UnhandledPromiseRejection",
    r"StackOverflowError|OutOfMemoryError",
    r"exited on signal \d+",
    r"Segmentation fault|core dumped|terminate called",
    r"stack smashing detected|double free|corrupted (size|unsorted)",
    r"[Aa]ssertion .*failed",
];

impl Manifest {
    /// Of a command line, split like a shell does without expansions: quotes and backslashes.
    pub fn of_command(line: &str) -> Result<Manifest, String> {
        let start = split(line)?;
        let name = start.first().and_then(|program| program.rsplit('/').next()).unwrap_or("");
        Ok(Manifest { name: name.to_owned(), start, ..Manifest::default() })
    }
}

fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match quote {
        Some(q) => Err(format!("{line}: the quote {q} does not end")),
        None if words.is_empty() => Err("the command is empty".into()),
        None => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_split_like_a_shell_does() {
        let of = |line| split(line).unwrap();
        assert_eq!(of("nginx -c  a.conf"), ["nginx", "-c", "a.conf"]);
        assert_eq!(
            of(r#"sh -c 'a "b" c' "d e" f\ g ''"#),
            ["sh", "-c", "a \"b\" c", "d e", "f g", ""]
        );
        assert!(split("a 'b").is_err());
        assert!(split("  ").is_err());
    }
}
