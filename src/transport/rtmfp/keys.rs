//! What both sides of a session agree on, RFC 7425 section 4.6.

use sha2::{Digest, Sha256};

use super::cipher::{Protection, hmac};
use crate::transport::KeyLog;
use crate::wire::rtmfp::{Certificate, KeyingComponent};

/// Key log label: SHA-256 of the initiator's keying component, then the Diffie-Hellman secret.
pub const SHARED_SECRET: &str = "RTMFP_SHARED_SECRET";
/// Key log label: both session ids, then all keys; for captures without the handshake.
pub const SESSION_KEYS: &str = "RTMFP_SESSION_KEYS";

/// No HMAC is longer.
const MAX_HMAC: usize = 32;

/// SHA-256 of a certificate, whose hexadecimal form is the peer id. The marker and what comes after
/// it are not covered.
pub fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    let signed = Certificate::parse(certificate).signed_len;
    Sha256::digest(certificate.get(..signed).unwrap_or(certificate)).into()
}

/// How the key log names a session: SHA-256 of the initiator's keying component.
pub fn component_id(component: &[u8]) -> [u8; 32] {
    Sha256::digest(component).into()
}

/// The protection of both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKeys {
    /// What the initiator sends.
    pub initiator: Protection,
    /// What the responder sends.
    pub responder: Protection,
}

/// The keys of a session, without what was negotiated about their use.
struct Derived {
    initiator: [u8; 32],
    responder: [u8; 32],
    initiator_hmac: [u8; 32],
    responder_hmac: [u8; 32],
}

fn derive(secret: &[u8], skic: &[u8], skrc: &[u8]) -> Derived {
    let initiator = hmac(secret, &hmac(skrc, skic));
    let responder = hmac(secret, &hmac(skic, skrc));
    Derived {
        initiator_hmac: hmac(secret, &initiator),
        responder_hmac: hmac(secret, &responder),
        initiator,
        responder,
    }
}

fn first_16(key: &[u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&key[..16]);
    out
}

fn protection(key: &[u8; 32], hmac_key: &[u8; 32], hmac_len: usize, numbered: bool) -> Protection {
    let hmac = (1..=MAX_HMAC).contains(&hmac_len).then_some((*hmac_key, hmac_len));
    Protection { key: first_16(key), hmac, numbered }
}

impl SessionKeys {
    /// From the Diffie-Hellman secret (big-endian, without leading zeros: what rtmfp-cpp takes) and
    /// both keying components as they were sent.
    pub fn derive(secret: &[u8], skic: &[u8], skrc: &[u8]) -> SessionKeys {
        let keys = derive(secret, skic, skrc);
        let (i, r) = (KeyingComponent::parse(skic), KeyingComponent::parse(skrc));
        let len = |own: &KeyingComponent, far: &KeyingComponent| match own.hmac.sends_to(far.hmac) {
            true => usize::try_from(own.hmac_len).unwrap_or(MAX_HMAC).min(MAX_HMAC),
            false => 0,
        };
        SessionKeys {
            initiator: protection(
                &keys.initiator,
                &keys.initiator_hmac,
                len(&i, &r),
                i.sequence.sends_to(r.sequence),
            ),
            responder: protection(
                &keys.responder,
                &keys.responder_hmac,
                len(&r, &i),
                r.sequence.sends_to(i.sequence),
            ),
        }
    }

    /// Both nonces: HMACs of the components under the secret, for applications.
    pub fn nonces(secret: &[u8], skic: &[u8], skrc: &[u8]) -> [[u8; 32]; 2] {
        [hmac(secret, skic), hmac(secret, skrc)]
    }

    /// From a [`SESSION_KEYS`] entry's value: four keys of 32 bytes, two HMAC lengths, two flags.
    pub fn from_entry(value: &[u8]) -> Option<SessionKeys> {
        let key = |index: usize| value.get(32 * index..)?.first_chunk::<32>();
        let [i_len, r_len, i_numbered, r_numbered] = *value.get(128..)?.first_chunk::<4>()?;
        Some(SessionKeys {
            initiator: protection(key(0)?, key(2)?, usize::from(i_len), i_numbered != 0),
            responder: protection(key(1)?, key(3)?, usize::from(r_len), r_numbered != 0),
        })
    }

    /// The value of a [`SESSION_KEYS`] entry.
    pub fn to_entry(secret: &[u8], skic: &[u8], skrc: &[u8]) -> Vec<u8> {
        let keys = derive(secret, skic, skrc);
        let of = SessionKeys::derive(secret, skic, skrc);
        let len = |side: &Protection| side.hmac.map_or(0, |(_, len)| len as u8);
        let mut out = Vec::new();
        for key in [keys.initiator, keys.responder, keys.initiator_hmac, keys.responder_hmac] {
            out.extend_from_slice(&key);
        }
        out.extend([len(&of.initiator), len(&of.responder)]);
        out.extend([u8::from(of.initiator.numbered), u8::from(of.responder.numbered)]);
        out
    }

    /// The keys of a session whose handshake was captured, if the key log has them.
    pub fn find(log: &KeyLog, skic: &[u8], skrc: &[u8]) -> Option<SessionKeys> {
        let secret = log.get(SHARED_SECRET, &component_id(skic))?;
        let zeros = secret.iter().take_while(|byte| **byte == 0).count();
        Some(SessionKeys::derive(&secret[zeros..], skic, skrc))
    }
}
