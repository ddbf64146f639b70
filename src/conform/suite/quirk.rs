//! Byte patterns of real programs.

use crate::conform::Case;

/// The cases of this file.
pub const CASES: &[Case] = &[];
