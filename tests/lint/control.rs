use crate::support::S2C;
use crate::support::lint::{Sample, Script};
use crate::table::{Row, row};

const PING: &[u8] = &[0, 6, 0, 0, 0, 9];

pub const ROWS: &[Row] = &[row(
    "control/ping-unanswered",
    || Script::publish().control(S2C, 4, PING).media(12_000).server_closes(),
    || Sample::File("server_ping_idle_player_nginx1937.pcap"),
)];
