//! Input and output of captures.
