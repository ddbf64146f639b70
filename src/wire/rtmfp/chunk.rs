//! Chunks, RFC 7016 section 2.3.

use super::address::Address;
use super::number::{read_vlu, write_vlu};
use super::option::{OptionList, read_options, write_marker, write_option};
use crate::base::{Reader, Stop, StopReason, Writer};

/// A chunk decoded. `rest` fields borrow from the packet.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Chunk<'a> {
    /// 7f: a part of a packet that was too long for one datagram.
    PacketFragment {
        /// Whether more fragments follow.
        more: bool,
        /// Which packet of the session.
        packet_id: u64,
        /// Fragments count from 0.
        number: u64,
        /// The bytes.
        data: &'a [u8],
    },
    /// 30: a wish to open a session with whomever `epd` is about.
    IHello {
        /// Endpoint discriminator.
        epd: &'a [u8],
        /// What the answer repeats.
        tag: &'a [u8],
    },
    /// 0f: an IHello passed on by a server in an open session.
    FIHello {
        /// Endpoint discriminator.
        epd: &'a [u8],
        /// Whom to answer.
        reply: Address,
        /// What the answer repeats.
        tag: &'a [u8],
    },
    /// 70: the answer of the responder.
    RHello {
        /// What the answer repeats.
        tag: &'a [u8],
        /// What the next step repeats.
        cookie: &'a [u8],
        /// Its certificate.
        certificate: &'a [u8],
    },
    /// 71: where else to send the IHello; without addresses, to where this came from.
    Redirect {
        /// What the answer repeats.
        tag: &'a [u8],
        /// Where to.
        addresses: Vec<Address>,
    },
    /// 79: the cookie is another one now.
    CookieChange {
        /// The cookie before.
        old: &'a [u8],
        /// The cookie from now on.
        new: &'a [u8],
    },
    /// 38: the initiator's half of the keys.
    IIKeying {
        /// The id that packets to the sender carry.
        session_id: u32,
        /// What the next step repeats.
        cookie: &'a [u8],
        /// Its certificate.
        certificate: &'a [u8],
        /// Its half of the keys.
        component: &'a [u8],
        /// Not used by Flash: one byte 58 by convention.
        signature: &'a [u8],
    },
    /// 78: the responder's half of the keys.
    RIKeying {
        /// The id that packets to the sender carry.
        session_id: u32,
        /// Its half of the keys.
        component: &'a [u8],
        /// Not used by Flash: one byte 58 by convention.
        signature: &'a [u8],
    },
    /// 01.
    Ping(&'a [u8]),
    /// 41.
    PingReply(&'a [u8]),
    /// 10: a message of a flow, or a part of one.
    UserData {
        /// Flow id.
        flow: u64,
        /// Sequence number; the first is 1.
        sequence: u64,
        /// How far back the forward sequence number lies: nothing up to it will be sent again.
        fsn_offset: u64,
        /// What both forms have in common.
        data: UserData<'a>,
    },
    /// 11: more of the flow in the User Data chunk before it in the packet.
    NextUserData(UserData<'a>),
    /// 50 and 51: what of a flow was received. Ranges are those beyond the cumulative number.
    Ack {
        /// Flow id.
        flow: u64,
        /// Room of the receiver in blocks of 1024 bytes.
        buffer: u64,
        /// All numbers up to it were received.
        cumulative: u64,
        /// First and last of further ranges.
        received: Vec<(u64, u64)>,
        /// Whether it is the bitmap form.
        bitmap: bool,
    },
    /// 18: asks for an acknowledgement with the receive buffer's room.
    BufferProbe {
        /// Flow id.
        flow: u64,
    },
    /// 5e: the receiver rejects a flow.
    FlowException {
        /// Flow id.
        flow: u64,
        /// Reason, of the application.
        code: u64,
    },
    /// 0c.
    CloseRequest,
    /// 4c.
    CloseAck,
    /// 00 and ff: nothing.
    Padding,
    /// 4d, in no RFC: MonaServer's close with a reason.
    MonaClose(&'a [u8]),
    /// ec, in no RFC: rtmfp-cpp's count of packets with the ECN mark.
    EcnCount(&'a [u8]),
    /// Any other type.
    Unknown {
        /// Its type.
        kind: u8,
        /// Its payload.
        payload: &'a [u8],
    },
}

/// Which part of a message a User Data chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragmentation {
    /// All of it.
    Whole,
    /// Its first part.
    Begin,
    /// Its last part.
    End,
    /// A part between.
    Middle,
}

/// What User Data and Next User Data have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct UserData<'a> {
    /// Which part of a message.
    pub fragmentation: Fragmentation,
    /// ABN: the sender gave the message up.
    pub abandon: bool,
    /// FIN: the flow's last sequence number.
    pub last: bool,
    /// Bits 4c, which nobody defined.
    pub reserved: u8,
    /// Options: metadata, return association.
    pub options: Option<OptionList<'a>>,
    /// The bytes.
    pub payload: &'a [u8],
    /// Where they stand in the chunk's payload.
    pub payload_at: usize,
}

const MORE: u8 = 0x80;
const OPTIONS_PRESENT: u8 = 0x80;
const ABANDON: u8 = 0x02;
const FINAL: u8 = 0x01;

/// Ranges beyond so many are passed over: a datagram of acks has room for some, a hostile one of
/// 64 KiB for half a million.
const MAX_RANGES: usize = 1024;

/// The chunk type's name in RFC 7016.
pub fn chunk_name(kind: u8) -> &'static str {
    match kind {
        0x7f => "Packet Fragment",
        0x30 => "IHello",
        0x0f => "FIHello",
        0x70 => "RHello",
        0x71 => "Redirect",
        0x79 => "RHello Cookie Change",
        0x38 => "IIKeying",
        0x78 => "RIKeying",
        0x01 => "Ping",
        0x41 => "Ping Reply",
        0x10 => "User Data",
        0x11 => "Next User Data",
        0x50 => "Bitmap Ack",
        0x51 => "Range Ack",
        0x18 => "Buffer Probe",
        0x5e => "Flow Exception",
        0x0c => "Session Close Request",
        0x4c => "Session Close Ack",
        0x00 | 0xff => "Padding",
        0x4d => "Close with reason (MonaServer)",
        0xec => "ECN count (rtmfp-cpp)",
        _ => "unknown",
    }
}

fn sized<'a>(
    r: &mut Reader<'a, '_>,
    length: &'static str,
    field: &'static str,
) -> Result<&'a [u8], Stop> {
    let len = usize::try_from(read_vlu(r, length)?).unwrap_or(usize::MAX);
    r.bytes(field, len)
}

impl<'a> Chunk<'a> {
    /// Decodes a chunk's payload.
    pub fn parse(kind: u8, payload: &'a [u8]) -> Result<Chunk<'a>, Stop> {
        Chunk::read(kind, &mut Reader::new(payload))
    }

    /// Decodes a chunk's payload from a reader that holds nothing else.
    pub fn read(kind: u8, r: &mut Reader<'a, '_>) -> Result<Chunk<'a>, Stop> {
        Ok(match kind {
            0x7f => {
                let flags = r.u8("flags")?;
                Chunk::PacketFragment {
                    more: flags & MORE != 0,
                    packet_id: read_vlu(r, "packet_id")?,
                    number: read_vlu(r, "fragment_number")?,
                    data: r.rest("packet_fragment"),
                }
            }
            0x30 => Chunk::IHello {
                epd: sized(r, "epd_length", "endpoint_discriminator")?,
                tag: r.rest("tag"),
            },
            0x0f => Chunk::FIHello {
                epd: sized(r, "epd_length", "endpoint_discriminator")?,
                reply: Address::read(r)?,
                tag: r.rest("tag"),
            },
            0x70 => Chunk::RHello {
                tag: sized(r, "tag_length", "tag_echo")?,
                cookie: sized(r, "cookie_length", "cookie")?,
                certificate: r.rest("responder_certificate"),
            },
            0x71 => {
                let tag = sized(r, "tag_length", "tag_echo")?;
                let mut addresses = Vec::new();
                while !r.is_empty() {
                    let address = Address::read(r)?;
                    if addresses.len() < MAX_RANGES {
                        addresses.push(address);
                    }
                }
                Chunk::Redirect { tag, addresses }
            }
            0x79 => Chunk::CookieChange {
                old: sized(r, "old_cookie_length", "old_cookie")?,
                new: r.rest("new_cookie"),
            },
            0x38 => Chunk::IIKeying {
                session_id: r.u32("initiator_session_id")?,
                cookie: sized(r, "cookie_length", "cookie_echo")?,
                certificate: sized(r, "certificate_length", "initiator_certificate")?,
                component: sized(r, "component_length", "session_key_initiator_component")?,
                signature: r.rest("signature"),
            },
            0x78 => Chunk::RIKeying {
                session_id: r.u32("responder_session_id")?,
                component: sized(r, "component_length", "session_key_responder_component")?,
                signature: r.rest("signature"),
            },
            0x01 => Chunk::Ping(r.rest("message")),
            0x41 => Chunk::PingReply(r.rest("message_echo")),
            0x10 => {
                let flags = r.u8("flags")?;
                let flow = read_vlu(r, "flow_id")?;
                let sequence = read_vlu(r, "sequence_number")?;
                let fsn_offset = read_vlu(r, "fsn_offset")?;
                if fsn_offset > sequence {
                    return Err(r.stop("fsn_offset", StopReason::Invalid(fsn_offset)));
                }
                Chunk::UserData { flow, sequence, fsn_offset, data: UserData::read(flags, r)? }
            }
            0x11 => {
                let flags = r.u8("flags")?;
                Chunk::NextUserData(UserData::read(flags, r)?)
            }
            0x50 => bitmap_ack(r)?,
            0x51 => range_ack(r)?,
            0x18 => Chunk::BufferProbe { flow: read_vlu(r, "flow_id")? },
            0x5e => Chunk::FlowException {
                flow: read_vlu(r, "flow_id")?,
                code: read_vlu(r, "exception_code")?,
            },
            0x0c => Chunk::CloseRequest,
            0x4c => Chunk::CloseAck,
            0x00 | 0xff => Chunk::Padding,
            0x4d => Chunk::MonaClose(r.rest("reason")),
            0xec => Chunk::EcnCount(r.rest("count")),
            kind => Chunk::Unknown { kind, payload: r.rest("payload") },
        })
    }

    /// The chunk type.
    pub fn kind(&self) -> u8 {
        match self {
            Chunk::PacketFragment { .. } => 0x7f,
            Chunk::IHello { .. } => 0x30,
            Chunk::FIHello { .. } => 0x0f,
            Chunk::RHello { .. } => 0x70,
            Chunk::Redirect { .. } => 0x71,
            Chunk::CookieChange { .. } => 0x79,
            Chunk::IIKeying { .. } => 0x38,
            Chunk::RIKeying { .. } => 0x78,
            Chunk::Ping(_) => 0x01,
            Chunk::PingReply(_) => 0x41,
            Chunk::UserData { .. } => 0x10,
            Chunk::NextUserData(_) => 0x11,
            Chunk::Ack { bitmap: true, .. } => 0x50,
            Chunk::Ack { bitmap: false, .. } => 0x51,
            Chunk::BufferProbe { .. } => 0x18,
            Chunk::FlowException { .. } => 0x5e,
            Chunk::CloseRequest => 0x0c,
            Chunk::CloseAck => 0x4c,
            Chunk::Padding => 0x00,
            Chunk::MonaClose(_) => 0x4d,
            Chunk::EcnCount(_) => 0xec,
            Chunk::Unknown { kind, .. } => *kind,
        }
    }
}

impl<'a> UserData<'a> {
    fn read(flags: u8, r: &mut Reader<'a, '_>) -> Result<UserData<'a>, Stop> {
        let fragmentation = match flags & 0x30 {
            0x00 => Fragmentation::Whole,
            0x10 => Fragmentation::Begin,
            0x20 => Fragmentation::End,
            _ => Fragmentation::Middle,
        };
        let options = match flags & OPTIONS_PRESENT {
            0 => None,
            _ => {
                let list = read_options(r);
                if let Some(stop) = list.stop {
                    return Err(stop);
                }
                Some(list)
            }
        };
        Ok(UserData {
            fragmentation,
            abandon: flags & ABANDON != 0,
            last: flags & FINAL != 0,
            reserved: flags & 0x4c,
            options,
            payload_at: r.pos(),
            payload: r.rest("user_data"),
        })
    }

    /// A whole message without options.
    pub fn whole(payload: &'a [u8]) -> UserData<'a> {
        UserData {
            fragmentation: Fragmentation::Whole,
            abandon: false,
            last: false,
            reserved: 0,
            options: None,
            payload,
            payload_at: 0,
        }
    }

    fn flags(&self) -> u8 {
        let mut flags = match self.fragmentation {
            Fragmentation::Whole => 0x00,
            Fragmentation::Begin => 0x10,
            Fragmentation::End => 0x20,
            Fragmentation::Middle => 0x30,
        };
        flags |= self.reserved & 0x4c;
        for (set, bit) in
            [(self.options.is_some(), OPTIONS_PRESENT), (self.abandon, ABANDON), (self.last, FINAL)]
        {
            flags |= if set { bit } else { 0 };
        }
        flags
    }

    fn write_tail(&self, out: &mut Writer) {
        if let Some(list) = &self.options {
            for option in &list.options {
                write_option(out, option.kind, option.value);
            }
            write_marker(out);
        }
        out.bytes(self.payload);
    }
}

fn bitmap_ack<'a>(r: &mut Reader<'a, '_>) -> Result<Chunk<'a>, Stop> {
    let (flow, buffer) = (read_vlu(r, "flow_id")?, read_vlu(r, "buffer_blocks")?);
    let cumulative = read_vlu(r, "cumulative_ack")?;
    let mut received: Vec<(u64, u64)> = Vec::new();
    // The number after the cumulative one is missing by definition; bit 0 is the one after that.
    let mut number = cumulative.saturating_add(2);
    for byte in r.rest("received_bitmap") {
        for bit in 0..8 {
            if byte >> bit & 1 == 1 && received.len() < MAX_RANGES {
                match received.last_mut() {
                    Some(last) if last.1.saturating_add(1) == number => last.1 = number,
                    _ => received.push((number, number)),
                }
            }
            number = number.saturating_add(1);
        }
    }
    Ok(Chunk::Ack { flow, buffer, cumulative, received, bitmap: true })
}

fn range_ack<'a>(r: &mut Reader<'a, '_>) -> Result<Chunk<'a>, Stop> {
    let (flow, buffer) = (read_vlu(r, "flow_id")?, read_vlu(r, "buffer_blocks")?);
    let cumulative = read_vlu(r, "cumulative_ack")?;
    let mut received = Vec::new();
    let mut at = cumulative;
    while !r.is_empty() {
        let holes = read_vlu(r, "holes_minus_one")?;
        let count = read_vlu(r, "received_minus_one")?;
        let first = at.saturating_add(holes).saturating_add(2);
        at = first.saturating_add(count);
        if received.len() < MAX_RANGES {
            received.push((first, at));
        }
    }
    Ok(Chunk::Ack { flow, buffer, cumulative, received, bitmap: false })
}

fn write_sized(out: &mut Writer, bytes: &[u8]) {
    write_vlu(out, bytes.len() as u64);
    out.bytes(bytes);
}

/// A chunk as it stands in a packet: type, length, payload. A payload past 65535 bytes, which no
/// datagram has room for, is cut.
pub fn encode_chunk(chunk: &Chunk<'_>) -> Vec<u8> {
    let mut body = Writer::new();
    write_body(chunk, &mut body);
    let mut body = body.into_bytes();
    body.truncate(usize::from(u16::MAX));
    let mut out = Writer::new();
    out.u8(chunk.kind()).u16(body.len() as u16).bytes(&body);
    out.into_bytes()
}

fn write_body(chunk: &Chunk<'_>, out: &mut Writer) {
    match chunk {
        Chunk::PacketFragment { more, packet_id, number, data } => {
            out.u8(if *more { MORE } else { 0 });
            write_vlu(out, *packet_id);
            write_vlu(out, *number);
            out.bytes(data);
        }
        Chunk::IHello { epd, tag } => {
            write_sized(out, epd);
            out.bytes(tag);
        }
        Chunk::FIHello { epd, reply, tag } => {
            write_sized(out, epd);
            reply.write(out);
            out.bytes(tag);
        }
        Chunk::RHello { tag, cookie, certificate } => {
            write_sized(out, tag);
            write_sized(out, cookie);
            out.bytes(certificate);
        }
        Chunk::Redirect { tag, addresses } => {
            write_sized(out, tag);
            for address in addresses {
                address.write(out);
            }
        }
        Chunk::CookieChange { old, new } => {
            write_sized(out, old);
            out.bytes(new);
        }
        Chunk::IIKeying { session_id, cookie, certificate, component, signature } => {
            out.u32(*session_id);
            write_sized(out, cookie);
            write_sized(out, certificate);
            write_sized(out, component);
            out.bytes(signature);
        }
        Chunk::RIKeying { session_id, component, signature } => {
            out.u32(*session_id);
            write_sized(out, component);
            out.bytes(signature);
        }
        Chunk::UserData { flow, sequence, fsn_offset, data } => {
            out.u8(data.flags());
            write_vlu(out, *flow);
            write_vlu(out, *sequence);
            write_vlu(out, *fsn_offset);
            data.write_tail(out);
        }
        Chunk::NextUserData(data) => {
            out.u8(data.flags());
            data.write_tail(out);
        }
        Chunk::Ack { flow, buffer, cumulative, received, bitmap } => {
            write_vlu(out, *flow);
            write_vlu(out, *buffer);
            write_vlu(out, *cumulative);
            if *bitmap {
                write_bitmap(out, *cumulative, received);
            } else {
                let mut at = *cumulative;
                for (first, last) in received {
                    write_vlu(out, first.saturating_sub(at).saturating_sub(2));
                    write_vlu(out, last.saturating_sub(*first));
                    at = *last;
                }
            }
        }
        Chunk::BufferProbe { flow } => write_vlu(out, *flow),
        Chunk::FlowException { flow, code } => {
            write_vlu(out, *flow);
            write_vlu(out, *code);
        }
        Chunk::Ping(bytes)
        | Chunk::PingReply(bytes)
        | Chunk::MonaClose(bytes)
        | Chunk::EcnCount(bytes)
        | Chunk::Unknown { payload: bytes, .. } => _ = out.bytes(bytes),
        Chunk::CloseRequest | Chunk::CloseAck | Chunk::Padding => {}
    }
}

/// Bits for the numbers received; those too far ahead for a datagram are left out.
fn write_bitmap(out: &mut Writer, cumulative: u64, received: &[(u64, u64)]) {
    const MAX_BITS: u64 = 8192;
    let base = cumulative.saturating_add(2);
    let end = received.last().map_or(base, |(_, last)| last.saturating_add(1));
    let bits = end.saturating_sub(base).min(MAX_BITS);
    let mut bitmap = vec![0_u8; bits.div_ceil(8) as usize];
    for (first, last) in received {
        let from = first.saturating_sub(base).min(bits);
        let to = last.saturating_add(1).saturating_sub(base).min(bits);
        for bit in from..to {
            bitmap[(bit / 8) as usize] |= 1 << (bit % 8);
        }
    }
    out.bytes(&bitmap);
}
