//! One finding in full: what was seen, what it means, what to do, where it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::Direction;
use crate::lint::{Finding, Place, Severity};
use crate::tui::contract::Ctx;
use crate::tui::theme::Role;
use crate::tui::view::widgets::put;

/// A paragraph: how it looks, and its text.
type Paragraph = (Role, String);

/// How a severity looks.
pub fn role(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Error,
        Severity::Warning => Role::Warning,
        Severity::Note => Role::Note,
    }
}

/// Its letter.
pub fn letter(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "E",
        Severity::Warning => "W",
        Severity::Note => "N",
    }
}

/// Who sent what it is about.
pub fn who(direction: Option<Direction>) -> &'static str {
    match direction {
        Some(Direction::ClientToServer) => "client",
        Some(Direction::ServerToClient) => "server",
        None => "",
    }
}

/// Draws it into an area, from line `from` on; gives the number of lines there are.
pub fn draw(
    ctx: &Ctx<'_>,
    finding: &Finding,
    buffer: &mut Buffer,
    area: Rect,
    from: usize,
) -> usize {
    let theme = ctx.theme();
    let width = usize::from(area.width);
    let mut lines = Vec::new();
    for (role, text) in paragraphs(ctx, finding) {
        let wrapped = wrap(&text, width);
        lines.extend(wrapped.into_iter().map(|line| (role, line)));
    }
    for (y, (role, line)) in lines.iter().skip(from).take(area.height.into()).enumerate() {
        put(buffer, area, 0, y as u16, line, theme.style(*role));
    }
    lines.len()
}

/// The same as plain text, for the clipboard.
pub fn text(ctx: &Ctx<'_>, finding: &Finding) -> String {
    let paragraphs = paragraphs(ctx, finding);
    let lines: Vec<String> = paragraphs.into_iter().map(|(_, text)| text).collect();
    lines.join("\n").trim_end().to_owned()
}

fn paragraphs(ctx: &Ctx<'_>, finding: &Finding) -> Vec<Paragraph> {
    let rule = finding.rule;
    let mut out = vec![
        (Role::Title, rule.title.to_owned()),
        (role(finding.severity), finding.message.verbatim()),
        (Role::Text, String::new()),
        (Role::Name, "Means".to_owned()),
        (Role::Text, rule.explanation.to_owned()),
        (Role::Text, String::new()),
        (Role::Name, "Do".to_owned()),
        (Role::Text, rule.advice.to_owned()),
        (Role::Text, String::new()),
        (Role::Name, "Seen".to_owned()),
        (Role::Text, place(ctx, &finding.place)),
    ];
    for more in &finding.more {
        out.push((Role::Text, place(ctx, more)));
    }
    let listed = 1 + finding.more.len() as u64;
    if finding.count > listed {
        let last = ctx.seconds(finding.last);
        let text = format!("and {} more times, last at {last:.6} s", finding.count - listed);
        out.push((Role::Dim, text));
    }
    for related in &finding.related {
        let session = related.session.map(|n| format!(" in session {n}")).unwrap_or_default();
        let text = format!("{}{session}: {}", related.what, place(ctx, &related.place));
        out.push((Role::Text, text));
    }
    let mut basis = format!("rule {}, {}, {}", rule.id, finding.severity.name(), rule.basis.name());
    if let Some(spec) = &rule.spec {
        basis.push_str(&format!(", {spec}"));
    }
    out.push((Role::Text, String::new()));
    out.push((Role::Dim, basis));
    out
}

fn place(ctx: &Ctx<'_>, place: &Place) -> String {
    let mut text = format!("{:.6} s", ctx.seconds(place.time));
    if place.direction.is_some() {
        text.push_str(&format!(", from the {}", who(place.direction)));
    }
    let frames: Vec<String> = place.frames.iter().map(u64::to_string).collect();
    match frames.as_slice() {
        [] => {}
        [one] => text.push_str(&format!(", frame {one}")),
        some => text.push_str(&format!(", frames {}", some.join(" "))),
    }
    if let Some(bytes) = &place.bytes {
        text.push_str(&format!(", stream bytes {} to {}", bytes.start, bytes.end));
    }
    if let Some(field) = &place.field {
        text.push_str(&format!(", payload bytes {} to {}", field.start, field.end));
    }
    text
}

/// Text in lines of at most `width` columns, broken at spaces; a longer word is cut.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(String::new());
            used = 0;
        }
        while word.len() > width.max(1) {
            let rest = word.split_off(width.max(1));
            if let Some(line) = lines.last_mut() {
                line.extend(word);
            }
            lines.push(String::new());
            word = rest;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            used += word.len();
            line.extend(word);
        }
    }
    lines
}
