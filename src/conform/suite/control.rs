//! Protocol control messages (RTMP 5.4).

use crate::conform::Case;

/// The cases of this file.
pub const CASES: &[Case] = &[];
