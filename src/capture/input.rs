//! Where capture bytes come from: files, standard input, any reader; growing; compressed.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::error::{CaptureErrorKind, OpenError};
use super::stop::{Progress, StopFlag};

/// How often a followed file is looked at once its end is reached.
const POLL: Duration = Duration::from_millis(50);

/// One input of a capture.
pub enum Input {
    /// A file, a named pipe or a device.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// Anything that reads; what one `read` returns is decoded before the next.
    Reader(Box<dyn Read + Send>),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Input {
    /// The name that errors use.
    pub(super) fn name(&self) -> String {
        match self {
            Input::Path(path) => path.display().to_string(),
            Input::Stdin => "standard input".to_owned(),
            Input::Reader(_) => "stream".to_owned(),
        }
    }

    /// Size when it is a regular file, whose reads never wait.
    pub(super) fn file_size(&self) -> Option<u64> {
        match self {
            Input::Path(path) => {
                std::fs::metadata(path).ok().filter(Metadata::is_file).map(|meta| meta.len())
            }
            _ => None,
        }
    }

    /// Opens for reading from the start.
    pub(super) fn open(self, watch: Watch) -> Result<ByteSource, OpenError> {
        let input = self.name();
        let fail = |source| OpenError { input: input.clone(), source };
        let mut prompt = true;
        let raw: Box<dyn Read + Send> = match self {
            Input::Stdin => Box::new(io::stdin()),
            Input::Reader(reader) => reader,
            Input::Path(path) => {
                let file = File::open(&path).map_err(fail)?;
                let meta = file.metadata().map_err(fail)?;
                if meta.is_dir() {
                    return Err(fail(io::ErrorKind::IsADirectory.into()));
                }
                if watch.follow && meta.is_file() {
                    Box::new(Follower { file, path, read: 0, watch: watch.clone() })
                } else {
                    prompt = !meta.is_file();
                    Box::new(file)
                }
            }
        };
        Ok(ByteSource { state: State::Raw(Metered { raw, watch }), prompt, failure: None })
    }
}

/// What a reading side needs to know of the run.
#[derive(Clone, Default)]
pub(super) struct Watch {
    pub(super) follow: bool,
    pub(super) stop: StopFlag,
    /// Set when nobody waits for the bytes any more.
    pub(super) closed: Arc<AtomicBool>,
    pub(super) progress: Progress,
}

impl Watch {
    fn ended(&self) -> bool {
        self.stop.is_set() || self.closed.load(Ordering::SeqCst)
    }
}

/// Counts what is read, and retries what the system asks to retry.
struct Metered {
    raw: Box<dyn Read + Send>,
    watch: Watch,
}

impl Read for Metered {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.raw.read(buf) {
                Ok(n) => {
                    self.watch.progress.add(n as u64);
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // Standard input inherits O_NONBLOCK from whoever shares its terminal.
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    if self.watch.ended() {
                        return Ok(0);
                    }
                    thread::sleep(POLL / 5);
                }
                Err(e) => return Err(e),
            }
        }
    }
}

/// A file that grows: its end is waited at, not reported.
struct Follower {
    file: File,
    path: PathBuf,
    read: u64,
    watch: Watch,
}

impl Follower {
    /// Why there is nothing more to wait for.
    fn over(&mut self) -> io::Result<Option<CaptureErrorKind>> {
        let here = self.file.metadata()?;
        if here.len() < self.read {
            let (read, now) = (self.read, here.len());
            return Ok(Some(CaptureErrorKind::FollowTruncated { read, now }));
        }
        match std::fs::metadata(&self.path) {
            Ok(there) if !same_file(&here, &there) => Ok(Some(CaptureErrorKind::FollowReplaced)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Ok(Some(CaptureErrorKind::FollowRemoved))
            }
            _ => Ok(None),
        }
    }
}

impl Read for Follower {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut over = None;
        loop {
            let stopped = self.watch.ended();
            let n = self.file.read(buf)?;
            self.read += n as u64;
            // Bytes written between the last read and the end of following still count: whether
            // it is over is asked first, acted on after one more read.
            if n > 0 || stopped {
                return Ok(n);
            }
            if let Some(kind) = over {
                return Err(io::Error::other(FollowEnd(kind)));
            }
            over = self.over()?;
            match over {
                Some(CaptureErrorKind::FollowTruncated { .. }) => {
                    // Never read what replaced the bytes that are gone.
                    self.file.seek(io::SeekFrom::End(0))?;
                }
                Some(_) => {}
                None => thread::sleep(POLL),
            }
        }
    }
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Carries the end of following through `io::Error`, past a decompressor.
#[derive(Debug)]
struct FollowEnd(CaptureErrorKind);

impl fmt::Display for FollowEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for FollowEnd {}

/// The bytes of one input, uncompressed.
pub(super) struct ByteSource {
    state: State,
    /// Whether each read must be handed on at once, since the next one may wait.
    pub(super) prompt: bool,
    /// Why reading ended, when bytes had to be handed on before saying so.
    pub(super) failure: Option<CaptureErrorKind>,
}

enum State {
    /// Not yet looked at.
    Raw(Metered),
    Plain(io::Chain<io::Cursor<Vec<u8>>, Metered>),
    Gzip(flate2::read::MultiGzDecoder<io::Chain<io::Cursor<Vec<u8>>, Metered>>),
    Zstd(ZstdDecoder),
    Failed,
}

type ZstdDecoder =
    zstd::stream::read::Decoder<'static, io::BufReader<io::Chain<io::Cursor<Vec<u8>>, Metered>>>;

/// Most bytes asked of a decompressor at once: when it meets damage, what it had of one call is lost.
const DECOMPRESS_STEP: usize = 32 << 10;

impl ByteSource {
    /// Reads what there is into `buf`; 0 at the end.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, CaptureErrorKind> {
        if let Some(kind) = self.failure.take() {
            return Err(kind);
        }
        if let State::Raw(_) = self.state {
            self.sniff()?;
        }
        let step = buf.len().min(DECOMPRESS_STEP);
        let (format, result) = match &mut self.state {
            State::Plain(plain) => (None, plain.read(buf)),
            State::Gzip(gzip) => (Some("gzip"), gzip.read(&mut buf[..step])),
            State::Zstd(zstd) => (Some("zstd"), zstd.read(&mut buf[..step])),
            State::Raw(_) | State::Failed => return Ok(0),
        };
        result.map_err(|e| {
            self.state = State::Failed;
            explain(e, format)
        })
    }

    /// Looks at the first four bytes.
    fn sniff(&mut self) -> Result<(), CaptureErrorKind> {
        let State::Raw(mut raw) = std::mem::replace(&mut self.state, State::Failed) else {
            return Ok(());
        };
        let mut start = Vec::with_capacity(4);
        while start.len() < 4 {
            let mut more = [0; 4];
            match raw.read(&mut more[start.len()..]).map_err(|e| explain(e, None))? {
                0 => break,
                n => start.extend_from_slice(&more[start.len()..start.len() + n]),
            }
        }
        let head: [u8; 4] = start.as_slice().try_into().unwrap_or_default();
        let whole = io::Cursor::new(start).chain(raw);
        self.state = match head {
            [0x1f, 0x8b, ..] => State::Gzip(flate2::read::MultiGzDecoder::new(whole)),
            // A zstd frame, or a skippable frame, which parallel compressors put first.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                let decoder = zstd::stream::read::Decoder::new(whole);
                State::Zstd(decoder.map_err(|e| explain(e, Some("zstd")))?)
            }
            _ => State::Plain(whole),
        };
        Ok(())
    }
}

fn explain(error: io::Error, format: Option<&'static str>) -> CaptureErrorKind {
    if let Some(FollowEnd(kind)) = error.get_ref().and_then(|e| e.downcast_ref()) {
        return kind.clone();
    }
    // An error number comes from the system, not from a decompressor.
    match format {
        Some(format) if error.raw_os_error().is_none() => CaptureErrorKind::Compression {
            format,
            cut: error.kind() == io::ErrorKind::UnexpectedEof,
            message: error.to_string(),
        },
        _ => CaptureErrorKind::Read { message: error.to_string() },
    }
}
