//! FLV files (E.2 to E.4.1): a header, then tags that look like RTMP messages.

use crate::base::{Reader, Stop, StopReason, Writer};

/// The first 13 bytes of a file: header and the size of no previous tag.
pub fn file_header(audio: bool, video: bool) -> [u8; 13] {
    let flags = u8::from(audio) << 2 | u8::from(video);
    [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]
}

/// Appends a tag and its size. `kind` is an RTMP message type: 8 audio, 9 video, 18 data.
///
/// The timestamp is RTMP's, 32 bits unsigned; players take it for signed, so that it should stay
/// below 2^31. Returns false, and writes nothing, when `data` is larger than the 16 MiB a tag can
/// hold.
pub fn write_tag(w: &mut Writer, kind: u8, timestamp: u32, data: &[u8]) -> bool {
    let Some(len) = u32::try_from(data.len()).ok().filter(|len| *len <= 0xff_ffff) else {
        return false;
    };
    // The high byte of the timestamp comes last.
    w.u8(kind & 0x1f).u24(len).u24(timestamp).u8((timestamp >> 24) as u8).u24(0);
    w.bytes(data).u32(11 + len);
    true
}

/// A tag of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTag<'a> {
    /// 8 audio, 9 video, 18 data; 15 data in AMF3 (Enhanced RTMP).
    pub kind: u8,
    /// Whether the tag is encrypted.
    pub filter: bool,
    /// Milliseconds.
    pub timestamp: u32,
    /// Always 0 by the text.
    pub stream_id: u32,
    /// Where the tag begins in the file.
    pub offset: usize,
    /// The body.
    pub data: &'a [u8],
    /// The size written after the tag; `None` when the file ends before it.
    pub previous_tag_size: Option<u32>,
}

/// Iterates over the tags of a file in memory; a fault is the last item.
#[derive(Debug)]
pub struct FileTags<'a> {
    r: Reader<'a, 'static>,
    started: bool,
    done: bool,
}

impl<'a> FileTags<'a> {
    /// Reads the file `data`, from its header on.
    pub fn new(data: &'a [u8]) -> FileTags<'a> {
        FileTags { r: Reader::new(data), started: false, done: false }
    }

    fn header(&mut self) -> Result<(), Stop> {
        let r = &mut self.r;
        let signature = r.u24("Signature")?;
        if signature != 0x46_4c56 {
            let reason = StopReason::Invalid(signature.into());
            return Err(Stop { field: "Signature", at: 0, reason });
        }
        r.u8("Version")?;
        r.u8("TypeFlags")?;
        let offset = r.u32("DataOffset")?;
        // Longer headers are for versions to come; a shorter one overlaps what was read.
        let more = usize::try_from(offset).unwrap_or(usize::MAX).saturating_sub(9);
        r.bytes("header", more)?;
        r.u32("PreviousTagSize0")?;
        Ok(())
    }

    fn tag(&mut self) -> Result<FileTag<'a>, Stop> {
        let r = &mut self.r;
        let offset = r.pos();
        let kind = r.u8("TagType")?;
        let len = r.u24("DataSize")?;
        let low = r.u24("Timestamp")?;
        let high = r.u8("TimestampExtended")?;
        let stream_id = r.u24("StreamID")?;
        let data = r.bytes("Data", len as usize)?;
        Ok(FileTag {
            kind: kind & 0x1f,
            filter: kind & 0x20 != 0,
            timestamp: low | u32::from(high) << 24,
            stream_id,
            offset,
            data,
            previous_tag_size: r.u32("PreviousTagSize").ok(),
        })
    }
}

impl<'a> Iterator for FileTags<'a> {
    type Item = Result<FileTag<'a>, Stop>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let result = if self.started { Ok(()) } else { self.header() };
        self.started = true;
        if result.is_ok() && self.r.is_empty() {
            self.done = true;
            return None;
        }
        let item = result.and_then(|()| self.tag());
        // A tag without its size behind it is the last one of a cut file.
        self.done = item.as_ref().map_or(true, |tag| tag.previous_tag_size.is_none());
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(&file_header(true, true));
        assert!(write_tag(&mut w, 9, 0x0123_4567, &[0x17, 0, 0, 0, 0]));
        assert!(write_tag(&mut w, 8, 0, &[]));
        w.into_bytes()
    }

    #[test]
    fn what_is_written_is_read() {
        let file = sample();
        // Timestamp 01234567: its low 24 bits, then the high byte (E.4.1).
        assert_eq!(&file[13..24], &[9, 0, 0, 5, 0x23, 0x45, 0x67, 0x01, 0, 0, 0]);
        assert_eq!(&file[29..33], &[0, 0, 0, 16]);
        let tags: Vec<_> = FileTags::new(&file).map(Result::unwrap).collect();
        assert_eq!(tags.len(), 2);
        assert_eq!((tags[0].kind, tags[0].timestamp, tags[0].offset), (9, 0x0123_4567, 13));
        assert_eq!(tags[0].data, [0x17, 0, 0, 0, 0]);
        assert_eq!(tags[1].previous_tag_size, Some(11));
    }

    #[test]
    fn a_file_cut_anywhere_gives_its_whole_tags() {
        let file = sample();
        for len in 0..file.len() {
            let items: Vec<_> = FileTags::new(&file[..len]).collect();
            let whole = items.iter().filter(|item| item.is_ok()).count();
            let expected = usize::from(len >= 29) + usize::from(len >= 44);
            assert_eq!(whole, expected, "{len} bytes");
            let clean = [13, 29, 30, 31, 32, 33, 44, 45, 46, 47].contains(&len);
            assert_eq!(items.iter().all(Result::is_ok), clean, "{len} bytes");
        }
    }

    #[test]
    fn a_hostile_header_is_a_fault() {
        let file = [b'F', b'L', b'V', 1, 5, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        let items: Vec<_> = FileTags::new(&file).collect();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].as_ref().unwrap_err().field, "header");
        assert!(FileTags::new(b"MP4").next().unwrap().is_err());
        let mut w = Writer::new();
        assert!(!write_tag(&mut w, 9, 0, &vec![0; 0x100_0000]));
        assert!(w.is_empty());
    }
}
