//! Are these the right keys? RC4 checks nothing: whether the result reads as RTMP must tell.

use crate::rtmp::{Limits, looks_like_chunks};

/// Bytes that are enough to judge a direction whose first bytes are missing.
pub const ENOUGH: usize = 64 << 10;

/// Whether deciphered bytes, the first ones after the handshake, begin with a chunk header as a
/// session can begin. `None`: more bytes must tell.
pub fn begins(bytes: &[u8]) -> Option<bool> {
    let first = bytes.first()?;
    let basic = match first & 0x3f {
        0 => 2,
        1 => 3,
        _ => 1,
    };
    // A chunk stream cannot begin with types 2 and 3; rtmpsrv begins them with type 1.
    let header = match first >> 6 {
        0 => 11,
        1 => 7,
        _ => return Some(false),
    };
    let rest = bytes.get(basic..)?;
    let [_, _, _, a, b, c, type_id, ..] = *rest else { return None };
    let length = u32::from_be_bytes([0, a, b, c]);
    let plausible = match type_id {
        1 | 2 | 3 | 5 => length == 4,
        4 => (2..=64).contains(&length),
        6 => length == 5,
        8 | 9 | 15..=20 | 22 => (1..1 << 20).contains(&length),
        _ => false,
    };
    if !plausible {
        return Some(false);
    }
    if header == 11 {
        // Nothing but message stream 0 exists yet; the field is little-endian.
        let [_, _, _, _, _, _, _, _, x, y, z, ..] = *rest else { return None };
        if [x, y, z] != [0; 3] {
            return Some(false);
        }
    }
    match type_id {
        17 => rest.get(header).map(|byte| *byte == 0),
        20 => rest.get(header).map(|byte| *byte == 2),
        // Type 1 headers have no stream id that could be wrong.
        _ => Some(header == 11 || type_id < 7),
    }
}

/// The same for bytes from anywhere in the stream. With `last` the answer is final.
pub fn continues(bytes: &[u8], last: bool) -> Option<bool> {
    looks_like_chunks(bytes, last || bytes.len() >= ENOUGH, &Limits::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings() {
        let connect = [3, 0, 0, 0, 0, 0, 0xc5, 20, 0, 0, 0, 0, 2, 0, 7];
        assert_eq!(begins(&connect), Some(true));
        for cut in 0..13 {
            assert_eq!(begins(&connect[..cut]), None, "{cut}");
        }
        let window = [2, 0, 0, 0, 0, 0, 4, 5, 0, 0, 0, 0];
        assert_eq!(begins(&window), Some(true));
        // rtmpsrv: a type 1 header opens the chunk stream.
        assert_eq!(begins(&[0x42, 0, 0, 0, 0, 0, 4, 5]), Some(true));
        for (at, bad) in [(0, 0xc3), (4, 0x20), (7, 7), (9, 1), (12, 3)] {
            let mut bytes = connect;
            bytes[at] = bad;
            assert_eq!(begins(&bytes), Some(false), "byte {at}");
        }
        assert_eq!(begins(&[0x43, 0, 0, 0, 0, 0, 90, 8]), Some(false));
    }
}
