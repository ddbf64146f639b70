//! Request lines and headers, read by `httparse`.

use super::body::Framing;

/// Bytes that the head of a message may have.
pub const MAX_HEAD: usize = 32 << 10;

/// Headers that a message may have.
const MAX_HEADERS: usize = 96;

/// Bytes that a session id may have. Servers send 8 to 16.
pub const MAX_ID: usize = 128;

/// What a request asks of the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `/fcs/ident` or `/fcs/ident2`: which server?
    Ident,
    /// `/open/1`: a session.
    Open,
    /// `/send/ID/SEQ`: here are bytes.
    Send,
    /// `/idle/ID/SEQ`: are there any?
    Idle,
    /// `/close/ID/SEQ`.
    Close,
    /// Not of the tunnel.
    Other,
}

impl Verb {
    /// The word in the path.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Ident => "ident",
            Verb::Open => "open",
            Verb::Send => "send",
            Verb::Idle => "idle",
            Verb::Close => "close",
            Verb::Other => "other",
        }
    }

    /// Whether its path carries a number of the session's one sequence.
    pub fn is_numbered(self) -> bool {
        matches!(self, Verb::Send | Verb::Idle | Verb::Close)
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub verb: Verb,
    /// Session id; empty for ident and open.
    pub id: String,
    /// Number of the request within its session.
    pub seq: Option<u64>,
    pub framing: Framing,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Whether the body is `application/x-fcs`.
    pub fcs: bool,
    pub framing: Framing,
}

/// Reads the head of a request, up to and with its empty line.
pub fn request(head: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    if !parsed.parse(head).ok()?.is_complete() {
        return None;
    }
    let framing = Framing::of_request(parsed.headers);
    let (verb, id, seq) = match parsed.method {
        Some("POST") => target(parsed.path.unwrap_or_default()),
        _ => (Verb::Other, String::new(), None),
    };
    Some(Request { verb, id, seq, framing })
}

/// Reads the head of a response, up to and with its empty line.
pub fn response(head: &[u8]) -> Option<Response> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    if !parsed.parse(head).ok()?.is_complete() {
        return None;
    }
    let status = parsed.code?;
    let fcs = parsed.headers.iter().any(|header| {
        header.name.eq_ignore_ascii_case("content-type")
            && header.value.to_ascii_lowercase().starts_with(b"application/x-fcs")
    });
    Some(Response { status, fcs, framing: Framing::of_response(status, parsed.headers) })
}

/// Whether bytes begin a request of the tunnel: its target may have a proxy's absolute form.
pub fn begins_tunnel(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let Some(rest) = line.strip_prefix(b"POST ") else { return false };
    let Ok(text) = std::str::from_utf8(&rest[..rest.len().min(1024)]) else { return false };
    let path = path_of(text.split(' ').next().unwrap_or_default());
    ["/open/", "/send/", "/idle/", "/close/", "/fcs/ident"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// Whether bytes begin a response of the tunnel: one direction may be all that was captured.
pub fn begins_tunnel_response(bytes: &[u8]) -> bool {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let head = end.and_then(|end| bytes.get(..end + 4));
    head.and_then(response).is_some_and(|response| response.fcs)
}

/// The path of a request target.
fn path_of(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.find('/').map_or("/", |at| &rest[at..])
        }
        _ => target,
    };
    path.split('?').next().unwrap_or_default()
}

fn target(target: &str) -> (Verb, String, Option<u64>) {
    let mut parts = path_of(target).split('/').skip(1);
    let verb = match parts.next().unwrap_or_default() {
        "fcs" => {
            let ident = matches!(parts.next(), Some("ident" | "ident2"));
            return (if ident { Verb::Ident } else { Verb::Other }, String::new(), None);
        }
        "open" => return (Verb::Open, String::new(), None),
        "send" => Verb::Send,
        "idle" => Verb::Idle,
        "close" => Verb::Close,
        _ => return (Verb::Other, String::new(), None),
    };
    let id = parts.next().unwrap_or_default();
    let seq = parts.next().and_then(|seq| seq.parse().ok());
    if id.is_empty() || id.len() > MAX_ID {
        return (Verb::Other, String::new(), None);
    }
    (verb, id.to_owned(), seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let of = |path: &str| target(path);
        assert_eq!(of("/open/1"), (Verb::Open, String::new(), None));
        assert_eq!(of("/fcs/ident2"), (Verb::Ident, String::new(), None));
        assert_eq!(of("/send/AbC/12"), (Verb::Send, "AbC".into(), Some(12)));
        assert_eq!(of("http://h:80/idle/7/0"), (Verb::Idle, "7".into(), Some(0)));
        assert_eq!(of("/close/7/x"), (Verb::Close, "7".into(), None));
        assert_eq!(of("/index.html").0, Verb::Other);
        assert!(begins_tunnel(b"POST http://proxy/open/1 HTTP/1.1\r\n"));
        assert!(!begins_tunnel(b"POST /upload HTTP/1.1\r\n"));
    }
}
