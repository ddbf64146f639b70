//! What tshark makes of a capture.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::walk;

/// One message. What its header leaves out (formats 1 to 3) is `None` where tshark does not say it.
#[derive(Clone, Debug)]
pub struct Message {
    pub type_id: u8,
    pub fmt: u8,
    pub csid: u32,
    pub timestamp: u32,
    /// Whether all deltas that make up the timestamp are there (ours only).
    pub timed: bool,
    pub length: Option<u32>,
    pub stream_id: Option<u32>,
    /// The last packet that it came in.
    pub frame: u64,
    /// Where in the stream it begins (ours only).
    pub offset: u64,
}

impl Message {
    /// Whether a recording with more packets has this message as `whole`.
    pub fn is_part_of(&self, whole: &Message) -> bool {
        let key = |m: &Message| (m.type_id, m.csid, m.length, m.stream_id, m.offset);
        key(self) == key(whole) && (!self.timed || self.timestamp == whole.timestamp)
    }
}

/// Messages by direction, `source>destination`, in the order in which they were complete.
pub type Directions = BTreeMap<String, Vec<Message>>;

/// Whether tshark can be run.
pub fn available() -> bool {
    Command::new("tshark").arg("--version").stdin(Stdio::null()).output().is_ok()
}

/// Decodes a capture with the options that serve RTMP best: the ports to decode, messages of any
/// size, segments put in order.
pub fn decode(capture: &Path, ports: &[u16]) -> Directions {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture);
    for option in ["rtmpt.max_packet_size:16777215", "tcp.reassemble_out_of_order:TRUE"] {
        command.args(["-o", option]);
    }
    for port in ports {
        command.args(["-d", &format!("tcp.port=={port},rtmpt")]);
    }
    command.args(["-Y", "rtmpt", "-T", "pdml", "-J", "frame ip ipv6 tcp rtmpt"]);
    read(&run(&mut command))
}

/// The bytes of one direction, `source>destination`, as tshark puts its segments together.
pub fn bytes(capture: &Path, direction: &str) -> Vec<u8> {
    let (source, destination) = direction.split_once('>').expect("a direction");
    let end = |side: &str| side.split_once(' ').expect("host and port").1.to_string();
    let (from, to) = (end(source), end(destination));
    let mut find = Command::new("tshark");
    find.arg("-r").arg(capture);
    find.args(["-Y", &format!("tcp.srcport=={from} && tcp.dstport=={to}")]);
    let streams = run(find.args(["-T", "fields", "-e", "tcp.stream"]));
    let stream = streams.lines().next().expect("packets of that direction").trim().to_string();
    let mut follow = Command::new("tshark");
    follow.arg("-r").arg(capture).args(["-o", "tcp.reassemble_out_of_order:TRUE"]);
    let text = run(follow.args(["-q", "-z", &format!("follow,tcp,raw,{stream}")]));
    // Node 0 spoke first; the lines of node 1 are indented.
    let node = text.lines().find_map(|line| line.strip_prefix("Node 0: ")).expect("its nodes");
    let first = node.ends_with(&format!(":{from}"));
    let hex =
        |line: &&str| !line.trim().is_empty() && line.trim().chars().all(|c| c.is_ascii_hexdigit());
    text.lines()
        .filter(hex)
        .filter(|line| line.starts_with('\t') != first)
        .flat_map(|line| walk::unhex(line.trim()))
        .collect()
}

/// Payload of a packet's TCP segment.
pub fn payload(capture: &Path, frame: u64) -> Vec<u8> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture).args(["-Y", &format!("frame.number=={frame}")]);
    walk::unhex(run(command.args(["-T", "fields", "-e", "tcp.payload"])).trim())
}

/// Standard output. It complains of damaged files, and of being run by root.
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("tshark runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Reads the XML: an element a line, which is how tshark has always written it.
fn read(pdml: &str) -> Directions {
    let mut out = Directions::new();
    let (mut frame, mut source, mut destination) = (0, Address::default(), Address::default());
    let mut message: Option<Message> = None;
    let mut header = false;
    for line in pdml.lines() {
        let line = line.trim_start();
        if line.starts_with("<proto ") {
            message = None;
            if attribute(line, "name") == Some("rtmpt") {
                let shown = attribute(line, "showname").unwrap_or_default();
                message = label(shown).map(|type_id| Message {
                    type_id,
                    fmt: 0,
                    csid: 0,
                    timestamp: 0,
                    timed: true,
                    length: None,
                    stream_id: None,
                    frame,
                    offset: 0,
                });
                header = false;
            }
        } else if line.starts_with("</proto>") {
            if let Some(message) = message.take().filter(|_| header) {
                out.entry(format!("{source}>{destination}")).or_default().push(message);
            }
        } else if line.starts_with("<field ") {
            let Some(name) = attribute(line, "name") else { continue };
            let show = attribute(line, "show").unwrap_or_default();
            match name {
                "frame.number" => frame = show.parse().expect("a number"),
                // In a tunnel the innermost address counts, which comes last.
                "ip.src" | "ipv6.src" => source.host = show.into(),
                "ip.dst" | "ipv6.dst" => destination.host = show.into(),
                "tcp.srcport" => source.port = show.into(),
                "tcp.dstport" => destination.port = show.into(),
                _ => {}
            }
            let Some(message) = &mut message else { continue };
            match name {
                "rtmpt.header.format" => {
                    message.fmt = number(show) as u8;
                    header = true;
                }
                // Six bits are all it shows: ids from 64 on appear as 0 or 1. No recording has any.
                "rtmpt.header.csid" => message.csid = number(show),
                // Shown last, and calculated where the header has a delta.
                "rtmpt.header.timestamp" | "rtmpt.header.ets" => message.timestamp = number(show),
                "rtmpt.header.bodysize" => message.length = Some(number(show)),
                "rtmpt.header.streamid" => message.stream_id = Some(number(show)),
                "rtmpt.header.typeid" => message.type_id = number(show) as u8,
                _ => {}
            }
        }
    }
    out
}

#[derive(Clone, Debug, Default)]
struct Address {
    host: String,
    port: String,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.host, self.port)
    }
}

/// The message type that a label names; `None` for the handshake. A header of format 2 or 3 does
/// not repeat the type, so the label is all there is.
fn label(showname: &str) -> Option<u8> {
    let label = showname.strip_prefix("Real Time Messaging Protocol (")?;
    const LABELS: [(&str, u8); 19] = [
        ("Set Chunk Size", 1),
        ("Abort Message", 2),
        ("Acknowledgement", 3),
        ("User Control Message", 4),
        ("Window Acknowledgement Size", 5),
        ("Set Peer Bandwidth", 6),
        ("Audio Data", 8),
        ("Video Data", 9),
        ("AMF3 Data", 15),
        ("AMF3 Shared Object", 16),
        ("AMF3 Command", 17),
        ("AMF0 Data", 18),
        ("AMF0 Shared Object", 19),
        ("AMF0 Command", 20),
        ("Aggregate", 22),
        ("Unknown", 0),
        ("Ping", 4),
        ("Server BW", 5),
        ("Client BW", 6),
    ];
    if label.starts_with("Handshake") {
        return None;
    }
    // A new label would otherwise be a message that silently is not compared.
    let found = LABELS.iter().find(|(prefix, _)| label.starts_with(prefix));
    Some(found.unwrap_or_else(|| panic!("tshark calls a message {label:?}")).1)
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let from = line.find(&format!(" {name}=\""))? + name.len() + 3;
    Some(&line[from..from + line[from..].find('"')?])
}

fn number(text: &str) -> u32 {
    let value = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    value.unwrap_or_else(|_| panic!("{text:?} is not a number"))
}
