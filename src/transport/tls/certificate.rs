//! What a server's certificate says.

use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};

use super::hello::Cut;
use crate::base::Timestamp;
use crate::transport::FactValue;

/// Certificates of a chain that are counted.
const MAX_CHAIN: usize = 64;

/// The fields of a Certificate message: those of the first certificate and the length of the
/// chain. `tls13` tells the form; `now` is when it was sent.
pub(super) fn fields(
    body: &[u8],
    tls13: bool,
    now: Timestamp,
    server_name: Option<&str>,
) -> Vec<(&'static str, FactValue)> {
    let mut out = Vec::new();
    let mut cut = Cut(body);
    if tls13 && cut.vec8().is_none() {
        return out;
    }
    let Some(len) = cut.u24() else { return out };
    let mut list = Cut(cut.0.get(..len).unwrap_or(cut.0));
    let mut chain = 0;
    while let Some(len) = list.u24() {
        let Some(der) = list.take(len) else { break };
        if tls13 {
            list.vec16();
        }
        if chain == 0 {
            describe(der, now, server_name, &mut out);
        }
        chain += 1;
        if chain >= MAX_CHAIN {
            break;
        }
    }
    out.push(("chain", FactValue::Number(chain as u64)));
    out
}

fn describe(
    der: &[u8],
    now: Timestamp,
    server_name: Option<&str>,
    out: &mut Vec<(&'static str, FactValue)>,
) {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return };
    out.push(("subject", FactValue::Text(certificate.subject().to_string().into())));
    out.push(("issuer", FactValue::Text(certificate.issuer().to_string().into())));
    let mut names = Vec::new();
    if let Ok(Some(extension)) = certificate.subject_alternative_name() {
        names.extend(extension.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        }));
    }
    if names.is_empty() {
        // Clients stopped looking here, yet it is what an old certificate has.
        let common = certificate.subject().iter_common_name();
        names.extend(common.filter_map(|name| name.as_str().ok().map(str::to_owned)));
    }
    if let Some(host) = server_name {
        let covers = names.iter().any(|name| covers(name, host));
        out.push(("covers_server_name", FactValue::Flag(covers)));
    }
    out.push(("names", FactValue::List(names)));
    let validity = certificate.validity();
    out.push(("not_before", FactValue::Text(time(validity.not_before).into())));
    out.push(("not_after", FactValue::Text(time(validity.not_after).into())));
    let seconds = now.0.div_euclid(1_000_000_000);
    if seconds > validity.not_after.timestamp() {
        out.push(("expired", FactValue::Flag(true)));
    }
    if seconds < validity.not_before.timestamp() {
        out.push(("not_yet_valid", FactValue::Flag(true)));
    }
    if certificate.subject() == certificate.issuer() {
        out.push(("self_signed", FactValue::Flag(true)));
    }
}

fn time(time: ASN1Time) -> String {
    let time = time.to_datetime();
    let (hour, minute, second) = time.to_hms();
    format!(
        "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day()
    )
}

fn address(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => Some(std::net::Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string()),
        16 => Some(std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string()),
        _ => None,
    }
}

/// Whether a name of a certificate, which may begin with `*.`, stands for a host (RFC 6125).
fn covers(name: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    match name.strip_prefix("*.") {
        Some(domain) => host
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(domain)),
        None => name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(covers("*.example.com", "live.example.com"));
        assert!(covers("Example.com", "example.COM."));
        assert!(!covers("*.example.com", "a.live.example.com"));
        assert!(!covers("*.example.com", "example.com"));
    }
}
