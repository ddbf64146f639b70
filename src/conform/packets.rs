//! Transcripts as packets: TCP over raw IP, as a capture of the run would have had them.

use etherparse::PacketBuilder;

use crate::base::{Direction, LinkType, Packet, Timestamp};
use crate::peer::{Close, Transcript};

/// Payload of one packet. Loopback carries such segments.
const SEGMENT: usize = 16 << 10;

/// Packets of the connections of a case, by time.
pub fn packets(transcripts: &[Transcript]) -> Vec<Packet> {
    let mut all: Vec<Packet> = transcripts.iter().flat_map(connection).collect();
    all.sort_by_key(|packet| packet.time);
    for (packet, frame) in all.iter_mut().zip(1..) {
        packet.frame = frame;
    }
    all
}

/// One connection being written down.
struct Tcp<'t> {
    transcript: &'t Transcript,
    /// The next sequence number per direction.
    next: [u32; 2],
    last: Timestamp,
    out: Vec<Packet>,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    syn: bool,
    ack: bool,
    fin: bool,
    rst: bool,
}

fn connection(transcript: &Transcript) -> Vec<Packet> {
    use Direction::{ClientToServer, ServerToClient};
    // Distinct numbers make it easy to see which connection is which.
    let first = u32::from(transcript.client.port()) << 12;
    let opened = transcript.opened;
    let mut tcp =
        Tcp { transcript, next: [first, first ^ 0x8000_0000], last: opened, out: Vec::new() };
    let ack = Flags { ack: true, ..Flags::default() };
    tcp.push(opened, ClientToServer, Flags { syn: true, ..Flags::default() }, &[]);
    tcp.push(opened, ServerToClient, Flags { syn: true, ..ack }, &[]);
    tcp.push(opened, ClientToServer, ack, &[]);
    for entry in &transcript.entries {
        for piece in entry.bytes.chunks(SEGMENT) {
            tcp.push(entry.time, entry.direction, ack, piece);
        }
        tcp.push(entry.time, entry.direction.reverse(), ack, &[]);
    }
    let server_first = transcript.closed.is_some();
    match transcript.closed {
        Some((time, Close::Rst)) => {
            tcp.push(time, ServerToClient, Flags { rst: true, ..ack }, &[]);
            return tcp.out;
        }
        Some((time, Close::Fin)) => {
            tcp.push(time, ServerToClient, Flags { fin: true, ..ack }, &[]);
        }
        None => {}
    }
    let end = transcript.ended.unwrap_or(tcp.last).max(tcp.last);
    tcp.push(end, ClientToServer, Flags { fin: true, ..ack }, &[]);
    if !server_first {
        tcp.push(end, ServerToClient, Flags { fin: true, ..ack }, &[]);
    }
    tcp.push(end, if server_first { ServerToClient } else { ClientToServer }, ack, &[]);
    tcp.out
}

impl Tcp<'_> {
    fn push(&mut self, time: Timestamp, direction: Direction, flags: Flags, payload: &[u8]) {
        self.last = self.last.max(time);
        let (from, to) = match direction {
            Direction::ClientToServer => (self.transcript.client, self.transcript.server),
            Direction::ServerToClient => (self.transcript.server, self.transcript.client),
        };
        let at = direction.index();
        let builder = match (from.ip(), to.ip()) {
            (std::net::IpAddr::V4(from), std::net::IpAddr::V4(to)) => {
                PacketBuilder::ipv4(from.octets(), to.octets(), 64)
            }
            (std::net::IpAddr::V6(from), std::net::IpAddr::V6(to)) => {
                PacketBuilder::ipv6(from.octets(), to.octets(), 64)
            }
            // Both ends of a connection are of one family.
            _ => return,
        };
        let mut builder = builder.tcp(from.port(), to.port(), self.next[at], 65535);
        if flags.syn {
            builder = builder.syn();
        }
        if flags.ack {
            builder = builder.ack(self.next[1 - at]);
        }
        if flags.fin {
            builder = builder.fin();
        }
        if flags.rst {
            builder = builder.rst();
        }
        if !payload.is_empty() {
            builder = builder.psh();
        }
        let mut data = Vec::with_capacity(builder.size(payload.len()));
        if builder.write(&mut data, payload).is_err() {
            return;
        }
        let taken = payload.len() as u32 + u32::from(flags.syn) + u32::from(flags.fin);
        self.next[at] = self.next[at].wrapping_add(taken);
        self.out.push(Packet {
            frame: 0,
            time,
            link: LinkType::RAW,
            original_len: data.len() as u32,
            data: data.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Pipeline, Record};

    #[test]
    fn a_transcript_decodes_like_a_capture() {
        let addr = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let mut transcript = Transcript::new(addr(40000), addr(1935), Timestamp(1_000));
        let flight = [&[3][..], &[0; 3072]].concat();
        transcript.push(Timestamp(2_000), Direction::ClientToServer, &flight);
        transcript.push(Timestamp(3_000), Direction::ServerToClient, &flight);
        let ping = b"\x02\0\0\0\0\0\x06\x04\0\0\0\0\0\x06\0\0\0\x01";
        transcript.push(Timestamp(4_000), Direction::ServerToClient, ping);
        transcript.closed = Some((Timestamp(5_000), Close::Rst));
        let mut pipeline = Pipeline::new(Default::default());
        let mut kinds = Vec::new();
        let mut sink = |record: Record| match record {
            Record::Message(message) => kinds.push(message.message.type_id.kind()),
            Record::Gap(_) => kinds.push("gap"),
            Record::Anomaly(anomaly) => kinds.push(anomaly.kind),
            _ => {}
        };
        packets(&[transcript]).iter().for_each(|packet| pipeline.push(packet, &mut sink));
        pipeline.finish(Vec::new(), &mut sink);
        assert_eq!(kinds, ["user_control"]);
    }
}
