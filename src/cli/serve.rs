//! `rtmpscope serve`: a conforming server, with faults to switch on.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use super::{EXIT_FINDINGS, EXIT_OK};
use crate::peer::server::{Defect, Options, Server};

pub(super) const EXAMPLES: &str = "\
Examples:
  rtmpscope serve                                      on a free port; prints its URL
  rtmpscope serve --listen 127.0.0.1:1935 --app '*'    any application
  rtmpscope serve --list-defects                       faults, what they do, which cases notice
  rtmpscope serve --defect handshake/s2-echo-wrong     a server with a fault, to test a tester

Exit status: 0 stopped by Ctrl-C or SIGTERM; 1 a fault ended it; 2 wrong usage, or the address is in use.";

#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    listen: String,

    /// Application that exists; may be repeated, * is any [default: live]
    #[arg(long, value_name = "NAME")]
    app: Vec<String>,

    /// Fault to switch on; may be repeated
    #[arg(long, value_name = "NAME")]
    defect: Vec<String>,

    /// List the faults instead
    #[arg(long, conflicts_with_all = ["app", "defect"])]
    list_defects: bool,
}

/// Runs to an exit code; `Err` is why it could not.
pub(super) fn run(args: ServeArgs) -> Result<u8, String> {
    if args.list_defects {
        return print(&list()).map(|()| EXIT_OK);
    }
    let mut options = Options { seed: fastrand::u64(..), ..Options::default() };
    for name in &args.defect {
        options.defects.push(find(name)?);
    }
    if !args.app.is_empty() {
        options.apps = args.app;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || asked.store(true, Ordering::Relaxed))
        .map_err(|error| format!("cannot handle Ctrl-C: {error}"))?;
    let server = Server::start_on(args.listen.as_str(), options)
        .map_err(|error| format!("cannot listen on {}: {error}; try --listen", args.listen))?;
    print(&format!("{}\n", server.url()))?;
    while !stop.load(Ordering::Relaxed) && server.is_running() {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(if server.stop() { EXIT_OK } else { EXIT_FINDINGS })
}

fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write the output: {error}"))
        }
        _ => Ok(()),
    }
}

fn find(name: &str) -> Result<&'static Defect, String> {
    Defect::from_name(name).ok_or_else(|| {
        let near = Defect::all()
            .map(|defect| (strsim::jaro_winkler(name, defect.name), defect.name))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = near.map(|(_, name)| format!(" (did you mean {name}?)")).unwrap_or_default();
        format!("--defect {name}: no such fault{hint}; --list-defects has them")
    })
}

/// A line for each fault, with the cases that notice below it.
fn list() -> String {
    let mut text = String::new();
    for defect in Defect::all() {
        text += &format!("{:<42}  {}\n", defect.name, defect.does);
        for case in defect.cases {
            text += &format!("{:<42}    {case}\n", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_fault_is_guessed() {
        assert!(find("handshake/s2-echo-wrong").is_ok());
        assert!(find("s2-echo").unwrap_err().contains("did you mean"));
    }
}
