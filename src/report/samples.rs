//! Records of every kind for the tests of all formats.

use std::net::SocketAddr;

use crate::analysis::*;
use crate::base::{Direction, Extents, GapKind, Stop, StopReason, Timestamp};
use crate::flow::{DirectionStats, EndReason, FrameSpan, RoleSource};
use crate::rtmp::{Confidence, Handshake, Hole, Message, Reply, Scheme};
use crate::wire::amf::{Property, Text, Value};
use crate::wire::codec::CodecConfig;
use crate::wire::flv::*;
use crate::wire::message::*;

pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp(1_700_000_000_000_000_000 + ms * 1_000_000)
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A complete message with this body from the client.
pub(super) fn message(type_id: MessageType, body: Body) -> Message {
    let mut pieces = Extents::new();
    pieces.push(3085, 40);
    Message {
        direction: Direction::ClientToServer,
        time: at(12),
        first_time: at(12),
        csid: 3,
        fmt: 0,
        chunks: 1,
        type_id,
        timestamp: 0,
        timestamp_exact: true,
        extended_timestamp: false,
        stream_id: Some(0),
        length: 40,
        received: 40,
        complete: true,
        holes: vec![],
        confidence: Confidence::Exact,
        payload: bytes::Bytes::new(),
        body,
        stop: None,
        reply: None,
        offset: 3073,
        headers: Extents::new(),
        pieces,
    }
}

pub(super) fn record(message: Message) -> Record {
    Record::Message(MessageRecord {
        session: 1,
        frames: vec![7, 8],
        spans: vec![
            FrameSpan { at: 0, len: 20, frame: 7 },
            FrameSpan { at: 20, len: 20, frame: 8 },
        ],
        sequence: Some(4074),
        message: Box::new(message),
    })
}

pub(super) fn body_record(type_id: MessageType, body: Body) -> Record {
    record(message(type_id, body))
}

/// A command record of AMF0.
pub(super) fn command(name: &str, object: Option<Value>, arguments: Vec<Value>) -> Record {
    body_record(
        MessageType::COMMAND_AMF0,
        Body::Command(Command { name: name.into(), transaction_id: Some(1.0), object, arguments }),
    )
}

/// A reply to `request`.
pub(super) fn reply(name: &str, request: &str, arguments: Vec<Value>) -> Record {
    let Record::Message(mut record) = command(name, Some(Value::Null), arguments) else {
        unreachable!()
    };
    record.message.direction = Direction::ServerToClient;
    record.message.reply =
        Some(Reply { transaction_id: 1.0, command: request.into(), response_time: 0.003_21 });
    Record::Message(record)
}

pub(super) fn connect(tc_url: &str, app: &str) -> Record {
    let object = Value::object([
        ("app", Value::string(app)),
        ("type", Value::string("nonprivate")),
        ("flashVer", Value::string("FMLE/3.0 (compatible; Lavf60.3.100)")),
        ("tcUrl", Value::string(tc_url)),
    ]);
    command("connect", Some(object), vec![])
}

pub(super) fn session() -> SessionRecord {
    SessionRecord {
        session: 1,
        client: address("127.0.0.1:40512"),
        server: address("[::1]:1935"),
        role: RoleSource::Syn,
        transport: Transport::Rtmp,
        midstream: false,
        time: at(0),
        frame: 1,
        tunnels: vec!["vlan 5".into()],
        note: None,
    }
}

fn session_end() -> SessionEnd {
    let stats = DirectionStats {
        packets: 90,
        bytes: 1_234_567,
        rtt_min_ns: Some(20_000),
        rtt_mean_ns: Some(30_000),
        rtt_max_ns: Some(900_000),
        capture_lost_bytes: 1400,
        ..DirectionStats::default()
    };
    SessionEnd {
        session: 1,
        reason: EndReason::Fin(Direction::ClientToServer),
        time: at(10_500),
        start: at(0),
        transport: Transport::Rtmp,
        messages: [763, 9],
        by_type: vec![(1, 2), (20, 9), (99, 1)],
        damaged: 1,
        uncertain: 2,
        anomalies: 1,
        undecoded_bytes: [17, 0],
        tcp: [stats, DirectionStats::default()],
        facts: SessionFacts {
            app: Some("live".into()),
            tc_url: Some("rtmp://localhost/live".into()),
            stream: Some("cam".into()),
            role: Some("publish".into()),
            video: Some("avc".into()),
            audio: Some("aac".into()),
            last_status: Some("NetStream.Publish.Start".into()),
        },
    }
}

fn video(tag: VideoTag) -> Record {
    body_record(MessageType::VIDEO, Body::Video(tag))
}

fn audio(tag: AudioTag) -> Record {
    body_record(MessageType::AUDIO, Body::Audio(tag))
}

pub(super) fn avc_config() -> Record {
    let config = CodecConfig {
        codec: "avc",
        profile: Some("High".into()),
        level: Some("3.1".into()),
        width: Some(1280),
        height: Some(720),
        frame_rate: Some(30.0),
        chroma: Some("4:2:0"),
        bit_depth: Some(8),
        nal_length_size: Some(4),
        ..CodecConfig::default()
    };
    let track =
        Track { range: 5..45, config: Some(TrackConfig::Codec(config)), ..Track::default() };
    video(VideoTag {
        frame_type: 1,
        codec_id: Some(7),
        packet_type: Some(0),
        composition_time: Some(0),
        tracks: vec![track],
        ..VideoTag::default()
    })
}

fn every_value() -> Vec<Value> {
    let object = Value::object([("k", Value::Number(1.5))]);
    let twice = vec![
        Property { name: "k".into(), value: Value::Null },
        Property { name: "k".into(), value: Value::Null },
    ];
    vec![
        Value::Number(f64::NAN),
        Value::Integer(-5),
        Value::Boolean(true),
        Value::string("text \u{1b}[31m"),
        Value::String(Text(vec![0xff])),
        object.clone(),
        Value::Object { class: Some("C".into()), properties: twice.clone() },
        Value::Externalizable { class: "E".into(), content: vec![Value::Null] },
        Value::MovieClip,
        Value::Null,
        Value::Undefined,
        Value::Reference(2),
        Value::EcmaArray { count: 1, properties: twice, dense: vec![Value::Null] },
        Value::StrictArray(vec![object]),
        Value::Date { millis: 1e12, zone: -60 },
        Value::Unsupported,
        Value::RecordSet,
        Value::Xml("<x/>".into()),
        Value::ByteArray(vec![1, 2]),
        Value::VectorInt { fixed: true, items: vec![-1] },
        Value::VectorUint { fixed: false, items: vec![1] },
        Value::VectorDouble { fixed: false, items: vec![0.5] },
        Value::VectorObject { fixed: false, class: "*".into(), items: vec![Value::Null] },
        Value::Dictionary { weak: true, entries: vec![(Value::Null, Value::Null)] },
    ]
}

/// At least one record of every kind, and of every kind of body.
pub(super) fn every_record() -> Vec<Record> {
    let mut out = vec![
        Record::Begin(Begin { epoch: Some(at(0)) }),
        Record::Session(session()),
        Record::Session(SessionRecord {
            session: 2,
            role: RoleSource::Port,
            transport: Transport::Tls,
            midstream: true,
            tunnels: vec![],
            note: Some("TLS server name example.org".into()),
            ..session()
        }),
    ];
    for (direction, valid) in
        [(Direction::ClientToServer, Some(true)), (Direction::ServerToClient, None)]
    {
        out.push(Record::Handshake(HandshakeRecord {
            session: 1,
            frames: vec![4, 5],
            sequence: Some(1001),
            handshake: Handshake {
                direction,
                time: at(5),
                first_time: at(5),
                version: 3,
                epoch: Some(0),
                software: Some([9, 0, 124, 2]),
                scheme: Scheme::DigestFirst,
                valid,
                echo: valid.map(|_| false),
                signature: valid,
                copy: valid.map(|_| false),
                answer: Vec::new(),
                complete: true,
                end_offset: 3073,
            },
        }));
    }
    out.push(Record::Transport(TransportRecord {
        session: 2,
        frame: Some(4),
        fact: Fact {
            layer: "tls",
            name: "client-hello",
            odd: true,
            direction: Direction::ClientToServer,
            time: at(5),
            offset: 0,
            fields: vec![
                ("length", FactValue::Number(512)),
                ("early_data", FactValue::Flag(true)),
                ("server_name", FactValue::Text("localhost".into())),
                ("random", FactValue::Bytes(vec![0, 255])),
                ("versions", FactValue::List(vec!["TLS 1.3".into()])),
            ],
        },
    }));
    out.push(connect("rtmp://localhost/live", "live"));
    out.push(reply(
        "_result",
        "connect",
        vec![Value::object([
            ("level", Value::string("status")),
            ("code", Value::string("NetConnection.Connect.Success")),
            ("description", Value::string("Connection succeeded.")),
        ])],
    ));
    out.push(command("nearly", None, every_value()));
    for body in [
        Body::SetChunkSize { size: 4096, reserved_bit: true },
        Body::Abort { csid: 4 },
        Body::Acknowledgement { sequence_number: 9 },
        Body::WindowAcknowledgementSize { size: 5_000_000 },
        Body::SetPeerBandwidth { size: 5_000_000, limit: Some(LimitType(2)) },
        Body::SetPeerBandwidth { size: 5_000_000, limit: None },
    ] {
        let type_id = match body {
            Body::SetChunkSize { .. } => MessageType::SET_CHUNK_SIZE,
            Body::Abort { .. } => MessageType::ABORT,
            Body::Acknowledgement { .. } => MessageType::ACKNOWLEDGEMENT,
            Body::SetPeerBandwidth { .. } => MessageType::SET_PEER_BANDWIDTH,
            _ => MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE,
        };
        out.push(body_record(type_id, body));
    }
    for (event, data) in [(3, vec![]), (6, vec![]), (0x1b, vec![1, 2]), (77, vec![])] {
        out.push(body_record(
            MessageType::USER_CONTROL,
            Body::UserControl(UserControl {
                event: UserControlEvent(event),
                stream_id: (event == 3).then_some(1),
                buffer_ms: (event == 3).then_some(3000),
                timestamp: (event == 6).then_some(77),
                data,
            }),
        ));
    }
    let metadata = Value::EcmaArray {
        count: 2,
        properties: vec![
            Property { name: "width".into(), value: Value::Number(1280.0) },
            Property { name: "encoder".into(), value: Value::string("Lavf60.3.100") },
        ],
        dense: vec![],
    };
    let values = vec![Value::string("@setDataFrame"), Value::string("onMetaData"), metadata];
    out.push(body_record(MessageType::DATA_AMF0, Body::Data(Data { values })));
    out.push(body_record(MessageType::DATA_AMF3, Body::Data(Data { values: vec![] })));
    out.push(body_record(
        MessageType::SHARED_OBJECT_AMF0,
        Body::SharedObject(SharedObject {
            name: "board".into(),
            version: 3,
            persistence: 2,
            flags: 0,
            events: vec![SharedObjectEvent {
                event: 4,
                names: vec!["score".into()],
                values: vec![Value::Integer(1)],
                data: vec![1, 2],
            }],
        }),
    ));
    out.push(avc_config());
    out.push(video(VideoTag {
        frame_type: 2,
        enhanced: true,
        packet_type: Some(1),
        mod_ex: vec![ModEx { kind: 0, nanoseconds: Some(500), len: 3 }],
        multitrack: Some(Multitrack(2)),
        tracks: vec![
            Track {
                id: Some(0),
                fourcc: Some(FourCc(*b"hvc1")),
                composition_time: Some(40),
                range: 10..300,
                config: None,
            },
            Track {
                id: Some(1),
                fourcc: Some(FourCc(*b"av01")),
                range: 305..400,
                ..Track::default()
            },
        ],
        ..VideoTag::default()
    }));
    out.push(video(VideoTag {
        frame_type: 1,
        enhanced: true,
        packet_type: Some(4),
        tracks: vec![Track { fourcc: Some(FourCc(*b"hvc1")), ..Track::default() }],
        metadata: vec![Property {
            name: "colorInfo".into(),
            value: Value::object([("hdrCll", Value::object([("maxFall", Value::Number(400.0))]))]),
        }],
        ..VideoTag::default()
    }));
    out.push(video(VideoTag {
        frame_type: 5,
        codec_id: Some(9),
        packet_type: Some(9),
        command: Some(0),
        ..VideoTag::default()
    }));
    out.push(audio(AudioTag {
        sound_format: 10,
        sound_rate: Some(3),
        sound_size: Some(1),
        sound_type: Some(1),
        packet_type: Some(1),
        tracks: vec![Track { range: 2..371, ..Track::default() }],
        ..AudioTag::default()
    }));
    out.push(audio(AudioTag {
        sound_format: 9,
        enhanced: true,
        packet_type: Some(4),
        tracks: vec![Track {
            fourcc: Some(FourCc(*b"Opus")),
            config: Some(TrackConfig::Multichannel {
                order: MultichannelOrder(1),
                channels: 6,
                mapping: vec![],
                flags: Some(63),
            }),
            ..Track::default()
        }],
        ..AudioTag::default()
    }));
    out.push(audio(AudioTag { empty: true, ..AudioTag::default() }));
    out.push(body_record(
        MessageType::AGGREGATE,
        Body::Aggregate(vec![AggregatePart {
            type_id: MessageType::AUDIO,
            timestamp: 5,
            stream_id: 0,
            range: 11..20,
            back_pointer: Some(20),
            body: Body::Audio(AudioTag::default()),
        }]),
    ));
    out.push(body_record(MessageType(99), Body::Unknown));
    // Cut in the middle, after a hole, of unknown time.
    let mut damaged = message(MessageType::COMMAND_AMF3, Body::Command(Command::default()));
    damaged.complete = false;
    damaged.received = 20;
    damaged.holes = vec![Hole { at: 10, len: 20 }];
    damaged.first_time = at(11);
    damaged.timestamp_exact = false;
    damaged.extended_timestamp = true;
    damaged.stream_id = None;
    damaged.confidence = Confidence::Resynced;
    damaged.stop = Some(Stop {
        field: "command_name",
        at: 1,
        reason: StopReason::Truncated { needed: 7, left: 2 },
    });
    out.push(record(damaged));
    out.push(Record::Anomaly(AnomalyRecord {
        session: Some(1),
        kind: "conflicting-overlap",
        direction: Some(Direction::ServerToClient),
        time: Some(at(300)),
        frame: Some(40),
        offset: Some(4000),
        csid: Some(4),
        detail: "4 bytes differ".into(),
    }));
    out.push(Record::Anomaly(AnomalyRecord {
        session: None,
        kind: "ip-fragment-lost",
        direction: None,
        time: None,
        frame: None,
        offset: None,
        csid: None,
        detail: "1 of 2 fragments".into(),
    }));
    out.push(Record::Gap(GapRecord {
        session: 1,
        direction: Direction::ClientToServer,
        time: at(400),
        frame: 60,
        offset: 5000,
        len: 1448,
        kind: GapKind::Capture,
    }));
    out.push(Record::SessionEnd(session_end()));
    out.push(Record::SessionEnd(SessionEnd {
        session: 2,
        reason: EndReason::EndOfCapture(None),
        facts: SessionFacts::default(),
        ..session_end()
    }));
    out.push(Record::End(End {
        packets: 95,
        sessions: 2,
        messages: 772,
        last: Some(at(10_500)),
        capture_errors: vec!["x.pcap: cut in its last packet".into()],
        ..End::default()
    }));
    out
}
