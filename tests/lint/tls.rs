use crate::support::lint::Sample;
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[row(
    "tls/clienthello-on-plain-port",
    || Sample::File("fail_tls_client_on_rtmp_port_nginx.pcap"),
    || Sample::File("fail_http_client_on_rtmp_port_nginx.pcap"),
)];
