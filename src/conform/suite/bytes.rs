//! Bodies for the cases of AMF, commands and media, byte by byte: the codecs of `wire` must not
//! judge themselves, and half of these bodies are wrong on purpose.

/// AMF0 null.
pub(super) const NULL: &[u8] = &[5];
/// End of an AMF0 object.
pub(super) const END: &[u8] = &[0, 0, 9];

/// AMF0 number.
pub(super) fn num(value: f64) -> Vec<u8> {
    [&[0][..], &value.to_be_bytes()].concat()
}

/// AMF0 boolean.
pub(super) fn boolean(value: bool) -> Vec<u8> {
    vec![1, u8::from(value)]
}

/// AMF0 string.
pub(super) fn text(value: &str) -> Vec<u8> {
    [&[2][..], &key(value)].concat()
}

/// AMF0 long string.
pub(super) fn long_text(value: &str) -> Vec<u8> {
    [&[12][..], &(value.len() as u32).to_be_bytes(), value.as_bytes()].concat()
}

/// A string without marker, as names of properties are written.
pub(super) fn key(name: &str) -> Vec<u8> {
    let bytes = &name.as_bytes()[..name.len().min(0xffff)];
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

/// A property: name and value.
pub(super) fn member(name: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    [&key(name)[..], value.as_ref()].concat()
}

/// AMF0 object of properties made by [`member`].
pub(super) fn object(members: &[Vec<u8>]) -> Vec<u8> {
    [&[3][..], &members.concat(), END].concat()
}

/// AMF0 ECMA array that announces `count` members.
pub(super) fn ecma(count: u32, members: &[Vec<u8>]) -> Vec<u8> {
    [&[8][..], &count.to_be_bytes(), &members.concat(), END].concat()
}

/// AMF0 strict array.
pub(super) fn strict(items: &[Vec<u8>]) -> Vec<u8> {
    [&[10][..], &(items.len() as u32).to_be_bytes(), &items.concat()].concat()
}

/// A command: name, transaction id, and what follows as it stands.
pub(super) fn command(name: &str, txn: f64, rest: &[&[u8]]) -> Vec<u8> {
    [&text(name)[..], &num(txn), &rest.concat()].concat()
}

/// A command as type 17 carries it: the format byte, then AMF0.
pub(super) fn flex(body: &[u8]) -> Vec<u8> {
    [&[0][..], body].concat()
}

/// AMF3 behind the AMF0 marker that switches to it.
pub(super) fn avmplus(amf3: &[u8]) -> Vec<u8> {
    [&[0x11][..], amf3].concat()
}

/// `@setDataFrame`, `onMetaData` and the value.
pub(super) fn set_data_frame(value: &[u8]) -> Vec<u8> {
    [&text("@setDataFrame")[..], &text("onMetaData"), value].concat()
}

/// `onMetaData` of a small video, with the given width.
pub(super) fn metadata(width: f64) -> Vec<u8> {
    let members = [
        member("width", num(width)),
        member("height", num(180.0)),
        member("videocodecid", num(7.0)),
        member("audiocodecid", num(10.0)),
    ];
    ecma(4, &members)
}

/// `levels` objects, each the only member of the one around it.
pub(super) fn nested_objects(levels: usize) -> Vec<u8> {
    let mut out = vec![3];
    out.extend(b"\0\x01a\x03".repeat(levels.saturating_sub(1)));
    out.extend(END.repeat(levels));
    out
}

/// An aggregate of the parts (type, timestamp, payload), each with its back pointer
/// (RTMP section 7.1.6, in the order of fields that FLV has).
pub(super) fn aggregate(parts: &[(u8, u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, time, body) in parts {
        out.push(*kind);
        out.extend(&(body.len() as u32).to_be_bytes()[1..]);
        out.extend(&time.to_be_bytes()[1..]);
        out.push((time >> 24) as u8);
        out.extend([0, 0, 0]);
        out.extend(*body);
        out.extend((11 + body.len() as u32).to_be_bytes());
    }
    out
}

/// AVCDecoderConfigurationRecord of 320x180 or, as `second`, 640x360.
pub(super) fn avcc(second: bool) -> Vec<u8> {
    let (width, height) = if second { (640, 360) } else { (320, 180) };
    crate::wire::codec::avc_configuration(width, height, 25)
}

/// AVC sequence header.
pub(super) fn avc_header(second: bool) -> Vec<u8> {
    [&[0x17, 0, 0, 0, 0][..], &avcc(second)].concat()
}

/// AAC sequence header: LC, 44.1 kHz, stereo.
pub(super) const AAC_HEADER: &[u8] = &[0xaf, 0, 0x12, 0x10];

/// AVC frame with one NAL unit of `len` bytes, whose content `mark` makes recognisable.
pub(super) fn avc_frame(key: bool, cts: i32, mark: u8, len: usize) -> Vec<u8> {
    let mut out = vec![if key { 0x17 } else { 0x27 }, 1];
    out.extend(&cts.to_be_bytes()[1..]);
    out.extend(nal(key, mark, len));
    out
}

/// A NAL unit with its length in 4 bytes: a slice, of an IDR picture if `key`.
pub(super) fn nal(key: bool, mark: u8, len: usize) -> Vec<u8> {
    let mut out = (len as u32).to_be_bytes().to_vec();
    out.push(if key { 0x65 } else { 0x41 });
    out.resize(4 + len, mark);
    out
}

/// AAC frame without ADTS header.
pub(super) fn aac_frame(mark: u8, len: usize) -> Vec<u8> {
    let mut out = vec![0xaf, 1, 0x21];
    out.resize(2 + len, mark);
    out
}
