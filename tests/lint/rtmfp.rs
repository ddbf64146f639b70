use rtmpscope::analysis::{
    Fact, FactValue, Record, SessionEnd, SessionRecord, Transport, TransportRecord,
};
use rtmpscope::base::{Direction, Timestamp};
use rtmpscope::flow::{DirectionStats, EndReason, RoleSource};

use crate::support::lint::Sample;
use crate::support::{C2S, S2C};
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[
    row(
        "rtmfp/unreachable",
        || Sample::File("fail_rtmfp_no_server_icmp.pcap"),
        || Sample::File("rtmfp_tcconn_nokeys.pcap"),
    )
    .error(),
    row("rtmfp/no-answer", || said(vec![], [3, 0]), || said(vec![], [3, 1])).error(),
    row(
        "rtmfp/keying-mismatch",
        || Sample::File("rtmfp_tcpublish_monatiny_keying_failure.pcap"),
        || Sample::File("rtmfp_tcconn_nokeys.pcap"),
    )
    .error(),
    row(
        "rtmfp/flow-rejected",
        || said(vec![fact("flow-exception", S2C, vec![("flow", 2), ("code", 0)])], [9, 9]),
        || said(vec![fact("flow", S2C, vec![("flow", 2)])], [9, 9]),
    ),
    row("rtmfp/given-up", || said(vec![figures(3)], [9, 9]), || said(vec![figures(0)], [9, 9])),
    row(
        "rtmfp/opaque",
        || Sample::File("rtmfp_tcconn_nokeys.pcap"),
        || Sample::File("fail_rtmfp_no_server_icmp.pcap"),
    ),
];

fn figures(lost: u64) -> Fact {
    fact("flow-figures", C2S, vec![("flow", 5), ("fragments", 100), ("lost", lost)])
}

fn fact(name: &'static str, direction: Direction, fields: Vec<(&'static str, u64)>) -> Fact {
    let fields = fields.into_iter().map(|(name, value)| (name, FactValue::Number(value))).collect();
    let time = Timestamp(1_000_000);
    Fact { layer: "rtmfp", name, odd: false, direction, time, offset: 0, fields }
}

/// A session of so many packets that says this.
fn said(facts: Vec<Fact>, packets: [u64; 2]) -> Sample {
    let mut records = vec![Record::Session(SessionRecord {
        session: 1,
        client: ([127, 0, 0, 1], 40000).into(),
        server: ([127, 0, 0, 1], 1935).into(),
        role: RoleSource::Startup,
        transport: Transport::Rtmfp,
        midstream: false,
        time: Timestamp(0),
        frame: 1,
        tunnels: vec![],
        note: None,
    })];
    for fact in facts {
        records.push(Record::Transport(TransportRecord { session: 1, frame: Some(4), fact }));
    }
    records.push(Record::SessionEnd(SessionEnd {
        session: 1,
        reason: EndReason::EndOfCapture(None),
        time: Timestamp(2_000_000),
        start: Timestamp(0),
        transport: Transport::Rtmfp,
        messages: [0; 2],
        by_type: vec![],
        damaged: 0,
        uncertain: 0,
        anomalies: 0,
        undecoded_bytes: [0; 2],
        tcp: packets.map(|packets| DirectionStats { packets, ..DirectionStats::default() }),
        facts: Default::default(),
    }));
    Sample::Records(records)
}
