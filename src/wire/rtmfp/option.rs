//! Options and option lists, RFC 7016 section 2.1.3 and 2.1.4.

use super::number::{read_vlu, write_vlu};
use crate::base::{Reader, Stop, Writer};

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtmfpOption<'a> {
    /// Its type.
    pub kind: u64,
    /// What follows the type.
    pub value: &'a [u8],
}

/// Options beyond so many in a list are passed over: a datagram has room for tens of thousands of
/// two-byte ones, and no list of the specifications has ten.
const MAX_OPTIONS: usize = 256;

/// Reads one option; `None` is the marker that ends a list. An option has a type, so a length that
/// has no room for one stops the read.
pub fn read_option<'a>(r: &mut Reader<'a, '_>) -> Result<Option<RtmfpOption<'a>>, Stop> {
    let len = read_vlu(r, "option_length")?;
    if len == 0 {
        return Ok(None);
    }
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    r.within("option", len, |r| {
        let kind = read_vlu(r, "option_type")?;
        Ok(Some(RtmfpOption { kind, value: r.rest("option_value") }))
    })
}

/// A list of options as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionList<'a> {
    /// The options.
    pub options: Vec<RtmfpOption<'a>>,
    /// Where the last option ends: before the marker, if there is one.
    pub end: usize,
    /// Why reading stopped early.
    pub stop: Option<Stop>,
}

/// Reads options up to a marker, which is consumed, or the end; keeps those before a damaged one.
pub fn read_options<'a>(r: &mut Reader<'a, '_>) -> OptionList<'a> {
    let mut list = OptionList { end: r.pos(), ..OptionList::default() };
    while !r.is_empty() {
        match read_option(r) {
            Ok(Some(option)) => {
                if list.options.len() < MAX_OPTIONS {
                    list.options.push(option);
                }
                list.end = r.pos();
            }
            Ok(None) => break,
            Err(stop) => {
                list.stop = Some(stop);
                break;
            }
        }
    }
    list
}

/// Appends an option.
pub fn write_option(out: &mut Writer, kind: u64, value: &[u8]) {
    let mut inner = Writer::new();
    write_vlu(&mut inner, kind);
    inner.bytes(value);
    write_vlu(out, inner.len() as u64);
    out.bytes(&inner.into_bytes());
}

/// Appends the marker that ends a list.
pub fn write_marker(out: &mut Writer) {
    out.u8(0);
}
