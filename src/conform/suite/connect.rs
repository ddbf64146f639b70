//! NetConnection commands (RTMP 7.2.1).

use crate::conform::Case;

/// The cases of this file.
pub const CASES: &[Case] = &[];
