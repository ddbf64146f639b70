//! The lines of the output format, field by field in the order they are written.
//!
//! `docs/output.md` and `docs/output.schema.json` describe them; tests hold the three together.

use std::borrow::Cow;

use serde::Serialize;

use super::amf::Num;
use super::body::BodyLine;
use super::fields::FieldLines;
use super::hex;
use crate::analysis::FactValue;
use crate::base::{Stop, StopReason};
use crate::flow::DirectionStats;
use crate::rtmp::Hole;

fn is_false(value: &bool) -> bool {
    !value
}

fn is_true(value: &bool) -> bool {
    *value
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line<'a> {
    Begin(BeginLine),
    Session(SessionLine<'a>),
    Handshake(HandshakeLine<'a>),
    Message(Box<MessageLine<'a>>),
    Anomaly(AnomalyLine<'a>),
    Gap(GapLine),
    Layer(LayerLine<'a>),
    SessionEnd(Box<SessionEndLine<'a>>),
    End(EndLine<'a>),
}

#[derive(Serialize)]
pub(super) struct BeginLine {
    pub schema: u32,
    pub program: &'static str,
    pub version: &'static str,
    pub epoch_ns: Option<i64>,
}

#[derive(Serialize)]
pub(super) struct SessionLine<'a> {
    pub session: u32,
    pub client: String,
    pub server: String,
    pub transport: &'static str,
    pub role_from: &'static str,
    pub midstream: bool,
    pub time: f64,
    pub epoch_ns: i64,
    pub frame: u64,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub tunnels: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct HandshakeLine<'a> {
    pub session: u32,
    pub direction: &'static str,
    pub time: f64,
    pub epoch_ns: i64,
    pub frames: &'a [u64],
    pub version: u8,
    pub scheme: &'static str,
    pub valid: Option<bool>,
    pub echo: Option<bool>,
    pub signature: Option<bool>,
    pub complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_epoch: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    pub end_offset: u64,
}

#[derive(Serialize)]
pub(super) struct MessageLine<'a> {
    pub session: u32,
    pub direction: &'static str,
    pub time: f64,
    pub epoch_ns: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_time: Option<f64>,
    pub frames: &'a [u64],
    pub offset: u64,
    pub csid: u32,
    pub fmt: u8,
    pub chunks: u32,
    pub type_id: u8,
    pub kind: &'static str,
    pub timestamp: u32,
    #[serde(skip_serializing_if = "is_true")]
    pub timestamp_exact: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub extended_timestamp: bool,
    pub stream_id: Option<u32>,
    pub length: u32,
    pub complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holes: Option<Vec<HoleLine>>,
    pub confidence: &'static str,
    pub body: BodyLine<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<&'a FieldLines>,
}

#[derive(Serialize)]
pub(super) struct HoleLine {
    pub at: u32,
    pub length: u32,
}

impl From<&Hole> for HoleLine {
    fn from(hole: &Hole) -> Self {
        HoleLine { at: hole.at, length: hole.len }
    }
}

/// Where and why decoding stopped.
#[derive(Serialize)]
pub(super) struct StopLine {
    pub field: &'static str,
    pub at: usize,
    pub reason: &'static str,
    pub detail: String,
}

impl From<&Stop> for StopLine {
    fn from(stop: &Stop) -> Self {
        StopLine {
            field: stop.field,
            at: stop.at,
            reason: stop.reason.kind(),
            detail: stop_detail(&stop.reason),
        }
    }
}

/// The reason in words. A class name is text from the wire: it may be of any length.
pub(super) fn stop_detail(reason: &StopReason) -> String {
    match reason {
        StopReason::UnknownExternalizable(class) => {
            let class: String = class.chars().take(64).collect();
            StopReason::UnknownExternalizable(class).to_string()
        }
        other => other.to_string(),
    }
}

#[derive(Serialize)]
pub(super) struct AnomalyLine<'a> {
    pub session: Option<u32>,
    pub kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csid: Option<u32>,
    pub detail: &'a str,
}

#[derive(Serialize)]
pub(super) struct GapLine {
    pub session: u32,
    pub direction: &'static str,
    pub time: f64,
    pub epoch_ns: i64,
    pub frame: u64,
    pub offset: u64,
    pub length: u64,
    pub kind: &'static str,
}

#[derive(Serialize)]
pub(super) struct LayerLine<'a> {
    pub session: u32,
    pub protocol: &'static str,
    pub name: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    pub odd: bool,
    pub direction: &'static str,
    pub time: f64,
    pub epoch_ns: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    pub offset: u64,
    pub values: FactValues<'a>,
}

/// The values of a fact by name, in its order.
pub(super) struct FactValues<'a>(pub &'a [(&'static str, FactValue)]);

impl Serialize for FactValues<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match value {
                FactValue::Number(number) => map.serialize_entry(name, number)?,
                FactValue::Flag(flag) => map.serialize_entry(name, flag)?,
                FactValue::Text(text) => map.serialize_entry(name, text)?,
                FactValue::Bytes(bytes) => map.serialize_entry(name, &hex::digits(bytes))?,
                FactValue::List(list) => map.serialize_entry(name, list)?,
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
pub(super) struct SessionEndLine<'a> {
    pub session: u32,
    pub reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<&'static str>,
    pub time: f64,
    pub epoch_ns: i64,
    pub duration: f64,
    pub transport: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tc_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<&'a str>,
    pub messages: u64,
    pub bytes: u64,
    pub damaged_messages: u64,
    pub uncertain_messages: u64,
    pub anomalies: u64,
    pub capture_lost_bytes: u64,
    pub network_lost_bytes: u64,
    pub undecoded_bytes: u64,
    pub by_type: Vec<TypeCount>,
    pub client_to_server: DirectionLine,
    pub server_to_client: DirectionLine,
}

#[derive(Serialize)]
pub(super) struct TypeCount {
    pub type_id: u8,
    pub kind: &'static str,
    pub messages: u64,
}

#[derive(Serialize)]
pub(super) struct DirectionLine {
    pub messages: u64,
    pub bytes: u64,
    pub packets: u64,
    pub retransmissions: u64,
    pub out_of_order: u64,
    pub keep_alives: u64,
    pub conflicts: u64,
    pub zero_window_spans: u64,
    pub zero_window_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt: Option<RttLine>,
    pub max_in_flight: u64,
    pub capture_lost_bytes: u64,
    pub network_lost_bytes: u64,
    pub undecoded_bytes: u64,
}

#[derive(Serialize)]
pub(super) struct RttLine {
    pub min: f64,
    pub mean: f64,
    pub max: f64,
}

fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

impl DirectionLine {
    pub(super) fn new(messages: u64, undecoded_bytes: u64, tcp: &DirectionStats) -> Self {
        let rtt = match (tcp.rtt_min_ns, tcp.rtt_mean_ns, tcp.rtt_max_ns) {
            (Some(min), Some(mean), Some(max)) => {
                Some(RttLine { min: seconds(min), mean: seconds(mean), max: seconds(max) })
            }
            _ => None,
        };
        DirectionLine {
            messages,
            bytes: tcp.bytes,
            packets: tcp.packets,
            retransmissions: tcp.retransmissions,
            out_of_order: tcp.out_of_order,
            keep_alives: tcp.keep_alives,
            conflicts: tcp.conflicts,
            zero_window_spans: tcp.zero_window_spans,
            zero_window_time: seconds(tcp.zero_window_ns),
            rtt,
            max_in_flight: tcp.max_in_flight,
            capture_lost_bytes: tcp.capture_lost_bytes,
            network_lost_bytes: tcp.network_lost_bytes,
            undecoded_bytes,
        }
    }
}

#[derive(Serialize)]
pub(super) struct EndLine<'a> {
    pub packets: u64,
    pub sessions: u64,
    pub messages: u64,
    pub capture_lost_bytes: u64,
    pub network_lost_bytes: u64,
    pub undecoded_bytes: u64,
    pub other_flows: u64,
    pub other_packets: u64,
    pub duration: Option<f64>,
    pub capture_errors: &'a [String],
}

/// One field of a message, for `--fields`.
#[derive(Serialize)]
pub(super) struct FieldJson<'a> {
    pub name: &'a str,
    pub depth: u16,
    pub range: [usize; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<FieldJsonValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    pub redacted: bool,
    pub frames: Cow<'a, [u64]>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum FieldJsonValue<'a> {
    Uint(u64),
    Int(i64),
    Number(Num),
    Text(&'a str),
    Bytes(BytesValue),
}

#[derive(Serialize)]
pub(super) struct BytesValue {
    #[serde(rename = "$bytes")]
    pub hex: String,
}
