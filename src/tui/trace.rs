//! Latencies for the benchmark: a line of JSON per event, when `RTMPSCOPE_TRACE` names a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Instant;

/// Writes what happened when. Without a file it does nothing.
#[derive(Debug)]
pub struct Trace {
    out: Option<BufWriter<File>>,
    start: Instant,
    painted: bool,
    loaded: bool,
}

impl Trace {
    /// `start`: when the program began.
    pub fn new(path: Option<&std::ffi::OsStr>, start: Instant) -> io::Result<Trace> {
        let out = path.map(File::create).transpose()?.map(BufWriter::new);
        Ok(Trace { out, start, painted: false, loaded: false })
    }

    /// A frame is on the terminal. `key`: when the key that caused it was read.
    pub fn painted(&mut self, key: Option<Instant>, messages: usize, loading: bool) {
        let now = Instant::now();
        let since_start = now.duration_since(self.start).as_secs_f64() * 1000.0;
        if !std::mem::replace(&mut self.painted, true) {
            self.line(&format!(r#"{{"event":"first_frame","ms":{since_start:.3}}}"#));
        }
        if let Some(key) = key {
            let took = now.duration_since(key).as_secs_f64() * 1000.0;
            self.line(&format!(
                r#"{{"event":"key_to_paint","ms":{took:.3},"messages":{messages},"loading":{loading}}}"#
            ));
        }
    }

    /// Everything was read.
    pub fn loaded(&mut self, messages: usize, bytes: usize) {
        if std::mem::replace(&mut self.loaded, true) {
            return;
        }
        let ms = self.start.elapsed().as_secs_f64() * 1000.0;
        self.line(&format!(
            r#"{{"event":"loaded","ms":{ms:.3},"messages":{messages},"index_bytes":{bytes}}}"#
        ));
    }

    fn line(&mut self, line: &str) {
        if let Some(out) = &mut self.out {
            // A benchmark that cannot be written must not end the program it measures.
            if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                self.out = None;
            }
        }
    }
}
