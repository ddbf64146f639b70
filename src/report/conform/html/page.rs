//! Puts the page together.

use std::io::{self, Write};

use super::data::data;
use crate::report::conform::model::Results;
use crate::report::html::{COMMON_STYLE, DOM_SCRIPT, fill};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPTS: [&str; 2] = [include_str!("detail.js"), include_str!("main.js")];

/// Writes the page of one server's results, or of several side by side.
pub fn html(columns: &[Results], out: &mut dyn Write) -> io::Result<()> {
    let title = match columns {
        [one] => format!("RTMP conformance of {}", one.label()),
        many => format!("RTMP conformance of {} servers", many.len()),
    };
    let json = serde_json::to_string(&data(columns))?;
    let style = [COMMON_STYLE, STYLE].concat();
    let script = [DOM_SCRIPT, SCRIPTS[0], SCRIPTS[1]].concat();
    out.write_all(fill(TEMPLATE, &title, &style, &script, &json).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_reach_for_nothing() {
        for part in [TEMPLATE, STYLE].iter().chain(&SCRIPTS) {
            for word in ["http:", "https:", "//cdn", "@import", "url(", "fetch(", "src="] {
                assert!(!part.contains(word), "{word}");
            }
        }
        for script in SCRIPTS {
            assert!(!script.contains("</script") && script.is_ascii());
            assert!(!script.contains("innerHTML"), "texts are from the wire");
        }
    }
}
