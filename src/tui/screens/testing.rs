//! Screens without the application: a context, keys, and the cells they give.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;

use crate::analysis::{Options, Pipeline};
use crate::capture::{Capture, Input, OpenOptions};
use crate::lint::Linter;
use crate::tui::action::Action;
use crate::tui::contract::{ClockMode, Ctx, Effect, Mouse, Screen, ScreenId, Shared};
use crate::tui::loader::Data;

/// Sizes that every screen must look right at.
pub const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// A screen with all that it needs.
pub struct Stage<S> {
    pub data: Data,
    pub shared: Shared,
    pub matches: Option<Vec<u32>>,
    pub screen: S,
    /// Screen that was asked for last.
    pub went: Option<ScreenId>,
    pub status: String,
}

/// A bundled capture as people see it: without secrets.
pub fn load(names: &[&str]) -> Data {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/captures");
    let inputs = names.iter().map(|name| Input::Path(format!("{dir}/{name}").into())).collect();
    let mut capture = Capture::open(inputs, OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options { tcp: true, ..Options::default() });
    let mut data = Data::new(false);
    let mut linter = Linter::new(crate::lint::Options::default());
    let mut push = |record| {
        linter.push(&record);
        data.push(record);
    };
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut push);
    }
    pipeline.finish(Vec::new(), &mut push);
    data.findings = linter.findings().to_vec();
    data
}

impl<S: Screen + Default> Stage<S> {
    pub fn new(name: &str, session: u32) -> Stage<S> {
        let shared = Shared { session, ..Shared::default() };
        Stage {
            data: load(&[name]),
            shared,
            matches: None,
            screen: S::default(),
            went: None,
            status: String::new(),
        }
    }
}

fn ctx<'a>(data: &'a Data, shared: &'a Shared, matches: &'a Option<Vec<u32>>) -> Ctx<'a> {
    Ctx {
        index: &data.index,
        shared,
        findings: &data.findings,
        figures: &data.figures,
        trails: &data.trails,
        matches: matches.as_deref(),
        detail: None,
        focused: true,
    }
}

impl<S: Screen> Stage<S> {
    /// The screen as text, colours left out. Four lines less than the terminal: tabs,
    /// the session, status, hints.
    pub fn text(&mut self, (width, height): (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height - 4)).unwrap();
        let ctx = ctx(&self.data, &self.shared, &self.matches);
        terminal
            .draw(|frame| self.screen.draw(&ctx, frame, Rect::new(0, 0, width, height - 4)))
            .unwrap();
        let buffer = terminal.backend().buffer();
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        let lines: Vec<String> = (0..height - 4).map(|y| line(y).trim_end().to_owned()).collect();
        lines.join("\n")
    }

    pub fn press(&mut self, actions: &[Action]) {
        for action in actions {
            let ctx = ctx(&self.data, &self.shared, &self.matches);
            let effects = self.screen.act(*action, &ctx);
            match effects {
                Some(effects) => effects.into_iter().for_each(|effect| self.apply(effect)),
                None if *action == Action::Clock => {
                    self.shared.clock = match self.shared.clock {
                        ClockMode::Capture => ClockMode::Rtmp,
                        ClockMode::Rtmp => ClockMode::Capture,
                    };
                }
                None => panic!("{action:?} is not for this screen"),
            }
        }
    }

    pub fn mouse(&mut self, mouse: Mouse) {
        let ctx = ctx(&self.data, &self.shared, &self.matches);
        let effects = self.screen.mouse(mouse, &ctx);
        effects.into_iter().for_each(|effect| self.apply(effect));
    }

    fn apply(&mut self, effect: Effect) {
        let session = self.data.index.session(self.shared.session).unwrap();
        match effect {
            Effect::Go(screen) => self.went = Some(screen),
            Effect::Row(row) => {
                self.shared.cursor.row = Some(row);
                self.shared.cursor.time = Some(session.rows[row].time);
            }
            Effect::Time(time) => {
                self.shared.cursor.time = Some(time);
                let after = session.rows.partition_point(|row| row.time <= time);
                self.shared.cursor.row = after.checked_sub(1);
            }
            Effect::Window(window) => self.shared.window = window,
            Effect::Session(number) => self.shared.session = number,
            Effect::Pick(picked) => self.shared.picked.push(picked),
            Effect::Status(text) | Effect::Trouble(text) => self.status = text,
            other => panic!("{other:?}"),
        }
    }
}
