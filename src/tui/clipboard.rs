//! Text to the clipboard of the terminal, through OSC 52: works over SSH too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest text, in bytes: terminals drop longer sequences (xterm's limit is about 100 kB).
pub const MAX: usize = 74_000;

/// The sequence that hands over a text; `None` when it is too long.
pub fn sequence(text: &str, in_tmux: bool) -> Option<String> {
    if text.len() > MAX {
        return None;
    }
    let osc = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    // tmux takes the plain sequence itself where set-clipboard is on; where it is `external`, the
    // default, it only passes on what is wrapped. Sent twice, the text is the same.
    Some(match in_tmux {
        true => format!("{osc}\x1bPtmux;\x1b{osc}\x1b\\"),
        false => osc,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_encoded() {
        assert_eq!(sequence("hi", false).unwrap(), "\x1b]52;c;aGk=\x07");
        assert!(sequence("hi", true).unwrap().contains("\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\"));
        assert_eq!(sequence(&"x".repeat(MAX + 1), false), None);
    }
}
