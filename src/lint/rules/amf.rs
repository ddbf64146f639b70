//! AMF0 and AMF3 values in commands and data messages.

mod encoding;
mod layout;
mod shape;
mod values;

use crate::lint::rule::{Rule, SpecRef};

/// The rules, a file per question.
pub(super) const RULES: &[&[Rule]] = &[layout::RULES, encoding::RULES, shape::RULES, values::RULES];

/// A section of the AMF0 specification.
const fn amf0(section: &'static str) -> Option<SpecRef> {
    Some(SpecRef { document: "AMF 0", section })
}

/// A section of the AMF3 specification.
const fn amf3(section: &'static str) -> Option<SpecRef> {
    Some(SpecRef { document: "AMF 3", section })
}
