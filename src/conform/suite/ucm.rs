//! User control messages (RTMP 6.2, 7.1.7).

use crate::conform::Case;

/// The cases of this file.
pub const CASES: &[Case] = &[];
