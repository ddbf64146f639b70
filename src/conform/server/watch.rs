//! What a server under test writes: kept, and searched for signs of a crash.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use regex::RegexSet;

/// Lines kept: enough for a sanitizer's report.
const LINES: usize = 400;

/// Longest line kept, in bytes. A server may write without a line end for ever.
const LINE: u64 = 4096;

/// Reads the output of a process.
#[derive(Clone, Debug)]
pub struct Watch {
    state: Arc<Mutex<State>>,
    crash: Arc<RegexSet>,
    ready: Option<Arc<RegexSet>>,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    /// Lines that mean a crash and that nobody has asked for yet.
    crashes: Vec<String>,
    ready: bool,
    files: Vec<(PathBuf, u64)>,
}

impl Watch {
    /// Looks for these patterns.
    pub fn new(crash: RegexSet, ready: Option<RegexSet>) -> Watch {
        Watch { state: Arc::default(), crash: Arc::new(crash), ready: ready.map(Arc::new) }
    }

    /// Reads a stream to its end, on a thread of its own.
    pub fn follow(&self, stream: impl Read + Send + 'static) {
        let watch = self.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            loop {
                line.clear();
                match (&mut reader).take(LINE).read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => return,
                    Ok(_) => watch.line(&line),
                }
            }
        });
    }

    /// Reads a log file from where it now ends, each time [`Watch::crashes`] is asked.
    pub fn file(&self, path: PathBuf) {
        let length = path.metadata().map_or(0, |data| data.len());
        self.lock().files.push((path, length));
    }

    /// Whether a line matched the pattern of readiness.
    pub fn is_ready(&self) -> bool {
        self.read_files();
        self.lock().ready
    }

    /// Lines that mean a crash since the last call.
    pub fn crashes(&self) -> Vec<String> {
        self.read_files();
        std::mem::take(&mut self.lock().crashes)
    }

    /// The last lines.
    pub fn tail(&self, count: usize) -> Vec<String> {
        let state = self.lock();
        state.lines.iter().skip(state.lines.len().saturating_sub(count)).cloned().collect()
    }

    fn read_files(&self) {
        let mut files = std::mem::take(&mut self.lock().files);
        for (path, at) in &mut files {
            let Ok(mut file) = File::open(&*path) else { continue };
            if file.seek(SeekFrom::Start(*at)).is_err() {
                continue;
            }
            let mut reader = BufReader::new(file);
            let mut line = Vec::new();
            while matches!((&mut reader).take(LINE).read_until(b'\n', &mut line), Ok(n) if n > 0) {
                *at += line.len() as u64;
                self.line(&line);
                line.clear();
            }
        }
        self.lock().files = files;
    }

    fn line(&self, bytes: &[u8]) {
        let line = String::from_utf8_lossy(bytes).trim_end().to_owned();
        let is_crash = self.crash.is_match(&line);
        let is_ready = self.ready.as_ref().is_some_and(|ready| ready.is_match(&line));
        let mut state = self.lock();
        state.ready |= is_ready;
        if is_crash && state.crashes.len() < LINES {
            state.crashes.push(line.clone());
        }
        if state.lines.len() >= LINES {
            state.lines.pop_front();
        }
        state.lines.push_back(line);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
