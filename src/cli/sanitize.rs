//! `rtmpscope sanitize`: a capture that can be attached to a public issue.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{EXIT_OK, EXIT_TROUBLE};
use crate::capture::{Capture, Input, OpenOptions, PcapngWriter};
use crate::report::sanitize::{Learner, Media, Options, Rewriter, Tally};

pub(super) const EXAMPLES: &str = "\
Examples:
  rtmpscope sanitize publish.pcapng shareable.pcapng
  rtmpscope sanitize --addresses --media zero publish.pcap.gz shareable.pcapng
  tcpdump -w - tcp port 1935 | rtmpscope sanitize - shareable.pcapng

Stream names, keys, tokens and credentials become text of the same length, in retransmissions and
across segments and chunk headers too. Bytes of which it is not known what they are (other
connections, what cannot be decoded) become zeros. Times, lengths and headers stay; checksums are
computed anew. Comments, interface names and decryption secrets are left out.

Exit status: 0 done; 2 wrong usage, or an input that cannot be read or is damaged (what could be read
was written).";

#[derive(Args, Debug)]
pub(super) struct SanitizeArgs {
    /// Capture to read: pcap or pcapng, also .gz and .zst; - is standard input
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// Capture to write, in pcapng; - is standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,

    /// Replace IP and Ethernet addresses too, the same one by the same one, and mask hosts in
    /// messages
    #[arg(long)]
    addresses: bool,

    /// What to do with the payload of audio and video
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    media: MediaArg,

    /// Keep the decryption secrets of the input (TLS keys)
    #[arg(long)]
    keep_secrets: bool,

    /// Take the connections of a port for RTMP, whatever they look like; may be repeated
    #[arg(long, value_name = "tcp.port==N")]
    decode_as: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MediaArg {
    /// As it is
    Keep,
    /// Zeros, except headers and codec configurations
    Zero,
}

/// Runs to an exit code; `Err` is why it could not begin or go on.
pub(super) fn run(args: SanitizeArgs) -> Result<u8, String> {
    let decode_as =
        args.decode_as.iter().map(|rule| super::plan::port(rule)).collect::<Result<_, _>>()?;
    let options = Options {
        addresses: args.addresses,
        media: match args.media {
            MediaArg::Keep => Media::Keep,
            MediaArg::Zero => Media::Zero,
        },
        decode_as,
    };
    // It is read twice, which standard input cannot be.
    let spool = if args.input.as_os_str() == "-" { Some(spool()?) } else { None };
    let input = spool.as_ref().map_or(&*args.input, |file| file.path());

    let mut capture = open(input)?;
    let mut learner = Learner::new(options);
    while let Some(packet) = capture.next_packet() {
        learner.push(&packet);
    }
    let plan = learner.finish();

    let output = super::plan::open_output(Some(&args.output), std::slice::from_ref(&args.input))?;
    let failed = |error: io::Error| format!("cannot write {}: {error}", args.output.display());
    let mut out = PcapngWriter::new(BufWriter::new(output)).map_err(failed)?;
    let secrets = capture.secrets();
    if args.keep_secrets {
        for secret in secrets {
            out.write_secrets(secret.kind, &secret.data).map_err(failed)?;
        }
    }
    let left_out = if args.keep_secrets { 0 } else { secrets.len() };

    let mut again = open(input)?;
    let mut rewriter = Rewriter::new(plan);
    while let Some(packet) = again.next_packet() {
        for packet in rewriter.push(packet) {
            out.write(&packet).map_err(failed)?;
        }
    }
    let (rest, tally) = rewriter.finish();
    for packet in rest {
        out.write(&packet).map_err(failed)?;
    }
    out.finish().and_then(|mut out| out.flush()).map_err(failed)?;

    // Inputs were named by the user, and errors are about places in files: no secrets.
    for error in capture.errors() {
        eprintln!("rtmpscope: {error}");
    }
    summary(&tally, capture.comments().len(), left_out);
    Ok(if capture.errors().is_empty() { EXIT_OK } else { EXIT_TROUBLE })
}

fn summary(tally: &Tally, comments: usize, secrets: usize) {
    let Tally { secrets: hidden, sessions, packets, changed, blanked } = tally;
    eprintln!(
        "rtmpscope: {packets} packets, {sessions} sessions; {hidden} secrets replaced, {changed} \
         payloads changed, {blanked} bytes of unknown meaning blanked"
    );
    if comments > 0 {
        eprintln!("rtmpscope: {comments} comments left out");
    }
    if secrets > 0 {
        eprintln!("rtmpscope: {secrets} decryption secrets left out; --keep-secrets keeps them");
    }
}

fn open(path: &Path) -> Result<Capture, String> {
    Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).map_err(|e| e.to_string())
}

/// Standard input in a file, for what reads it twice.
pub(super) fn spool() -> Result<tempfile::NamedTempFile, String> {
    if io::stdin().is_terminal() {
        return Err("- reads a capture from standard input, which is a terminal".into());
    }
    let failed = |error: io::Error| format!("cannot keep standard input in a file: {error}");
    let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
    let mut writer: &File = file.as_file_mut();
    io::copy(&mut io::stdin().lock(), &mut writer).map_err(failed)?;
    Ok(file)
}
