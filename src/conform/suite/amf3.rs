//! AMF3.

use crate::conform::Case;

/// The cases of this file.
pub const CASES: &[Case] = &[];
