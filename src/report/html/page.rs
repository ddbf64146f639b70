//! Puts the page together: style, script and data in one file.

use super::data::{Data, data};
use crate::report::findings::Judged;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = COMMON_STYLE;

/// Colours, cards, tables, chips: of all pages.
pub(in crate::report) const COMMON_STYLE: &str = include_str!("style.css");

/// Elements: of all pages. It comes first.
pub(in crate::report) const DOM_SCRIPT: &str = include_str!("dom.js");

const SCRIPTS: [&str; 5] = [
    DOM_SCRIPT,
    include_str!("base.js"),
    include_str!("timeline.js"),
    include_str!("panels.js"),
    include_str!("main.js"),
];

/// The page of a report.
pub fn page(judged: &Judged) -> Result<String, String> {
    let data: Data = data(judged);
    let json = serde_json::to_string(&data).map_err(|error| error.to_string())?;
    let title = match judged.report.captures.as_slice() {
        [one] => format!("{} - rtmpscope", one.rsplit('/').next().unwrap_or(one)),
        _ => "rtmpscope report".to_owned(),
    };
    Ok(fill(TEMPLATE, &title, STYLE, &SCRIPTS.concat(), &json))
}

/// A page of a template, its style, its script and its data (JSON).
pub(in crate::report) fn fill(
    template: &str,
    title: &str,
    style: &str,
    script: &str,
    json: &str,
) -> String {
    // Within a script element, only `<` could end it or begin a comment.
    let json = json.replace('<', "\\u003c");
    let mut out = String::with_capacity(json.len() + 64_000);
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let end = tail.find("}}").map_or(tail.len(), |end| end + 2);
        match &tail[..end] {
            "{{title}}" => out.push_str(&escape(title)),
            "{{style}}" => out.push_str(style),
            "{{script}}" => out.push_str(script),
            "{{data}}" => out.push_str(&json),
            other => out.push_str(other),
        }
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

/// Text as HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }

    #[test]
    fn the_parts_reach_for_nothing() {
        for part in [TEMPLATE, STYLE].iter().chain(&SCRIPTS) {
            for word in ["http:", "https:", "//cdn", "@import", "url(", "fetch(", "src="] {
                assert!(!part.contains(word), "{word}");
            }
        }
        assert!(SCRIPTS.iter().all(|script| !script.contains("</script") && script.is_ascii()));
        assert!(
            !SCRIPTS.iter().any(|script| script.contains("innerHTML")),
            "texts are from the wire"
        );
    }
}
