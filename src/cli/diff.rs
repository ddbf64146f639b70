//! `rtmpscope diff`: two sessions, step by step.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::keylog::{KeylogArgs, add_secrets};
use super::{EXIT_FINDINGS, EXIT_OK, EXIT_TROUBLE};
use crate::analysis::compare::{Trail, Trails, compare};
use crate::analysis::{Keys, Options, Pipeline, Record};
use crate::capture::{Capture, Input, OpenOptions};
use crate::report::{Redactor, Side, diff_json, diff_text};

pub(super) const EXAMPLES: &str = "\
Examples:
  rtmpscope diff works.pcapng fails.pcapng
  rtmpscope diff --session-a 1 --session-b 3 all.pcap all.pcap
  rtmpscope diff --format json works.pcap fails.pcap | jq -r .first.sentence

Exit status: 0 nothing that matters differs; 1 something does; 2 wrong usage, or an input that cannot
be read or is damaged (what could be read was compared).";

#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The first capture (A), such as of a session that works
    #[arg(value_name = "A")]
    a: PathBuf,

    /// The second capture (B), such as of one that fails; may be the same file
    #[arg(value_name = "B")]
    b: PathBuf,

    /// Session of A [default: the only one]
    #[arg(long, value_name = "N")]
    session_a: Option<u32>,

    /// Session of B [default: the only one; of the same file, the second of two]
    #[arg(long, value_name = "M")]
    session_b: Option<u32>,

    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DiffFormat,

    /// Text: show the differences that are to be expected, too
    #[arg(short, long)]
    verbose: bool,

    /// Show stream names, tokens and passwords as they are
    #[arg(long)]
    show_secrets: bool,

    #[command(flatten)]
    keys: KeylogArgs,

    /// Take the connections of a port for RTMP, whatever they look like; may be repeated
    #[arg(long, value_name = "tcp.port==N")]
    decode_as: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// For people
    Text,
    /// A JSON object
    Json,
}

/// Runs to an exit code; `Err` is why it could not begin or go on.
pub(super) fn run(args: DiffArgs) -> Result<u8, String> {
    let decode_as: Vec<u16> =
        args.decode_as.iter().map(|rule| super::plan::port(rule)).collect::<Result<_, _>>()?;
    if args.a.as_os_str() == "-" && args.b.as_os_str() == "-" {
        return Err("- can be named once: there is one standard input".into());
    }
    // One for both: equal secrets have equal placeholders.
    let mut redactor = Redactor::new(args.show_secrets);
    let mut errors = Vec::new();
    let same = args.a == args.b;
    let keys = args.keys.open(false)?;
    let first = read(&args.a, &decode_as, &keys, &mut redactor, &mut errors)?;
    let second = match same {
        true => None,
        false => Some(read(&args.b, &decode_as, &keys, &mut redactor, &mut errors)?),
    };
    let second = second.as_ref().unwrap_or(&first);
    let count = first.all().count();
    let (default_a, default_b) = match (same, count) {
        (true, 2) => (Some(1), Some(2)),
        _ => (None, None),
    };
    let a = choose(&first, &args.a, args.session_a.or(default_a), "--session-a")?;
    let b = choose(second, &args.b, args.session_b.or(default_b), "--session-b")?;
    let comparison = compare(a, b);
    let names = [&args.a, &args.b].map(|path| path.display().to_string());
    let (a, b) = (Side { input: &names[0], trail: a }, Side { input: &names[1], trail: b });
    let text = match args.format {
        DiffFormat::Text => diff_text(a, b, &comparison, args.verbose),
        DiffFormat::Json => {
            diff_json(a, b, &comparison).map_err(|e| format!("cannot write the output: {e}"))?
                + "\n"
        }
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(format!("cannot write the output: {error}"));
        }
        _ => {}
    }
    for error in &errors {
        eprintln!("rtmpscope: {error}");
    }
    Ok(match (errors.is_empty(), comparison.matters()) {
        (false, _) => EXIT_TROUBLE,
        (true, true) => EXIT_FINDINGS,
        (true, false) => EXIT_OK,
    })
}

fn read(
    path: &Path,
    decode_as: &[u16],
    keys: &Keys,
    redactor: &mut Redactor,
    errors: &mut Vec<String>,
) -> Result<Trails, String> {
    let input = match path.as_os_str() == "-" {
        true => Input::Stdin,
        false => Input::Path(path.to_owned()),
    };
    let mut capture =
        Capture::open(vec![input], OpenOptions::default()).map_err(|e| e.to_string())?;
    let options =
        Options { decode_as: decode_as.to_vec(), keys: keys.clone(), ..Options::default() };
    let mut pipeline = Pipeline::new(options);
    let mut trails = Trails::new();
    let mut sink = |mut record: Record| {
        redactor.redact(&mut record);
        trails.push(&record);
    };
    let mut seen = 0;
    while let Some(packet) = capture.next_packet() {
        add_secrets(keys, capture.secrets(), &mut seen);
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    errors.extend(capture.errors().iter().map(|error| redactor.clean(&error.to_string())));
    Ok(trails)
}

fn choose<'t>(
    trails: &'t Trails,
    path: &Path,
    wanted: Option<u32>,
    option: &str,
) -> Result<&'t Trail, String> {
    let sessions: Vec<&Trail> = trails.all().collect();
    let name = path.display();
    if let Some(number) = wanted {
        return trails.session(number).ok_or_else(|| {
            format!("{name} has no session {number}; it has {}", plural(sessions.len()))
        });
    }
    match &sessions[..] {
        [] => Err(format!(
            "no RTMP found in {name}; --decode-as tcp.port==N takes the connections of a port for it"
        )),
        [only] => Ok(only),
        several => {
            let list: Vec<String> = several
                .iter()
                .take(8)
                .map(|trail| format!("{} ({} → {})", trail.session, trail.client, trail.server))
                .collect();
            let more = if several.len() > list.len() { ", ..." } else { "" };
            Err(format!(
                "{name} has {}: choose one with {option}: {}{more}",
                plural(several.len()),
                list.join(", ")
            ))
        }
    }
}

fn plural(count: usize) -> String {
    match count {
        1 => "1 session".into(),
        count => format!("{count} sessions"),
    }
}
