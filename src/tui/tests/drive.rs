//! An application without a terminal: keys in, cells out.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::analysis::{Options, Pipeline};
use crate::capture::{Capture, Input, OpenOptions, StoreReader, StoreWriter};
use crate::lint::Linter;
use crate::tui::app::{App, Outcome, Start};
use crate::tui::contract::Mouse;
use crate::tui::keymap::Keymap;
use crate::tui::loader::Data;
use crate::tui::theme::Theme;
use crate::tui::view;

/// The application on a capture that was read whole.
pub struct Drive {
    pub app: App,
    pub data: Data,
    pub store: StoreReader,
    terminal: Terminal<TestBackend>,
    pub outcomes: Vec<Outcome>,
}

/// A bundled capture, read whole.
pub fn read(name: &str, show_secrets: bool) -> (Data, StoreReader) {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let inputs = || vec![Input::Path(path.clone().into())];
    let mut store = StoreWriter::new(&inputs()).unwrap();
    let mut capture = Capture::open(inputs(), OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options::default());
    let mut linter = Linter::new(crate::lint::Options::default());
    let mut data = Data::new(show_secrets);
    while let Some(packet) = capture.next_packet() {
        store.push(&packet, capture.position()).unwrap();
        pipeline.push(&packet, &mut |record| {
            linter.push(&record);
            data.push(record);
        });
    }
    store.flush().unwrap();
    pipeline.finish(Vec::new(), &mut |record| {
        linter.push(&record);
        data.push(record);
    });
    data.set_findings(linter.findings());
    data.done = true;
    let reader = store.reader();
    (data, reader)
}

impl Drive {
    pub fn open(name: &str) -> Drive {
        Drive::start(name, Start { captures: vec![name.into()], ..Start::default() })
    }

    pub fn start(name: &str, start: Start) -> Drive {
        let (data, store) = read(name, start.show_secrets);
        let app = App::new(start, Keymap::default(), Theme::default());
        let terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let mut drive = Drive { app, data, store, terminal, outcomes: Vec::new() };
        drive.settle();
        drive
    }

    /// Works until there is nothing to do but wait for a key.
    pub fn settle(&mut self) {
        while self.app.tick(&self.data, &mut self.store) {}
        self.app.tick(&self.data, &mut self.store);
    }

    /// Presses keys, written with spaces between them; `'text'` types text.
    pub fn keys(&mut self, keys: &str) -> &mut Drive {
        let mut rest = keys.trim();
        while !rest.is_empty() {
            let quoted = rest.strip_prefix('"').and_then(|inner| inner.split_once('"'));
            if let Some((text, after)) = quoted {
                for c in text.chars() {
                    let key = if c == ' ' { "space".to_owned() } else { c.to_string() };
                    self.press(&key);
                }
                rest = after.trim_start();
            } else {
                let (key, after) = rest.split_once(' ').unwrap_or((rest, ""));
                self.press(key);
                rest = after.trim_start();
            }
        }
        self
    }

    fn press(&mut self, key: &str) {
        let outcomes = self.app.key(key.parse().expect(key), &self.data);
        self.outcomes.extend(outcomes);
        self.settle();
        // Screens learn their sizes while they are drawn.
        self.paint();
    }

    pub fn mouse(&mut self, mouse: Mouse) {
        let outcomes = self.app.mouse(mouse, &self.data);
        self.outcomes.extend(outcomes);
        self.settle();
        self.paint();
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.terminal.backend_mut().resize(width, height);
        self.paint();
    }

    pub fn paint(&mut self) {
        let Drive { app, data, terminal, .. } = self;
        terminal.draw(|frame| view::draw(app, data, frame)).unwrap();
    }

    /// The screen as text, without blanks at the ends of lines.
    pub fn screen(&mut self) -> String {
        self.paint();
        let text = self.terminal.backend().to_string();
        let line = |line: &str| line.trim_matches('"').trim_end().to_owned();
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    pub fn at(&mut self, width: u16, height: u16) -> String {
        self.resize(width, height);
        self.screen()
    }

    /// What was handed to the clipboard last.
    pub fn copied(&self) -> &str {
        let copies = self.outcomes.iter().rev();
        let copied = copies.filter_map(|outcome| match outcome {
            Outcome::Copy(text) => Some(text.as_str()),
            _ => None,
        });
        copied.into_iter().next().unwrap_or("")
    }
}
