//! What a server must survive.

use crate::conform::Case;

/// The cases of this file.
pub const CASES: &[Case] = &[];
