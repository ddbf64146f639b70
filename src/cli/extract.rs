//! `rtmpscope extract`: a media stream as an FLV file.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::keylog::{KeylogArgs, add_secrets};
use super::{EXIT_FINDINGS, EXIT_OK, EXIT_TROUBLE};
use crate::analysis::{Keys, Options, Pipeline, Record};
use crate::base::{Direction, Timestamp};
use crate::capture::{Capture, Input, OpenOptions};
use crate::report::{Extracted, FlvExtractor, MediaStream, MediaSurvey, Redactor};

pub(super) const EXAMPLES: &str = "\
Examples:
  rtmpscope extract publish.pcapng -o publish.flv
  rtmpscope extract relay.pcap --session 2 -o played.flv
  rtmpscope extract publish.pcap -o - | ffplay -

Audio, video (Enhanced RTMP included) and metadata are written as they were sent; aggregates are taken
apart, timestamps begin at 0. Messages of which bytes are missing are left out and counted.

Exit status: 0 the file holds all that was sent; 1 some of it is missing; 2 wrong usage, or an input
that cannot be read or is damaged.";

#[derive(Args, Debug)]
pub(super) struct ExtractArgs {
    /// Capture: pcap or pcapng, also .gz and .zst; - is standard input
    #[arg(value_name = "CAPTURE")]
    capture: PathBuf,

    /// File to write; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Session that holds the stream [default: the only one with media]
    #[arg(long, value_name = "N")]
    session: Option<u32>,

    /// Message stream id [default: the only one with media]
    #[arg(long, value_name = "M")]
    stream: Option<u32>,

    /// Who sends the media
    #[arg(long, value_name = "WAY")]
    dir: Option<Dir>,

    /// Keep in metadata what looks like a name, a token or a password
    #[arg(long)]
    show_secrets: bool,

    #[command(flatten)]
    keys: KeylogArgs,

    /// Take the connections of a port for RTMP, whatever they look like; may be repeated
    #[arg(long, value_name = "tcp.port==N")]
    decode_as: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dir {
    /// Client to server: what is published
    C2s,
    /// Server to client: what is played
    S2c,
}

/// Runs to an exit code; `Err` is why it could not begin or go on.
pub(super) fn run(args: ExtractArgs) -> Result<u8, String> {
    let decode_as: Vec<u16> =
        args.decode_as.iter().map(|rule| super::plan::port(rule)).collect::<Result<_, _>>()?;
    // It is read twice, which standard input cannot be.
    let spool = match args.capture.as_os_str() == "-" {
        true => Some(super::sanitize::spool()?),
        false => None,
    };
    let path = spool.as_ref().map_or(&*args.capture, |file| file.path());

    let mut survey = MediaSurvey::new();
    let mut redactor = Redactor::new(args.show_secrets);
    let keys = args.keys.open(false)?;
    read(path, &decode_as, &keys, false, |mut record| {
        redactor.redact(&mut record);
        survey.push(&record);
        Ok(())
    })?;
    let stream = choose(&survey, &args)?.clone();

    let output = super::plan::open_output(Some(&args.output), std::slice::from_ref(&args.capture))?;
    let failed = |error: io::Error| format!("cannot write {}: {error}", args.output.display());
    let out = BufWriter::with_capacity(1 << 16, output);
    let mut extractor = FlvExtractor::new(out, &stream).map_err(failed)?;
    let mut redactor = Redactor::new(args.show_secrets);
    let mut epoch = None;
    let errors = read(path, &decode_as, &keys, true, |mut record| {
        if let Record::Begin(begin) = &record {
            epoch = begin.epoch;
        }
        let redactions = redactor.redact(&mut record);
        extractor.push(&record, &redactions)
    });
    let errors = match errors {
        Ok(errors) => errors,
        Err(error) => return Err(format!("{}: {error}", args.output.display())),
    };
    let (_, done) = extractor.finish().map_err(failed)?;
    for line in told(&done, epoch) {
        eprintln!("rtmpscope: {line}");
    }
    for error in &errors {
        eprintln!("rtmpscope: {}", redactor.clean(error));
    }
    Ok(match (errors.is_empty(), done.is_whole()) {
        (false, _) => EXIT_TROUBLE,
        (true, false) => EXIT_FINDINGS,
        (true, true) => EXIT_OK,
    })
}

/// Reads a capture to its end; what was wrong with it, a line each.
fn read(
    path: &Path,
    decode_as: &[u16],
    keys: &Keys,
    payload: bool,
    mut take: impl FnMut(Record) -> io::Result<()>,
) -> Result<Vec<String>, String> {
    let mut capture = Capture::open(vec![Input::Path(path.into())], OpenOptions::default())
        .map_err(|e| e.to_string())?;
    let mut options = Options {
        decode_as: decode_as.to_vec(),
        keys: keys.clone(),
        frames: false,
        ..Options::default()
    };
    options.session.keep_media = payload;
    let mut pipeline = Pipeline::new(options);
    let mut failure = None;
    let mut sink = |record: Record| {
        if failure.is_none() {
            failure = take(record).err();
        }
    };
    let mut seen = 0;
    while let Some(packet) = capture.next_packet() {
        add_secrets(keys, capture.secrets(), &mut seen);
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    match failure {
        Some(error) => Err(format!("cannot write: {error}")),
        None => Ok(capture.errors().iter().map(ToString::to_string).collect()),
    }
}

/// The stream that is meant; an error lists the choices.
fn choose<'s>(survey: &'s MediaSurvey, args: &ExtractArgs) -> Result<&'s MediaStream, String> {
    let name = args.capture.display();
    let direction = args.dir.map(|dir| match dir {
        Dir::C2s => Direction::ClientToServer,
        Dir::S2c => Direction::ServerToClient,
    });
    let fits: Vec<&MediaStream> = survey
        .streams()
        .filter(|stream| {
            let key = stream.key;
            args.session.is_none_or(|session| session == key.session)
                && args.stream.is_none_or(|id| Some(id) == key.stream_id)
                && direction.is_none_or(|direction| direction == key.direction)
        })
        .collect();
    let list = |streams: &[&MediaStream]| {
        let lines: Vec<String> = streams.iter().take(16).map(|stream| line(stream)).collect();
        let more = if streams.len() > lines.len() { "\n  ..." } else { "" };
        format!("{}{more}", lines.concat())
    };
    match &fits[..] {
        [stream] => Ok(stream),
        [] => {
            let all: Vec<&MediaStream> = survey.streams().collect();
            Err(match all.is_empty() {
                true => format!("{name} holds no audio and no video"),
                false => format!("{name} has no such stream with media; it has{}", list(&all)),
            })
        }
        several => Err(format!(
            "{name} has {} streams with media; choose one by --session, --stream and --dir:{}",
            several.len(),
            list(several)
        )),
    }
}

fn line(stream: &MediaStream) -> String {
    let key = stream.key;
    let id = key.stream_id.map_or("unknown".to_owned(), |id| id.to_string());
    let (dir, role) = match key.direction {
        Direction::ClientToServer => ("c2s", "published"),
        Direction::ServerToClient => ("s2c", "played"),
    };
    let stream_name = stream.name.as_deref().unwrap_or("a stream");
    format!(
        "\n  --session {} --stream {id} --dir {dir}   {stream_name}, {role}: {} video, {} audio messages",
        key.session, stream.video, stream.audio
    )
}

/// What was written and what is missing, a line each.
fn told(done: &Extracted, epoch: Option<Timestamp>) -> Vec<String> {
    let at = |time: Timestamp| format!("{:.3} s", time.seconds_since(epoch.unwrap_or(time)));
    let mut lines = vec![format!(
        "{} video, {} audio and {} metadata tags, {:.3} s",
        done.video,
        done.audio,
        done.data,
        f64::from(done.duration) / 1000.0
    )];
    for (time, len, kind) in &done.gaps {
        lines.push(format!("{len} bytes are missing at {} ({})", at(*time), kind.name()));
    }
    let more = done.gap_count.saturating_sub(done.gaps.len() as u64);
    if more > 0 {
        lines.push(format!("bytes are missing at {more} more places"));
    }
    if done.damaged > 0 {
        lines.push(format!("{} messages with missing bytes left out", done.damaged));
    }
    if done.too_large > 0 {
        lines.push(format!("{} messages larger than an FLV tag left out", done.too_large));
    }
    for (media, frames) in ["audio", "video"].iter().zip(done.unconfigured) {
        if frames > 0 {
            lines.push(format!(
                "{frames} {media} frames come before any codec configuration in the capture: \
                 players cannot decode them"
            ));
        }
    }
    for time in &done.resets {
        lines.push(format!(
            "timestamps began anew at {}: the file goes on without the jump",
            at(*time)
        ));
    }
    lines
}
