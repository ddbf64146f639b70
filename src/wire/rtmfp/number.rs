//! Variable length unsigned integers, RFC 7016 section 2.1.2.

use crate::base::{Reader, Stop, Writer};

/// Reads a VLU: seven bits a byte, most significant first, the top bit says that more follow. It may
/// be of any length (leading 80 bytes are legal); past 2^64 it saturates.
pub fn read_vlu(r: &mut Reader<'_, '_>, field: &'static str) -> Result<u64, Stop> {
    let start = r.pos();
    let value = r.quiet(|r| {
        let mut value: u64 = 0;
        loop {
            let byte = r.u8(field)?;
            value = match value.checked_mul(128) {
                Some(shifted) => shifted | u64::from(byte & 0x7f),
                None => u64::MAX,
            };
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
    })?;
    r.leaf(start, || (field.into(), crate::base::FieldValue::Uint(value)));
    Ok(value)
}

/// Appends a VLU in as few bytes as it takes.
pub fn write_vlu(out: &mut Writer, value: u64) {
    let bytes = (64 - value.leading_zeros()).max(1).div_ceil(7);
    for index in (0..bytes).rev() {
        let more = if index > 0 { 0x80 } else { 0 };
        out.u8((value >> (7 * index)) as u8 & 0x7f | more);
    }
}
