//! Audio and video payloads: real headers and configuration records, random frame data.

use super::rng::Rng;

/// Exponential-Golomb bits for parameter sets.
#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u32, bits: u32) {
        for i in (0..bits).rev() {
            if self.used.is_multiple_of(8) {
                self.out.push(0);
            }
            let last = self.out.len() - 1;
            self.out[last] |= ((value >> i & 1) as u8) << (7 - self.used % 8);
            self.used += 1;
        }
    }

    fn ue(&mut self, value: u32) {
        let bits = 32 - (value + 1).leading_zeros();
        self.put(0, bits - 1);
        self.put(value + 1, bits);
    }
}

/// H.264 sequence parameter set: Baseline, level 3.0, 640x360.
pub fn avc_sps() -> Vec<u8> {
    let mut bits = Bits { out: vec![0x67, 66, 0xc0, 30], used: 32 };
    bits.ue(0); // seq_parameter_set_id
    bits.ue(0); // log2_max_frame_num_minus4
    bits.ue(2); // pic_order_cnt_type
    bits.ue(1); // max_num_ref_frames
    bits.put(0, 1); // gaps_in_frame_num_value_allowed_flag
    bits.ue(39); // pic_width_in_mbs_minus1
    bits.ue(22); // pic_height_in_map_units_minus1
    bits.put(0b111, 3); // frame_mbs_only, direct_8x8_inference, frame_cropping
    [0, 0, 0, 4].into_iter().for_each(|crop| bits.ue(crop)); // 368 to 360 lines
    bits.put(0, 1); // vui_parameters_present_flag
    bits.put(1, 1); // rbsp_stop_one_bit
    bits.out
}

/// Video message with an AVCDecoderConfigurationRecord.
pub fn avc_sequence_header() -> Vec<u8> {
    let sps = avc_sps();
    let pps = [0x68, 0xce, 0x38, 0x80];
    let mut out = vec![0x17, 0, 0, 0, 0, 1, 66, 0xc0, 30, 0xff, 0xe1];
    out.extend_from_slice(&(sps.len() as u16).to_be_bytes());
    out.extend_from_slice(&sps);
    out.push(1);
    out.extend_from_slice(&(pps.len() as u16).to_be_bytes());
    out.extend_from_slice(&pps);
    out
}

/// Video message of `size` bytes (at least 10): one coded AVC picture.
pub fn avc_frame(key: bool, size: usize, rng: &mut Rng) -> Vec<u8> {
    let size = size.max(10);
    let mut out = vec![if key { 0x17 } else { 0x27 }, 1, 0, 0, 0];
    out.extend_from_slice(&(size as u32 - 9).to_be_bytes());
    out.push(if key { 0x65 } else { 0x41 });
    out.extend_from_slice(&rng.bytes(size - 10));
    out
}

/// Video message with an HEVCDecoderConfigurationRecord, as Enhanced RTMP writes it.
pub fn hevc_sequence_header() -> Vec<u8> {
    let mut out = b"\x90hvc1".to_vec();
    out.extend_from_slice(&[1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd]);
    out.extend_from_slice(&[0xf8, 0xf8, 0, 0, 0x0f, 0]);
    out
}

/// Video message of `size` bytes (at least 14): one coded HEVC picture.
pub fn hevc_frame(key: bool, size: usize, rng: &mut Rng) -> Vec<u8> {
    let size = size.max(14);
    let mut out = vec![if key { 0x91 } else { 0xa1 }];
    out.extend_from_slice(b"hvc1\0\0\0");
    out.extend_from_slice(&(size as u32 - 12).to_be_bytes());
    out.extend_from_slice(if key { &[0x26, 1] } else { &[0x02, 1] });
    out.extend_from_slice(&rng.bytes(size - 14));
    out
}

/// Audio message with an AudioSpecificConfig: AAC LC, 44.1 kHz, stereo.
pub fn aac_sequence_header() -> Vec<u8> {
    vec![0xaf, 0, 0x12, 0x10]
}

/// Audio message of `size` bytes (at least 3): one AAC frame.
pub fn aac_frame(size: usize, rng: &mut Rng) -> Vec<u8> {
    let mut out = vec![0xaf, 1, 0x21];
    out.extend_from_slice(&rng.bytes(size.saturating_sub(3)));
    out
}

/// Aggregate payload (type 22): FLV tags of (type, timestamp, payload).
pub fn aggregate(parts: &[(u8, u32, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (type_id, timestamp, payload) in parts {
        let size = payload.len() as u32;
        out.push(*type_id);
        out.extend_from_slice(&size.to_be_bytes()[1..]);
        out.extend_from_slice(&timestamp.to_be_bytes()[1..]);
        out.push((timestamp >> 24) as u8);
        out.extend_from_slice(&[0, 0, 0]);
        out.extend_from_slice(payload);
        out.extend_from_slice(&(size + 11).to_be_bytes());
    }
    out
}
