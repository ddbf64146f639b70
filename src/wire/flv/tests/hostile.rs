//! Messages cut, corrupted and made up: no panic, no track outside of its message.

use proptest::prelude::*;

use super::{MESSAGES, hex, video_of};
use crate::base::{FieldTree, Reader, Stop, StopReason};
use crate::wire::flv::*;

/// What every decoded message must obey, whatever it was.
fn check(media: Media, data: &[u8], total_len: usize) -> (Vec<Track>, Option<Stop>) {
    let mut tree = FieldTree::new();
    let (tracks, stop) = match media {
        Media::Video => {
            let (tag, stop) = VideoTag::decode(&mut Reader::new(data), total_len);
            let mut r = Reader::with_fields(data, &mut tree);
            assert_eq!(VideoTag::decode(&mut r, total_len), (tag.clone(), stop.clone()));
            assert_eq!(r.pos(), data.len().min(total_len));
            assert!(tag.multitrack.is_some() || tag.tracks.len() == 1);
            assert!(!(tag.is_coded() && tag.is_sequence_header()));
            assert_eq!(tag.is_command(), tag.packet_name() == Some("command"));
            (tag.tracks, stop)
        }
        Media::Audio => {
            let (tag, stop) = AudioTag::decode(&mut Reader::new(data), total_len);
            let mut r = Reader::with_fields(data, &mut tree);
            assert_eq!(AudioTag::decode(&mut r, total_len), (tag.clone(), stop.clone()));
            assert_eq!(r.pos(), data.len().min(total_len));
            assert!(tag.multitrack.is_some() || tag.tracks.len() == 1);
            assert!(!(tag.is_coded() && tag.is_sequence_header()));
            (tag.tracks, stop)
        }
    };
    for track in &tracks {
        assert!(track.range.start <= track.range.end && track.range.end <= total_len);
    }
    assert!(tracks.len() <= 256);
    if let Some(stop) = &stop {
        assert!(stop.at <= data.len(), "{stop}");
    }
    assert!(tree.nodes().iter().all(|n| n.range.end <= data.len()));
    let first = &data[..data.len().min(16)];
    needs_whole(media, first);
    plausible_first_bytes(media, first);
    (tracks, stop)
}

#[test]
fn recorded_messages_are_plausible() {
    for (origin, media, _, text) in MESSAGES {
        let data = hex(text);
        let evidence = plausible_first_bytes(*media, &data[..data.len().min(16)]);
        assert!(evidence >= 10, "{origin}: {evidence}");
    }
}

#[test]
fn every_message_cut_anywhere_stops_in_its_header_only() {
    for (origin, media, total, text) in MESSAGES {
        let data = hex(text);
        let (whole, stop) = check(*media, &data, *total);
        assert_eq!(stop, None, "{origin}");
        let body = whole[0].range.start;
        for len in 0..data.len() {
            // A beginning of the message, then a message of that length.
            let (tracks, stop) = check(*media, &data[..len], *total);
            if len < body {
                let stop = stop.unwrap_or_else(|| panic!("{origin} cut to {len} has no stop"));
                assert!(matches!(stop.reason, StopReason::Truncated { .. }), "{origin}: {stop}");
            } else if !needs_whole(*media, &data[..len.min(16)]) {
                assert_eq!((&tracks, stop), (&whole, None), "{origin} cut to {len}");
            }
            let silence = *media == Media::Audio && len == 0;
            let (_, stop) = check(*media, &data[..len], len);
            assert!(len >= body || silence || stop.is_some(), "{origin} of {len} has no stop");
        }
    }
}

#[test]
fn metadata_of_many_tracks_is_limited_as_a_whole() {
    // 256 tracks of 15,000 pairs of the empty name and null: the values of one message.
    let pairs = b"\x02\0\0\x05".repeat(15_000);
    let mut data = b"\x96\x14av01".to_vec();
    for id in 0..=255 {
        data.push(id);
        data.extend_from_slice(&u32::to_be_bytes(pairs.len() as u32)[1..]);
        data.extend_from_slice(&pairs);
    }
    let (tag, stop) = VideoTag::decode(&mut Reader::new(&data), data.len());
    assert_eq!(stop.unwrap().reason, StopReason::TooMany);
    assert!(tag.metadata.len() <= 1 << 17, "{} pairs", tag.metadata.len());
    assert_eq!(tag.tracks.len(), 256);
}

#[test]
fn every_byte_corrupted_never_panics() {
    for (_, media, total, text) in MESSAGES {
        let data = hex(text);
        for i in 0..data.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, !data[i]] {
                let mut data = data.clone();
                data[i] = value;
                check(*media, &data, *total);
                check(*media, &data, data.len());
            }
        }
    }
}

/// Noise rarely gets past a FourCC: half of the cases begin like real messages.
fn beginning() -> impl Strategy<Value = Vec<u8>> {
    let fourcc = prop::sample::select(vec![
        *b"avc1", *b"hvc1", *b"vvc1", *b"av01", *b"vp08", *b"vp09", *b"mp4a", *b".mp3", *b"Opus",
        *b"fLaC", *b"ac-3", *b"ec-3", *b"none",
    ]);
    let layout = prop::option::of(0..0x40u8);
    prop_oneof![
        Just(vec![]),
        (0x80..=0xffu8, layout, fourcc).prop_map(|(head, layout, fourcc)| {
            let mut out = vec![head];
            out.extend(layout);
            out.extend(fourcc);
            out
        }),
        prop::sample::select(MESSAGES).prop_map(|(.., text)| hex(text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_decode_within_their_bounds(
        begin in beginning(),
        noise in prop::collection::vec(any::<u8>(), 0..300),
        more in 0..400usize,
        video in any::<bool>(),
    ) {
        let data = [begin, noise].concat();
        let media = if video { Media::Video } else { Media::Audio };
        check(media, &data, data.len());
        check(media, &data, data.len() + more);
        check(media, &data, data.len().saturating_sub(more));
    }

    #[test]
    fn what_is_encoded_decodes(
        kind in 1..5u8,
        time in -0x80_0000..0x80_0000i32,
        body in prop::collection::vec(any::<u8>(), 0..50),
        layout in 0..3u8,
        ids in prop::collection::vec(any::<u8>(), 1..4),
    ) {
        let data = enhanced_video(kind, 1, FourCc::VVC, time, &body);
        let tag = video_of(&data, data.len());
        prop_assert_eq!((tag.frame_type, tag.composition_time), (kind, Some(time)));
        prop_assert_eq!(&data[tag.tracks[0].range.clone()], &body[..]);
        let tracks: Vec<_> = ids
            .iter()
            .map(|id| EncodedTrack {
                fourcc: FourCc::HEVC,
                id: *id,
                composition_time: time,
                body: &body,
            })
            .take(if layout == 0 { 1 } else { 4 })
            .collect();
        let data = multitrack_video(kind, 1, layout, &tracks);
        let tag = video_of(&data, data.len());
        prop_assert_eq!(tag.tracks.len(), tracks.len());
        for (track, expected) in tag.tracks.iter().zip(&tracks) {
            prop_assert_eq!(track.id, Some(expected.id));
            prop_assert_eq!(track.composition_time, Some(time));
            prop_assert_eq!(&data[track.range.clone()], &body[..]);
        }
    }
}
