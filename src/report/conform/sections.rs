//! Places in the specifications: their order and their titles.

/// Documents in the order in which tables show them. A place begins with one of these names.
const DOCUMENTS: [&str; 9] =
    ["RTMP", "AMF0", "AMF3", "FLV", "E-RTMP", "ISO", "TCP", "practice", "de-facto"];

/// Titles of sections, as far as cases name them.
const TITLES: &[(&str, &str, &str)] = &[
    ("RTMP", "4", "Byte Order, Alignment, and Time Format"),
    ("RTMP", "5", "RTMP Chunk Stream"),
    ("RTMP", "5.1", "Message Format"),
    ("RTMP", "5.2", "Handshake"),
    ("RTMP", "5.2.1", "Handshake Sequence"),
    ("RTMP", "5.2.2", "C0 and S0 Format"),
    ("RTMP", "5.2.3", "C1 and S1 Format"),
    ("RTMP", "5.2.4", "C2 and S2 Format"),
    ("RTMP", "5.2.5", "Handshake Diagram"),
    ("RTMP", "5.3", "Chunking"),
    ("RTMP", "5.3.1", "Chunk Format"),
    ("RTMP", "5.3.1.1", "Chunk Basic Header"),
    ("RTMP", "5.3.1.2", "Chunk Message Header"),
    ("RTMP", "5.3.1.2.1", "Type 0"),
    ("RTMP", "5.3.1.2.2", "Type 1"),
    ("RTMP", "5.3.1.2.3", "Type 2"),
    ("RTMP", "5.3.1.2.4", "Type 3"),
    ("RTMP", "5.3.1.2.5", "Common Header Fields"),
    ("RTMP", "5.3.1.3", "Extended Timestamp"),
    ("RTMP", "5.4", "Protocol Control Messages"),
    ("RTMP", "5.4.1", "Set Chunk Size"),
    ("RTMP", "5.4.2", "Abort Message"),
    ("RTMP", "5.4.3", "Acknowledgement"),
    ("RTMP", "5.4.4", "Window Acknowledgement Size"),
    ("RTMP", "5.4.5", "Set Peer Bandwidth"),
    ("RTMP", "6", "RTMP Message Formats"),
    ("RTMP", "6.1", "RTMP Message Format"),
    ("RTMP", "6.1.1", "Message Header"),
    ("RTMP", "6.1.2", "Message Payload"),
    ("RTMP", "6.2", "User Control Messages"),
    ("RTMP", "7", "RTMP Command Messages"),
    ("RTMP", "7.1", "Types of Messages"),
    ("RTMP", "7.1.1", "Command Message"),
    ("RTMP", "7.1.2", "Data Message"),
    ("RTMP", "7.1.3", "Shared Object Message"),
    ("RTMP", "7.1.4", "Audio Message"),
    ("RTMP", "7.1.5", "Video Message"),
    ("RTMP", "7.1.6", "Aggregate Message"),
    ("RTMP", "7.1.7", "User Control Message Events"),
    ("RTMP", "7.2", "Types of Commands"),
    ("RTMP", "7.2.1", "NetConnection Commands"),
    ("RTMP", "7.2.1.1", "connect"),
    ("RTMP", "7.2.1.2", "call"),
    ("RTMP", "7.2.1.3", "createStream"),
    ("RTMP", "7.2.2", "NetStream Commands"),
    ("RTMP", "7.2.2.1", "play"),
    ("RTMP", "7.2.2.2", "play2"),
    ("RTMP", "7.2.2.3", "deleteStream"),
    ("RTMP", "7.2.2.4", "receiveAudio"),
    ("RTMP", "7.2.2.5", "receiveVideo"),
    ("RTMP", "7.2.2.6", "publish"),
    ("RTMP", "7.2.2.7", "seek"),
    ("RTMP", "7.2.2.8", "pause"),
    ("RTMP", "7.3", "Message Exchange Examples"),
    ("RTMP", "7.3.1", "Publish Recorded Video"),
    ("AMF0", "1.3.1", "Strings and UTF-8"),
    ("AMF0", "2.1", "Types Overview"),
    ("AMF0", "2.2", "Number Type"),
    ("AMF0", "2.3", "Boolean Type"),
    ("AMF0", "2.4", "String Type"),
    ("AMF0", "2.5", "Object Type"),
    ("AMF0", "2.7", "null Type"),
    ("AMF0", "2.8", "undefined Type"),
    ("AMF0", "2.9", "Reference Type"),
    ("AMF0", "2.10", "ECMA Array Type"),
    ("AMF0", "2.11", "Object End Type"),
    ("AMF0", "2.12", "Strict Array Type"),
    ("AMF0", "2.13", "Date Type"),
    ("AMF0", "2.14", "Long String Type"),
    ("AMF3", "1.3.1", "Variable Length Unsigned 29-bit Integers"),
    ("AMF3", "1.3.2", "Strings and UTF-8"),
    ("AMF3", "2.2", "Reference Tables"),
    ("AMF3", "3", "AMF 3 Data Types"),
    ("AMF3", "3.6", "Integer Type"),
    ("AMF3", "3.11", "Array Type"),
    ("AMF3", "3.12", "Object Type"),
    ("AMF3", "3.14", "ByteArray Type"),
    ("AMF3", "3.15", "Vector Type"),
    ("AMF3", "4.1", "NetConnection and AMF 3"),
    ("FLV", "E.4.2.1", "Audio Tag Header"),
    ("FLV", "E.4.2.2", "AAC Audio Data"),
    ("FLV", "E.4.3.1", "Video Tag Header"),
    ("FLV", "E.4.3.2", "AVC Video Packet"),
    ("FLV", "E.4.4", "Data Tags"),
    ("FLV", "E.5", "onMetaData"),
];

/// What cases without a specification are gathered under.
const UNWRITTEN: &str = "Not in a specification";

/// A place in a specification, to group and sort by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    rank: usize,
    document: String,
    numbers: Vec<u32>,
    /// The place as shown: document and number, without what follows.
    pub(super) name: String,
}

impl Place {
    /// Where a case with these places belongs.
    pub(super) fn of(sections: &[String]) -> Place {
        let text = sections.first().map_or("", |section| section.trim());
        let mut words = text.split([' ', ',', ';', '/']).filter(|word| !word.is_empty());
        let document = words.next().unwrap_or("").trim_end_matches(':').to_owned();
        let rank = DOCUMENTS.iter().position(|name| *name == document);
        let Some(rank) = rank.filter(|rank| *rank < 7) else {
            let (rank, document) = (usize::MAX, String::new());
            return Place { rank, document, numbers: Vec::new(), name: UNWRITTEN.to_owned() };
        };
        let second = words.next().unwrap_or("");
        let number = second.split('-').next().unwrap_or("").trim_start_matches('§');
        let numbered = number.strip_prefix("E.").unwrap_or(number);
        let numbers: Option<Vec<u32>> = numbered.split('.').map(|part| part.parse().ok()).collect();
        match numbers {
            Some(numbers) => {
                let name = format!("{document} {number}");
                Place { rank, document, numbers, name }
            }
            // Enhanced RTMP has no numbers: its places are versions and titles.
            None => Place { rank, name: document.clone(), document, numbers: Vec::new() },
        }
    }

    /// The section's title; may be empty.
    pub(super) fn title(&self) -> &'static str {
        if self.numbers.is_empty() {
            return if self.document == "E-RTMP" { "Enhanced RTMP" } else { "" };
        }
        let found = TITLES.iter().find(|(document, number, _)| {
            self.name.strip_prefix(document).is_some_and(|rest| rest.trim_start() == *number)
        });
        found.map_or("", |(_, _, title)| title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::of(&[text.to_owned()])
    }

    #[test]
    fn places_are_read_as_the_catalogue_writes_them() {
        for (text, name, title) in [
            ("RTMP 5.3.1.2.4", "RTMP 5.3.1.2.4", "Type 3"),
            ("RTMP 5.2.1-5.2.4", "RTMP 5.2.1", "Handshake Sequence"),
            ("RTMP 5.1 / 5.4.1", "RTMP 5.1", "Message Format"),
            ("FLV E.4.2.2, ISO 14496-3", "FLV E.4.2.2", "AAC Audio Data"),
            ("E-RTMP v2 capsEx", "E-RTMP", "Enhanced RTMP"),
            ("practice", UNWRITTEN, ""),
            ("", UNWRITTEN, ""),
        ] {
            assert_eq!((place(text).name.as_str(), place(text).title()), (name, title), "{text}");
        }
    }

    #[test]
    fn numbers_are_sorted_as_numbers() {
        let mut places =
            ["robustness", "AMF0 2.10", "AMF0 2.9", "RTMP 7.2.1", "RTMP 5.4", "E-RTMP"].map(place);
        places.sort();
        let names = places.map(|place| place.name);
        assert_eq!(names, ["RTMP 5.4", "RTMP 7.2.1", "AMF0 2.9", "AMF0 2.10", "E-RTMP", UNWRITTEN]);
    }
}
