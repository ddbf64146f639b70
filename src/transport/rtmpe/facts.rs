//! What RTMPE's handshake says without any key.

use crate::base::Direction;
use crate::transport::layer::{At, Fact, FactValue};
use crate::wire::handshake::{self, Bytes1536, Cover, Layout, Side, rtmpe};

use super::keys::{Candidate, identifiers};

/// Who signs what is sent in a direction.
pub fn side(direction: Direction) -> Side {
    match direction {
        Direction::ClientToServer => Side::Client,
        Direction::ServerToClient => Side::Server,
    }
}

/// C1 or S1: its digest and its public key.
pub fn hello(at: At, version: u8, packet: &Bytes1536) -> Fact {
    let side = side(at.direction);
    let digest = handshake::find_digest(packet, side);
    let software = format!("{}.{}.{}.{}", packet[4], packet[5], packet[6], packet[7]);
    let mut fields = vec![
        ("version", FactValue::Number(version.into())),
        ("software", FactValue::text(software)),
        ("digest", FactValue::text(if digest.is_some() { "valid" } else { "invalid" })),
    ];
    let mut odd = digest.is_none();
    if let Some(digest) = digest {
        let layout: Layout = digest.layout;
        fields.push(("layout", FactValue::text(layout.name())));
        fields.push(("digest_offset", FactValue::Number(digest.position as u64)));
        fields.push(("key_offset", FactValue::Number(layout.key_position(packet) as u64)));
        if let Some(key) = layout.key(packet).first_chunk() {
            let check = rtmpe::check_key(key);
            odd |= !(check.in_range && check.in_subgroup);
            fields.push(("key_in_range", FactValue::Flag(check.in_range)));
            fields.push(("key_in_subgroup", FactValue::Flag(check.in_subgroup)));
            fields.push(("public_key", FactValue::Bytes(key.to_vec())));
        }
    }
    let name = match side {
        Side::Client => "c1",
        Side::Server => "s1",
    };
    at.fact("rtmpe", name, odd, fields)
}

/// C2 or S2: its signature of the peer's digest. `version` is that of S0.
pub fn answer(at: At, version: u8, packet: &Bytes1536, peer: &Bytes1536) -> Option<Fact> {
    let side = side(at.direction);
    let digest = handshake::find_digest(peer, side.peer())?;
    let cover = Cover::of_version(version);
    let valid = handshake::verify_covered_signature(packet, &digest.bytes, side, cover);
    let cipher = match cover {
        Cover::None => "none",
        Cover::Xtea => "xtea",
        Cover::Blowfish => "blowfish",
    };
    let name = match side {
        Side::Client => "c2",
        Side::Server => "s2",
    };
    let fields = vec![
        ("signature", FactValue::text(if valid { "valid" } else { "invalid" })),
        ("signature_cipher", FactValue::text(cipher)),
    ];
    Some(at.fact("rtmpe", name, !valid, fields))
}

/// The keys that fit.
pub fn keys(at: At, candidate: &Candidate) -> Fact {
    let mut fields = vec![("label", FactValue::text(candidate.label))];
    if let Some(padding) = candidate.padding {
        fields.push(("padding", FactValue::text(padding.name())));
    }
    at.fact("rtmpe", "keys", false, fields)
}

/// The key log knows nothing of this handshake.
pub fn no_keys(at: At, c1: Option<&Bytes1536>) -> Fact {
    let ids = c1.map(identifiers).unwrap_or_default();
    let hex = |id: &[u8; 32]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let fields = match &ids[..] {
        [] => vec![("reason", FactValue::text("C1 was not captured"))],
        ids => vec![("c1-digest", FactValue::List(ids.iter().map(hex).collect()))],
    };
    at.fact("rtmpe", "no-keys", false, fields)
}
