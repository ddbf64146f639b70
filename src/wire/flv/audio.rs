//! Audio message bodies: FLV AUDIODATA (E.4.2) and Enhanced RTMP's ExAudioTagHeader and body.

use super::enhanced::{self, fourcc};
use super::video::{coded, config_stop};
use super::{AudioTag, MultichannelOrder, Track, TrackConfig, channel_name, names};
use crate::base::{Reader, Stop, StopReason};
use crate::wire::codec::bits::Bits;
use crate::wire::codec::decode_config;

impl AudioTag {
    /// Decodes the audio message of `total_len` bytes that begins at the reader's position.
    ///
    /// The reader may hold only its first bytes, as for [`super::VideoTag::decode`]. A message of
    /// no bytes is silence.
    pub fn decode(r: &mut Reader<'_, '_>, total_len: usize) -> (AudioTag, Option<Stop>) {
        let mut tag = AudioTag { empty: total_len == 0, ..AudioTag::default() };
        let end = r.pos().saturating_add(total_len);
        let here = r.left().min(total_len);
        let mut stop = None;
        let outer = r.within("audio", here, |r| {
            if !tag.empty {
                stop = tag.read(r, end).err();
            }
            Ok(())
        });
        if tag.tracks.is_empty() && tag.multitrack.is_none() {
            tag.tracks.push(Track { range: end..end, ..Track::default() });
        }
        (tag, stop.or(outer.err()))
    }

    fn read(&mut self, r: &mut Reader<'_, '_>, end: usize) -> Result<(), Stop> {
        let mut b = Bits::new(r);
        self.sound_format = b.u8("SoundFormat", 4)?;
        let format = self.sound_format;
        b.meaning(|| match format {
            9 => "Enhanced RTMP header".to_owned(),
            _ => names::audio_codec(format).to_owned(),
        });
        if format == 9 {
            let packet_type = b.u8("audioPacketType", 4)?;
            b.meaning(|| names::audio_packet(packet_type).to_owned());
            return self.read_enhanced(r, packet_type, end);
        }
        let rate = b.u8("SoundRate", 2)?;
        b.meaning(|| ["5.5 kHz", "11 kHz", "22 kHz", "44 kHz"][usize::from(rate & 3)].to_owned());
        let size = b.u8("SoundSize", 1)?;
        b.meaning(|| if size == 0 { "8 bits" } else { "16 bits" }.to_owned());
        let kind = b.u8("SoundType", 1)?;
        b.meaning(|| if kind == 0 { "mono" } else { "stereo" }.to_owned());
        self.sound_rate = Some(rate);
        self.sound_size = Some(size);
        self.sound_type = Some(kind);
        if format == 10 {
            let packet_type = r.u8("AACPacketType")?;
            r.meaning(|| names::legacy_packet(packet_type).to_owned());
            self.packet_type = Some(packet_type);
        }
        let packet_type = self.packet_type.unwrap_or(1);
        let codec = names::audio_codec(format);
        let mut track = Track { range: r.pos()..end, ..Track::default() };
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

    fn read_enhanced(
        &mut self,
        r: &mut Reader<'_, '_>,
        mut packet_type: u8,
        end: usize,
    ) -> Result<(), Stop> {
        self.enhanced = true;
        self.packet_type = Some(packet_type);
        enhanced::mod_ex(r, &mut packet_type, &mut self.mod_ex, names::audio_packet)?;
        self.packet_type = Some(packet_type);
        if packet_type == 5 {
            let at = r.pos();
            let kind = enhanced::multitrack(r, &mut packet_type, names::audio_packet)?;
            self.multitrack = Some(kind);
            self.packet_type = Some(packet_type);
            if packet_type == 5 {
                let reason = StopReason::Invalid(packet_type.into());
                return Err(Stop { field: "packetType", at, reason });
            }
            return enhanced::tracks(r, end, kind, &mut self.tracks, |r, track| {
                body(r, track, packet_type)
            });
        }
        let fourcc = fourcc(r)?;
        let mut track = Track { fourcc: Some(fourcc), range: r.pos()..end, ..Track::default() };
        let stop = enhanced::part(r, &mut track, &mut |r, track| body(r, track, packet_type));
        self.tracks.push(track);
        stop.map_or(Ok(()), Err)
    }
}

/// ExAudioTagBody of one track.
fn body(r: &mut Reader<'_, '_>, track: &mut Track, packet_type: u8) -> Result<(), Stop> {
    let codec = track.codec_name().unwrap_or("unknown");
    match packet_type {
        0 => track.config = decode_config(r, codec).map(TrackConfig::Codec),
        1 => coded(r, codec),
        4 => return multichannel(r, track),
        _ => {}
    }
    r.rest("data");
    config_stop(track)
}

/// AudioPacketType MultichannelConfig.
fn multichannel(r: &mut Reader<'_, '_>, track: &mut Track) -> Result<(), Stop> {
    let order = MultichannelOrder(r.u8("audioChannelOrder")?);
    r.meaning(|| order.name().to_owned());
    let channels = r.u8("channelCount")?;
    let mut mapping = Vec::new();
    let mut flags = None;
    let mut read = || -> Result<(), Stop> {
        match order.0 {
            1 => {
                let mask = r.u32("audioChannelFlags")?;
                r.meaning(|| speakers(mask));
                flags = Some(mask);
            }
            2 => {
                // What there is of the mapping is kept.
                for _ in 0..channels {
                    let channel = r.u8("audioChannelMapping")?;
                    r.meaning(|| channel_name(channel).to_owned());
                    mapping.push(channel);
                }
            }
            _ => {}
        }
        r.rest("trailing");
        Ok(())
    };
    let result = read();
    track.config = Some(TrackConfig::Multichannel { order, channels, mapping, flags });
    result
}

fn speakers(mask: u32) -> String {
    let names: Vec<_> =
        (0..24).filter(|bit| mask >> bit & 1 == 1).map(|bit| channel_name(bit as u8)).collect();
    names.join(" ")
}
