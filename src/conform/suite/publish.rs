//! Publishing (RTMP 7.2.2.6).

use crate::conform::Case;

/// The cases of this file.
pub const CASES: &[Case] = &[];
