//! Which keys open a record.

use std::collections::BTreeMap;

use super::cipher::{Cipher, HEADER, Opened};
use super::half::{Epoch, Half};
use super::hello::{ClientHello, ServerHello};
use super::secrets;
use super::suites::{self, Protection, Suite};
use crate::base::Direction;
use crate::transport::KeyLog;

/// Master secrets of sessions of TLS 1.2 that may be resumed, by session id and by ticket.
#[derive(Default)]
pub struct Resumable {
    masters: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl std::fmt::Debug for Resumable {
    // Secrets have no place in debug output.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resumable({})", self.masters.len())
    }
}

/// Sessions that are remembered.
const MAX_RESUMABLE: usize = 4096;
/// Records of a direction that do not open before nobody tries any more.
const MAX_FAILURES: u32 = 256;

impl Resumable {
    pub(super) fn remember(&mut self, id: &[u8], master: &[u8]) {
        if !id.is_empty() && self.masters.len() < MAX_RESUMABLE {
            self.masters.insert(id.to_vec(), master.to_vec());
        }
    }

    fn find(&self, id: &[u8]) -> Option<&[u8]> {
        if id.is_empty() { None } else { self.masters.get(id).map(Vec::as_slice) }
    }
}

/// What is known of a connection when a record is to be opened.
pub(super) struct Known<'a> {
    pub client: Option<&'a ClientHello>,
    pub server: Option<&'a ServerHello>,
    pub keys: &'a KeyLog,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Opened(Opened),
    /// There are no keys for it.
    NoKeys,
    /// There are keys, and none fits.
    Failed,
}

impl Known<'_> {
    /// Whether it is TLS 1.3; without a ServerHello the key log tells.
    pub fn is_tls13(&self) -> bool {
        match (self.server, self.client) {
            (Some(server), _) => server.version == 0x0304,
            (None, Some(client)) => {
                self.keys.get("CLIENT_TRAFFIC_SECRET_0", &client.random).is_some()
                    || client.early_data
            }
            _ => false,
        }
    }

    /// The master secret of TLS 1.2.
    pub fn master<'m>(&'m self, resumable: &'m Resumable) -> Option<&'m [u8]> {
        let (client, server) = (self.client?, self.server?);
        let logged = self.keys.get("CLIENT_RANDOM", &client.random);
        logged
            .or_else(|| {
                let resumed = server.session_id == client.session_id;
                resumable.find(&server.session_id).filter(|_| resumed)
            })
            .or_else(|| resumable.find(&client.ticket))
    }

    /// Opens a record of TLS 1.3 with the keys of the epoch or of one that follows.
    pub fn open_tls13(
        &self,
        half: &mut Half,
        direction: Direction,
        at: u64,
        header: [u8; HEADER],
        fragment: &mut [u8],
    ) -> Outcome {
        let missing = half.missing_records(at);
        if let Some(cipher) = &half.cipher {
            let range = half.sequence..half.sequence + 1 + missing;
            if let Some(opened) = cipher.open(range, header, fragment) {
                half.failures = 0;
                return Outcome::Opened(opened);
            }
            half.spend(missing + 1);
        }
        if half.failures >= MAX_FAILURES {
            return Outcome::Failed;
        }
        let Some(client) = self.client else { return Outcome::NoKeys };
        let mut any = half.cipher.is_some();
        for epoch in [Epoch::Early, Epoch::Handshake, Epoch::Application] {
            let early = epoch == Epoch::Early;
            if epoch <= half.epoch
                || early && (direction == Direction::ServerToClient || !client.early_data)
            {
                continue;
            }
            let label = match (epoch, direction) {
                (Epoch::Early, _) => "CLIENT_EARLY_TRAFFIC_SECRET",
                (Epoch::Handshake, Direction::ClientToServer) => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                (Epoch::Handshake, _) => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                (_, Direction::ClientToServer) => "CLIENT_TRAFFIC_SECRET_0",
                _ => "SERVER_TRAFFIC_SECRET_0",
            };
            let Some(secret) = self.keys.get(label, &client.random) else { continue };
            any = true;
            // The suite of early data is that of the session before.
            let agreed = self.server.and_then(|server| suites::find(server.suite));
            let agreed = agreed.filter(|_| !early);
            let of_hash = suites::tls13_of_hash(secret.len()).filter(|_| agreed.is_none());
            for suite in agreed.into_iter().chain(of_hash) {
                let Some(cipher) = Cipher::tls13(suite, secret) else { continue };
                let tries = half.missing_records(at);
                if let Some(opened) = cipher.open(0..1 + tries, header, fragment) {
                    half.epoch = epoch;
                    half.secret = Some((suite, secret.to_vec()));
                    half.rekey(Some(cipher));
                    half.failures = 0;
                    return Outcome::Opened(opened);
                }
                half.spend(tries + 1);
            }
        }
        if any {
            half.failures += 1;
            Outcome::Failed
        } else {
            Outcome::NoKeys
        }
    }

    /// Opens a record of TLS 1.2.
    pub fn open_tls12(
        half: &mut Half,
        at: u64,
        header: [u8; HEADER],
        fragment: &mut [u8],
    ) -> Outcome {
        let missing = half.missing_records(at);
        let Some(cipher) = &half.cipher else { return Outcome::NoKeys };
        if half.failures >= MAX_FAILURES {
            return Outcome::Failed;
        }
        match cipher.open(half.sequence..half.sequence + 1 + missing, header, fragment) {
            Some(opened) => {
                half.failures = 0;
                Outcome::Opened(opened)
            }
            None => {
                half.spend(missing + 1);
                half.failures += u32::from(half.lost.is_none());
                Outcome::Failed
            }
        }
    }
}

impl Half {
    fn spend(&mut self, trials: u64) {
        if let Some(lost) = &mut self.lost {
            lost.trials = lost.trials.saturating_sub(trials);
        }
    }

    /// The keys of the next generation (KeyUpdate).
    pub fn update(&mut self) {
        let Some((suite, secret)) = self.secret.take() else { return };
        let next = secrets::expand_label(suite.hash, &secret, "traffic upd", suite.hash.len());
        self.rekey(Cipher::tls13(suite, &next));
        self.secret = Some((suite, next));
    }
}

/// The length of the fragment that holds `plain` bytes, by what is in clear text.
pub(super) fn fragment_len(server: &ServerHello, plain: usize) -> Option<usize> {
    if server.version == 0x0304 {
        return Some(plain + 17);
    }
    let padded = |len: usize| (len / 16 + 1) * 16;
    Some(match suites::find(server.suite)? {
        Suite {
            protection: Some(Protection::Aes128Cbc(mac) | Protection::Aes256Cbc(mac)), ..
        } => match server.etm {
            true => 16 + padded(plain) + mac.len(),
            false => 16 + padded(plain + mac.len()),
        },
        Suite { protection: Some(Protection::ChaCha20Poly1305), .. } => plain + 16,
        Suite { protection: Some(_), .. } => plain + 24,
        _ => return None,
    })
}
