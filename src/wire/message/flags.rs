//! What the numbers of `connect` and `onMetaData` mean (sections 7.2.1.1; Enhanced RTMP).

use crate::base::{Field, FieldValue};

const AUDIO_CODECS: &[(u32, &str)] = &[
    (0x0001, "raw"),
    (0x0002, "ADPCM"),
    (0x0004, "MP3"),
    (0x0008, "Intel"),
    (0x0010, "unused"),
    (0x0020, "Nelly8"),
    (0x0040, "Nelly"),
    (0x0080, "G.711 A-law"),
    (0x0100, "G.711 mu-law"),
    (0x0200, "Nelly16"),
    (0x0400, "AAC"),
    (0x0800, "Speex"),
];

const VIDEO_CODECS: &[(u32, &str)] = &[
    (0x01, "unused"),
    (0x02, "JPEG"),
    (0x04, "Sorenson H.263"),
    (0x08, "Screen"),
    (0x10, "VP6"),
    (0x20, "VP6 with alpha"),
    (0x40, "Screen 2"),
    (0x80, "H.264"),
];

const VIDEO_FUNCTION: &[(u32, &str)] =
    &[(1, "ClientSeek"), (2, "ClientHDR"), (4, "VideoPacketType.Metadata"), (8, "LargeScaleTile")];

const CAPS_EX: &[(u32, &str)] =
    &[(1, "Reconnect"), (2, "Multitrack"), (4, "ModEx"), (8, "TimestampNanoOffset")];

const FOUR_CC_INFO: &[(u32, &str)] = &[(1, "CanDecode"), (2, "CanEncode"), (4, "CanForward")];

/// What the value of the property `name` means: the bits by name, or the encoding. `parent` is the
/// name of the object it is in.
pub fn meaning(parent: &str, name: &str, value: f64) -> Option<String> {
    // A saturating conversion would give NaN and negative numbers a meaning.
    let number = (value >= 0.0 && value <= f64::from(u32::MAX)).then_some(value as u32)?;
    let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
    if parent.eq_ignore_ascii_case("videoFourCcInfoMap")
        || parent.eq_ignore_ascii_case("audioFourCcInfoMap")
    {
        return Some(bits(number, FOUR_CC_INFO));
    }
    if is("audioCodecs") {
        Some(bits(number, AUDIO_CODECS))
    } else if is("videoCodecs") {
        Some(bits(number, VIDEO_CODECS))
    } else if is("videoFunction") {
        Some(bits(number, VIDEO_FUNCTION))
    } else if is("capsEx") {
        Some(bits(number, CAPS_EX))
    } else if is("objectEncoding") {
        match number {
            0 => Some("AMF0".into()),
            3 => Some("AMF3".into()),
            _ => None,
        }
    } else if is("audiocodecid") || is("videocodecid") {
        // Enhanced RTMP puts the FourCC here; the codes of FLV are one byte.
        let code = number.to_be_bytes();
        code.iter()
            .all(|b| (b' '..=b'~').contains(b))
            .then(|| code.map(char::from).iter().collect())
    } else {
        None
    }
}

fn bits(value: u32, names: &[(u32, &str)]) -> String {
    let known: Vec<_> =
        names.iter().filter(|(bit, _)| value & bit != 0).map(|(_, name)| (*name).into()).collect();
    let rest = names.iter().fold(value, |rest, (bit, _)| rest & !bit);
    let rest = (rest != 0).then(|| format!("0x{rest:x}"));
    let all: Vec<String> = known.into_iter().chain(rest).collect();
    if all.is_empty() { "none".into() } else { all.join(", ") }
}

/// Adds the meanings to the fields of a message.
pub(super) fn explain(fields: &mut [Field]) {
    let mut parents: Vec<usize> = Vec::new();
    for index in 0..fields.len() {
        while parents.last().is_some_and(|&p| fields[p].depth >= fields[index].depth) {
            parents.pop();
        }
        let parent = parents.last().map_or("", |&p| &*fields[p].name);
        let field = &fields[index];
        let found = match field.value {
            FieldValue::Group => {
                parents.push(index);
                None
            }
            FieldValue::Number(number) => meaning(parent, &field.name, number),
            FieldValue::Int(number) => meaning(parent, &field.name, number as f64),
            _ => None,
        };
        if found.is_some() {
            fields[index].meaning = found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_have_names() {
        assert_eq!(meaning("", "capsEx", 3.0).unwrap(), "Reconnect, Multitrack");
        assert_eq!(meaning("", "capsex", 16.0).unwrap(), "0x10");
        assert_eq!(meaning("", "videoFunction", 0.0).unwrap(), "none");
        assert_eq!(meaning("videoFourCcInfoMap", "hvc1", 5.0).unwrap(), "CanDecode, CanForward");
        assert_eq!(meaning("", "objectEncoding", 3.0).unwrap(), "AMF3");
        assert_eq!(meaning("", "videocodecid", 1_752_589_105.0).unwrap(), "hvc1");
        assert_eq!(meaning("", "videocodecid", 7.0), None);
        assert_eq!(meaning("", "capsEx", f64::NAN), None);
        assert_eq!(meaning("", "capsEx", -1.0), None);
        assert_eq!(meaning("", "width", 1280.0), None);
    }
}
