use crate::support::lint::{Sample, Script};
use crate::support::{C2S, MessageType, Outgoing};
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[row(
    "amf/truncated",
    // A string of 9 bytes of which 2 are there.
    || Script::publish().send(C2S, data(&[2, 0, 9, b'o', b'n'])).capture(),
    || Sample::File("ffmpeg_publish_nginx.pcap"),
)];

fn data(payload: &[u8]) -> Outgoing {
    Outgoing::new(4, MessageType::DATA_AMF0, 0, 1, payload.to_vec())
}
