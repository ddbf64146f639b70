//! Small valid configuration records, for tests and generators.

/// Appends bits, most significant first.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    out: Vec<u8>,
    used: u8,
}

impl BitWriter {
    pub(super) fn u(&mut self, value: u64, count: u32) -> &mut Self {
        for i in (0..count).rev() {
            if self.used == 0 {
                self.out.push(0);
            }
            if let Some(last) = self.out.last_mut() {
                *last |= ((value >> i & 1) as u8) << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
        self
    }

    /// ue(v).
    pub(super) fn ue(&mut self, value: u32) -> &mut Self {
        let code = u64::from(value) + 1;
        let len = code.ilog2();
        self.u(0, len).u(code, len + 1)
    }

    /// The bits, the last byte filled up with zeros.
    #[cfg(test)]
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// rbsp_trailing_bits(), then emulation prevention.
    pub(super) fn nal_unit(&mut self) -> Vec<u8> {
        self.u(1, 1);
        let mut escaped = Vec::with_capacity(self.out.len() + 4);
        let mut zeros = 0;
        for byte in &self.out {
            if zeros >= 2 && *byte <= 3 {
                escaped.push(3);
                zeros = 0;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            escaped.push(*byte);
        }
        escaped
    }
}

/// An AVCDecoderConfigurationRecord of Constrained Baseline, level 3.1, with 4-byte NAL unit
/// lengths: `width` by `height` luma samples at `frame_rate` frames per second.
///
/// Sizes are rounded up to even numbers, as 4:2:0 needs.
pub fn avc_configuration(width: u32, height: u32, frame_rate: u32) -> Vec<u8> {
    let (width, height) = (width.clamp(2, 65_536), height.clamp(2, 65_536));
    let (columns, rows) = (width.div_ceil(16), height.div_ceil(16));
    let mut b = BitWriter::default();
    b.u(0x67, 8).u(66, 8).u(0xc0, 8).u(31, 8);
    // Parameter set 0, frame number of 4 bits, picture order as decoded, one reference frame.
    b.ue(0).ue(0).ue(2).ue(1).u(0, 1);
    b.ue(columns - 1).ue(rows - 1).u(1, 1).u(1, 1);
    // Cropping on the right and at the bottom, in pairs of samples.
    b.u(1, 1).ue(0).ue((columns * 16 - width) / 2).ue(0).ue((rows * 16 - height) / 2);
    // VUI with timing alone: a tick is half a frame.
    b.u(1, 1).u(0, 4).u(1, 1).u(1, 32).u(2 * u64::from(frame_rate), 32).u(1, 1);
    b.u(0, 4);
    let sps = b.nal_unit();
    let pps = [0x68, 0xce, 0x3c, 0x80];
    let mut record = vec![1, sps[1], sps[2], sps[3], 0xff, 0xe1];
    record.extend_from_slice(&(sps.len() as u16).to_be_bytes());
    record.extend_from_slice(&sps);
    record.push(1);
    record.extend_from_slice(&(pps.len() as u16).to_be_bytes());
    record.extend_from_slice(&pps);
    record
}

/// An AudioSpecificConfig of AAC LC.
pub fn aac_configuration(sample_rate: u32, channels: u8) -> Vec<u8> {
    let mut b = BitWriter::default();
    b.u(2, 5);
    match super::aac::FREQUENCIES.iter().position(|rate| *rate == sample_rate) {
        Some(index) => b.u(index as u64, 4),
        None => b.u(15, 4).u(sample_rate.into(), 24),
    };
    b.u(channels.into(), 4).u(0, 3);
    b.out
}

#[cfg(test)]
mod tests {
    use super::super::{decode_aac, decode_avc};
    use super::*;
    use crate::base::Reader;

    #[test]
    fn what_is_encoded_decodes() {
        for (width, height, rate) in [(1920, 1080, 30), (320, 180, 15), (2, 2, 1), (65536, 16, 60)]
        {
            let record = avc_configuration(width, height, rate);
            let config = decode_avc(&mut Reader::new(&record));
            assert_eq!(config.stop, None);
            assert_eq!((config.width, config.height), (Some(width), Some(height)));
            assert_eq!(config.frame_rate, Some(f64::from(rate)));
            assert_eq!(config.profile.as_deref(), Some("Constrained Baseline"));
        }
        for (rate, channels) in [(44100, 2), (48000, 6), (12345, 1)] {
            let config = decode_aac(&mut Reader::new(&aac_configuration(rate, channels)));
            assert_eq!(config.stop, None);
            assert_eq!((config.sample_rate, config.channels), (Some(rate), Some(channels)));
        }
    }
}
