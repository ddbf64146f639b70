//! The configuration file: keys, theme, limits of the rules.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use toml::Spanned;

use super::keymap::{Keymap, TABLE};
use super::theme::ThemeName;
use crate::lint::{Limit, Profile, Thresholds};

/// What the file says.
#[derive(Clone, Debug)]
pub struct Config {
    /// Colours.
    pub theme: ThemeName,
    /// Whether to draw with ASCII; `None` to find out.
    pub ascii: Option<bool>,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Keys.
    pub keymap: Keymap,
    /// Limits of the rules.
    pub thresholds: Thresholds,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            theme: ThemeName::Terminal,
            ascii: None,
            mouse: true,
            keymap: Keymap::default(),
            thresholds: Thresholds::default(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct File {
    theme: Option<Spanned<String>>,
    ascii: Option<bool>,
    mouse: Option<bool>,
    profile: Option<Spanned<String>>,
    keys: BTreeMap<String, Spanned<Keys>>,
    thresholds: BTreeMap<String, Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Many(Vec<String>),
}

impl Config {
    /// Reads the text of a file called `name`. Errors are one line: file, line, what is wrong.
    pub fn parse(text: &str, name: &str) -> Result<Config, String> {
        let place = |at: usize| {
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            format!("{name}, line {line}")
        };
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(name.to_owned(), |span| place(span.start));
            let message = error.message().trim().replace('\n', " ");
            format!("{at}: {message}")
        })?;
        let mut config = Config { ascii: file.ascii, ..Config::default() };
        if let Some(mouse) = file.mouse {
            config.mouse = mouse;
        }
        if let Some(theme) = file.theme {
            config.theme = ThemeName::from_name(theme.get_ref()).ok_or_else(|| {
                let names: Vec<&str> = ThemeName::ALL.iter().map(|theme| theme.name()).collect();
                let at = place(theme.span().start);
                format!("{at}: theme {:?}: there are {}", theme.get_ref(), names.join(", "))
            })?;
        }
        if let Some(profile) = file.profile {
            let known = Profile::from_name(profile.get_ref()).ok_or_else(|| {
                format!(
                    "{}: there is no profile {:?}",
                    place(profile.span().start),
                    profile.get_ref()
                )
            })?;
            config.thresholds = Thresholds::of(known);
        }
        for (action, keys) in file.keys {
            let at = place(keys.span().start);
            let keys = match keys.into_inner() {
                Keys::One(key) => vec![key],
                Keys::Many(keys) => keys,
            };
            config.keymap.rebind(&action, &keys).map_err(|error| format!("{at}: keys.{error}"))?;
        }
        for (limit, value) in file.thresholds {
            let at = place(value.span().start);
            config
                .thresholds
                .set(&limit, value.into_inner())
                .map_err(|error| format!("{at}: thresholds.{limit}: {error}"))?;
        }
        Ok(config)
    }

    /// The defaults as a file with everything commented out.
    pub fn defaults() -> String {
        let mut out = String::from(
            "# rtmpscope's configuration. What is commented out is the default.\n\
             # Where: ~/.config/rtmpscope/config.toml, or the file that RTMPSCOPE_CONFIG names.\n\n",
        );
        let names: Vec<&str> = ThemeName::ALL.iter().map(|theme| theme.name()).collect();
        let _ = write!(
            out,
            "# Colours: {}. NO_COLOR in the environment means mono.\n# theme = \"terminal\"\n\n\
             # Draw with ASCII only. Unless set, as the locale says.\n# ascii = false\n\n\
             # Use the mouse. Without it the terminal's own selection works.\n# mouse = true\n\n",
            names.join(", ")
        );
        out.push_str("# Keys of an action: one, or a list; an empty list for none.\n[keys]\n");
        let mut group = None;
        for row in TABLE {
            if group != Some(row.group) {
                group = Some(row.group);
                let _ = write!(out, "\n# {}\n", row.group.title());
            }
            let keys: Vec<String> = row.keys.iter().map(|key| toml_string(key)).collect();
            let _ = writeln!(out, "# {:<20} = [{}]  # {}", row.name, keys.join(", "), row.help);
        }
        out.push_str("\n# Limits of the rules.\n[thresholds]\n");
        let thresholds = Thresholds::default();
        for limit in Limit::all() {
            let value = thresholds.value(limit);
            let name = toml_string(limit.name());
            let _ = writeln!(out, "# {name} = {value}  # {} {}", limit.unit(), limit.what());
        }
        out
    }
}

fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::action::Action;

    #[test]
    fn keys_theme_and_limits() {
        let text =
            "theme = \"light\"\nmouse = false\n[keys]\nquit = \"x\"\nhelp = [\"f1\", \"H\"]\n";
        let config = Config::parse(text, "config.toml").unwrap();
        assert_eq!(config.theme, ThemeName::Light);
        assert!(!config.mouse);
        assert_eq!(config.keymap.label(Action::Quit).unwrap(), "x");
        assert_eq!(config.keymap.keys(Action::Help).len(), 2);
    }

    #[test]
    fn errors_name_file_line_and_key() {
        for (text, words) in [
            ("theme = \"pink\"", &["c.toml, line 1", "pink", "color-blind"][..]),
            ("\n[keys]\nqit = \"x\"", &["c.toml, line 3", "qit", "quit"]),
            ("[keys]\n\nquit = \"hyper-x\"", &["c.toml, line 3", "quit", "hyper-x"]),
            ("tehme = \"dark\"", &["c.toml, line 1", "tehme"]),
            ("[thresholds]\nnosuch = 1", &["c.toml, line 2", "nosuch"]),
            ("theme = ", &["c.toml, line 1"]),
        ] {
            let error = Config::parse(text, "c.toml").unwrap_err();
            assert!(!error.contains('\n'), "{error}");
            for word in words {
                assert!(error.contains(word), "{error} lacks {word}");
            }
        }
    }

    /// Uncommented, the printed file is what a parse of it makes: the defaults.
    #[test]
    fn the_printed_defaults_are_the_defaults() {
        let text = Config::defaults();
        let open: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") && !rest.contains("Where") => rest,
                _ => line,
            })
            .collect::<Vec<_>>()
            .join("\n");
        let config = Config::parse(&open, "defaults").unwrap();
        for row in TABLE {
            let keys: Vec<String> =
                config.keymap.keys(row.action).iter().map(ToString::to_string).collect();
            assert_eq!(keys, row.keys, "{}", row.name);
        }
        assert!(Config::parse(&text, "commented").is_ok());
    }
}
