//! Link layers, tunnels and fragments: each delivers the same payload.

use etherparse::{
    IpFragOffset, IpHeaders, IpNumber, Ipv4Header, Ipv6Extensions, Ipv6FragmentHeader, Ipv6Header,
    PacketBuilder,
};

use crate::base::{GapKind, LinkType};
use crate::flow::Outcome;

use super::support::*;

const PAYLOAD: &[u8] = b"the bytes that count";

/// An IPv4 packet with a segment that carries the payload.
fn ipv4() -> Vec<u8> {
    let wire = Wire::default();
    wire.data(C2S, 0, PAYLOAD)[14..].to_vec()
}

/// The same over IPv6.
fn ipv6() -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv6([1; 16], [2; 16], 64)
        .tcp_header(Wire::default().header(C2S, 0, None, 0))
        .write(&mut packet, PAYLOAD)
        .unwrap();
    packet
}

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[2; 6], &[4; 6], &ether_type.to_be_bytes()[..], payload].concat()
}

fn in_ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let header =
        Ipv4Header::new(payload.len() as u16, 9, IpNumber(protocol), [9; 4], [8; 4]).unwrap();
    [&header.to_bytes()[..], payload].concat()
}

fn in_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4([9; 4], [8; 4], 9).udp(5555, port).write(&mut packet, payload).unwrap();
    packet
}

fn gre(flags: u16, protocol: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = [&flags.to_be_bytes()[..], &protocol.to_be_bytes(), options, payload].concat();
    in_ipv4(47, &header)
}

/// Every encapsulation: its name, link type, tunnels, and a record.
fn encapsulations() -> Vec<(&'static str, LinkType, &'static [&'static str], Vec<u8>)> {
    let v4 = ipv4();
    let v6 = ipv6();
    let frame = ethernet(0x0800, &v4);
    let e = LinkType::ETHERNET;
    let sll = |protocol: u16| [&[0; 14][..], &protocol.to_be_bytes()].concat();
    let sll2 = |protocol: u16| [&protocol.to_be_bytes()[..], &[0; 18]].concat();
    let options = {
        // An IPv4 header with 8 bytes of options.
        let mut packet = v4.clone();
        packet[0] = 0x47;
        let len = u16::from_be_bytes([packet[2], packet[3]]) + 8;
        packet[2..4].copy_from_slice(&len.to_be_bytes());
        packet.splice(20..20, [1; 8]);
        packet
    };
    let extensions = |chain: &[u8]| {
        // Next header of the IPv6 header is the chain's first byte.
        let mut packet = v6.clone();
        packet[6] = chain[0];
        let len = (packet.len() - 40 + chain.len() - 1) as u16;
        packet[4..6].copy_from_slice(&len.to_be_bytes());
        packet.splice(40..40, chain[1..].iter().copied());
        packet
    };
    let hop_and_dest = extensions(&[0, 60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0]);
    let atomic_fragment = extensions(&[44, 6, 0, 0, 0, 1, 2, 3, 4]);
    let ppp = |payload: &[u8]| [&[0x00, 0x21], payload].concat();
    let pppoe = |payload: &[u8]| {
        let len = (payload.len() as u16).to_be_bytes();
        [&[0x11, 0, 0x12, 0x34, len[0], len[1]], payload].concat()
    };
    let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &frame].concat();
    let gtp = |flags: u8, extra: &[u8], payload: &[u8]| {
        let len = ((extra.len() + payload.len()) as u16).to_be_bytes();
        [&[flags, 255, len[0], len[1], 0, 0, 0, 0x2a][..], extra, payload].concat()
    };
    let mpls =
        |payload: &[u8]| [&[0x00, 0x01, 0x00, 0x40, 0x00, 0x02, 0x01, 0x40][..], payload].concat();
    vec![
        ("ethernet", e, &[], frame.clone()),
        ("ipv6", e, &[], ethernet(0x86dd, &v6)),
        ("padding", e, &[], [&frame[..], &[0x55; 40]].concat()),
        ("ipv4 options", e, &[], ethernet(0x0800, &options)),
        ("ipv6 extensions", e, &[], ethernet(0x86dd, &hop_and_dest)),
        ("ipv6 atomic fragment", e, &[], ethernet(0x86dd, &atomic_fragment)),
        ("snap", e, &[], ethernet(60, &[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &v4[..]].concat())),
        ("vlan", e, &["vlan 5"], ethernet(0x8100, &[&[0x20, 5, 8, 0], &v4[..]].concat())),
        (
            "qinq",
            e,
            &["vlan 6", "vlan 5"],
            ethernet(0x88a8, &[&[0, 6, 0x81, 0, 0, 5, 0x86, 0xdd], &v6[..]].concat()),
        ),
        ("sll", LinkType::LINUX_SLL, &[], [&sll(0x0800), &v4[..]].concat()),
        ("sll2", LinkType::LINUX_SLL2, &[], [&sll2(0x86dd), &v6[..]].concat()),
        (
            "sll vlan",
            LinkType::LINUX_SLL,
            &["vlan 9"],
            [&sll(0x8100)[..], &[0, 9, 8, 0], &v4].concat(),
        ),
        ("null little", LinkType::NULL, &[], [&[2, 0, 0, 0], &v4[..]].concat()),
        ("null big", LinkType::NULL, &[], [&[0, 0, 0, 2], &v4[..]].concat()),
        ("null macos ipv6", LinkType::NULL, &[], [&[30, 0, 0, 0], &v6[..]].concat()),
        ("loop", LinkType::LOOP, &[], [&[0, 0, 0, 24], &v6[..]].concat()),
        ("raw", LinkType::RAW, &[], v4.clone()),
        ("raw 12", LinkType::RAW_BSD_12, &[], v6.clone()),
        ("raw 14", LinkType::RAW_BSD_14, &[], v4.clone()),
        ("raw ipv4", LinkType::IPV4, &[], v4.clone()),
        ("raw ipv6", LinkType::IPV6, &[], v6.clone()),
        ("ppp", LinkType::PPP, &[], [&[0xff, 3, 0, 0x57], &v6[..]].concat()),
        ("ppp compressed", LinkType::PPP, &[], [&[0x21], &v4[..]].concat()),
        ("pppoe", e, &["pppoe 0x1234"], ethernet(0x8864, &pppoe(&ppp(&v4)))),
        ("mpls ipv4", e, &["mpls 16", "mpls 32"], ethernet(0x8847, &mpls(&v4))),
        ("mpls ipv6", e, &["mpls 16", "mpls 32"], ethernet(0x8847, &mpls(&v6))),
        (
            "mpls control word",
            e,
            &["mpls 16", "mpls 32"],
            ethernet(0x8847, &mpls(&[&[0, 0, 0, 1], &frame[..]].concat())),
        ),
        ("mpls ethernet", e, &["mpls 16", "mpls 32"], {
            let mut inner = frame.clone();
            inner[0] = 0xaa;
            ethernet(0x8848, &mpls(&inner))
        }),
        ("gre", e, &["gre"], ethernet(0x0800, &gre(0, 0x0800, &[], &v4))),
        (
            "gre all options",
            e,
            &["gre 0x7"],
            ethernet(0x0800, &gre(0xb000, 0x86dd, &[1, 1, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1], &v6)),
        ),
        ("gre bridging", LinkType::RAW, &["gre"], gre(0, 0x6558, &[], &frame)),
        (
            "pptp",
            LinkType::RAW,
            &["gre 0x500"],
            gre(0x3081, 0x880b, &[0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 0, 2], &ppp(&v4)),
        ),
        (
            "erspan",
            LinkType::RAW,
            &["erspan"],
            gre(0x1000, 0x88be, &[0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0], &frame),
        ),
        ("vxlan", LinkType::RAW, &["vxlan 7"], in_udp(4789, &vxlan)),
        ("vxlan linux", LinkType::RAW, &["vxlan 7"], in_udp(8472, &vxlan)),
        ("gtp-u", LinkType::RAW, &["gtp-u 0x2a"], in_udp(2152, &gtp(0x30, &[], &v4))),
        (
            "gtp-u extensions",
            LinkType::RAW,
            &["gtp-u 0x2a"],
            in_udp(2152, &gtp(0x34, &[0, 0, 0, 0x85, 1, 0, 0, 0xc0, 1, 2, 3, 0], &v6)),
        ),
        (
            "gtp-u sequence",
            LinkType::RAW,
            &["gtp-u 0x2a"],
            in_udp(2152, &gtp(0x32, &[0, 9, 0, 0x85], &v4)),
        ),
        ("ip in ip", LinkType::RAW, &["ip-in-ip"], in_ipv4(4, &v4)),
        ("6in4", LinkType::RAW, &["ip-in-ip"], in_ipv4(41, &v6)),
        (
            "nested",
            e,
            &["vlan 5", "vxlan 7", "gre", "ip-in-ip"],
            ethernet(0x8100, &{
                let inner = ethernet(0x0800, &gre(0, 0x0800, &[], &in_ipv4(4, &v4)));
                let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &inner].concat();
                [&[0, 5, 8, 0][..], &in_udp(4789, &vxlan)].concat()
            }),
        ),
    ]
}

/// Link type and bytes as a capture of one packet; what came of it.
fn alone(link: LinkType, record: Vec<u8>) -> (Outcome, Log) {
    let mut capture = Capture::new();
    capture.link = link;
    let outcome = capture.push(record);
    (outcome, capture.finish())
}

#[test]
fn every_encapsulation_delivers_its_payload() {
    for (name, link, tunnels, record) in encapsulations() {
        let (outcome, log) = alone(link, record);
        assert_eq!(outcome, Outcome::Tcp, "{name}");
        assert_eq!(log.flows[0].bytes[0], PAYLOAD, "{name}");
        let info = log.flows[0].info.clone().unwrap();
        assert_eq!(info.tunnels, tunnels, "{name}");
        assert_eq!((info.client.port(), info.server.port()), (50_000, 1935), "{name}");
        assert!(log.flows[0].gaps.is_empty(), "{name}");
    }
}

#[test]
fn every_record_can_end_anywhere() {
    for (name, link, _, record) in encapsulations() {
        for len in 0..record.len() {
            // Cut by a snap length, and really that short.
            let mut capture = Capture::new();
            (capture.link, capture.cut_to) = (link, len);
            capture.push(record.clone());
            let log = capture.finish();
            for flow in &log.flows {
                let captured = &flow.bytes[0];
                assert!(PAYLOAD.starts_with(captured), "{name} cut to {len}");
                let missing = PAYLOAD.len() - captured.len();
                // The padding is no part of the segment.
                assert_eq!(flow.next[0] as usize, PAYLOAD.len(), "{name} cut to {len}");
                assert_eq!(flow.stats(C2S).capture_lost_bytes, missing as u64, "{name} at {len}");
            }
            let (_, log) = alone(link, record[..len].to_vec());
            for flow in &log.flows {
                assert!(PAYLOAD.starts_with(&flow.bytes[0]) && flow.gaps.is_empty());
            }
        }
    }
}

#[test]
fn every_byte_may_be_wrong() {
    for (_, link, _, record) in encapsulations() {
        for at in 0..record.len().saturating_sub(PAYLOAD.len()) {
            for value in [0, 1, 0x7f, 0x80, 0xff, record[at] ^ 0x10] {
                let mut record = record.clone();
                record[at] = value;
                alone(link, record);
            }
        }
    }
}

#[test]
fn nesting_is_bounded() {
    for (protocol, wrap) in [(4u8, 8), (4, 3000)] {
        let mut packet = ipv4();
        for _ in 0..wrap {
            packet = in_ipv4(protocol, &packet);
        }
        let (outcome, _) = alone(LinkType::RAW, packet);
        match wrap {
            8 => assert_eq!(outcome, Outcome::Tcp),
            _ => assert!(matches!(outcome, Outcome::Undecodable(_))),
        }
    }
    let tags = [0x81, 0x00, 0x00, 0x05].repeat(5000);
    let (outcome, _) = alone(LinkType::ETHERNET, ethernet(0x8100, &tags[2..]));
    assert!(matches!(outcome, Outcome::Undecodable(_)));
    let (outcome, _) = alone(LinkType::ETHERNET, ethernet(0x8847, &[0; 20_000]));
    assert!(matches!(outcome, Outcome::Undecodable(_)));
}

#[test]
fn other_packets_are_told_apart() {
    assert_eq!(alone(LinkType::ETHERNET, ethernet(0x0806, &[0; 28])).0, Outcome::NotTcp);
    assert_eq!(alone(LinkType::RAW, in_udp(53, b"dns")).0, Outcome::NotTcp);
    assert_eq!(alone(LinkType::RAW, in_ipv4(1, &[0; 8])).0, Outcome::NotTcp);
    let unknown = Outcome::Undecodable("link type not known");
    assert_eq!(alone(LinkType(999), ipv4()).0, unknown);
}

#[test]
fn one_direction_may_be_tagged() {
    let wire = Wire::default();
    let tagged = |packet: Vec<u8>| {
        let inner = [&[0, 5, 8, 0], &packet[14..]].concat();
        ethernet(0x8100, &inner)
    };
    let mut capture = Capture::new();
    for (i, packet) in wire.handshake().into_iter().enumerate() {
        capture.push(if i == 1 { packet } else { tagged(packet) });
    }
    capture.push(tagged(wire.data(C2S, 0, b"up")));
    capture.push(wire.data(S2C, 0, b"down"));
    let log = capture.finish();
    assert_eq!(log.flows.len(), 1);
    assert_eq!(log.flows[0].bytes, [b"up".to_vec(), b"down".to_vec()]);
}

#[test]
fn offloaded_segments_have_no_length() {
    let wire = Wire::default();
    let bytes = pattern(50_000);
    let mut capture = Capture::connected(&wire);
    // IPv4 with total length 0.
    let mut packet = wire.data(C2S, 0, &bytes[..40_000]);
    packet[16..18].copy_from_slice(&[0, 0]);
    capture.all([packet.clone(), wire.data(C2S, 40_000, &bytes[40_000..])]);
    assert!(capture.c2s() == bytes);
    // The same cut by a snap length: the record's length on the wire tells how much is missing.
    let mut capture = Capture::connected(&wire);
    capture.cut_to = 1054;
    capture.all([packet]);
    assert_eq!(capture.first().gap_list(C2S), [(1000, 39_000, GapKind::Capture)]);
    // IPv6 with payload length 0, larger than any 16-bit length.
    let big = pattern(100_000);
    let mut packet = ipv6();
    packet.truncate(60);
    packet[4..6].copy_from_slice(&[0, 0]);
    packet.extend_from_slice(&big);
    let (_, log) = alone(LinkType::RAW, packet);
    assert!(log.flows[0].bytes[0] == big);
}

/// Pieces of an IPv4 packet, cut where the multiples of 8 in `cuts` say.
fn fragments_v4(packet: &[u8], id: u16, cuts: &[usize]) -> Vec<Vec<u8>> {
    let payload = &packet[20..];
    let ends = cuts[1..].iter().copied().chain([payload.len()]);
    let pieces = cuts.iter().zip(ends).map(|(from, to)| {
        let mut header = Ipv4Header::from_slice(packet).unwrap().0;
        header.identification = id;
        header.dont_fragment = false;
        header.more_fragments = to < payload.len();
        header.fragment_offset = IpFragOffset::try_new((from / 8) as u16).unwrap();
        header.set_payload_len(to - from).unwrap();
        ethernet(0x0800, &[&header.to_bytes()[..], &payload[*from..to]].concat())
    });
    pieces.collect()
}

fn fragments_v6(packet: &[u8], id: u32, cuts: &[usize]) -> Vec<Vec<u8>> {
    let payload = &packet[40..];
    let ends = cuts[1..].iter().copied().chain([payload.len()]);
    let pieces = cuts.iter().zip(ends).map(|(from, to)| {
        let header = Ipv6Header::from_slice(packet).unwrap().0;
        let fragment = Ipv6FragmentHeader::new(
            IpNumber::TCP,
            IpFragOffset::try_new((from / 8) as u16).unwrap(),
            to < payload.len(),
            id,
        );
        let extensions = Ipv6Extensions { fragment: Some(fragment), ..Default::default() };
        let mut headers = IpHeaders::Ipv6(header, extensions);
        headers.set_payload_len(to - from).unwrap();
        headers.set_next_headers(IpNumber::TCP);
        let mut bytes = Vec::new();
        headers.write(&mut bytes).unwrap();
        ethernet(0x86dd, &[&bytes[..], &payload[*from..to]].concat())
    });
    pieces.collect()
}

#[test]
fn fragments_become_their_datagram() {
    let cuts = [0, 8, 16, 24, 32];
    for pieces in [fragments_v4(&ipv4(), 7, &cuts), fragments_v6(&ipv6(), 7, &cuts)] {
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
            let mut capture = Capture::new();
            for (i, piece) in order.into_iter().enumerate() {
                // Each comes twice; the second time it changes nothing.
                let mut twice = vec![capture.push(pieces[piece].clone())];
                if i < 4 {
                    twice.push(capture.push(pieces[piece].clone()));
                }
                let expected = if i < 4 { Outcome::Fragment } else { Outcome::Tcp };
                assert!(twice.iter().all(|outcome| *outcome == expected));
            }
            assert_eq!(capture.table.fragments(), (0, 0));
            assert_eq!(capture.finish().flows[0].bytes[0], PAYLOAD);
        }
    }
}

#[test]
fn fragments_that_overlap_keep_the_first_bytes() {
    let packet = ipv4();
    let mut pieces = fragments_v4(&packet, 7, &[0, 24]);
    let mut other = packet.clone();
    other[20 + 24..].fill(b'!');
    // Overlaps the first piece's end and the second one's beginning.
    let overlap = fragments_v4(&other, 7, &[0, 16, 32]).swap_remove(1);
    pieces.insert(1, overlap);
    let mut capture = Capture::new();
    for piece in pieces {
        capture.push(piece);
    }
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[0], b"the !!!!!!!!at count");
}

#[test]
fn fragments_wait_thirty_seconds_in_bounded_memory() {
    let packet = ipv4();
    let pieces = fragments_v4(&packet, 7, &[0, 24]);
    let mut capture = Capture::new();
    capture.push(pieces[0].clone());
    capture.wait_ms(30_100);
    assert_eq!(capture.push(pieces[1].clone()), Outcome::Fragment);
    assert_eq!(capture.table.fragments().0, 1);

    // A first fragment of every datagram there can be.
    let big = Wire::default().data(C2S, 0, &[0; 1400])[14..].to_vec();
    for id in 0..20_000u16 {
        capture.push(fragments_v4(&big, id, &[0, 1208]).swap_remove(0));
        assert!(capture.table.fragments().1 <= 4 << 20);
    }
    assert!(capture.table.fragments().0 > 1000);
    // The last one is still there.
    let last = fragments_v4(&big, 19_999, &[0, 1208]).swap_remove(1);
    assert_eq!(capture.push(last), Outcome::Tcp);
}

#[test]
fn a_tunnel_may_be_fragmented() {
    let outer = in_udp(2152, &[&[0x30, 255, 0, 60, 0, 0, 0, 1][..], &ipv4()].concat());
    let mut capture = Capture::new();
    for piece in fragments_v4(&outer, 3, &[0, 40]) {
        capture.push(piece);
    }
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[0], PAYLOAD);
    assert_eq!(log.flows[0].info.as_ref().unwrap().tunnels, ["gtp-u 0x1"]);
}

#[test]
fn a_retransmission_of_a_fragmented_segment_is_compared() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    for piece in fragments_v4(&ipv4(), 7, &[0, 24]) {
        capture.push(piece);
    }
    let mut other = PAYLOAD.to_vec();
    other[10] = b'X';
    capture.all([wire.data(C2S, 0, &other)]);
    let log = capture.finish();
    assert_eq!(log.flows[0].kinds(), ["conflicting-overlap"]);
    assert_eq!(log.flows[0].anomalies[0].offset, 10);
}
