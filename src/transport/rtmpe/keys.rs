//! Keys that a key log has for a handshake.

use crate::transport::keylog::KeyLog;
use crate::wire::handshake::rtmpe::{self, Padding, RC4_KEY_LEN, Rc4Keys};
use crate::wire::handshake::{Bytes1536, DIGEST_LEN, KEY_LEN, Layout, Side, find_digest};

/// Both RC4 keys, by the digest of C1.
pub const RC4_KEYS: &str = "RTMPE_RC4_KEYS";
/// The secret that both sides computed.
pub const SHARED_SECRET: &str = "RTMPE_SHARED_SECRET";
/// The client's private key.
pub const CLIENT_PRIVATE: &str = "RTMPE_CLIENT_DH_PRIVATE";
/// The server's private key.
pub const SERVER_PRIVATE: &str = "RTMPE_SERVER_DH_PRIVATE";

/// Keys of other connections that are tried where the digest of C1 was not captured.
const MAX_STRANGERS: usize = 64;

/// Keys that may be the right ones.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Label of the line they come from.
    pub label: &'static str,
    /// How the secret was padded, if it was.
    pub padding: Option<Padding>,
    /// The key per direction, as far as it can be had.
    pub keys: [Option<[u8; RC4_KEY_LEN]>; 2],
}

/// What can stand for the digest of C1 in a key log: the digest, or where none is valid, what lies
/// at both of its places.
pub fn identifiers(c1: &Bytes1536) -> Vec<[u8; DIGEST_LEN]> {
    if let Some(digest) = find_digest(c1, Side::Client) {
        return vec![digest.bytes];
    }
    let at = |layout: Layout| {
        let position = layout.digest_position(c1);
        let mut bytes = [0; DIGEST_LEN];
        bytes.copy_from_slice(&c1[position..position + DIGEST_LEN]);
        bytes
    };
    Layout::ALL.map(at).to_vec()
}

/// Public keys that C1 or S1 may hold.
fn public_keys(packet: &Bytes1536, side: Side) -> Vec<[u8; KEY_LEN]> {
    let layouts = match find_digest(packet, side) {
        Some(digest) => vec![digest.layout],
        None => Layout::ALL.to_vec(),
    };
    let key = |layout: Layout| layout.key(packet).try_into().ok();
    layouts.into_iter().filter_map(key).collect()
}

/// The pair of a line of RC4 keys.
fn pair(value: &[u8]) -> Option<Candidate> {
    let (client, rest) = value.split_first_chunk::<RC4_KEY_LEN>()?;
    let server = rest.first_chunk::<RC4_KEY_LEN>()?;
    Some(Candidate { label: RC4_KEYS, padding: None, keys: [Some(*client), Some(*server)] })
}

/// Whether the RC4 keys themselves are in the log: S1 is then not needed.
pub fn has_rc4_keys(log: &KeyLog, c1: &Bytes1536) -> bool {
    identifiers(c1).iter().any(|id| log.get(RC4_KEYS, id).is_some())
}

/// All keys that the log has for this handshake, the most direct ones first.
pub fn candidates(log: &KeyLog, c1: Option<&Bytes1536>, s1: Option<&Bytes1536>) -> Vec<Candidate> {
    let Some(c1) = c1 else {
        let all = log.of_label(RC4_KEYS).take(MAX_STRANGERS);
        return all.filter_map(|(_, value)| pair(value)).collect();
    };
    let clients = public_keys(c1, Side::Client);
    let servers = s1.map(|s1| public_keys(s1, Side::Server)).unwrap_or_default();
    let mut out = Vec::new();
    for id in identifiers(c1) {
        out.extend(log.get(RC4_KEYS, &id).and_then(pair));
        if let Some(secret) = log.get(SHARED_SECRET, &id) {
            derive(&mut out, SHARED_SECRET, secret, &clients, &servers);
        }
        if let Some(private) = log.get(CLIENT_PRIVATE, &id) {
            for server in &servers {
                let secret = rtmpe::shared_secret(server, private);
                derive(&mut out, CLIENT_PRIVATE, &secret, &clients, &[*server]);
            }
        }
        if let Some(private) = log.get(SERVER_PRIVATE, &id) {
            for client in &clients {
                let secret = rtmpe::shared_secret(client, private);
                derive(&mut out, SERVER_PRIVATE, &secret, &[*client], &servers);
            }
        }
    }
    out
}

fn derive(
    out: &mut Vec<Candidate>,
    label: &'static str,
    secret: &[u8],
    clients: &[[u8; KEY_LEN]],
    servers: &[[u8; KEY_LEN]],
) {
    let mut forms: Vec<(Padding, Vec<u8>)> = Vec::new();
    for padding in Padding::ALL {
        let form = padding.apply(secret);
        // Without zeros in front all forms are one.
        if forms.iter().all(|(_, known)| *known != form) {
            forms.push((padding, form));
        }
    }
    for client in clients {
        for (padding, form) in &forms {
            if servers.is_empty() {
                let keys = Rc4Keys::derive(form, client, &[]);
                let keys = [None, Some(keys.server)];
                out.push(Candidate { label, padding: Some(*padding), keys });
            }
            for server in servers {
                let keys = Rc4Keys::derive(form, client, server);
                let keys = [Some(keys.client), Some(keys.server)];
                out.push(Candidate { label, padding: Some(*padding), keys });
            }
        }
    }
}
