use crate::support::lint::Sample;
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[row(
    "tcp/zero-window-stall",
    || Sample::File("stall_zero_window_server_stopped_6s.pcap"),
    || Sample::File("ffmpeg_publish_nginx.pcap"),
)
.error()];
