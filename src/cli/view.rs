//! `rtmpscope view`: the terminal screens.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;

use super::config::load_config;
use super::keylog::{KeylogArgs, typed};
use super::plan::{inputs, port};
use super::{EXIT_OK, EXIT_TROUBLE, export};
use crate::analysis::filter::Filter;
use crate::tui::app::{App, Start};
use crate::tui::config::Config;
use crate::tui::contract::ScreenId;
use crate::tui::loader::{LoadOptions, Loader};
use crate::tui::run::{Host, restore, run as run_screens};
use crate::tui::theme::{Theme, ThemeName};
use crate::tui::trace::Trace;

pub(super) const EXAMPLES: &str = "\
Examples:
  rtmpscope view publish.pcapng
  rtmpscope view publish.pcap --session 2 --screen messages --row 118
  rtmpscope view --filter 'type==video && key' publish.pcap
  rtmpscope view --follow growing.pcap
  sudo tcpdump -i eth0 -U -w - tcp port 1935 | rtmpscope view -

? shows all keys; rtmpscope config --print writes a configuration to change them.";

#[derive(Args, Clone, Debug, Default)]
pub(super) struct ViewArgs {
    /// Captures: pcap or pcapng, also .gz and .zst; - is standard input. Several are merged by time
    #[arg(value_name = "CAPTURE", required = true)]
    pub captures: Vec<PathBuf>,

    /// Begin at this session
    #[arg(long, value_name = "N")]
    pub session: Option<u32>,

    /// Begin on this screen: sessions, timeline, ladder, messages, media, flow, findings, tcp or
    /// compare
    #[arg(long, value_name = "SCREEN")]
    pub screen: Option<String>,

    /// Begin at this row of the messages, as the table numbers them
    #[arg(long, value_name = "N")]
    pub row: Option<usize>,

    /// Begin with this filter, such as 'type==video && key'
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,

    /// Wait for a capture file to grow
    #[arg(long)]
    pub follow: bool,

    /// Show stream names, tokens and passwords as they are
    #[arg(long)]
    pub show_secrets: bool,

    #[command(flatten)]
    pub keys: KeylogArgs,

    /// Take the connections of a port for RTMP, whatever they look like; may be repeated
    #[arg(long, value_name = "tcp.port==N")]
    pub decode_as: Vec<String>,

    /// Colours: terminal, dark, light, color-blind or mono
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,

    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
}

/// Runs the screens to the exit code; `Err` is why they could not begin.
pub(super) fn run(args: ViewArgs) -> Result<u8, String> {
    let from_stdin = args.captures.iter().any(|path| path.as_os_str() == "-");
    let once = from_stdin.then_some("standard input");
    let mut open = |options| Loader::open(inputs(args.captures.clone())?, args.follow, options);
    show(&args, &mut open, once)
}

/// Shows what `open` reads; it is asked again to show or hide secrets, unless it can be read only
/// `once`, which names it.
pub(super) fn show(
    args: &ViewArgs,
    open: &mut dyn FnMut(LoadOptions) -> Result<Loader, String>,
    once: Option<&str>,
) -> Result<u8, String> {
    let start = Instant::now();
    let config = load_config()?;
    let begin = begin(args)?;
    let theme = theme(args, &config)?;
    let decode_as = args.decode_as.iter().map(|rule| port(rule)).collect::<Result<Vec<_>, _>>()?;
    if !io::stdout().is_terminal() {
        return Err(
            "view draws on a terminal, and standard output is none; rtmpscope dump prints".into()
        );
    }
    let keys = args.keys.open(args.follow || once.is_some())?;
    let options = LoadOptions {
        decode_as: decode_as.clone(),
        keys: keys.clone(),
        show_secrets: args.show_secrets,
        thresholds: config.thresholds.clone(),
    };
    let loader = open(options.clone())?;
    let mut reload = |show_secrets: bool| match once {
        Some(name) => Err(format!(
            "{name} cannot be read twice; begin with --show-secrets{} instead",
            if show_secrets { "" } else { " left out" }
        )),
        None => open(LoadOptions { show_secrets, ..options.clone() }),
    };
    let quit = leave_on_signal()?;
    let trace = std::env::var_os("RTMPSCOPE_TRACE").filter(|path| !path.is_empty());
    let trace = Trace::new(trace.as_deref(), start)
        .map_err(|e| format!("RTMPSCOPE_TRACE: cannot write the file: {e}"))?;
    let host = Host {
        reload: &mut reload,
        export: export::write,
        decode_as,
        keys,
        exports: Vec::new(),
        quit: &quit,
        trace,
        mouse: config.mouse,
        in_tmux: std::env::var_os("TMUX").is_some(),
        panic_key: panic_key(std::env::var_os("RTMPSCOPE_PANIC_KEY")),
    };
    let app = App::new(begin, config.keymap, theme);
    run_screens(app, loader, host)?;
    Ok(EXIT_OK)
}

/// In debug builds the variable names a key that panics: a test looks whether the terminal is given
/// back.
fn panic_key(variable: Option<OsString>) -> Option<crate::tui::keymap::Key> {
    match cfg!(debug_assertions) {
        true => variable?.to_str()?.parse().ok(),
        false => None,
    }
}

/// Where to begin.
fn begin(args: &ViewArgs) -> Result<Start, String> {
    let screen = match &args.screen {
        Some(name) => Some(ScreenId::from_name(name).ok_or_else(|| {
            let names: Vec<&str> = ScreenId::ALL.iter().map(|id| id.name()).collect();
            format!("--screen {name}: there are {}", names.join(", "))
        })?),
        None => None,
    };
    for (option, zero) in [("--session", args.session == Some(0)), ("--row", args.row == Some(0))] {
        if zero {
            return Err(format!("{option} counts from 1"));
        }
    }
    if let Some(filter) = &args.filter {
        Filter::parse(filter).map_err(|error| format!("--filter: {error}"))?;
    }
    let mut options = Vec::new();
    for rule in &args.decode_as {
        options.extend(["--decode-as".to_owned(), rule.clone()]);
    }
    options.extend(typed(&args.keys.keylog));
    for (option, is_set) in [("--follow", args.follow), ("--show-secrets", args.show_secrets)] {
        if is_set {
            options.push(option.to_owned());
        }
    }
    Ok(Start {
        session: args.session,
        screen,
        row: args.row,
        filter: args.filter.clone(),
        captures: args.captures.iter().map(|path| path.display().to_string()).collect(),
        options,
        follow: args.follow,
        show_secrets: args.show_secrets,
    })
}

fn theme(args: &ViewArgs, config: &Config) -> Result<Theme, String> {
    let name = match &args.theme {
        Some(name) => ThemeName::from_name(name).ok_or_else(|| {
            let names: Vec<&str> = ThemeName::ALL.iter().map(|theme| theme.name()).collect();
            format!("--theme {name}: there are {}", names.join(", "))
        })?,
        // https://no-color.org: any text that is not empty.
        None if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => {
            ThemeName::Mono
        }
        None => config.theme,
    };
    let ascii = args.ascii || config.ascii.unwrap_or_else(|| !locale_is_utf8());
    Ok(Theme { name, ascii })
}

/// Whether the locale can draw more than ASCII, as POSIX looks it up.
fn locale_is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// How long the screens have to end in order after a signal.
const GRACE: Duration = Duration::from_secs(2);

/// SIGTERM, SIGHUP and SIGINT end the screens in order, so that the terminal comes back.
///
/// When the terminal is gone (its window was closed), crossterm reads its end over and over and
/// never comes back from looking for keys: then the process ends without it.
fn leave_on_signal() -> Result<Arc<AtomicBool>, String> {
    let quit = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&quit);
    let leave = move || {
        flag.store(true, Ordering::SeqCst);
        std::thread::sleep(GRACE);
        if restore() {
            std::process::exit(EXIT_TROUBLE.into());
        }
    };
    ctrlc::set_handler(leave).map_err(|e| format!("cannot handle signals: {e}"))?;
    Ok(quit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> ViewArgs {
        ViewArgs { captures: vec!["a b.pcap".into()], ..ViewArgs::default() }
    }

    #[test]
    fn places_are_checked() {
        for (wrong, word) in [
            (ViewArgs { screen: Some("lader".into()), ..args() }, "ladder"),
            (ViewArgs { session: Some(0), ..args() }, "--session"),
            (ViewArgs { row: Some(0), ..args() }, "--row"),
            (ViewArgs { filter: Some("type==".into()), ..args() }, "--filter"),
        ] {
            let error = begin(&wrong).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        let start = begin(&ViewArgs { screen: Some("media".into()), ..args() }).unwrap();
        assert_eq!(start.screen, Some(ScreenId::Media));
    }

    #[test]
    fn the_command_line_reopens_the_place() {
        let wanted = ViewArgs {
            session: Some(2),
            screen: Some("messages".into()),
            filter: Some("type==video && key".into()),
            decode_as: vec!["tcp.port==8080".into()],
            ..args()
        };
        let app = App::new(begin(&wanted).unwrap(), Default::default(), Theme::default());
        assert_eq!(
            app.command_line(),
            "rtmpscope view 'a b.pcap' --decode-as tcp.port==8080 --screen messages \
             --filter 'type==video && key'"
        );
    }
}
