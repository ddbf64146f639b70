//! Playing (RTMP 7.2.2).

use crate::conform::Case;

/// The cases of this file.
pub const CASES: &[Case] = &[];
