//! A chunk reader of its own, in a few lines, that knows nothing of damage: to judge by the bytes
//! who is right when two decoders differ.

use std::collections::BTreeMap;

/// What the type 3 and 2 headers of a chunk stream repeat, and the message in progress.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    length: usize,
    type_id: u8,
    extended: bool,
    left: usize,
}

/// Reads whole chunks from `start` to exactly the end of `bytes` and counts messages by type.
/// `None` when a header is missing something, or the bytes do not end with a message.
pub fn messages(bytes: &[u8], start: usize, mut chunk_size: usize) -> Option<BTreeMap<u8, usize>> {
    let mut streams: BTreeMap<u32, Stream> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    let mut at = start;
    while at < bytes.len() {
        let (fmt, mut csid) = (bytes[at] >> 6, u32::from(bytes[at] & 63));
        at += 1;
        if csid < 2 {
            let more = bytes.get(at..at + 1 + csid as usize)?;
            at += more.len();
            let high = more.get(1).map_or(0, |high| u32::from(*high));
            csid = 64 + u32::from(more[0]) + 256 * high;
        }
        let header = bytes.get(at..at + [11, 7, 3, 0][usize::from(fmt)])?;
        at += header.len();
        let stream = match fmt {
            0 | 1 => streams.entry(csid).or_default(),
            _ => streams.get_mut(&csid)?,
        };
        if let [_, _, _, a, b, c, type_id, ..] = *header {
            stream.length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            stream.type_id = type_id;
        }
        if fmt < 3 {
            stream.extended = header[..3] == [0xff; 3];
        }
        at += if stream.extended { 4 } else { 0 };
        if stream.left == 0 {
            stream.left = stream.length;
        }
        let body = stream.left.min(chunk_size);
        let payload = bytes.get(at..at + body)?;
        at += body;
        stream.left -= body;
        if stream.left == 0 {
            *counts.entry(stream.type_id).or_default() += 1;
            if let (1, [a, b, c, d]) = (stream.type_id, payload) {
                chunk_size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            }
        }
    }
    streams.values().all(|stream| stream.left == 0).then_some(counts)
}

/// Bytes from hexadecimal digits.
pub fn unhex(text: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits");
    (0..text.len() / 2).map(|at| pair(2 * at)).collect()
}
