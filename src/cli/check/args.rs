//! Arguments of `check` as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::args::Color;
use crate::cli::check_results;

pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  rtmpscope check rtmp://localhost/live                       every case, eight at a time
  rtmpscope check --only chunk rtmp://localhost/live          those of an area
  rtmpscope check --only 'rtmp/play/*' --verbose rtmp://...   with what was said in cases that fail
  rtmpscope check --exec 'nginx -c nginx.conf' rtmp://...     start the server, see it crash
  rtmpscope check --server server.toml --format junit -o results.xml
  rtmpscope check --list                                      the cases
  rtmpscope check explain rtmp/chunk/interleaving             what one asks for, sends and accepts
  rtmpscope check --server server.toml --expect nginx.toml    fails only for what is new
  rtmpscope check expect write result.json nginx.toml         makes or refreshes that file
  rtmpscope check doctor --server server.toml                 does the manifest work?

The server needs an application that anybody may publish to and play from. Stream names are made up;
give a path after the application to begin them with it, and a query for tokens.

Exit status: 0 everything as expected; 1 a case failed that was not expected to; 2 wrong usage;
3 the server cannot be reached or started; 4 the expectation file is stale; 5 the server crashed or
hung.";

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct CheckArgs {
    #[command(subcommand)]
    pub command: Option<CheckCommand>,

    #[command(flatten)]
    pub target: TargetArgs,

    #[command(flatten)]
    pub pick: PickArgs,

    /// List the cases instead of running them
    #[arg(long)]
    pub list: bool,

    /// Count NONSTRICT as failed
    #[arg(long)]
    pub strict: bool,

    /// Cases at a time
    #[arg(short, long, value_name = "N", default_value_t = 8)]
    pub jobs: usize,

    /// Where all random bytes come from: the same seed sends the same bytes [default: another one
    /// each time]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Factor of all time limits
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub timeout_scale: f64,

    /// Try a failed case again so many times; one that changes its verdict is FLAKY
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub retries: u32,

    /// How to print the results
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: CheckFormat,

    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// What is expected to fail; entries that are of no use any more give exit status 4
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,

    /// Write a capture of each case that failed to this directory
    #[arg(long, value_name = "DIR")]
    pub save_pcap: Option<PathBuf>,

    /// Text: what was said in cases that failed, message by message
    #[arg(short, long)]
    pub verbose: bool,

    /// Show stream names, tokens and passwords as they are
    #[arg(long)]
    pub show_secrets: bool,

    /// Colours of text output
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// The server under test.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct TargetArgs {
    /// rtmp://host[:port]/app[/prefix][?query]
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    /// Start the server with this command, and stop it with all its children
    #[arg(long, value_name = "COMMAND", conflicts_with = "server")]
    pub exec: Option<String>,

    /// Start the server as this manifest says
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,

    /// A recorded stream that can be played, for cases that seek
    #[arg(long, value_name = "NAME")]
    pub vod: Option<String>,
}

/// Which cases.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct PickArgs {
    /// Only these: ids, areas or patterns such as 'rtmp/chunk/*'; may be repeated
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    pub only: Vec<String>,

    /// Not these
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    pub skip: Vec<String>,

    /// Only requirements that bind at least so much
    #[arg(long, value_name = "LEVEL", default_value = "all")]
    pub level: LevelArg,

    /// The k-th of n parts, as k/n
    #[arg(long, value_name = "K/N")]
    pub shard: Option<String>,

    /// Cases that wait for idle connections too: they take minutes
    #[arg(long)]
    pub slow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LevelArg {
    /// MUST
    Must,
    /// MUST and SHOULD
    Should,
    /// All
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckFormat {
    /// For people
    Text,
    /// One JSON object; `check merge` and `check matrix` read it
    Json,
    /// A JSON object per line
    Ndjson,
    /// JUnit XML
    Junit,
    /// One page that needs no other file and no network
    Html,
    /// SARIF 2.1.0
    Sarif,
    /// TAP 14
    Tap,
    /// Markdown, for the summary page of a CI job
    Md,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CheckCommand {
    /// Say what a case asks for, what it sends and what passes
    Explain {
        /// Ids, areas or patterns
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Prove that the server starts, is ready, answers and stops
    Doctor(TargetArgs),
    /// Write expectation files, and compare results
    #[command(subcommand)]
    Expect(ExpectCommand),
    /// Put the results of shards together, or write results in another format
    #[command(after_help = check_results::MERGE_EXAMPLES)]
    Merge(check_results::MergeArgs),
    /// Show the results of several servers side by side
    #[command(after_help = check_results::MATRIX_EXAMPLES)]
    Matrix(check_results::MatrixArgs),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ExpectCommand {
    /// Make or refresh an expectation file: adds what failed and is not expected, takes away what
    /// passes, keeps comments and reasons
    Write {
        /// A result of --format json
        #[arg(value_name = "RESULT.json")]
        result: PathBuf,
        /// The file
        #[arg(value_name = "FILE.toml")]
        file: PathBuf,
    },
    /// What became worse between two results; exit status 1 when something did
    Diff {
        /// A result of --format json
        #[arg(value_name = "OLD.json")]
        old: PathBuf,
        /// A later one
        #[arg(value_name = "NEW.json")]
        new: PathBuf,
    },
}
