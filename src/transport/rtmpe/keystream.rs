//! RC4 as RTMPE uses it: one key stream per direction, the first 1536 bytes of it thrown away.

use rc4::KeyInit;
use rc4::{Rc4, StreamCipher};

use crate::wire::handshake::rtmpe::{DISCARDED, RC4_KEY_LEN};

/// The most key stream that is made for bytes that are missing: RC4 has no other way forward.
pub const MAX_SKIP: u64 = 256 << 20;

/// The key stream of a direction.
pub struct Keystream {
    cipher: Rc4,
}

impl std::fmt::Debug for Keystream {
    // Its state is as good as the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keystream(..)")
    }
}

impl Keystream {
    /// At the first byte after C2 or S2.
    pub fn new(key: &[u8; RC4_KEY_LEN]) -> Option<Keystream> {
        let mut keystream = Keystream { cipher: Rc4::new_from_slice(key).ok()? };
        keystream.skip(DISCARDED);
        Some(keystream)
    }

    /// Enciphers or deciphers the next bytes.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        self.cipher.apply_keystream(bytes);
    }

    /// Passes over `len` bytes; false when that are more than [`MAX_SKIP`].
    pub fn skip(&mut self, len: u64) -> bool {
        let mut left = len;
        let mut scratch = [0; 1024];
        while left > 0 && len <= MAX_SKIP {
            let now = left.min(scratch.len() as u64);
            self.cipher.apply_keystream(&mut scratch[..now as usize]);
            left -= now;
        }
        left == 0
    }
}
