//! What the copy menu offers.

use super::overlay::MenuItem;
use super::state::App;
use crate::tui::contract::{Ctx, Effect, ExportKind};
use crate::tui::loader::Data;

/// Longest preview beside a line.
const PREVIEW: usize = 48;

/// The lines of the menu: what the screen offers, then what there is everywhere.
pub(super) fn items(app: &App, data: &Data) -> Vec<MenuItem> {
    let ctx = app.ctx(data);
    let mut all: Vec<(String, String)> = Vec::new();
    if let Some(screen) = app.current() {
        all.extend(screen.copies(&ctx));
    }
    if let Some(json) = row_json(&ctx) {
        all.push(("JSON of the message".into(), json));
    }
    if let Some(filter) = row_filter(&ctx) {
        all.push(("filter for such messages".into(), filter));
    }
    if let Some(filter) = app.filter.active() {
        all.push(("the filter".into(), filter.to_owned()));
        if let Some(tshark) = app.filter.filter().and_then(|filter| filter.to_tshark()) {
            all.push(("tshark filter".into(), tshark));
        }
    }
    if let Some(frames) = frame_filter(&ctx) {
        all.push(("tshark filter of its packets".into(), frames));
    }
    all.push(("command line to here".into(), app.command_line()));
    let keys = ('a'..='z').filter(|c| !"jk".contains(*c));
    let item = |((label, text), key): ((String, String), char)| MenuItem {
        key,
        preview: preview(&text),
        effect: Effect::Copy(text, label.clone()),
        label,
    };
    all.into_iter().zip(keys).map(item).collect()
}

fn preview(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.chars().count() > PREVIEW {
        true => line.chars().take(PREVIEW).chain(['…']).collect(),
        false => line,
    }
}

fn row_json(ctx: &Ctx<'_>) -> Option<String> {
    let (session, row) = (ctx.session()?, ctx.row()?);
    let place = session.place(row);
    let mut object = serde_json::Map::new();
    let mut put = |name: &str, value: serde_json::Value| object.insert(name.to_owned(), value);
    put("session", session.number().into());
    put("row", ctx.shared.cursor.row.map(|row| row + 1).into());
    put("time", ctx.seconds(row.time).into());
    put("direction", row.direction().name().into());
    put("type", row.type_id.kind().into());
    put("type_id", row.type_id.0.into());
    put("timestamp", row.timestamp.into());
    put("stream_id", row.stream_id().into());
    put("csid", row.csid().into());
    put("length", row.length.into());
    put("complete", row.complete().into());
    put("frames", vec![place.first_frame, place.last_frame].into());
    if !row.label.is_none() {
        put("label", ctx.text(row.label).into());
    }
    if !row.code().is_none() {
        put("code", ctx.text(row.code()).into());
    }
    if let Some(detail) = ctx.detail {
        put("words", detail.words.as_str().into());
    }
    serde_json::to_string(&object).ok()
}

/// A filter that takes messages like this one.
fn row_filter(ctx: &Ctx<'_>) -> Option<String> {
    let row = ctx.row()?;
    let label = ctx.text(row.label);
    let mut text = format!("type=={}", row.type_id.kind());
    if !row.type_id.is_known() {
        text = format!("type=={}", row.type_id.0);
    } else if row.media == crate::analysis::index::MediaKind::Key {
        text.push_str(" && key");
    } else if matches!(row.type_id.0, 17 | 20) && !label.is_empty() {
        text = format!("cmd=={label:?}");
    }
    Some(text)
}

fn frame_filter(ctx: &Ctx<'_>) -> Option<String> {
    let place = ctx.session()?.place(ctx.row()?);
    match (place.first_frame, place.last_frame) {
        (0, _) => None,
        (first, last) if first == last => Some(format!("frame.number == {first}")),
        (first, last) => Some(format!("frame.number >= {first} && frame.number <= {last}")),
    }
}

/// Where an export goes unless another path is typed.
pub(super) fn default_path(kind: ExportKind, session: u32) -> String {
    let ending = match kind {
        ExportKind::Pcapng => "pcapng",
        ExportKind::Flv => "flv",
        ExportKind::Ndjson => "ndjson",
        ExportKind::Csv => "csv",
        ExportKind::Mermaid => "mmd",
    };
    format!("session-{session}.{ending}")
}
