//! Video message bodies: FLV VIDEODATA (E.4.3) and Enhanced RTMP's ExVideoTagHeader and body.

use super::enhanced::{self, fourcc};
use super::{Track, TrackConfig, VideoTag, names};
use crate::base::{Reader, Stop, StopReason};
use crate::wire::amf::{Name, Property, State, Value, amf0};
use crate::wire::codec::bits::Bits;
use crate::wire::codec::{decode_av1_descriptor, decode_config, decode_frame, explain_elements};

impl VideoTag {
    /// Decodes the video message of `total_len` bytes that begins at the reader's position.
    ///
    /// The reader may hold only its first bytes: ranges of tracks are computed from `total_len`,
    /// and a beginning that ends inside coded bytes is enough. See [`super::needs_whole`] for the
    /// messages that must be there whole.
    pub fn decode(r: &mut Reader<'_, '_>, total_len: usize) -> (VideoTag, Option<Stop>) {
        let mut tag = VideoTag::default();
        let end = r.pos().saturating_add(total_len);
        let here = r.left().min(total_len);
        let mut stop = None;
        let outer = r.within("video", here, |r| {
            stop = tag.read(r, end).err();
            Ok(())
        });
        if tag.tracks.is_empty() && tag.multitrack.is_none() {
            tag.tracks.push(Track { range: end..end, ..Track::default() });
        }
        (tag, stop.or(outer.err()))
    }

    fn read(&mut self, r: &mut Reader<'_, '_>, end: usize) -> Result<(), Stop> {
        match r.peek() {
            Some(first) if first & 0x80 != 0 => self.read_enhanced(r, end),
            _ => self.read_legacy(r, end),
        }
    }

    fn read_legacy(&mut self, r: &mut Reader<'_, '_>, end: usize) -> Result<(), Stop> {
        let mut b = Bits::new(r);
        self.frame_type = b.u8("FrameType", 4)?;
        b.meaning(|| names::frame_type(self.frame_type).to_owned());
        let codec_id = b.u8("CodecID", 4)?;
        let codec = names::video_codec(codec_id);
        b.meaning(|| codec.to_owned());
        self.codec_id = Some(codec_id);
        let avc_like = matches!(codec_id, 7 | 12 | 13);
        // By the text AVC's fields come before the command byte, yet servers send two bytes.
        let bare_command = self.frame_type == 5 && end.saturating_sub(r.pos()) < 5;
        if avc_like && !bare_command {
            let packet_type = r.u8("AVCPacketType")?;
            r.meaning(|| names::legacy_packet(packet_type).to_owned());
            self.packet_type = Some(packet_type);
            self.composition_time = Some(r.i24("CompositionTime")?);
        }
        if self.frame_type == 5 {
            return self.command(r);
        }
        match codec_id {
            4 | 5 => {
                let mut b = Bits::new(r);
                b.u("HorizontalAdjustment", 4)?;
                b.u("VerticalAdjustment", 4)?;
                if codec_id == 5 {
                    r.u24("OffsetToAlpha")?;
                }
            }
            _ => {}
        }
        let mut track = Track {
            composition_time: self.composition_time,
            range: r.pos()..end,
            ..Track::default()
        };
        let packet_type = self.packet_type.unwrap_or(1);
        let stop = enhanced::part(r, &mut track, &mut |r, track| {
            match packet_type {
                0 => track.config = decode_config(r, codec).map(TrackConfig::Codec),
                1 => coded(r, codec),
                _ => {}
            }
            r.rest("data");
            config_stop(track)
        });
        self.tracks.push(track);
        stop.map_or(Ok(()), Err)
    }

    fn command(&mut self, r: &mut Reader<'_, '_>) -> Result<(), Stop> {
        let command = r.u8("videoCommand")?;
        r.meaning(|| match command {
            0 => "start of client-side seek".to_owned(),
            1 => "end of client-side seek".to_owned(),
            _ => "reserved".to_owned(),
        });
        self.command = Some(command);
        r.rest("trailing");
        Ok(())
    }

    fn read_enhanced(&mut self, r: &mut Reader<'_, '_>, end: usize) -> Result<(), Stop> {
        self.enhanced = true;
        let mut b = Bits::new(r);
        b.flag("isExVideoHeader")?;
        self.frame_type = b.u8("videoFrameType", 3)?;
        b.meaning(|| names::frame_type(self.frame_type).to_owned());
        let mut packet_type = b.u8("videoPacketType", 4)?;
        b.meaning(|| names::video_packet(packet_type).to_owned());
        self.packet_type = Some(packet_type);
        enhanced::mod_ex(r, &mut packet_type, &mut self.mod_ex, names::video_packet)?;
        self.packet_type = Some(packet_type);
        if packet_type != 4 && self.frame_type == 5 {
            return self.command(r);
        }
        let mut metadata = Metadata::default();
        let result = if packet_type == 6 {
            let at = r.pos();
            let kind = enhanced::multitrack(r, &mut packet_type, names::video_packet)?;
            self.multitrack = Some(kind);
            self.packet_type = Some(packet_type);
            if packet_type == 6 {
                let reason = StopReason::Invalid(packet_type.into());
                return Err(Stop { field: "packetType", at, reason });
            }
            enhanced::tracks(r, end, kind, &mut self.tracks, |r, track| {
                body(r, track, packet_type, &mut metadata)
            })
        } else {
            let fourcc = fourcc(r)?;
            let mut track = Track { fourcc: Some(fourcc), range: r.pos()..end, ..Track::default() };
            let stop = enhanced::part(r, &mut track, &mut |r, track| {
                body(r, track, packet_type, &mut metadata)
            });
            self.tracks.push(track);
            stop.map_or(Ok(()), Err)
        };
        self.metadata = metadata.pairs;
        if let [track] = &*self.tracks {
            self.composition_time = track.composition_time;
        }
        result
    }
}

/// ExVideoTagBody of one track.
fn body<'a>(
    r: &mut Reader<'a, '_>,
    track: &mut Track,
    packet_type: u8,
    metadata: &mut Metadata<'a>,
) -> Result<(), Stop> {
    let codec = track.codec_name().unwrap_or("unknown");
    // AV1, VP8 and VP9 have no composition time: what reorders frames has no FLV form there.
    let reorders = matches!(codec, "avc" | "hevc" | "vvc");
    match packet_type {
        0 => track.config = decode_config(r, codec).map(TrackConfig::Codec),
        1 => {
            if reorders {
                track.composition_time = Some(r.i24("compositionTimeOffset")?);
                track.range.start = r.pos();
            }
            coded(r, codec);
        }
        3 => {
            track.composition_time = reorders.then_some(0);
            coded(r, codec);
        }
        4 => metadata.read(r)?,
        5 if codec == "av1" => {
            track.config = Some(TrackConfig::Codec(decode_av1_descriptor(r)));
        }
        _ => {}
    }
    r.rest("data");
    config_stop(track)
}

/// Where a configuration record stopped is where the message stopped.
pub(super) fn config_stop(track: &Track) -> Result<(), Stop> {
    match &track.config {
        Some(TrackConfig::Codec(config)) => config.stop.clone().map_or(Ok(()), Err),
        _ => Ok(()),
    }
}

/// Coded bytes: explained to whoever listens, passed over otherwise.
pub(super) fn coded(r: &mut Reader<'_, '_>, codec: &str) {
    if r.records_fields() {
        decode_frame(r, codec);
        explain_elements(r, codec);
    }
}

/// Pairs of name and value in AMF0, such as `colorInfo`, of all tracks of a message: the limits of
/// `state` are for all of them together.
#[derive(Default)]
struct Metadata<'a> {
    state: State<'a>,
    pairs: Vec<Property>,
}

impl<'a> Metadata<'a> {
    fn read(&mut self, r: &mut Reader<'a, '_>) -> Result<(), Stop> {
        self.state.next_message();
        while !r.is_empty() {
            let here = r.stop("name", StopReason::UnknownMarker(r.peek().unwrap_or(0)));
            let Value::String(name) = amf0::decode(r, &mut self.state)? else { return Err(here) };
            let (value, stop) = match amf0::decode_lax(r, &mut self.state, Name::Key(&name.0)) {
                Ok(value) => (Some(value), None),
                Err(cut) => (cut.value, Some(cut.stop)),
            };
            self.pairs.push(Property { name, value: value.unwrap_or(Value::Undefined) });
            if let Some(stop) = stop {
                return Err(stop);
            }
        }
        Ok(())
    }
}
