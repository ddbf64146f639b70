//! The block ciphers that RTMPE's types 8 and 9 put over the signatures of C2 and S2.
//!
//! Each 8-byte block goes through the cipher with one of fifteen keys of a fixed table (of sixteen:
//! programs take the index modulo 15), chosen by a byte of the key that made the signature.

use blowfish::BlowfishLE;
use blowfish::cipher::{BlockCipherEncrypt, KeyInit};
use xtea::Xtea;

/// Bytes in a block of both ciphers.
const BLOCK: usize = 8;

/// What stands over a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cover {
    /// Nothing: versions 3 and 6.
    None,
    /// XTEA: version 8.
    Xtea,
    /// Blowfish: version 9.
    Blowfish,
}

impl Cover {
    /// By the version in S0, which decides for both sides.
    pub fn of_version(version: u8) -> Cover {
        match version {
            8 => Cover::Xtea,
            9 => Cover::Blowfish,
            _ => Cover::None,
        }
    }

    /// Enciphers a signature in place; `key` is the key that made it.
    pub(super) fn apply(self, key: &[u8; 32], signature: &mut [u8; 32]) {
        for (block, byte) in signature.as_chunks_mut::<BLOCK>().0.iter_mut().zip(key.chunks(BLOCK))
        {
            let index = usize::from(byte[0] % 15);
            self.encipher(index, block);
        }
    }

    /// Enciphers a block with a key of the table, 0 to 15.
    fn encipher(self, index: usize, block: &mut [u8; BLOCK]) {
        match self {
            Cover::None => {}
            Cover::Xtea => {
                // The crate reads the words of the key as little-endian, the table is big-endian.
                let mut key = XTEA_KEYS[index].to_be_bytes();
                key.as_chunks_mut::<4>().0.iter_mut().for_each(|word| word.reverse());
                Xtea::new(&key.into()).encrypt_block(block.into());
            }
            Cover::Blowfish => {
                let mut key = [0; 24];
                for (to, word) in key.as_chunks_mut::<8>().0.iter_mut().zip(BLOWFISH_KEYS[index]) {
                    *to = word.to_be_bytes();
                }
                if let Ok(cipher) = BlowfishLE::new_from_slice(&key) {
                    cipher.encrypt_block(block.into());
                }
            }
        }
    }
}

const XTEA_KEYS: [u128; 16] = [
    0xbff034b2_11d9081f_ccdfb795_748de732,
    0x086a5eb6_1743090e_6ef05ab8_fe5a39e2,
    0x7b10956f_76ce0521_2388a73a_440149a1,
    0xa943f317_ebf11bb2_a691a5ee_17f36339,
    0x7a30e00a_b529e22c_a087aea5_c0cb79ac,
    0xbdce0c23_2febdeff_1cfaae16_1123239d,
    0x55dd3f7b_77e7e62e_9bb8c499_c9481ee4,
    0x407bb6b4_71e89136_a7aebf55_ca33b839,
    0xfcf6bdc3_b63c3697_7ce4f825_04d959b2,
    0x28e091fd_41954c4c_7fb7db00_e3a066f8,
    0x57845b76_4f251b03_46d45bcd_a2c30d29,
    0x0acceef8_da55b546_03473452_5863713b,
    0xb82075dc_a75f1fee_d84268e8_a72a44cc,
    0x07cf6e9e_a16d7b25_9fa7ae6c_d92f5629,
    0xfeb1eae4_8c8c3ce1_4e0064a7_6a387c2a,
    0x893a9427_cc3013a2_f106385b_a829f927,
];

const BLOWFISH_KEYS: [[u64; 3]; 16] = [
    [0x7934774c_67d1383a, 0xdfb356be_8b7bd024, 0x38e07358_415d6967],
    [0x46f6b4cc_0193e3a1, 0x9e7d3c65_5586fd09, 0x8ff7b3c4_6f41ca5c],
    [0x1ae7e2f3_f9147994, 0xc0d39743_087bb384, 0x432f9d84_3f21019b],
    [0xd3e354b0_f71df62b, 0x5a434d04_83643e0d, 0x592f61cb_b16a590d],
    [0xc8c1e9b8_16569921, 0x7b5b36b7_b59bdf06, 0x492c97f5_9548857e],
    [0xebe5e62e_a4bad42c, 0xf216e08f_6623a943, 0x41ce3814_84950053],
    [0x66db90f0_3b4ff56f, 0xe49c2089_355ed2b2, 0xc39e9f7f_63b22881],
    [0xbb20aced_2a046a19, 0x94989bc8_ffcd93ef, 0xc60d56a7_eb13d930],
    [0xbcf24382_09408a87, 0x25436de6_bba4b944, 0x583f217c_99bb3f24],
    [0xec1aaacd_cebd5311, 0xd2fb83b6_c3baab4f, 0x6279e865_a9922876],
    [0xc60c3003_91182d7b, 0x79dae1d5_64779a12, 0xc5b1d791_4f964ca3],
    [0xd77c2abf_a6e7857c, 0x45adff12_94d8dea4, 0x5c3d79a4_44025d22],
    [0x16190d81_6a4cc7f8, 0xb8f94ecd_2c9e9084, 0xb2082560_e11eae18],
    [0xe97c5826_1b519e49, 0x826061fc_a0a01bcd, 0xf505d6a6_6d0788a3],
    [0x2b97118b_d94ed9df, 0x20e39c10_e6a13521, 0x11f9130d_0b2465b2],
    [0x536a4c54_ac8b9bb8, 0x9729fc60_2c5b3a85, 0x68b5aa6a_44cd3fa7],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The block 00 01 .. 07 through every key of both tables.
    const VECTORS: [(Cover, [u64; 16]); 2] = [
        (
            Cover::Xtea,
            [
                0xc7c82aca_95daa419,
                0x56db83e8_7bb6c03f,
                0x83e79d33_6fe13cf4,
                0x3f6995e8_db8eff4b,
                0x461421c5_e9476b9e,
                0xb4cb855c_172482f6,
                0x125fd128_ad5d3482,
                0x462cb97d_43c6dca1,
                0xf50041d2_a536667c,
                0x84f660b6_27880e23,
                0x58d64861_f02e38fa,
                0xebb7e02f_45c30c73,
                0x25209984_0f5d0952,
                0xc6036f28_cfa4256e,
                0xb7eecfdd_a2307f55,
                0x076bb48e_7cc1d4fa,
            ],
        ),
        (
            Cover::Blowfish,
            [
                0xa031fb6d_807be57d,
                0xc6bf25ec_e357e347,
                0xf524a328_092d4769,
                0x6f719aa5_7093a566,
                0xc2314051_51907752,
                0x1d25cc9b_de471da4,
                0xffd7e492_94afae43,
                0x4d14bb94_b0cf1321,
                0xd54ef453_8c6252e9,
                0xca0a9910_c0de1b08,
                0x67e5d62d_a3dcf2e5,
                0xc276411c_15ec7a19,
                0x58d10046_8622b7c7,
                0xde85ea28_30aa8abd,
                0xe3082b7c_168b32eb,
                0x2bd78f9c_6fc44115,
            ],
        ),
    ];

    #[test]
    fn every_key_of_both_tables() {
        for (cover, outputs) in VECTORS {
            for (index, expected) in outputs.into_iter().enumerate() {
                let mut block = [0, 1, 2, 3, 4, 5, 6, 7];
                cover.encipher(index, &mut block);
                assert_eq!(u64::from_be_bytes(block), expected, "{cover:?} key {index}");
            }
        }
    }
}
