//! Handshake messages, as far as something is made of them.

use super::suites;
use crate::transport::FactValue;

/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446, section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a ClientHello says.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientHello {
    pub random: [u8; 32],
    pub session_id: Vec<u8>,
    pub ticket: Vec<u8>,
    pub server_name: Option<String>,
    pub alpn: Vec<String>,
    pub early_data: bool,
    pub fields: Vec<(&'static str, FactValue)>,
}

/// What a ServerHello says.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerHello {
    pub random: [u8; 32],
    pub session_id: Vec<u8>,
    pub suite: u16,
    pub version: u16,
    pub retry: bool,
    pub etm: bool,
    pub alpn: Option<String>,
    pub fields: Vec<(&'static str, FactValue)>,
}

/// The name of a protocol version.
pub(super) fn version(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".into(),
        0x0301 => "TLS 1.0".into(),
        0x0302 => "TLS 1.1".into(),
        0x0303 => "TLS 1.2".into(),
        0x0304 => "TLS 1.3".into(),
        other => format!("0x{other:04x}"),
    }
}

/// Reads big-endian values off the front; `None` where there are not enough bytes.
#[derive(Clone, Copy)]
pub(super) struct Cut<'a>(pub &'a [u8]);

impl<'a> Cut<'a> {
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(part)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    pub fn u24(&mut self) -> Option<usize> {
        let part = self.take(3)?;
        Some(part.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    }

    /// A vector with a length of one byte.
    pub fn vec8(&mut self) -> Option<Cut<'a>> {
        let len = self.u8()?;
        self.take(len.into()).map(Cut)
    }

    /// A vector with a length of two bytes.
    pub fn vec16(&mut self) -> Option<Cut<'a>> {
        let len = self.u16()?;
        self.take(len.into()).map(Cut)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn is_grease(id: u16) -> bool {
    id & 0x0f0f == 0x0a0a && id >> 8 == id & 0xff
}

fn group(id: u16) -> String {
    let name = match id {
        23 => "secp256r1",
        24 => "secp384r1",
        25 => "secp521r1",
        29 => "x25519",
        30 => "x448",
        256 => "ffdhe2048",
        257 => "ffdhe3072",
        258 => "ffdhe4096",
        0x11ec => "X25519MLKEM768",
        other => return format!("0x{other:04x}"),
    };
    name.into()
}

fn numbers(mut list: Cut<'_>, name: impl Fn(u16) -> String) -> Vec<String> {
    std::iter::from_fn(|| list.u16()).filter(|id| !is_grease(*id)).map(name).collect()
}

/// Protocol names of an ALPN extension.
fn protocols(mut body: Cut<'_>) -> Vec<String> {
    let Some(mut list) = body.vec16() else { return Vec::new() };
    std::iter::from_fn(|| list.vec8()).map(|name| text(name.0)).collect()
}

fn extensions(mut list: Cut<'_>, mut each: impl FnMut(u16, Cut<'_>)) {
    while let (Some(id), Some(body)) = (list.u16(), list.vec16()) {
        each(id, body);
    }
}

impl ClientHello {
    /// Reads the body of a ClientHello.
    pub fn parse(body: &[u8]) -> Option<ClientHello> {
        let mut cut = Cut(body);
        let legacy = cut.u16()?;
        let mut hello =
            ClientHello { random: cut.take(32)?.try_into().ok()?, ..ClientHello::default() };
        hello.session_id = cut.vec8()?.0.to_vec();
        let suites = numbers(cut.vec16()?, suites::name);
        cut.vec8()?;
        let mut versions = Vec::new();
        let (mut groups, mut psk) = (Vec::new(), false);
        if let Some(list) = cut.vec16() {
            extensions(list, |id, mut body| match id {
                0 => {
                    hello.server_name = body.vec16().and_then(|mut names| {
                        names.u8()?;
                        names.vec16().map(|name| text(name.0))
                    });
                }
                10 => groups = body.vec16().map(|list| numbers(list, group)).unwrap_or_default(),
                16 => hello.alpn = protocols(body),
                35 => hello.ticket = body.0.to_vec(),
                41 => psk = true,
                42 => hello.early_data = true,
                43 => versions = body.vec8().map(|v| numbers(v, version)).unwrap_or_default(),
                _ => {}
            });
        }
        if versions.is_empty() {
            versions.push(version(legacy));
        }
        let fields = &mut hello.fields;
        fields.push(("versions", FactValue::List(versions)));
        if let Some(name) = &hello.server_name {
            fields.push(("server_name", FactValue::Text(name.clone().into())));
        }
        if !hello.alpn.is_empty() {
            fields.push(("alpn", FactValue::List(hello.alpn.clone())));
        }
        fields.push(("suites", FactValue::List(suites)));
        if !groups.is_empty() {
            fields.push(("groups", FactValue::List(groups)));
        }
        if psk || !hello.ticket.is_empty() {
            fields.push(("resumes", FactValue::Flag(true)));
        }
        if hello.early_data {
            fields.push(("early_data", FactValue::Flag(true)));
        }
        fields.push(("random", FactValue::Bytes(hello.random.to_vec())));
        Some(hello)
    }
}

impl ServerHello {
    /// Reads the body of a ServerHello.
    pub fn parse(body: &[u8]) -> Option<ServerHello> {
        let mut cut = Cut(body);
        let mut hello = ServerHello { version: cut.u16()?, ..ServerHello::default() };
        hello.random = cut.take(32)?.try_into().ok()?;
        hello.retry = hello.random == RETRY_RANDOM;
        hello.session_id = cut.vec8()?.0.to_vec();
        hello.suite = cut.u16()?;
        cut.u8()?;
        let (mut key_group, mut psk) = (None, false);
        if let Some(list) = cut.vec16() {
            extensions(list, |id, mut body| match id {
                16 => hello.alpn = protocols(body).into_iter().next(),
                22 => hello.etm = true,
                41 => psk = true,
                43 => hello.version = body.u16().unwrap_or(hello.version),
                51 => key_group = body.u16().map(group),
                _ => {}
            });
        }
        let fields = &mut hello.fields;
        fields.push(("version", FactValue::Text(version(hello.version).into())));
        fields.push(("suite", FactValue::Text(suites::name(hello.suite).into())));
        if let Some(group) = key_group {
            fields.push(("group", FactValue::Text(group.into())));
        }
        if let Some(alpn) = &hello.alpn {
            fields.push(("alpn", FactValue::Text(alpn.clone().into())));
        }
        if psk {
            fields.push(("resumed", FactValue::Flag(true)));
        }
        Some(hello)
    }
}

/// ALPN and acceptance of early data in EncryptedExtensions.
pub(super) fn encrypted_extensions(body: &[u8]) -> (Option<String>, bool) {
    let (mut alpn, mut early) = (None, false);
    if let Some(list) = Cut(body).vec16() {
        extensions(list, |id, body| match id {
            16 => alpn = protocols(body).into_iter().next(),
            42 => early = true,
            _ => {}
        });
    }
    (alpn, early)
}

/// The group of a ServerKeyExchange, when it is a named one.
pub(super) fn exchange_group(body: &[u8]) -> Option<String> {
    let mut cut = Cut(body);
    (cut.u8()? == 3).then_some(())?;
    cut.u16().map(group)
}

/// The name of an alert.
pub(super) fn alert(description: u8) -> &'static str {
    match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unknown",
    }
}
