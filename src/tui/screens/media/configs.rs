//! What codec configurations and metadata say.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::analysis::figures::SessionFigures;
use crate::analysis::index::SessionIndex;
use crate::report::codec_config;
use crate::tui::contract::Ctx;
use crate::tui::screens::chart::{cut, put};
use crate::tui::screens::scroll::Scroll;
use crate::tui::theme::Role;
use crate::tui::view::widgets::paint;
use crate::wire::amf::Value;

/// Most lines: a sender may repeat its configuration with every key frame.
const MAX_LINES: usize = 4096;

/// A line: row of its message, indent, text, look.
#[derive(Clone, Debug)]
pub struct Line {
    /// Row of the message that says it.
    pub row: usize,
    text: String,
    role: Role,
}

/// Configurations and metadata, in order.
#[derive(Debug, Default)]
pub struct Configs {
    /// The lines.
    pub lines: Vec<Line>,
    /// Selection.
    pub scroll: Scroll,
    /// Where the list is.
    pub area: Rect,
}

impl Configs {
    /// Takes what the session sent.
    pub fn set(&mut self, ctx: &Ctx<'_>, session: &SessionIndex, figures: &SessionFigures) {
        let mut lines: Vec<Line> = Vec::new();
        let time = |row: usize| {
            session
                .rows
                .get(row)
                .map_or_else(String::new, |row| format!("{:.3}", ctx.seconds(row.time)))
        };
        for config in &session.configs {
            let track = config.track.map_or_else(String::new, |track| format!(" track {track}"));
            let head = format!(
                "{} s {}{track} {}",
                time(config.row),
                config.media.kind(),
                config.config.codec
            );
            lines.push(Line { row: config.row, text: head, role: Role::Title });
            let mut inner = |name: &str, text: String| {
                lines.push(Line {
                    row: config.row,
                    text: format!("  {name:<12} {text}"),
                    role: Role::Text,
                });
            };
            inner("summary", codec_config(&config.config));
            let c = &config.config;
            let mut fact = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    inner(name, value);
                }
            };
            fact("profile", c.profile.clone());
            fact("level", c.level.clone());
            fact("chroma", c.chroma.map(str::to_owned));
            fact("bit depth", c.bit_depth.map(|bits| bits.to_string()));
            fact("NAL length", c.nal_length_size.map(|size| format!("{size} bytes")));
            fact("sample rate", c.sample_rate.map(|rate| format!("{rate} Hz")));
            fact("channels", c.channels.map(|channels| channels.to_string()));
        }
        for metadata in &session.metadata {
            let head = format!("{} s onMetaData", time(metadata.row));
            lines.push(Line { row: metadata.row, text: head, role: Role::Title });
            for pair in &metadata.pairs {
                let name = pair.name.lossy();
                let against = figures.contradictions.iter().find(|found| found.name == name);
                let mut text = format!("  {name:<18} {}", value(&pair.value));
                if let Some(found) = against {
                    let cross = ctx.theme().glyphs().cross;
                    text.push_str(&format!("  {cross} {} says {}", found.source, found.actual));
                }
                let role = if against.is_some() { Role::Warning } else { Role::Text };
                lines.push(Line { row: metadata.row, text, role });
            }
        }
        // By row, the lines of one message together.
        lines.sort_by_key(|line| line.row);
        lines.truncate(MAX_LINES);
        self.lines = lines;
    }

    /// Row of the selected line.
    pub fn selected(&self) -> Option<usize> {
        self.lines.get(self.scroll.selected).map(|line| line.row)
    }

    /// Draws them.
    pub fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect, focused: bool) {
        let theme = ctx.theme();
        let buffer = frame.buffer_mut();
        let dim = theme.style(Role::Dim);
        put(buffer, area.x, area.y, area.width, "configurations and metadata", dim);
        let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        self.area = list;
        if self.lines.is_empty() {
            put(buffer, list.x, list.y, list.width, "none in this session", dim);
            return;
        }
        self.scroll.fit(list.height.into(), self.lines.len());
        let lines = self.lines.iter().enumerate().skip(self.scroll.first);
        for (y, (at, line)) in lines.take(list.height.into()).enumerate() {
            let text = cut(&line.text, list.width, theme);
            put(buffer, list.x, list.y + y as u16, list.width, &text, theme.style(line.role));
            if at == self.scroll.selected && focused {
                let role = if ctx.focused { Role::Selected } else { Role::SelectedDim };
                paint(buffer, list, y as u16, theme.style(role));
            }
        }
    }
}

/// A value of metadata, in short.
fn value(value: &Value) -> String {
    match value {
        Value::Boolean(yes) => if *yes { "true" } else { "false" }.into(),
        Value::Null => "null".into(),
        _ if !value.properties().is_empty() => {
            format!("{{{} properties}}", value.properties().len())
        }
        _ => match (value.as_number(), value.as_text()) {
            (Some(number), _) => number.to_string(),
            (_, Some(text)) => text.lossy().into_owned(),
            _ => "(other)".into(),
        },
    }
}
