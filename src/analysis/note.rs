//! What the first bytes of a connection that is not decoded say, in words.

use super::record::Transport;

/// Names what a client asked for: the TLS server name, or the HTTP method. Paths stay out: they
/// hold stream names and tokens.
pub(super) fn describe(transport: Transport, heads: &[&[u8]; 2]) -> Option<String> {
    match transport {
        Transport::Tls | Transport::Rtmps | Transport::Rtmpts => {
            heads.iter().find_map(|head| tls(head))
        }
        Transport::Http | Transport::Rtmpt => {
            let method = heads.iter().find_map(|head| {
                let end = head.iter().position(|byte| *byte == b' ')?;
                std::str::from_utf8(&head[..end.min(8)]).ok()
            })?;
            Some(format!("HTTP {method}"))
        }
        Transport::Unknown => unknown(heads[0]),
        _ => None,
    }
}

/// What is known to come before C0, or the byte in its place.
fn unknown(head: &[u8]) -> Option<String> {
    const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
    if head.starts_with(b"PROXY ") {
        return Some("PROXY protocol header, version 1".into());
    }
    if head.starts_with(PROXY_V2) {
        return Some("PROXY protocol header, version 2".into());
    }
    let first = head.first().filter(|byte| !matches!(byte, 3 | 6 | 8 | 9))?;
    Some(format!("first byte {first} (0x{first:02x})"))
}

#[cfg(feature = "tls")]
fn tls(head: &[u8]) -> Option<String> {
    use tls_parser::{TlsExtension, TlsMessage, TlsMessageHandshake};
    let (_, record) = tls_parser::parse_tls_plaintext(head).ok()?;
    let hello = record.msg.into_iter().find_map(|message| match message {
        TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)) => Some(hello),
        _ => None,
    })?;
    let (_, extensions) = tls_parser::parse_tls_extensions(hello.ext?).ok()?;
    let name = extensions.into_iter().find_map(|extension| match extension {
        TlsExtension::SNI(names) => {
            names.first().map(|(_, name)| String::from_utf8_lossy(name).into_owned())
        }
        _ => None,
    });
    Some(match name {
        Some(name) => format!("TLS ClientHello for {name}"),
        None => "TLS ClientHello without a server name".into(),
    })
}

#[cfg(not(feature = "tls"))]
fn tls(head: &[u8]) -> Option<String> {
    (head.first() == Some(&0x16)).then(|| "TLS handshake".into())
}
