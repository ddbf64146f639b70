//! `--keylog`: secrets to read TLS, RTMPE and RTMFP with.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::capture::{Secret, SecretKind};
use crate::transport::Keys;

/// How often a key log that may grow is looked at.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Args, Clone, Debug, Default)]
pub(super) struct KeylogArgs {
    /// Decrypt with the secrets of this file, as SSLKEYLOGFILE names it; may be repeated. Secrets
    /// within a pcapng file are used anyway
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
}

impl KeylogArgs {
    /// Reads the files. With `growing` they are read on while the program runs, and need not be
    /// there yet.
    pub fn open(&self, growing: bool) -> Result<Keys, String> {
        let keys = Keys::default();
        for path in &self.keylog {
            let mut tail = Tail { path: path.clone(), ..Tail::default() };
            if let Some(text) = tail.read(growing)? {
                let (_, bad) = keys.add_text(&text);
                if let (Some(bad), true) = (bad, keys.read().is_empty()) {
                    return Err(format!(
                        "{}: line {}: {}; a key log is what SSLKEYLOGFILE makes programs write",
                        path.display(),
                        bad.line,
                        bad.reason
                    ));
                }
            }
            if growing {
                keys.set_growing(true);
                tail.watch(keys.clone());
            }
        }
        Ok(keys)
    }
}

/// A file that is read as it grows.
#[derive(Debug, Default)]
struct Tail {
    path: PathBuf,
    at: u64,
    /// The beginning of a line whose end was not written yet.
    rest: Vec<u8>,
}

impl Tail {
    /// What was added since, in whole lines.
    fn read(&mut self, growing: bool) -> Result<Option<String>, String> {
        let failed = |error| format!("cannot read the key log {}: {error}", self.path.display());
        let mut file = match File::open(&self.path) {
            Err(error) if growing && error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        file.seek(SeekFrom::Start(self.at)).map_err(failed)?;
        let read = file.read_to_end(&mut self.rest).map_err(failed)?;
        self.at += read as u64;
        let end = match growing {
            true => self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1),
            false => self.rest.len(),
        };
        let lines: Vec<u8> = self.rest.drain(..end).collect();
        Ok((!lines.is_empty()).then(|| String::from_utf8_lossy(&lines).into_owned()))
    }

    /// Reads on until the program ends.
    fn watch(mut self, keys: Keys) {
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(PAUSE);
                // A file that is being replaced comes back.
                if let Ok(Some(text)) = self.read(true) {
                    keys.add_text(&text);
                }
            }
        });
    }
}

/// Takes over the secrets that a capture brought since; `seen` counts them.
pub(super) fn add_secrets(keys: &Keys, secrets: &[Secret], seen: &mut usize) {
    for secret in secrets.iter().skip(*seen) {
        if secret.kind == SecretKind::TLS_KEY_LOG {
            keys.add_text(&String::from_utf8_lossy(&secret.data));
        }
    }
    *seen = secrets.len();
}

/// As the option was typed, for a command line.
pub(super) fn typed(files: &[PathBuf]) -> impl Iterator<Item = String> + '_ {
    let typed = |path: &Path| ["--keylog".to_owned(), path.display().to_string()];
    files.iter().flat_map(move |path| typed(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_once_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let mut tail = Tail { path: path.clone(), ..Tail::default() };
        assert_eq!(tail.read(true), Ok(None));
        assert!(tail.read(false).unwrap_err().contains("key log"));
        std::fs::write(&path, "A 01 02\nB 0").unwrap();
        assert_eq!(tail.read(true), Ok(Some("A 01 02\n".into())));
        std::fs::write(&path, "A 01 02\nB 01 02\n").unwrap();
        assert_eq!(tail.read(true), Ok(Some("B 01 02\n".into())));
        let mut once = Tail { path, ..Tail::default() };
        assert_eq!(once.read(false), Ok(Some("A 01 02\nB 01 02\n".into())));
    }
}
