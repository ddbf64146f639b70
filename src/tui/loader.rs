//! A thread that reads packets and fills the index.
//!
//! The screens look at the same index behind a lock. The thread decodes without holding it and puts
//! in what was decoded in portions of at most `PORTION`, so that a key never waits long; drawing
//! waits for nobody else.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::analysis::compare::Trails;
use crate::analysis::figures::Figures;
use crate::analysis::index::Index;
use crate::analysis::{Keys, Options, Pipeline, Record};
use crate::base::Packet;
use crate::capture::{
    Capture, Input, Next, OpenOptions, Progress, Secret, SecretKind, StopFlag, StoreReader,
    StoreWriter,
};
use crate::lint::{self, Finding, Linter};
use crate::report::Redactor;

/// Longest time that a portion holds the lock.
const PORTION: Duration = Duration::from_millis(1);
/// How long a wait for a packet may take before what came is shown.
const WAIT: Duration = Duration::from_millis(50);
/// Packets decoded before the lock is taken.
const BATCH: usize = 512;

/// What is known of the capture so far.
#[derive(Debug)]
pub struct Data {
    /// Sessions and messages, redacted.
    pub index: Index,
    /// What hides secrets; it learnt them while reading.
    pub redactor: Arc<Mutex<Redactor>>,
    /// What was found, redacted.
    pub findings: Vec<Finding>,
    /// Figures of the sessions.
    pub figures: Figures,
    /// Steps of the sessions, to compare them by.
    pub trails: Trails,
    /// Packets read.
    pub packets: u64,
    /// What went wrong while reading, a line each.
    pub errors: Vec<String>,
    /// Whether all was read.
    pub done: bool,
}

impl Data {
    /// Nothing yet.
    pub fn new(show_secrets: bool) -> Data {
        Data {
            index: Index::new(),
            redactor: Arc::new(Mutex::new(Redactor::new(show_secrets))),
            findings: Vec::new(),
            figures: Figures::new(),
            trails: Trails::new(),
            packets: 0,
            errors: Vec::new(),
            done: false,
        }
    }

    /// Takes the next record: learns its secrets, hides them, indexes it.
    pub fn push(&mut self, mut record: Record) {
        self.redactor.lock().unwrap_or_else(PoisonError::into_inner).redact(&mut record);
        self.index.push(&record);
        self.figures.push(&record);
        self.trails.push(&record);
    }

    /// Takes what was found so far; hides its secrets.
    pub fn set_findings(&mut self, found: &[Finding]) {
        let mut redactor = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        self.findings = found.to_vec();
        self.findings.iter_mut().for_each(|finding| redactor.finding(finding));
    }

    /// Says what went wrong while reading.
    fn set_errors(&mut self, errors: &[String]) {
        let redactor = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        self.errors = errors.iter().map(|line| redactor.clean(line)).collect();
    }
}

/// [`Data`] that a thread fills.
#[derive(Clone, Debug)]
pub struct SharedData(Arc<RwLock<Data>>);

impl SharedData {
    /// Nothing yet.
    pub fn new(show_secrets: bool) -> SharedData {
        SharedData(Arc::new(RwLock::new(Data::new(show_secrets))))
    }

    /// To look at. A thread that panicked while it held the lock leaves what it had put in.
    pub fn read(&self) -> RwLockReadGuard<'_, Data> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To change.
    pub fn write(&self) -> RwLockWriteGuard<'_, Data> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where packets come from.
pub trait PacketInput: Send {
    /// The next packet, if it comes within `timeout`.
    fn poll(&mut self, timeout: Duration) -> Next;

    /// Where the packet handed on last begins in its file, when it can be read there again.
    fn position(&self) -> Option<u64> {
        None
    }

    /// What went wrong so far, a line each.
    fn errors(&self) -> Vec<String>;

    /// Secrets that came with the packets.
    fn secrets(&self) -> &[Secret] {
        &[]
    }
}

impl PacketInput for Capture {
    fn poll(&mut self, timeout: Duration) -> Next {
        self.poll_packet(timeout)
    }

    fn position(&self) -> Option<u64> {
        Capture::position(self)
    }

    fn errors(&self) -> Vec<String> {
        Capture::errors(self).iter().map(ToString::to_string).collect()
    }

    fn secrets(&self) -> &[Secret] {
        Capture::secrets(self)
    }
}

#[cfg(feature = "live")]
impl PacketInput for crate::capture::LiveFeed {
    fn poll(&mut self, timeout: Duration) -> Next {
        self.poll_packet(timeout)
    }

    fn errors(&self) -> Vec<String> {
        let status = self.status();
        let drops = status.drops;
        let mut errors = status.errors;
        if drops.by_kernel + drops.by_interface > 0 {
            errors.push(format!(
                "{} packets dropped by the kernel, {} by the interface: what they held is missing",
                drops.by_kernel, drops.by_interface
            ));
        }
        errors
    }
}

/// How to read.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Ports to be taken for RTMP.
    pub decode_as: Vec<u16>,
    /// Secrets to decrypt with; those that the input brings are added.
    pub keys: Keys,
    /// Whether secrets stay as they are.
    pub show_secrets: bool,
    /// Limits of the rules.
    pub thresholds: lint::Thresholds,
}

/// A run of the thread.
#[derive(Debug)]
pub struct Loader {
    /// What it has filled.
    pub data: SharedData,
    /// Packets to be read again.
    pub store: StoreReader,
    /// How far it is; live capture has no such thing.
    pub progress: Option<Progress>,
    stop: StopFlag,
    finished: Arc<AtomicBool>,
    failure: Arc<Mutex<VecDeque<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Loader {
    /// Reads capture files. `Err` is why it cannot begin.
    pub fn open(inputs: Vec<Input>, follow: bool, options: LoadOptions) -> Result<Loader, String> {
        let stop = StopFlag::new();
        let store = StoreWriter::new(&inputs)
            .map_err(|e| format!("cannot make a temporary file for packets: {e}"))?;
        let capture = Capture::open(inputs, OpenOptions { follow, stop: stop.clone() })
            .map_err(|e| e.to_string())?;
        let progress = capture.progress();
        Loader::start(Box::new(capture), store, Some(progress), stop, options)
    }

    /// Reads packets from anywhere. `stop` ends the input.
    pub fn start(
        input: Box<dyn PacketInput>,
        store: StoreWriter,
        progress: Option<Progress>,
        stop: StopFlag,
        options: LoadOptions,
    ) -> Result<Loader, String> {
        let data = SharedData::new(options.show_secrets);
        let pipeline = Options {
            decode_as: options.decode_as,
            keys: options.keys.clone(),
            tcp: true,
            ..Options::default()
        };
        data.write().index.options = pipeline.clone();
        let finished = Arc::new(AtomicBool::new(false));
        let failure = Arc::new(Mutex::new(VecDeque::new()));
        let reader = store.reader();
        let mut worker = Worker {
            input,
            store: Some(store),
            data: data.clone(),
            stop: stop.clone(),
            pipeline: Pipeline::new(pipeline),
            linter: Linter::new(lint::Options {
                thresholds: options.thresholds,
                ..lint::Options::default()
            }),
            keys: options.keys,
            secrets: 0,
            batch: VecDeque::new(),
            packets: 0,
            failure: Arc::clone(&failure),
        };
        let end = Arc::clone(&finished);
        let thread = thread::Builder::new()
            .name("loader".into())
            .spawn(move || {
                worker.run();
                end.store(true, Ordering::SeqCst);
            })
            .map_err(|e| format!("cannot start the reading thread: {e}"))?;
        Ok(Loader { data, store: reader, progress, stop, finished, failure, thread: Some(thread) })
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
            || self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The next line about something that went wrong beside reading.
    pub fn take_failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Ends the thread and waits for it.
    pub fn stop(&mut self) {
        self.stop.stop();
        self.join();
    }

    /// Waits until everything was read.
    pub fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // Not waited for: a pipe that is silent would hold up leaving.
        self.stop.stop();
    }
}

struct Worker {
    input: Box<dyn PacketInput>,
    store: Option<StoreWriter>,
    data: SharedData,
    stop: StopFlag,
    pipeline: Pipeline,
    linter: Linter,
    keys: Keys,
    /// Secrets of the input that were taken over.
    secrets: usize,
    batch: VecDeque<Record>,
    packets: u64,
    failure: Arc<Mutex<VecDeque<String>>>,
}

impl Worker {
    fn run(&mut self) {
        let mut pending = 0;
        let mut published = Instant::now();
        loop {
            match self.input.poll(WAIT) {
                Next::Packet(packet) => {
                    self.packet(&packet);
                    pending += 1;
                    // Slow traffic is shown as it comes, though it is never idle.
                    let is_due = published.elapsed() >= WAIT;
                    if is_due || pending >= BATCH || self.batch.len() >= BATCH {
                        self.publish(is_due);
                        pending = 0;
                        published = Instant::now();
                    }
                }
                Next::Idle => {
                    self.publish(true);
                    pending = 0;
                    published = Instant::now();
                }
                Next::End => break,
            }
            if self.stop.is_set() && pending == 0 {
                break;
            }
        }
        let errors = self.input.errors();
        let batch = &mut self.batch;
        self.pipeline.finish(errors.clone(), &mut |record| batch.push_back(record));
        self.publish(true);
        let mut data = self.data.write();
        data.set_errors(&errors);
        data.done = true;
    }

    fn packet(&mut self, packet: &Packet) {
        self.packets += 1;
        if let Some(store) = &mut self.store
            && let Err(error) = store.push(packet, self.input.position())
        {
            // The index goes on without it: only bytes cannot be shown then.
            self.fail(format!("packets cannot be kept to be read again: {error}"));
            self.store = None;
        }
        for secret in self.input.secrets().iter().skip(self.secrets) {
            if secret.kind == SecretKind::TLS_KEY_LOG {
                self.keys.add_text(&String::from_utf8_lossy(&secret.data));
            }
        }
        self.secrets = self.input.secrets().len();
        let batch = &mut self.batch;
        self.pipeline.push(packet, &mut |record| batch.push_back(record));
    }

    /// Hands over what was decoded. `idle`: nothing more comes for now.
    fn publish(&mut self, idle: bool) {
        if let Some(store) = &mut self.store
            && let Err(error) = store.flush()
        {
            self.fail(format!("packets cannot be kept to be read again: {error}"));
            self.store = None;
        }
        loop {
            // The rules look at what was said, the index at what may be shown of it.
            let portion = self.batch.len().min(BATCH);
            for record in self.batch.iter().take(portion) {
                self.linter.push(record);
            }
            let mut left = portion;
            while left > 0 {
                let mut data = self.data.write();
                let began = Instant::now();
                while left > 0 {
                    left -= 1;
                    if let Some(record) = self.batch.pop_front() {
                        data.push(record);
                    }
                    if left.is_multiple_of(16) && began.elapsed() > PORTION {
                        break;
                    }
                }
                drop(data);
                // Whoever waits for the lock gets it before the next portion.
                thread::yield_now();
            }
            if self.batch.is_empty() {
                break;
            }
        }
        let found = self.linter.findings();
        let mut data = self.data.write();
        data.packets = self.packets;
        if idle || found.len() != data.findings.len() {
            data.set_findings(found);
        }
        if idle {
            data.set_errors(&self.input.errors());
        }
    }

    fn fail(&self, line: String) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).push_back(line);
    }
}
