use crate::support::lint::Sample;
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[row(
    "chunk/message-too-large",
    || Sample::File("message_over_1MiB_nginx.pcap"),
    || Sample::File("ffmpeg_publish_nginx.pcap"),
)
.error()];
