//! Audio and video messages.

use crate::conform::Case;

/// The cases of this file.
pub const CASES: &[Case] = &[];
