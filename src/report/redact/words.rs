//! Secrets inside text: URLs, queries, stream names, descriptions.

use super::vault::{Kind, Vault, ceil, floor};

/// Query names that say nothing secret themselves; what they name does. Anything else in a query is
/// hidden with its name: `rtmp://host/app?SECRET` is in use.
const QUERY_NAMES: &[&str] = &[
    "access_token",
    "app",
    "appid",
    "appname",
    "arg",
    "auth",
    "auth_key",
    "authkey",
    "authmod",
    "authtoken",
    "bitrate",
    "bucket",
    "bwtest",
    "challenge",
    "client_id",
    "clientid",
    "cnonce",
    "code",
    "cup2key",
    "delay",
    "doconnect",
    "domain",
    "e",
    "exp",
    "expire",
    "expires",
    "expiry",
    "h",
    "hash",
    "hdnea",
    "hdnts",
    "host",
    "id",
    "ingest",
    "ip",
    "jwt",
    "k",
    "key",
    "keyid",
    "lang",
    "login",
    "mode",
    "name",
    "nc",
    "nonce",
    "opaque",
    "p",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "policy",
    "pwd",
    "q",
    "quality",
    "realm",
    "reason",
    "recorder",
    "region",
    "response",
    "room",
    "s",
    "salt",
    "secret",
    "session",
    "sessionid",
    "sig",
    "sign",
    "signature",
    "slist",
    "st",
    "stime",
    "stream",
    "streamid",
    "streamkey",
    "streamname",
    "t",
    "ticket",
    "time",
    "timestamp",
    "tk",
    "token",
    "ts",
    "txSecret",
    "txTime",
    "type",
    "u",
    "uid",
    "upt",
    "url",
    "user",
    "userid",
    "username",
    "uuid",
    "v",
    "version",
    "vhost",
    "volcSecret",
    "volcTime",
    "wmsAuthSign",
    "wsABSTime",
    "wsSecret",
    "wsTime",
];

/// Names whose value is one of a few words, and those words.
const QUERY_WORDS: &[(&str, &[&str])] = &[
    ("authmod", &["adobe", "llnw", "llauth"]),
    ("code", &["403", "404", "401", "500"]),
    ("reason", &["needauth", "authfailed", "nosuchuser", "invalid_authmod", "badauth"]),
    ("vhost", &["__defaultVhost__"]),
    ("mode", &["live", "vod", "record", "append"]),
    ("type", &["live", "vod", "record", "append"]),
];

/// Query names of the challenge and response schemes.
const AUTH_NAMES: &[&str] = &[
    "auth",
    "challenge",
    "cnonce",
    "login",
    "nc",
    "nonce",
    "opaque",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "realm",
    "response",
    "salt",
    "user",
    "userid",
    "username",
];

/// Words of the descriptions that servers send. Text about which nothing is known (the request was
/// not captured, so the stream's name was not learned) is shown only as far as it is made of these.
const WORDS: &[&str] = &[
    "a",
    "accept",
    "accepted",
    "access",
    "accessmanager",
    "already",
    "an",
    "and",
    "another",
    "app",
    "application",
    "are",
    "as",
    "at",
    "audio",
    "auth",
    "authentication",
    "authmod",
    "authorization",
    "authorized",
    "bad",
    "be",
    "been",
    "begin",
    "broadcast",
    "buffer",
    "by",
    "bytes",
    "call",
    "can",
    "cannot",
    "client",
    "close",
    "closed",
    "closing",
    "code",
    "codec",
    "command",
    "complete",
    "connect",
    "connected",
    "connection",
    "could",
    "data",
    "deleted",
    "denied",
    "disconnected",
    "does",
    "duplicate",
    "end",
    "ended",
    "error",
    "exist",
    "exists",
    "expired",
    "fail",
    "failed",
    "failure",
    "file",
    "find",
    "for",
    "format",
    "found",
    "from",
    "had",
    "has",
    "have",
    "id",
    "idle",
    "in",
    "input",
    "internal",
    "invalid",
    "is",
    "it",
    "key",
    "limit",
    "live",
    "load",
    "loaded",
    "longer",
    "media",
    "message",
    "method",
    "missing",
    "more",
    "name",
    "need",
    "new",
    "no",
    "not",
    "notify",
    "now",
    "of",
    "on",
    "only",
    "or",
    "parameter",
    "path",
    "pause",
    "paused",
    "pausing",
    "permission",
    "play",
    "player",
    "playing",
    "please",
    "publish",
    "published",
    "publisher",
    "publishing",
    "reached",
    "reason",
    "received",
    "reconnect",
    "record",
    "recorded",
    "recording",
    "redirect",
    "refused",
    "reject",
    "rejected",
    "request",
    "requested",
    "required",
    "reset",
    "resetting",
    "restarting",
    "resume",
    "retry",
    "s",
    "seek",
    "seeking",
    "server",
    "session",
    "shutdown",
    "start",
    "started",
    "starting",
    "status",
    "still",
    "stop",
    "stopped",
    "stopping",
    "stream",
    "streaming",
    "streams",
    "subscribe",
    "subscribed",
    "succeeded",
    "success",
    "successful",
    "successfully",
    "such",
    "supported",
    "switch",
    "switched",
    "t",
    "the",
    "there",
    "this",
    "time",
    "timed",
    "timeout",
    "to",
    "token",
    "too",
    "track",
    "transition",
    "type",
    "unable",
    "unauthorized",
    "unknown",
    "unpause",
    "unpaused",
    "unpausing",
    "unpublish",
    "unpublished",
    "unsupported",
    "use",
    "used",
    "user",
    "valid",
    "video",
    "waiting",
    "was",
    "will",
    "with",
    "wrong",
    "you",
];

fn is_one_of(list: &[&str], word: &str) -> bool {
    list.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Undoes %XX; `None` when there is nothing to undo.
fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    Some(out)
}

/// A placeholder for a whole value; also learns what it is when decoded.
pub(super) fn hide(vault: &mut Vault, kind: Kind, secret: &str) -> String {
    if secret.is_empty() {
        return String::new();
    }
    let name = vault.hide(kind, secret.as_bytes());
    if let Some(decoded) = percent_decoded(secret) {
        vault.alias(secret.as_bytes(), &decoded);
    }
    name
}

/// One `name=value` of a query, or a bare value.
fn pair(vault: &mut Vault, pair: &str) -> String {
    let Some((name, value)) = pair.split_once('=') else {
        return hide(vault, Kind::Token, pair);
    };
    if !is_one_of(QUERY_NAMES, name) {
        let whole = hide(vault, Kind::Token, pair);
        // A server may repeat either half.
        vault.alias(pair.as_bytes(), name.as_bytes());
        vault.alias(pair.as_bytes(), value.as_bytes());
        return whole;
    }
    let words = QUERY_WORDS.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    if words.is_some_and(|(_, words)| is_one_of(words, value)) {
        return pair.to_owned();
    }
    let kind = if is_one_of(AUTH_NAMES, name) { Kind::Auth } else { Kind::Token };
    format!("{name}={}", hide(vault, kind, value))
}

/// Runs `part` over the pieces of `text` between separators, which stay.
fn split_keep(
    text: &str,
    is_separator: impl Fn(char) -> bool,
    mut part: impl FnMut(&str) -> String,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| is_separator(*c)) {
        if start < at {
            out.push_str(&part(&text[start..at]));
        }
        out.push(c);
        start = at + c.len_utf8();
    }
    if start < text.len() {
        out.push_str(&part(&text[start..]));
    }
    out
}

/// A query, without or with its question marks (clients glue several queries together).
pub(super) fn query(vault: &mut Vault, text: &str) -> String {
    split_keep(text, |c| matches!(c, '?' | '&' | ';' | '#'), |p| pair(vault, p))
}

fn is_query_start(c: char) -> bool {
    matches!(c, '?' | '#' | '&' | ';' | '=' | '%' | ' ')
}

/// An application: its first path segment is shown, what follows is not.
pub(super) fn app(vault: &mut Vault, text: &str) -> String {
    let end = text.find(is_query_start).unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let mut first = true;
    let mut out = split_keep(
        path,
        |c| c == '/' || c == '\\',
        |segment| {
            if std::mem::take(&mut first) || segment.eq_ignore_ascii_case("_definst_") {
                segment.to_owned()
            } else {
                hide(vault, Kind::Token, segment)
            }
        },
    );
    match rest.chars().next() {
        None => {}
        Some('?' | '#' | '&' | ';') => out.push_str(&query(vault, rest)),
        // `%3Ftoken=…`, `=…`, ` live=1`: no query by the book, so nothing of it is shown.
        Some(_) => out.push_str(&hide(vault, Kind::Token, rest)),
    }
    out
}

/// What is shown of a URL's path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// The application's first segment (RTMP).
    App,
    /// All of it (web pages).
    All,
}

/// A URL, absolute or relative.
pub(super) fn url(vault: &mut Vault, text: &str, path: Path) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    // OBS and FMLE put the tcUrl into swfUrl and pageUrl.
    let path = match scheme {
        Some(s) if s.to_ascii_lowercase().starts_with("rtmp") => Path::App,
        _ => path,
    };
    let Some(scheme) = scheme else { return url_path(vault, rest, path) };
    if !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return hide(vault, Kind::Token, text);
    }
    let mut out = format!("{scheme}://");
    // A password may hold `/` or `?` unescaped: all up to the last @ is user and password.
    let rest = match rest.rsplit_once('@') {
        Some((user, rest)) => {
            out.push_str(&hide(vault, Kind::Auth, user));
            out.push('@');
            for part in user.split(':').filter(|p| !p.is_empty()) {
                hide(vault, Kind::Auth, part);
            }
            rest
        }
        None => rest,
    };
    let end = rest.find(|c| c == '/' || is_query_start(c)).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    if is_host(host) {
        out.push_str(host);
    } else {
        out.push_str(&hide(vault, Kind::Auth, host));
    }
    out.push_str(&url_path(vault, rest, path));
    out
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    };
    let name_fits = match name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
        Some(v6) => v6.bytes().all(|b| b.is_ascii_hexdigit() || b":.".contains(&b)),
        None => name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    name_fits && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit())
}

fn url_path(vault: &mut Vault, text: &str, path: Path) -> String {
    if path == Path::App {
        return app(vault, text);
    }
    let end = text.find(['?', '#', ';', '&']).unwrap_or(text.len());
    let (shown, rest) = text.split_at(end);
    format!("{shown}{}", query(vault, rest))
}

/// A stream name: `key`, `mp4:dir/file`, `key?token=…`.
pub(super) fn stream(vault: &mut Vault, text: &str) -> String {
    let (name, rest) = text.split_at(text.find(['?', '&']).unwrap_or(text.len()));
    let prefix = ["mp4:", "flv:", "mp3:", "id3:", "f4v:", "raw:"]
        .into_iter()
        .find(|p| name.get(..p.len()).is_some_and(|n| n.eq_ignore_ascii_case(p)))
        .map_or("", |p| &name[..p.len()]);
    let base = &name[prefix.len()..];
    let shown = hide(vault, Kind::Stream, base);
    // Servers repeat the name with or without its directory.
    for part in base.split('/').filter(|p| p.len() >= 4) {
        vault.alias(base.as_bytes(), part.as_bytes());
    }
    format!("{prefix}{shown}{}", query(vault, rest))
}

/// `details` of a status: the stream's name, except that SRS says `stream` whatever it is.
pub(super) fn details(vault: &mut Vault, text: &str) -> String {
    match vault.scrub(text) {
        Some(clean) if clean.starts_with('<') && clean.ends_with('>') => clean,
        None if is_one_of(WORDS, text) => text.to_owned(),
        _ => stream(vault, text),
    }
}

/// Free text: remembered secrets are replaced, URLs and queries are treated as such. With
/// `only_ordinary`, words that are not ordinary ones are hidden.
pub(super) fn free_text(vault: &mut Vault, text: &str, only_ordinary: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, name) in vault.find(text.as_bytes()) {
        // A secret can end inside a character of the text when it was not UTF-8 itself.
        let start = floor(text, range.start.max(at));
        out.push_str(&words(vault, &text[at..start], only_ordinary));
        out.push_str(name.as_deref().unwrap_or("<redacted>"));
        at = ceil(text, range.end);
    }
    out.push_str(&words(vault, &text[at..], only_ordinary));
    out
}

/// Free text without remembered secrets.
fn words(vault: &mut Vault, text: &str, only_ordinary: bool) -> String {
    let is_separator =
        |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '"' | '\'' | ',');
    split_keep(text, is_separator, |word| {
        if word.contains("://") {
            url(vault, word, Path::App)
        } else if word.contains(['=', '?', '&']) {
            let (path, rest) = word.split_at(word.find('?').unwrap_or(0));
            format!("{}{}", ordinary(vault, path, only_ordinary), query(vault, rest))
        } else {
            ordinary(vault, word, only_ordinary)
        }
    })
}

/// A word; hidden when only ordinary ones may be shown and it is none.
fn ordinary(vault: &mut Vault, word: &str, only_ordinary: bool) -> String {
    let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
    let is_known = |w: &str| w.is_empty() || is_one_of(WORDS, w);
    if !only_ordinary || is_code(bare) || bare.split(|c: char| !c.is_alphanumeric()).all(is_known) {
        return word.to_owned();
    }
    word.replacen(bare, &hide(vault, Kind::Token, bare), 1)
}

/// A status code such as `NetStream.Publish.Start`.
pub(super) fn is_code(text: &str) -> bool {
    ["NetStream.", "NetConnection.", "NetGroup.", "SharedObject.", "Application."]
        .iter()
        .any(|p| text.starts_with(p))
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.')
}

/// What the first bytes of a connection told: a request line, a server name.
pub(super) fn note(vault: &mut Vault, text: &str) -> String {
    split_keep(text, char::is_whitespace, |word| {
        if word.starts_with('/') {
            app(vault, word)
        } else if word.contains("://") {
            url(vault, word, Path::App)
        } else {
            free_text(vault, word, false)
        }
    })
}
