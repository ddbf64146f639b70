//! Text that is masked where it stands: hosts in messages, and what HTTP says in the clear.

use std::sync::LazyLock;

use regex::Regex;

/// The host of a URL, and IPv4 addresses.
static HOSTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"://(?:[^/@\s]*@)?([^/:?#\s]+)|\b(\d{1,3}(?:\.\d{1,3}){3})\b").ok()
});

/// The text with hosts masked, letters and digits by `x`; `None` when it names none. Loopback
/// stays: it names nobody.
pub(super) fn hide_hosts(text: &str) -> Option<String> {
    let hosts = HOSTS.as_ref()?;
    let mut out = text.as_bytes().to_vec();
    let mut changed = false;
    for captures in hosts.captures_iter(text) {
        let Some(host) = captures.get(1).or(captures.get(2)) else { continue };
        if matches!(host.as_str(), "localhost" | "127.0.0.1" | "[") {
            continue;
        }
        for byte in &mut out[host.range()] {
            if byte.is_ascii_alphanumeric() {
                *byte = b'x';
                changed = true;
            }
        }
    }
    changed.then(|| String::from_utf8(out).ok()).flatten()
}

/// First segments of RTMPT paths: they say what is asked, not where.
const RTMPT: [&[u8]; 6] = [b"open", b"send", b"idle", b"close", b"fcs", b"ident2"];

/// Masks what an HTTP segment says: the method, the status, the names of headers and the commands
/// of RTMPT stay, the rest of the head becomes `x`, bodies become zeros.
pub(super) fn mask_http(payload: &mut [u8]) {
    let is_head = payload.starts_with(b"HTTP/")
        || payload
            .iter()
            .position(|byte| *byte == b' ')
            .is_some_and(|at| at > 0 && payload[..at].iter().all(u8::is_ascii_uppercase));
    let head = match payload.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(at) if is_head => at,
        None if is_head => payload.len(),
        _ => 0,
    };
    let (head, body) = payload.split_at_mut(head);
    let mut first = true;
    for line in head.split_mut(|byte| *byte == b'\n') {
        if std::mem::take(&mut first) {
            mask_first_line(line);
        } else if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            mask(&mut line[colon..]);
        } else {
            mask(line);
        }
    }
    let keep = if body.starts_with(b"\r\n\r\n") { 4 } else { 0 };
    body[keep..].fill(0);
}

fn mask_first_line(line: &mut [u8]) {
    if line.starts_with(b"HTTP/") {
        // A status line says nothing of its own.
        return;
    }
    let mut words = line.split_mut(|byte| *byte == b' ');
    words.next();
    for word in words {
        if word.starts_with(b"HTTP/") {
            continue;
        }
        for segment in word.split_mut(|byte| *byte == b'/') {
            if !RTMPT.contains(&&*segment) {
                mask(segment);
            }
        }
    }
}

fn mask(bytes: &mut [u8]) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || *byte >= 0x80 {
            *byte = b'x';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_masked_where_they_stand() {
        assert_eq!(
            hide_hosts("rtmp://live.example.com:1935/app").as_deref(),
            Some("rtmp://xxxx.xxxxxxx.xxx:1935/app")
        );
        assert_eq!(hide_hosts("at 203.0.113.7 now").as_deref(), Some("at xxx.x.xxx.x now"));
        assert_eq!(hide_hosts("rtmp://127.0.0.1/live"), None);
        assert_eq!(hide_hosts("FMLE/3.0 (compatible; Lavf59.27.100)"), None);
    }

    #[test]
    fn http_keeps_its_shape() {
        let mut text = b"POST /send/SECRET/3 HTTP/1.1\r\nHost: me.example\r\n\r\nbody".to_vec();
        mask_http(&mut text);
        let expected = b"POST /send/xxxxxx/x HTTP/1.1\r\nHost: xx.xxxxxxx\r\n\r\n\0\0\0\0";
        assert_eq!(text, expected.to_vec());
        let mut body = b"plain body with a secret".to_vec();
        mask_http(&mut body);
        assert!(body.iter().all(|byte| *byte == 0));
    }
}
