//! Key logs: the `SSLKEYLOGFILE` format, with labels for RTMPE and RTMFP added.
//!
//! A line is `LABEL identifier value`, both in hexadecimal. For TLS the identifier is the client
//! random; for RTMPE the digest of C1; for RTMFP the SHA-256 of the initiator's keying component or
//! both session ids. Unknown labels are kept, comments and blank lines are passed over.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A key log that all who read a capture share: the file may grow and the capture may bring
/// secrets of its own while layers already look for keys.
#[derive(Clone, Debug, Default)]
pub struct Keys(Arc<RwLock<KeyLog>>);

impl Keys {
    /// With what is known so far.
    pub fn new(log: KeyLog) -> Keys {
        Keys(Arc::new(RwLock::new(log)))
    }

    /// Reads it. Whoever holds on to the result keeps others from adding.
    pub fn read(&self) -> std::sync::RwLockReadGuard<'_, KeyLog> {
        // A log is never left half changed: what a panicking thread put in is whole.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether entries may still come.
    pub fn set_growing(&self, growing: bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).growing = growing;
    }

    /// Adds the lines of a text; see [`KeyLog::add_text`].
    pub fn add_text(&self, text: &str) -> (usize, Option<KeyLogError>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).add_text(text)
    }
}

/// Secrets by label and identifier. It may grow while a capture is read.
#[derive(Clone, Default)]
pub struct KeyLog {
    entries: BTreeMap<(String, Vec<u8>), Vec<u8>>,
    growing: bool,
}

impl std::fmt::Debug for KeyLog {
    // Secrets have no place in debug output.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyLog({} entries)", self.entries.len())
    }
}

/// A line that is no entry of a key log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLogError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// No label's secret is longer than this, in bytes (RTMFP session keys are 146).
const MAX_VALUE: usize = 1024;

/// More entries than any capture has connections.
const MAX_ENTRIES: usize = 1 << 20;

impl KeyLog {
    /// An empty key log.
    pub fn new() -> KeyLog {
        KeyLog::default()
    }

    /// Adds the lines of a text; tells how many entries are new, and of bad lines the first.
    pub fn add_text(&mut self, text: &str) -> (usize, Option<KeyLogError>) {
        let (mut added, mut bad) = (0, None);
        for (index, line) in text.lines().enumerate() {
            match self.add_line(line) {
                Ok(new) => added += usize::from(new),
                Err(reason) => {
                    bad.get_or_insert(KeyLogError { line: index + 1, reason });
                }
            }
        }
        (added, bad)
    }

    fn add_line(&mut self, line: &str) -> Result<bool, &'static str> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(false);
        }
        let mut words = line.split_ascii_whitespace();
        let (Some(label), Some(id), Some(value)) = (words.next(), words.next(), words.next())
        else {
            return Err("not `LABEL identifier value`");
        };
        let id = unhex(id).ok_or("the identifier is not hexadecimal")?;
        let mut value = unhex(value).ok_or("the value is not hexadecimal")?;
        // Keys may be written as several words.
        for word in words {
            value.extend(unhex(word).ok_or("the value is not hexadecimal")?);
        }
        if id.len() > MAX_VALUE || value.len() > MAX_VALUE {
            return Err("longer than any secret");
        }
        if self.entries.len() >= MAX_ENTRIES {
            return Err("more entries than are kept");
        }
        Ok(self.entries.insert((label.to_owned(), id), value).is_none())
    }

    /// Adds an entry.
    pub fn insert(&mut self, label: &str, id: &[u8], value: Vec<u8>) {
        if self.entries.len() < MAX_ENTRIES {
            self.entries.insert((label.to_owned(), id.to_vec()), value);
        }
    }

    /// The secret of a label and identifier.
    pub fn get(&self, label: &str, id: &[u8]) -> Option<&[u8]> {
        self.entries.get(&(label.to_owned(), id.to_vec())).map(Vec::as_slice)
    }

    /// All entries of a label.
    pub fn of_label<'a>(&'a self, label: &'a str) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.entries
            .range((label.to_owned(), Vec::new())..)
            .take_while(move |((own, _), _)| own == label)
            .map(|((_, id), value)| (id.as_slice(), value.as_slice()))
    }

    /// Whether entries may still come, so that it is worth waiting for them.
    pub fn may_grow(&self) -> bool {
        self.growing
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One entry as a line of a key log.
    pub fn line(label: &str, id: &[u8], value: &[u8]) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("{label} {} {}", hex(id), hex(value))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    text.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kinds() {
        let mut log = KeyLog::new();
        let text =
            "# comment\r\n\r\nCLIENT_RANDOM 00FF 0a0B\r\nRTMPE_RC4_KEYS aa 01 02\nX zz 00\nonly\n";
        let (added, bad) = log.add_text(text);
        assert_eq!(added, 2);
        assert_eq!(bad.map(|bad| bad.line), Some(5));
        assert_eq!(log.get("CLIENT_RANDOM", &[0, 255]), Some(&[10, 11][..]));
        assert_eq!(log.get("RTMPE_RC4_KEYS", &[0xaa]), Some(&[1, 2][..]));
        assert_eq!(log.of_label("CLIENT_RANDOM").count(), 1);
        assert_eq!(KeyLog::line("A", &[1], &[0xfe]), "A 01 fe");
    }
}
