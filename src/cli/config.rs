//! `rtmpscope config`, and the configuration file of the screens.

use std::path::PathBuf;

use clap::Args;
use etcetera::BaseStrategy;

use super::EXIT_OK;
use crate::tui::config::Config;

#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    /// Write the defaults, commented out, to standard output
    #[arg(long)]
    pub print: bool,

    /// Say where the file is looked for
    #[arg(long, conflicts_with = "print")]
    pub path: bool,
}

/// Runs `config`.
pub(super) fn run(args: &ConfigArgs) -> Result<u8, String> {
    let path = config_path();
    let shown = path.as_ref().map_or("(no home directory)".to_owned(), |p| p.display().to_string());
    if args.print {
        print(&Config::defaults());
    } else if args.path {
        print(&format!("{shown}\n"));
    } else {
        load_config()?;
        let state = match path.is_some_and(|path| path.exists()) {
            true => "is fine",
            false => "does not exist: the defaults apply",
        };
        print(&format!("{shown} {state}\n"));
    }
    Ok(EXIT_OK)
}

/// A reader that has seen enough closes the pipe, which is no failure.
fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn named() -> Option<PathBuf> {
    std::env::var_os("RTMPSCOPE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The file that `RTMPSCOPE_CONFIG` names, or the one in the user's configuration directory.
fn config_path() -> Option<PathBuf> {
    if let Some(path) = named() {
        return Some(path);
    }
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("rtmpscope").join("config.toml"))
}

/// Reads it; without a file the defaults.
pub(super) fn load_config() -> Result<Config, String> {
    let Some(path) = config_path() else { return Ok(Config::default()) };
    match std::fs::read_to_string(&path) {
        Ok(text) => Config::parse(&text, &path.display().to_string()),
        // A file that was named has to be there.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named().is_none() => {
            Ok(Config::default())
        }
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}
