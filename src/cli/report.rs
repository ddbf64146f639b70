//! `rtmpscope report`: what went wrong and why.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::args::Color;
use super::keylog::{KeylogArgs, add_secrets};
use super::progress::Bar;
use super::{EXIT_FINDINGS, EXIT_OK, EXIT_TROUBLE, rules};
use crate::analysis::{self, Pipeline};
use crate::capture::{Capture, CommentPlace, Input, OpenOptions, PcapngWriter};
use crate::lint::{self, Limit, Severity, Thresholds};
use crate::report::findings::{self, Annotations, Collector, Judged, Style};
use crate::report::html;

pub(super) const EXAMPLES: &str = "\
Examples:
  rtmpscope report publish.pcapng                     what failed, and why
  rtmpscope report --format html -o report.html publish.pcapng
  rtmpscope report --format junit --fail-on warning -o report.xml *.pcap
  rtmpscope report --annotate annotated.pcapng publish.pcap    findings as comments for Wireshark
  rtmpscope report --profile twitch --set media.gop-s=4 publish.pcap
  rtmpscope report --rules 'publish/*,-tcp' publish.pcap
  rtmpscope rules explain publish/badname

Stream keys, tokens and passwords are replaced by placeholders such as <stream-1>; --show-secrets
shows them.

Exit status: 0 no session failed, and there is no finding of the severity that --fail-on names or of a
greater one; 1 otherwise; 2 wrong usage, an input that cannot be read, or one that is damaged or cut (what could be read was
judged).";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: headline, sheet, set-up and findings of each session
    Text,
    /// One JSON object
    Json,
    /// One page that needs no other file and no network
    Html,
    /// JUnit XML
    Junit,
    /// SARIF 2.1.0
    Sarif,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
}

#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// Captures: pcap or pcapng, also .gz and .zst; - is standard input. Several are merged by time
    #[arg(value_name = "CAPTURE", required = true)]
    captures: Vec<PathBuf>,

    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Least severity of a finding for exit status 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,

    /// Rules to use: ids, layers or patterns such as publish/*; with - before it, all but those
    #[arg(long, value_name = "RULES", value_delimiter = ',', allow_hyphen_values = true)]
    rules: Vec<String>,

    /// Whose habits and limits count: generic (the default), youtube, twitch, nginx-rtmp, srs or
    /// mediamtx. Without it the configuration file's thresholds count
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Change a threshold; `rtmpscope rules --thresholds` lists them. May be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,

    /// Write the packets to a pcapng file with the findings as their comments
    #[arg(long, value_name = "FILE")]
    annotate: Option<PathBuf>,

    /// Show stream names, tokens and passwords as they are
    #[arg(long)]
    show_secrets: bool,

    #[command(flatten)]
    keys: KeylogArgs,

    /// Take the connections of a port for RTMP, whatever they look like; may be repeated
    #[arg(long, value_name = "tcp.port==N")]
    decode_as: Vec<String>,

    /// Colours of text output
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,

    /// No progress bar on standard error
    #[arg(long)]
    no_progress: bool,
}

/// Runs to an exit code; `Err` is why it could not begin or go on.
pub(super) fn run(mut args: ReportArgs) -> Result<u8, String> {
    let options =
        lint::Options { thresholds: thresholds(&args)?, rules: rules::select(&args.rules)? };
    let decode_as =
        args.decode_as.iter().map(|rule| super::plan::port(rule)).collect::<Result<_, _>>()?;
    let names = args.captures.iter().map(|path| path.display().to_string()).collect();
    let mut inputs = args.captures.clone();
    inputs.extend(args.annotate.clone().into_iter().filter(|path| path.exists()));
    // Packets are read a second time to be written, which standard input cannot be.
    let mut spool = None;
    if args.annotate.is_some()
        && let Some(stdin) = args.captures.iter_mut().find(|path| path.as_os_str() == "-")
    {
        let file = super::sanitize::spool()?;
        *stdin = file.path().to_owned();
        spool = Some(file);
    }
    if let Some(annotated) = args.annotate.as_deref() {
        super::plan::refuse_overwriting("--annotate", annotated, &args.captures)?;
    }
    let mut capture = open(&args.captures)?;
    let output = super::plan::open_output(args.output.as_deref(), &inputs)?;

    let keys = args.keys.open(false)?;
    let options_of_pipeline =
        analysis::Options { decode_as, keys: keys.clone(), ..analysis::Options::default() };
    let mut pipeline = Pipeline::new(options_of_pipeline);
    let mut collector = Collector::new(options, args.show_secrets);
    let shows_bar = !args.no_progress && io::stderr().is_terminal();
    let mut bar = shows_bar.then(|| Bar::new(capture.progress()));
    let mut seen = 0;
    while let Some(packet) = capture.next_packet() {
        add_secrets(&keys, capture.secrets(), &mut seen);
        pipeline.push(&packet, &mut |record| collector.push(record));
        if let Some(bar) = &mut bar {
            bar.tick();
        }
    }
    if let Some(bar) = bar {
        bar.finish();
    }
    let errors: Vec<String> = capture.errors().iter().map(ToString::to_string).collect();
    pipeline.finish(errors.clone(), &mut |record| collector.push(record));
    let errors: Vec<String> = errors.iter().map(|error| collector.clean(error)).collect();
    let judged = collector.finish(names);

    let is_terminal = args.output.is_none() && io::stdout().is_terminal();
    let style = style(args.color, is_terminal);
    if !write(&judged, &args, style, output)? {
        return Ok(EXIT_OK);
    }
    if let Some(path) = &args.annotate {
        annotate(&judged, &capture, &args.captures, path)?;
    }
    drop(spool);
    for error in &errors {
        eprintln!("rtmpscope: {error}");
    }
    if judged.report.sessions.is_empty() && errors.is_empty() && args.format != Format::Text {
        eprintln!(
            "rtmpscope: no RTMP found; --decode-as tcp.port==N takes the connections of a port for it"
        );
    }
    let least = match args.fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
    };
    Ok(if !errors.is_empty() {
        EXIT_TROUBLE
    } else if judged.findings.iter().any(|finding| finding.severity >= least)
        || judged.report.sessions.iter().any(|session| session.headline.failed())
    {
        EXIT_FINDINGS
    } else {
        EXIT_OK
    })
}

fn thresholds(args: &ReportArgs) -> Result<Thresholds, String> {
    let mut thresholds = match args.profile.as_deref() {
        Some(name) => Thresholds::of(rules::profile(name)?),
        None => configured()?,
    };
    for setting in &args.set {
        let (name, value) = setting.split_once('=').ok_or_else(|| {
            format!("--set {setting}: write it as NAME=VALUE, such as {}=2", first_limit())
        })?;
        let value: f64 = value
            .trim()
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
            .ok_or_else(|| format!("--set {setting}: {value} is no number"))?;
        thresholds.set(name.trim(), value).map_err(|unknown| {
            format!("--set {setting}: {unknown}; rtmpscope rules --thresholds lists them")
        })?;
    }
    Ok(thresholds)
}

/// What the configuration file says.
#[cfg(feature = "tui")]
fn configured() -> Result<Thresholds, String> {
    Ok(super::config::load_config()?.thresholds)
}

/// The file is that of the screens, which this build lacks.
#[cfg(not(feature = "tui"))]
fn configured() -> Result<Thresholds, String> {
    Ok(Thresholds::default())
}

fn first_limit() -> &'static str {
    Limit::all().next().map_or("name", Limit::name)
}

fn open(captures: &[PathBuf]) -> Result<Capture, String> {
    let inputs = super::plan::inputs(captures.to_vec())?;
    Capture::open(inputs, OpenOptions::default()).map_err(|e| e.to_string())
}

fn style(color: Color, is_terminal: bool) -> Style {
    let colour = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            is_terminal
                && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
    };
    Style { colour, width: 100 }
}

/// Writes the report; false when nobody reads it, which is no failure.
fn write(
    judged: &Judged,
    args: &ReportArgs,
    style: Style,
    output: Box<dyn Write>,
) -> Result<bool, String> {
    let report = &judged.report;
    let json = |value: serde_json::Result<String>| value.map_err(|e| e.to_string());
    let text = match args.format {
        Format::Text => findings::text(report, style),
        Format::Json => json(serde_json::to_string_pretty(report))? + "\n",
        Format::Sarif => json(serde_json::to_string_pretty(&findings::sarif(report)))? + "\n",
        Format::Junit => findings::junit(report, args.fail_on == FailOn::Warning)?,
        Format::Html => html::page(judged)?,
    };
    let mut out = BufWriter::new(output);
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(format!("cannot write the output: {error}")),
    }
}

/// Writes the packets again with findings as comments.
fn annotate(
    judged: &Judged,
    read: &Capture,
    captures: &[PathBuf],
    path: &Path,
) -> Result<(), String> {
    let annotations = Annotations::of(&judged.report);
    let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
    let file = std::fs::File::create(path).map_err(failed)?;
    let mut out = PcapngWriter::with_comment(BufWriter::new(file), Some(&annotations.section))
        .map_err(failed)?;
    for secret in read.secrets() {
        out.write_secrets(secret.kind, &secret.data).map_err(failed)?;
    }
    // Comments that were there stay.
    let mut before: std::collections::HashMap<u64, Vec<&str>> = Default::default();
    for comment in read.comments() {
        if let CommentPlace::Packet(frame) = comment.place {
            before.entry(frame).or_default().push(&comment.text);
        }
    }
    let inputs = captures.iter().map(|path| Input::Path(path.clone())).collect();
    let mut capture = Capture::open(inputs, OpenOptions::default()).map_err(|e| e.to_string())?;
    while let Some(packet) = capture.next_packet() {
        let mut comments = before.remove(&packet.frame).unwrap_or_default();
        comments.extend(annotations.comments(packet.frame).iter().map(String::as_str));
        out.write_with_comments(&packet, &comments).map_err(failed)?;
    }
    out.finish().and_then(|mut out| out.flush()).map_err(failed)
}
