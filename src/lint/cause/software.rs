//! Programs by what they say of themselves and by habits that nobody else has.

use crate::lint::state::SessionState;
use crate::wire::amf::Value;

/// Words in flashVer or in onMetaData's encoder, and whose they are. The first that fits counts.
const CLIENTS: &[(&str, &str)] = &[
    ("libobs", "OBS"),
    ("obs-output", "OBS"),
    ("OBS", "OBS"),
    ("Lavf", "FFmpeg"),
    ("GStreamer", "GStreamer"),
    ("Wirecast", "Wirecast"),
    ("vMix", "vMix"),
    ("XSplit", "XSplit"),
    ("Larix", "Larix"),
    ("HaishinKit", "HaishinKit"),
    ("Teradek", "Teradek"),
    ("Blackmagic", "Blackmagic"),
    ("Streamlabs", "Streamlabs"),
    ("Flash Media Live Encoder", "Flash Media Live Encoder"),
];

/// The word of a text that names a program, with its version: digits, dots and dashes only, as
/// anything else could be a secret.
fn named(text: &str) -> Option<String> {
    let (needle, name) = CLIENTS.iter().find(|(needle, _)| text.contains(needle))?;
    let after = text.split_once(needle).map_or("", |(_, after)| after);
    let after = after.trim_start_matches([' ', '/', '(']).trim_start_matches("version ");
    let version: String =
        after.chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(16).collect();
    let version = version.trim_end_matches('.');
    Some(match version {
        "" => (*name).to_owned(),
        _ if *needle == "Lavf" => format!("{name} (Lavf{version})"),
        _ => format!("{name} {version}"),
    })
}

/// The program that connected, if it is known.
pub fn client(state: &SessionState) -> Option<String> {
    let metadata = state.client().metadata.as_ref().map(|(_, value)| value);
    let text = |name: &str| {
        let value = metadata?.get(name)?;
        Some(value.as_text()?.lossy().into_owned())
    };
    let connect = state.connect.as_ref();
    let flash_ver = connect.and_then(|connect| connect.flash_ver.as_deref()).unwrap_or("");
    let said = ["encoder", "metadatacreator"].into_iter().filter_map(text);
    let said = said.chain([flash_ver.to_owned()]).find_map(|text| named(&text));
    if said.is_some() {
        return said;
    }
    let has = |name: &str| connect.is_some_and(|connect| connect.object.get(name).is_some());
    let version = state.client().handshake.as_ref().and_then(|handshake| handshake.software);
    if has("supportsGoAway") {
        return Some("OBS".into());
    }
    if flash_ver.starts_with("LNX.11,1,102,55") {
        return Some("nginx-rtmp (relay)".into());
    }
    // FFmpeg's digest handshake claims to be Flash 9.0.124.2.
    if version == Some([9, 0, 124, 2]) {
        return Some("FFmpeg".into());
    }
    if flash_ver.starts_with("LNX 10,0,32,18") {
        return Some(if has("fpad") { "rtmpdump (librtmp)" } else { "GStreamer rtmp2sink" }.into());
    }
    (flash_ver.is_empty() && connect.is_some() && has("tcUrl")).then(|| "librtmp".into())
}

/// A text of `SRS/7.0.18(Hang)` or the like, cut to its version.
fn version_of(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(16).collect()
}

/// The server, if it is known.
pub fn server(state: &SessionState) -> Option<String> {
    let handshake = state.server().handshake.as_ref();
    let version = handshake.and_then(|handshake| handshake.software);
    let digest = handshake.is_some_and(|h| h.scheme != crate::rtmp::Scheme::Simple);
    let Some(reply) = state.connect_reply.as_ref().filter(|reply| reply.accepted) else {
        // Only the handshake is there.
        return match version {
            Some([13, 14, 10, 13]) => Some("nginx-rtmp".into()),
            Some([1, 0, 5, 4]) => Some("SRS".into()),
            Some([4, 5, 0, 0]) => Some("crtmpserver".into()),
            Some([0, 0, 0, 0]) if digest => Some("crtmpserver".into()),
            _ => None,
        };
    };
    let objects = || reply.information.iter().chain(&reply.properties);
    let text = |name: &str| {
        let direct = objects().find_map(|object| object.get(name)?.as_text());
        let nested = || objects().find_map(|object| object.get("data")?.get(name)?.as_text());
        direct.or_else(nested).map(|text| text.lossy().into_owned())
    };
    if let Some(version) = text("srs_version") {
        return Some(format!("SRS {}", version_of(&version)).trim_end().to_owned());
    }
    let fms = text("fmsVer").unwrap_or_default();
    let number = |name: &str| objects().find_map(|object| object.get(name)?.as_number());
    let said = |name: &str| reply.information.as_ref().and_then(|object| object.get(name));
    let known = match version {
        Some([1, 0, 5, 4]) => Some("SRS"),
        Some([4, 5, 0, 0]) => Some("crtmpserver"),
        Some([0, 0, 0, 0]) if digest => Some("crtmpserver"),
        _ if fms.starts_with("LNX 9,0,124,2") => Some("MediaMTX"),
        _ if fms.starts_with("FMS/3,0,4,423") => Some("node-rtsp-rtmp-server"),
        _ if fms.starts_with("FMS/3,5,1,525") => Some("rtmpsrv"),
        _ if text("description").as_deref() == Some("Connection Succeeded.") => {
            Some("ireader media-server")
        }
        _ => None,
    };
    if known.is_some() {
        return known.map(str::to_owned);
    }
    let window = state.server().window;
    let alike = fms == "FMS/3,0,1,123" && number("capabilities") == Some(31.0);
    let full = matches!(said("objectEncoding"), Some(Value::Number(_)));
    let name = match () {
        () if !alike => return adobe(&fms),
        () if text("version").is_some_and(|v| v.starts_with("0,37,")) => "lal",
        () if number("mode") == Some(1.0) => "rtmp-go",
        () if window == Some(5_000_000) && state.server().chunk_size == 65_535 => {
            "Node-Media-Server"
        }
        () if window == Some(5_000_000) && full && version != Some([1, 2, 3, 4]) => "nginx-rtmp",
        () if window == Some(2_500_000) && full && !digest => "FFmpeg (listening)",
        () => return None,
    };
    Some(name.into())
}

/// Adobe's own servers, and those that claim to be one.
fn adobe(fms: &str) -> Option<String> {
    let version = fms.strip_prefix("FMS/")?;
    let major = version.split(',').next()?;
    let numeric = version.len() <= 16 && version.bytes().all(|b| b.is_ascii_digit() || b == b',');
    (numeric && matches!(major, "4" | "5"))
        .then(|| format!("Adobe Media Server {}", version.replace(',', ".")))
}

/// A codec's name for people.
pub fn codec(name: &str) -> &str {
    match name {
        "avc" => "H.264",
        "hevc" => "H.265",
        "vvc" => "H.266",
        "av1" => "AV1",
        "vp8" => "VP8",
        "vp9" => "VP9",
        "h263" => "Sorenson H.263",
        "vp6" | "vp6a" => "VP6",
        "screen" | "screen2" => "screen video",
        "aac" => "AAC",
        "mp3" => "MP3",
        "opus" => "Opus",
        "flac" => "FLAC",
        "ac3" => "AC-3",
        "eac3" => "E-AC-3",
        "speex" => "Speex",
        "nellymoser" => "Nellymoser",
        "g711a" | "g711u" => "G.711",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_named_with_their_version() {
        let said = |text: &str| named(text).unwrap_or_default();
        assert_eq!(said("FMLE/3.0 (compatible; Lavf59.27.100)"), "FFmpeg (Lavf59.27.100)");
        assert_eq!(said("obs-output module (libobs version 29.0.2)"), "OBS 29.0.2");
        assert_eq!(said("Wirecast/FM 1.0"), "Wirecast");
        assert_eq!(named("FMLE/3.0 (compatible; FMSc/1.0)"), None);
        assert_eq!(adobe("FMS/5,0,3,3029"), Some("Adobe Media Server 5.0.3.3029".into()));
        assert_eq!(adobe("FMS/5,secret"), None);
    }
}
