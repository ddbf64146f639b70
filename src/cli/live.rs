//! `rtmpscope live`: a running capture, shown, printed and written at once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::EXIT_OK;
use super::args::{Color, DumpArgs, Format};
use super::keylog::KeylogArgs;
use super::plan::{Plan, Source};
use crate::analysis::AnomalyRecord;
use crate::base::Timestamp;
use crate::capture::{
    DeviceInfo, DropCounts, FeedLimits, FeedStatus, Live, LiveFeed, LiveOptions, Next,
    RotateOptions, RotatingWriter, StopFlag, interfaces,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  sudo rtmpscope live -i eth0                        every message as it comes
  sudo rtmpscope live -i any -f 'tcp port 1935'      all interfaces, only what the filter lets through
  sudo rtmpscope live -i eth0 -w night.pcapng --rotate-size 100M --files 20
  sudo rtmpscope live -i eth0 --format ndjson | jq 'select(.type==\"anomaly\")'
  rtmpscope live --list-interfaces

RTMP is found on any port. The files of -w are pcapng and can be read while they are written, also after
the program was killed. Packets that the system dropped are told as they are, and counted at the end.";

#[derive(Args, Debug)]
pub(super) struct LiveArgs {
    /// The interface; any is all of them, on Linux
    #[arg(short, long, value_name = "IFACE", required_unless_present = "list_interfaces")]
    pub interface: Option<String>,

    /// Capture filter in libpcap's language, such as "tcp port 1935"
    #[arg(short = 'f', long, value_name = "BPF")]
    pub bpf: Option<String>,

    /// Print the interfaces there are
    #[arg(long, conflicts_with_all = ["interface", "bpf", "write"])]
    pub list_interfaces: bool,

    /// Write all packets to a pcapng file too
    #[arg(short, long, value_name = "FILE")]
    pub write: Option<PathBuf>,

    /// Begin a new file when one has so many bytes: 100M, 2G. The files are called
    /// NAME_00001_20240131120000.pcapng
    #[arg(long, value_name = "SIZE", requires = "write", value_parser = size)]
    pub rotate_size: Option<u64>,

    /// Begin a new file after so long: 30s, 10m, 1h
    #[arg(long, value_name = "TIME", requires = "write", value_parser = duration)]
    pub rotate_time: Option<Duration>,

    /// Keep only the newest N files
    #[arg(long, value_name = "N", requires = "write", value_parser = clap::value_parser!(u32).range(1..))]
    pub files: Option<u32>,

    /// Most bytes captured of a packet
    #[arg(short, long, value_name = "BYTES", default_value_t = 262_144)]
    pub snaplen: u32,

    /// Do not ask the interface for packets that are not meant for this host
    #[arg(short = 'p', long)]
    pub no_promiscuous: bool,

    /// Screens: most bytes of packets kept in temporary files, to be looked at again
    #[cfg(feature = "tui")]
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = size)]
    pub spool: u64,

    /// End after so many packets
    #[arg(short, long, value_name = "N")]
    pub count: Option<u64>,

    /// End after so long: 30s, 10m, 1h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,

    /// Print instead of showing the screens, and how [default: text when there is no terminal]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,

    /// Text: the decoded fields below each message
    #[arg(short, long)]
    pub verbose: bool,

    /// Text: the bytes below each message; twice for all bytes of long fields
    #[arg(short = 'x', long = "hex", action = clap::ArgAction::Count)]
    pub hex: u8,

    /// Every field with its value, its byte range in the message and the packets it came in
    #[arg(long)]
    pub fields: bool,

    /// Only messages of this type; see `rtmpscope dump --help`
    #[arg(long = "type", value_name = "KIND", value_delimiter = ',')]
    pub kind: Vec<String>,

    /// Only messages that match, such as 'video && key && gap>2s'; docs/filter.md has the language
    #[arg(short = 'Y', long, value_name = "EXPR")]
    pub filter: Option<String>,

    /// Sessions only: no messages
    #[arg(long, conflicts_with_all = ["verbose", "hex", "fields", "kind", "filter"])]
    pub summary: bool,

    /// Show stream names, tokens and passwords as they are
    #[arg(long)]
    pub show_secrets: bool,

    #[command(flatten)]
    pub keys: KeylogArgs,

    /// Take the connections of a port for RTMP, whatever they look like; may be repeated
    #[arg(long, value_name = "tcp.port==N")]
    pub decode_as: Vec<String>,

    /// Colours of text output
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,

    /// Write what is printed to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A live capture that has not begun.
#[derive(Clone, Debug)]
pub(super) struct LiveSetup {
    interface: String,
    filter: String,
    snap_len: u32,
    promiscuous: bool,
    limits: FeedLimits,
    write: Option<PathBuf>,
    rotate: RotateOptions,
}

impl LiveSetup {
    /// All packets of an interface that pass the filter, for ever, written nowhere.
    pub(super) fn new(interface: String, filter: String) -> LiveSetup {
        LiveSetup {
            interface,
            filter,
            snap_len: 262_144,
            promiscuous: true,
            limits: FeedLimits::default(),
            write: None,
            rotate: RotateOptions::default(),
        }
    }

    /// What is captured, in words.
    pub(super) fn listening(&self) -> String {
        match self.filter.as_str() {
            "" => format!("capturing on {}; Ctrl-C ends", self.interface),
            filter => format!("capturing {filter} on {}; Ctrl-C ends", self.interface),
        }
    }

    /// Begins.
    pub(super) fn open(self, stop: &StopFlag) -> Result<LiveFeed, String> {
        let mut options = LiveOptions::new(&self.interface);
        options.filter = self.filter.clone();
        options.snap_len = self.snap_len;
        options.promiscuous = self.promiscuous;
        options.stop = stop.clone();
        let live = Live::open(&options).map_err(|e| e.to_string())?;
        let writer = self.write.as_deref().map(|path| self.writer(path)).transpose()?;
        LiveFeed::start(live, writer, self.limits, stop.clone())
            .map_err(|e| format!("cannot start the capturing thread: {e}"))
    }

    fn writer(&self, path: &Path) -> Result<RotatingWriter, String> {
        let path = path.to_owned();
        let name: Box<dyn FnMut(u32) -> PathBuf + Send> = match self.rotate.rotates() {
            true => Box::new(move |number| numbered(&path, number)),
            false => Box::new(move |_| path.clone()),
        };
        let filter = Some(self.filter.as_str()).filter(|filter| !filter.is_empty());
        RotatingWriter::create(name, self.rotate, &self.interface, filter)
            .map_err(|e| format!("cannot write {e}"))
    }
}

/// A live capture under way, and what was told of it.
pub(super) struct LiveRun {
    feed: LiveFeed,
    last: Option<(Timestamp, u64)>,
    /// Packets dropped by the kernel and by the interface that were told of.
    told: (u64, u64),
}

impl LiveRun {
    pub(super) fn new(feed: LiveFeed) -> LiveRun {
        LiveRun { feed, last: None, told: (0, 0) }
    }

    pub(super) fn next(&mut self, timeout: Duration) -> Next {
        let next = self.feed.poll_packet(timeout);
        if let Next::Packet(packet) = &next {
            self.last = Some((packet.time, packet.frame));
        }
        next
    }

    pub(super) fn status(&self) -> FeedStatus {
        self.feed.status()
    }

    /// Packets lost since this was asked last, once there is a packet to say when.
    pub(super) fn lost(&mut self) -> Option<AnomalyRecord> {
        let drops = self.feed.status().drops;
        let (time, frame) = self.last?;
        lost(drops, &mut self.told).map(|detail| AnomalyRecord {
            session: None,
            kind: "packets-dropped",
            direction: None,
            time: Some(time),
            frame: Some(frame),
            offset: None,
            csid: None,
            detail,
        })
    }

    /// The counts, as tcpdump says them.
    pub(super) fn farewell(&self) -> String {
        let FeedStatus { packets, drops, file, .. } = self.feed.status();
        let mut line = format!(
            "{packets} packets captured, {} dropped by the kernel, {} by the interface",
            drops.by_kernel, drops.by_interface
        );
        if let Some(file) = file {
            line += &format!("; written to {}", file.display());
        }
        line
    }
}

fn lost(drops: DropCounts, told: &mut (u64, u64)) -> Option<String> {
    let now = (drops.by_kernel, drops.by_interface);
    let new = (now.0.saturating_sub(told.0), now.1.saturating_sub(told.1));
    if new == (0, 0) {
        return None;
    }
    *told = now;
    let mut parts = Vec::new();
    for (new, all, whom) in [(new.0, now.0, "the kernel"), (new.1, now.1, "the interface")] {
        if new > 0 {
            parts.push(format!("{new} packets dropped by {whom}, {all} since the beginning"));
        }
    }
    Some(parts.join("; "))
}

/// Runs the command to its exit code; `Err` is why it could not begin.
pub(super) fn run(args: LiveArgs) -> Result<u8, String> {
    if args.list_interfaces {
        return list(args.format.unwrap_or(Format::Text));
    }
    #[cfg(feature = "tui")]
    if args.wants_view() {
        return view(&args);
    }
    super::dump::run(plan(args)?)
}

/// The screens, on a running capture.
#[cfg(feature = "tui")]
fn view(args: &LiveArgs) -> Result<u8, String> {
    use super::view::{ViewArgs, show};
    use crate::capture::StoreWriter;
    use crate::tui::loader::Loader;

    let setup = args.setup()?;
    // The place in the view can be reopened only in a file that holds it all.
    let file = setup.write.clone().filter(|_| !setup.rotate.rotates());
    let view = ViewArgs {
        captures: file.into_iter().collect(),
        filter: args.filter.clone(),
        follow: true,
        show_secrets: args.show_secrets,
        keys: args.keys.clone(),
        decode_as: args.decode_as.clone(),
        ..ViewArgs::default()
    };
    let mut open = |options| {
        let stop = StopFlag::new();
        let feed = setup.clone().open(&stop)?;
        let store = StoreWriter::spooled(args.spool)
            .map_err(|e| format!("cannot make a temporary file for packets: {e}"))?;
        Loader::start(Box::new(feed), store, None, stop, options)
    };
    show(&view, &mut open, Some("a live capture"))
}

impl LiveArgs {
    /// Whether nothing asks for a list instead of the screens.
    #[cfg(feature = "tui")]
    fn wants_view(&self) -> bool {
        let is_list = self.format.is_some()
            || self.verbose
            || self.hex > 0
            || self.fields
            || self.summary
            || !self.kind.is_empty()
            || self.output.is_some();
        !is_list && std::io::IsTerminal::is_terminal(&std::io::stdout())
    }

    /// What to capture, checked.
    fn setup(&self) -> Result<LiveSetup, String> {
        let interface = self.interface.clone().unwrap_or_default();
        let mut setup = LiveSetup::new(interface, self.bpf.clone().unwrap_or_default());
        setup.snap_len = self.snaplen;
        setup.promiscuous = !self.no_promiscuous;
        setup.limits = FeedLimits { packets: self.count, time: self.duration };
        let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        setup.rotate = RotateOptions {
            max_bytes: self.rotate_size,
            max_ns: self.rotate_time.map(nanos),
            max_files: self.files.map(|files| files as usize),
        };
        if self.files.is_some() && !setup.rotate.rotates() {
            return Err("--files is for rotated files: give --rotate-size or --rotate-time".into());
        }
        if self.write.as_deref() == Some(Path::new("-")) {
            return Err(
                "-w writes to a file; tcpdump -i IFACE -U -w - writes to standard output".into()
            );
        }
        setup.write.clone_from(&self.write);
        Ok(setup)
    }
}

fn plan(args: LiveArgs) -> Result<Plan, String> {
    let setup = args.setup()?;
    let mut plan = Plan::new(DumpArgs {
        captures: Vec::new(),
        format: Some(args.format.unwrap_or(Format::Text)),
        verbose: args.verbose,
        hex: args.hex,
        fields: args.fields,
        session: Vec::new(),
        kind: args.kind,
        filter: args.filter,
        summary: args.summary,
        show_secrets: args.show_secrets,
        follow: false,
        keys: args.keys,
        decode_as: args.decode_as,
        color: args.color,
        output: args.output,
        interface: args.interface,
        bpf: args.bpf,
        no_progress: true,
    })?;
    plan.source = Source::Live(setup);
    Ok(plan)
}

/// `night.pcapng` as `night_00001_20240131120000.pcapng`, which is how dumpcap names its files.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let time = jiff::Zoned::now().strftime("%Y%m%d%H%M%S");
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match path.extension() {
        Some(extension) => format!("{stem}_{number:05}_{time}.{}", extension.to_string_lossy()),
        None => format!("{stem}_{number:05}_{time}"),
    };
    path.with_file_name(name)
}

/// `100M`: units of 1000 are what disks are sold in, but 1024 is what tcpdump and dumpcap mean.
fn size(text: &str) -> Result<u64, String> {
    let trimmed = text.trim().trim_end_matches(['B', 'b']).trim_end_matches('i');
    let digits = trimmed.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &trimmed[digits.len()..] {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return Err("write it as 500k, 100M or 2G".into()),
    };
    let number: u64 = digits.trim().parse().map_err(|_| "write it as 500k, 100M or 2G")?;
    number
        .checked_mul(1 << shift)
        .filter(|bytes| *bytes >= 4096)
        .ok_or_else(|| "a file has at least 4k, and at most what a disk holds".into())
}

/// `90`, `30s`, `10m`, `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.trim().parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => text.parse::<jiff::SignedDuration>().ok().and_then(|d| d.try_into().ok()),
    };
    parsed.filter(|time| !time.is_zero()).ok_or_else(|| "write it as 30s, 10m or 1h".into())
}

#[derive(Serialize)]
struct InterfaceLine<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    addresses: &'a [String],
    up: bool,
    loopback: bool,
}

impl<'a> InterfaceLine<'a> {
    fn of(device: &'a DeviceInfo) -> InterfaceLine<'a> {
        InterfaceLine {
            name: &device.name,
            description: device.description.as_deref(),
            addresses: &device.addresses,
            up: device.up,
            loopback: device.loopback,
        }
    }
}

fn list(format: Format) -> Result<u8, String> {
    let devices = interfaces().map_err(|e| e.to_string())?;
    let lines: Vec<InterfaceLine<'_>> = devices.iter().map(InterfaceLine::of).collect();
    let mut text = String::new();
    match format {
        Format::Text => {
            let wide = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
            for line in &lines {
                text += &table_line(line, wide);
            }
        }
        Format::Ndjson => {
            for line in &lines {
                text += &json(line)?;
                text.push('\n');
            }
        }
        Format::Json => text = json(&lines)? + "\n",
        Format::Csv => return Err("--list-interfaces has no CSV; --format ndjson".into()),
    }
    match std::io::stdout().write_all(text.as_bytes()) {
        // A closed pipe is how a reader says that it has seen enough.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write the output: {e}"))
        }
        _ => Ok(EXIT_OK),
    }
}

fn table_line(line: &InterfaceLine<'_>, wide: usize) -> String {
    let state = match (line.up, line.loopback) {
        (true, true) => "up, loopback",
        (true, false) => "up",
        (false, _) => "down",
    };
    let addresses = line.addresses.join(", ");
    let description = line.description.map(|text| format!("({text})")).unwrap_or_default();
    let rest = [addresses, description].into_iter().filter(|text| !text.is_empty());
    let rest = rest.collect::<Vec<_>>().join(" ");
    format!("{:wide$}  {state:12}  {rest}", line.name).trim_end().to_owned() + "\n"
}

fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|e| format!("cannot write JSON: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_as_people_write_them() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("500k"), Ok(500 << 10));
        assert_eq!(size("100M"), Ok(100 << 20));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        for wrong in ["", "M", "10X", "-1M", "1", "99999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "0", "0s", "-5s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rotated_files_are_named_like_those_of_dumpcap() {
        let name = numbered(Path::new("/tmp/a b/night.pcapng"), 12).display().to_string();
        let rest = name.strip_prefix("/tmp/a b/night_00012_20").expect("the number");
        assert!(rest.ends_with(".pcapng") && rest.len() == 12 + 7, "{name}");
        assert!(numbered(Path::new("night"), 1).to_string_lossy().starts_with("night_00001_20"));
    }

    #[test]
    fn each_loss_is_told_once() {
        let mut told = (0, 0);
        let drops = |by_kernel, by_interface| DropCounts { received: 9, by_kernel, by_interface };
        assert_eq!(lost(drops(0, 0), &mut told), None);
        let first = lost(drops(3, 0), &mut told).expect("news");
        assert_eq!(first, "3 packets dropped by the kernel, 3 since the beginning");
        assert_eq!(lost(drops(3, 0), &mut told), None);
        let second = lost(drops(10, 1), &mut told).expect("news");
        assert!(second.starts_with("7 packets dropped by the kernel, 10 "), "{second}");
        assert!(second.contains("1 packets dropped by the interface"), "{second}");
    }

    #[test]
    fn interfaces_are_a_table() {
        let device = DeviceInfo {
            name: "lo".into(),
            description: None,
            addresses: vec!["127.0.0.1".into(), "::1".into()],
            up: true,
            loopback: true,
        };
        let line = InterfaceLine::of(&device);
        assert_eq!(table_line(&line, 4), "lo    up, loopback  127.0.0.1, ::1\n");
        let text = json(&line).expect("JSON");
        assert!(text.starts_with(r#"{"name":"lo","addresses":["127.0.0.1","::1"]"#), "{text}");
    }
}
