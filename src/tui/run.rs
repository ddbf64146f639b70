//! The terminal: set up, events, drawing, and back as it was.

use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    Event, KeyEventKind,
};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::app::{App, LoadState, Outcome};
use super::clipboard;
use super::contract::ExportKind;
use super::keymap::Key;
use super::loader::{Loader, SharedData};
use super::mouse::MouseTracker;
use super::trace::Trace;
use super::view;
use crate::analysis::Keys;
use crate::capture::StoreReader;

/// Time between frames while something moves by itself.
const FRAME: Duration = Duration::from_millis(50);
/// Time between looks at signals while nothing moves.
const IDLE: Duration = Duration::from_millis(250);
/// Longest time spent on filters and searches before keys are looked at again.
const SLICE: Duration = Duration::from_millis(8);

/// Writes an export. Gives a line for the person.
pub type Exporter = fn(&ExportJob) -> Result<String, String>;

/// What to write.
#[derive(Clone, Debug)]
pub struct ExportJob {
    /// The kind.
    pub kind: ExportKind,
    /// The path.
    pub path: String,
    /// The session.
    pub session: u32,
    /// Rows that the filter takes; `None` for all.
    pub rows: Option<Vec<u32>>,
    /// What was read.
    pub data: SharedData,
    /// Packets to be read again.
    pub store: StoreReader,
    /// Whether secrets are shown.
    pub show_secrets: bool,
    /// Ports to be taken for RTMP.
    pub decode_as: Vec<u16>,
    /// Secrets to decrypt with.
    pub keys: Keys,
}

/// What the outside gives.
pub struct Host<'a> {
    /// Opens the input again, with secrets shown or hidden; `Err` says why that cannot be.
    pub reload: &'a mut dyn FnMut(bool) -> Result<Loader, String>,
    /// Writes files.
    pub export: Exporter,
    /// Ports to be taken for RTMP.
    pub decode_as: Vec<u16>,
    /// Secrets to decrypt with.
    pub keys: Keys,
    /// Exports under way.
    pub exports: Vec<JoinHandle<Result<String, String>>>,
    /// Set by a signal: leave.
    pub quit: &'a AtomicBool,
    /// Latencies.
    pub trace: Trace,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Whether the terminal is tmux.
    pub in_tmux: bool,
    /// A key that panics, for the test of the panic hook.
    pub panic_key: Option<Key>,
}

/// Whether the terminal is ours and must be given back.
static OURS: AtomicBool = AtomicBool::new(false);

/// What other threads said when they panicked: it would be lost on the screens.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

type Screen = Terminal<CrosstermBackend<io::Stdout>>;

/// Runs the application until it is left.
pub fn run(mut app: App, mut loader: Loader, mut host: Host<'_>) -> Result<(), String> {
    let guard = Guard::take(host.mouse).map_err(|e| format!("cannot set up the terminal: {e}"))?;
    let outcome = match Terminal::new(CrosstermBackend::new(io::stdout())) {
        Ok(mut terminal) => events(&mut terminal, &mut app, &mut loader, &mut host),
        Err(error) => Err(error),
    };
    drop(guard);
    for panic in PANICS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        eprintln!("{panic}");
    }
    // A file that was asked for is finished; what is said of it goes where it is seen.
    for export in host.exports.drain(..) {
        match export.join() {
            Ok(Ok(line)) => eprintln!("{line}"),
            Ok(Err(line)) => eprintln!("rtmpscope: {line}"),
            Err(_) => {}
        }
    }
    loader.stop();
    outcome.map_err(|e| e.to_string())
}

fn events(
    terminal: &mut Screen,
    app: &mut App,
    loader: &mut Loader,
    host: &mut Host<'_>,
) -> io::Result<()> {
    let mut mouse = MouseTracker::default();
    let mut key_read: Option<Instant> = None;
    let mut more = paint(terminal, app, loader, host, None)?;
    let mut next_frame = Instant::now() + FRAME;
    loop {
        if host.quit.load(Ordering::SeqCst) {
            return Ok(());
        }
        let finished = loader.is_finished();
        if finished && !loader.data.read().done {
            return Err(io::Error::other("the reading thread failed; please report it"));
        }
        let wait = match () {
            () if key_read.is_some() => Duration::ZERO,
            () if more => Duration::ZERO,
            () if finished && host.exports.is_empty() => IDLE,
            () => next_frame.saturating_duration_since(Instant::now()),
        };
        let mut outcomes = Vec::new();
        let mut dirty = false;
        // Whatever waits is taken before anything is drawn: a held key must not queue frames.
        let mut timeout = wait;
        while event::poll(timeout)? {
            timeout = Duration::ZERO;
            dirty = true;
            let now = Instant::now();
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    key_read.get_or_insert(now);
                    let key = Key::from(key);
                    if host.panic_key == Some(key) {
                        panic!("asked for by key");
                    }
                    let data = loader.data.read();
                    outcomes.extend(app.key(key, &data));
                }
                Event::Mouse(event) => {
                    if let Some(event) = mouse.event(event, now) {
                        let data = loader.data.read();
                        outcomes.extend(app.mouse(event, &data));
                    } else {
                        dirty = key_read.is_some();
                    }
                }
                Event::Paste(text) => app.paste(&text, &loader.data.read()),
                Event::Resize(..) => {}
                _ => dirty = key_read.is_some(),
            }
            if !outcomes.is_empty() {
                break;
            }
        }
        for outcome in outcomes {
            if perform(outcome, terminal, app, loader, host)? {
                return Ok(());
            }
        }
        while let Some(at) = host.exports.iter().position(JoinHandle::is_finished) {
            tell(app, host.exports.remove(at).join());
            dirty = true;
        }
        if let Some(line) = loader.take_failure() {
            app.trouble(line);
            dirty = true;
        }
        let now = Instant::now();
        let moves = !finished && !app.shared.paused;
        if dirty || more || (moves && now >= next_frame) || (finished && !app.knows_all()) {
            more = paint(terminal, app, loader, host, key_read.take())?;
            next_frame = Instant::now() + FRAME;
        } else if now >= next_frame {
            next_frame = now + FRAME;
        }
    }
}

/// Works a little and draws; true when there is more work.
fn paint(
    terminal: &mut Screen,
    app: &mut App,
    loader: &Loader,
    host: &mut Host<'_>,
    key: Option<Instant>,
) -> io::Result<bool> {
    app.set_load(LoadState {
        read: loader.progress.as_ref().map_or(0, |progress| progress.bytes_read()),
        total: loader.progress.as_ref().and_then(|progress| progress.bytes_total()),
        live: loader.progress.is_none(),
    });
    let began = Instant::now();
    let mut store = loader.store.clone();
    let data = loader.data.read();
    let mut more = true;
    while more && began.elapsed() < SLICE {
        more = app.tick(&data, &mut store);
    }
    app.set_knows_all(data.done);
    terminal.draw(|frame| view::draw(app, &data, frame))?;
    host.trace.painted(key, data.index.messages(), !data.done);
    if data.done {
        host.trace.loaded(data.index.messages(), data.index.memory());
    }
    Ok(more)
}

/// Tells how an export went.
fn tell(app: &mut App, outcome: thread::Result<Result<String, String>>) {
    match outcome {
        Ok(Ok(line)) => app.say(line),
        Ok(Err(line)) => app.trouble(line),
        Err(_) => app.trouble("the export failed"),
    }
}

/// Does what the application cannot; true when it is left.
fn perform(
    outcome: Outcome,
    terminal: &mut Screen,
    app: &mut App,
    loader: &mut Loader,
    host: &mut Host<'_>,
) -> io::Result<bool> {
    match outcome {
        Outcome::Quit => return Ok(true),
        Outcome::Redraw => terminal.clear()?,
        Outcome::Copy(text) => match clipboard::sequence(&text, host.in_tmux) {
            Some(sequence) => {
                let mut out = io::stdout();
                out.write_all(sequence.as_bytes())?;
                out.flush()?;
            }
            None => app.trouble(format!(
                "{} bytes are more than terminals take into the clipboard",
                text.len()
            )),
        },
        Outcome::Reload { show_secrets } => match (host.reload)(show_secrets) {
            Ok(new) => {
                let mut old = std::mem::replace(loader, new);
                old.stop();
                app.reloaded(show_secrets);
            }
            Err(error) => app.trouble(error),
        },
        Outcome::Export { kind, path, session } => {
            let job = ExportJob {
                kind,
                path,
                session,
                rows: app.filter.matches(session).map(<[u32]>::to_vec),
                data: loader.data.clone(),
                store: loader.store.clone(),
                show_secrets: app.shared.show_secrets,
                decode_as: host.decode_as.clone(),
                keys: host.keys.clone(),
            };
            app.say(format!("writing {}", job.path));
            let write = host.export;
            let thread = thread::Builder::new().name("export".into());
            host.exports.push(thread.spawn(move || write(&job))?);
        }
    }
    Ok(false)
}

/// Holds the terminal; gives it back when dropped.
struct Guard;

impl Guard {
    fn take(mouse: bool) -> io::Result<Guard> {
        let hook = panic::take_hook();
        let main = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            // Another thread's end is not the end of the screens.
            if OURS.load(Ordering::SeqCst) && thread::current().id() != main {
                let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
                panics.push(info.to_string());
                return;
            }
            // The message must come out on the screen that stays.
            restore();
            hook(info);
        }));
        enable_raw_mode()?;
        OURS.store(true, Ordering::SeqCst);
        let guard = Guard;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        if mouse {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, once; false when it was given back before.
pub fn restore() -> bool {
    let ours = OURS.swap(false, Ordering::SeqCst);
    if ours {
        // There is nobody left to tell if this fails.
        let _ = execute!(
            io::stdout(),
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            ratatui::crossterm::cursor::Show
        );
        let _ = disable_raw_mode();
    }
    ours
}
