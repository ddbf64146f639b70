//! A validated plan: everything that can be wrong with the arguments is found here.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::args::{Color, DumpArgs, Format};
use super::select::Select;
use crate::capture::Input;
use crate::report::Detail;
use crate::transport::Keys;

/// Where packets come from.
#[derive(Debug)]
pub(super) enum Source {
    Captures {
        inputs: Vec<Input>,
        follow: bool,
    },
    #[cfg(feature = "live")]
    Live(super::live::LiveSetup),
}

/// What to do.
pub(super) struct Plan {
    pub source: Source,
    pub output: Box<dyn Write>,
    pub format: Format,
    pub colour: bool,
    pub detail: Detail,
    pub summary: bool,
    pub select: Select,
    pub show_secrets: bool,
    pub decode_as: Vec<u16>,
    pub keys: Keys,
    /// Whether a bar may be drawn on standard error.
    pub progress: bool,
    /// Whether output must appear as it happens: the input may go on for ever.
    pub prompt: bool,
}

impl Plan {
    /// Checks the arguments and opens the output.
    pub(super) fn new(args: DumpArgs) -> Result<Plan, String> {
        let mut select = Select::new(args.session, &args.kind, args.summary)?;
        if let Some(filter) = &args.filter {
            select.filter(filter)?;
        }
        let decode_as =
            args.decode_as.iter().map(|rule| port(rule)).collect::<Result<Vec<_>, _>>()?;
        #[cfg(feature = "live")]
        let is_live = args.interface.is_some();
        #[cfg(not(feature = "live"))]
        let is_live = false;
        let from_pipe = args.captures.iter().any(|path| path.as_os_str() == "-");
        let keys = args.keys.open(args.follow || is_live || from_pipe)?;
        let to_terminal = args.output.is_none() && io::stdout().is_terminal();
        let default = if to_terminal { Format::Text } else { Format::Ndjson };
        // -v and -x only exist in text.
        let wants_text = args.verbose || args.hex > 0;
        let format = args.format.unwrap_or(if wants_text { Format::Text } else { default });
        if wants_text && format != Format::Text {
            return Err("-v and -x are for --format text; --fields has the same in JSON".into());
        }
        if format == Format::Csv && (args.fields || args.summary) {
            return Err(
                "--format csv has messages only; --fields and --summary have no column".into()
            );
        }
        let colour = match args.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                to_terminal
                    && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
            }
        };
        let detail = Detail {
            fields: args.fields || args.verbose,
            hex: args.hex > 0,
            all_bytes: args.hex > 1,
            ranges: args.fields,
        };
        #[cfg(feature = "live")]
        let live = args.interface;
        #[cfg(not(feature = "live"))]
        let live: Option<String> = None;
        let is_live = live.is_some();
        let has_stdin = args.captures.iter().any(|p| p.as_os_str() == "-");
        let prompt = is_live || args.follow || has_stdin || to_terminal;
        if !is_live && args.captures.is_empty() {
            return Err("name a capture file, - for standard input, or -i INTERFACE".into());
        }
        let output = open_output(args.output.as_deref(), &args.captures)?;
        let source = match live {
            #[cfg(feature = "live")]
            Some(interface) => {
                let filter = args.bpf.unwrap_or_default();
                Source::Live(super::live::LiveSetup::new(interface, filter))
            }
            #[cfg(not(feature = "live"))]
            Some(_) => return Err("this build has no live capture".into()),
            None => Source::Captures { inputs: inputs(args.captures)?, follow: args.follow },
        };
        Ok(Plan {
            progress: !args.no_progress && !prompt && io::stderr().is_terminal(),
            source,
            output,
            format,
            colour,
            detail,
            summary: args.summary,
            select,
            show_secrets: args.show_secrets,
            decode_as,
            keys,
            prompt,
        })
    }
}

pub(super) fn inputs(paths: Vec<PathBuf>) -> Result<Vec<Input>, String> {
    let mut stdin = false;
    let mut inputs = Vec::with_capacity(paths.len());
    for path in paths {
        if path.as_os_str() != "-" {
            inputs.push(Input::Path(path));
        } else if std::mem::replace(&mut stdin, true) {
            return Err("- can be named once: there is one standard input".into());
        } else if io::stdin().is_terminal() {
            return Err(
                "- reads a capture from standard input, which is a terminal; pipe one in: \
                 tcpdump -U -w - | rtmpscope dump -"
                    .into(),
            );
        } else {
            inputs.push(Input::Stdin);
        }
    }
    Ok(inputs)
}

pub(super) fn open_output(
    path: Option<&Path>,
    captures: &[PathBuf],
) -> Result<Box<dyn Write>, String> {
    let Some(path) = path.filter(|p| p.as_os_str() != "-") else {
        return Ok(Box::new(io::stdout()));
    };
    refuse_overwriting("-o", path, captures)?;
    let file = File::create(path).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    Ok(Box::new(file))
}

/// Opening an output truncates it: an input named by mistake would be gone.
pub(super) fn refuse_overwriting(
    option: &str,
    path: &Path,
    captures: &[PathBuf],
) -> Result<(), String> {
    let same = |capture: &PathBuf| matches!((capture.canonicalize(), path.canonicalize()), (Ok(a), Ok(b)) if a == b);
    match captures.iter().any(same) {
        true => Err(format!("{option} {} would overwrite an input", path.display())),
        false => Ok(()),
    }
}

/// `tcp.port==N`, as tshark spells it (`,rtmp` may follow).
pub(super) fn port(rule: &str) -> Result<u16, String> {
    let bare: String = rule.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = bare.strip_suffix(",rtmp").or(bare.strip_suffix(",rtmpt")).unwrap_or(&bare);
    bare.strip_prefix("tcp.port==")
        .and_then(|n| n.parse().ok())
        .filter(|port| *port != 0)
        .ok_or_else(|| {
            format!("--decode-as {rule}: write it as tcp.port==N, such as tcp.port==8080")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn plan(args: &[&str]) -> Result<Plan, String> {
        let cli = super::super::args::Cli::try_parse_from([&["rtmpscope"], args].concat())
            .map_err(|e| e.to_string())?;
        let dump = match cli.command {
            Some(super::super::args::Command::Dump(dump)) => dump,
            None => cli.dump,
            Some(other) => panic!("{other:?}"),
        };
        Plan::new(dump)
    }

    #[test]
    fn the_arguments_are_sound() {
        use clap::CommandFactory;
        super::super::args::Cli::command().debug_assert();
    }

    #[test]
    fn a_capture_alone_is_dumped() {
        for args in [&["x.pcap"][..], &["dump", "x.pcap"]] {
            let plan = plan(args).unwrap();
            assert!(
                matches!(&plan.source, Source::Captures { inputs, follow: false } if inputs.len() == 1)
            );
            assert!(!plan.show_secrets);
        }
    }

    #[test]
    fn ports_are_written_as_in_tshark() {
        assert_eq!(port("tcp.port==8080"), Ok(8080));
        assert_eq!(port("tcp.port == 8080,rtmp"), Ok(8080));
        for wrong in ["8080", "tcp.port==0", "tcp.port==70000", "udp.port==1", ""] {
            assert!(port(wrong).unwrap_err().contains("tcp.port==N"), "{wrong}");
        }
    }

    #[test]
    fn contradictions_are_errors() {
        for (args, word) in [
            (&["dump"][..], "capture"),
            (&["dump", "-v", "--format", "ndjson", "x"], "--fields"),
            (&["dump", "--type", "vidio", "x"], "vidio"),
            (&["dump", "--filter", "key && vidio", "x"], "at 8: there is no field vidio"),
            (&["dump", "--summary", "--format", "csv", "x"], "csv"),
            (&["dump", "-", "-"], "-"),
            (&["dump", "--summary", "-x", "y"], "--summary"),
            (&["dump", "-o", "/nonexistent/dir/x", "y"], "/nonexistent/dir/x"),
        ] {
            let error = plan(args).map(|_| ()).unwrap_err();
            assert!(error.contains(word), "{args:?}: {error}");
        }
    }

    #[test]
    fn an_input_is_not_overwritten() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "capture").unwrap();
        let error = plan(&["dump", path, "-o", path]).map(|_| ()).unwrap_err();
        assert!(error.contains("overwrite"));
        assert_eq!(std::fs::read(path).unwrap(), b"capture");
    }
}
