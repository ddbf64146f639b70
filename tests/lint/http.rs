use crate::support::lint::Sample;
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[
    row(
        "http/http-client-on-rtmp-port",
        || Sample::File("fail_http_client_on_rtmp_port_nginx.pcap"),
        || Sample::File("fail_tls_client_on_rtmp_port_nginx.pcap"),
    )
    .error(),
    row(
        "http/http-client-on-rtmp-port",
        || Sample::File("junk_http_get_on_1935_nginx.pcap"),
        || Sample::File("ffmpeg_publish_nginx.pcap"),
    ),
];
