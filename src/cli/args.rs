//! Arguments as typed.

use std::path::PathBuf;

use super::keylog::KeylogArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  rtmpscope dump publish.pcapng                      every message, a line each
  rtmpscope dump --summary *.pcap.gz                 a sheet per session
  rtmpscope dump -v --type command publish.pcap      commands with all their values
  rtmpscope dump -x --session 2 publish.pcap         bytes with the names of their fields
  rtmpscope dump publish.pcap | jq 'select(.kind==\"command_amf0\").body.command'
  sudo tcpdump -i eth0 -U -w - tcp port 1935 | rtmpscope dump -

Stream keys, tokens and passwords are replaced by placeholders such as <stream-1>, the same secret by
the same one. --show-secrets shows them.

Exit status: 0 all input was read; 2 wrong usage, an input that cannot be read, or one that is damaged or
cut (what could be read was reported).";

/// Inspect RTMP: decode captures into sessions and messages.
#[derive(Debug, Parser)]
#[command(
    name = "rtmpscope",
    version,
    about,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub dump: DumpArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print what a capture holds, message by message. `rtmpscope CAPTURE` without a
    /// terminal is short for it
    #[command(after_help = EXAMPLES)]
    Dump(DumpArgs),

    /// Capture from a network interface and show RTMP as it happens
    #[cfg(feature = "live")]
    #[command(after_help = super::live::EXAMPLES)]
    Live(super::live::LiveArgs),

    /// Say what went wrong in a capture, and why
    #[command(after_help = super::report::EXAMPLES)]
    Report(super::report::ReportArgs),

    /// Test a server against the specification and practice, case by case
    #[command(after_help = super::check::EXAMPLES)]
    Check(Box<super::check::CheckArgs>),

    /// Run a conforming RTMP server, with faults to switch on
    #[command(after_help = super::serve::EXAMPLES)]
    Serve(super::serve::ServeArgs),

    /// List and explain the rules of `report`
    #[command(after_help = super::rules::EXAMPLES)]
    Rules(super::rules::RulesArgs),

    /// Write a capture without secrets, to attach to a public issue
    #[command(after_help = super::sanitize::EXAMPLES)]
    Sanitize(super::sanitize::SanitizeArgs),

    /// Compare two sessions step by step
    #[command(after_help = super::diff::EXAMPLES)]
    Diff(super::diff::DiffArgs),

    /// Write a media stream of a capture to an FLV file
    #[command(after_help = super::extract::EXAMPLES)]
    Extract(super::extract::ExtractArgs),

    /// Look at a capture in the terminal: sessions, timeline, messages, bytes. `rtmpscope CAPTURE`
    /// on a terminal is short for it
    #[cfg(feature = "tui")]
    #[command(after_help = super::view::EXAMPLES)]
    View(super::view::ViewArgs),

    /// Check the configuration file of the screens, or write the defaults
    #[cfg(feature = "tui")]
    Config(super::config::ConfigArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line per record, for people
    Text,
    /// A JSON object per line
    Ndjson,
    /// One JSON array of the same objects
    Json,
    /// Comma-separated values: messages only, a line each
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

#[derive(Args, Debug)]
pub(super) struct DumpArgs {
    /// Captures: pcap or pcapng, also .gz and .zst; - is standard input. Several are merged by time
    #[arg(value_name = "CAPTURE", required = LIVE_ABSENT)]
    pub captures: Vec<PathBuf>,

    /// How to print [default: text on a terminal, ndjson otherwise]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,

    /// Text: the decoded fields below each message
    #[arg(short, long)]
    pub verbose: bool,

    /// Text: the bytes below each message, with the names of their fields; twice for all bytes of
    /// long fields
    #[arg(short = 'x', long = "hex", action = clap::ArgAction::Count)]
    pub hex: u8,

    /// Every field with its value, its byte range in the message and the packets it came in
    #[arg(long)]
    pub fields: bool,

    /// Only this session; may be repeated
    #[arg(long, value_name = "N")]
    pub session: Vec<u32>,

    /// Only messages of this type: a name such as video or set_chunk_size, a type id, or one of
    /// media, control, command, data, shared_object; may be repeated. handshake, anomaly and gap
    /// name those lines
    #[arg(long = "type", value_name = "KIND", value_delimiter = ',')]
    pub kind: Vec<String>,

    /// Only messages that match, such as 'video && key && gap>2s' or 'code~"BadName"'; docs/filter.md
    /// has the language
    #[arg(short = 'Y', long, value_name = "EXPR")]
    pub filter: Option<String>,

    /// Sessions only: no messages
    #[arg(long, conflicts_with_all = ["verbose", "hex", "fields", "kind", "filter"])]
    pub summary: bool,

    /// Show stream names, tokens and passwords as they are
    #[arg(long)]
    pub show_secrets: bool,

    /// Wait for a capture file to grow
    #[arg(long)]
    pub follow: bool,

    #[command(flatten)]
    pub keys: KeylogArgs,

    /// Take the connections of a port for RTMP, whatever they look like; may be repeated
    #[arg(long, value_name = "tcp.port==N")]
    pub decode_as: Vec<String>,

    /// Colours of text output
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,

    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Capture from a network interface
    #[cfg(feature = "live")]
    #[arg(short, long, value_name = "IFACE", conflicts_with_all = ["captures", "follow"])]
    pub interface: Option<String>,

    /// Capture filter for -i, in libpcap's language, such as "tcp port 1935"
    #[cfg(feature = "live")]
    #[arg(long, value_name = "FILTER", requires = "interface")]
    pub bpf: Option<String>,

    /// No progress bar on standard error
    #[arg(long)]
    pub no_progress: bool,
}

#[cfg(feature = "tui")]
impl DumpArgs {
    /// The same for the screens; `None` when something is asked for that only printing has.
    pub(super) fn as_view(&self) -> Option<super::view::ViewArgs> {
        let prints = self.format.is_some()
            || self.verbose
            || self.hex > 0
            || self.fields
            || !self.session.is_empty()
            || !self.kind.is_empty()
            || self.summary
            || self.output.is_some()
            || self.color != Color::Auto;
        (!prints && !self.captures.is_empty()).then(|| super::view::ViewArgs {
            captures: self.captures.clone(),
            follow: self.follow,
            show_secrets: self.show_secrets,
            keys: self.keys.clone(),
            decode_as: self.decode_as.clone(),
            filter: self.filter.clone(),
            ..super::view::ViewArgs::default()
        })
    }
}

/// Whether captures must be named: with live capture an interface may stand in, which the plan
/// checks.
const LIVE_ABSENT: bool = !cfg!(feature = "live");
