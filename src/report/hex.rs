//! Bytes as hex.

use std::fmt::Write;

/// Lower-case hex digits without separators.
pub(super) fn digits(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// One row of up to 16 bytes: hex pairs, then the printable characters. Masked bytes are `**` and
/// `*`. Both columns keep their width, so that what follows lines up.
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only the text format needs it"))]
pub(super) fn row(bytes: &[u8], is_masked: impl Fn(usize) -> bool) -> String {
    let mut out = String::with_capacity(70);
    for i in 0..16 {
        match bytes.get(i) {
            Some(_) if is_masked(i) => out.push_str("** "),
            Some(byte) => {
                let _ = write!(out, "{byte:02x} ");
            }
            None => out.push_str("   "),
        }
        if i == 7 {
            out.push(' ');
        }
    }
    for i in 0..16 {
        out.push(match bytes.get(i) {
            Some(_) if is_masked(i) => '*',
            Some(byte @ b' '..=b'~') => *byte as char,
            Some(_) => '.',
            None => ' ',
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_aligned_and_masked() {
        let row = row(b"\x02\x00\x04live", |i| i >= 3);
        assert_eq!(row, format!("02 00 04 ** ** ** **  {}...****         ", "   ".repeat(9)));
        assert_eq!(row.len(), super::row(&[0; 16], |_| false).len());
    }
}
