//! All cases in the order of the catalogue.

use super::*;
use crate::conform::Case;

/// A file's cases. A file that is split has several lists.
const LISTS: &[&[Case]] = &[
    handshake::CASES,
    chunk::CASES,
    chunk_time::CASES,
    chunk_edge::CASES,
    control::CASES,
    ucm::CASES,
    amf0::CASES,
    amf3::CASES,
    connect::CASES,
    publish::CASES,
    publish_media::CASES,
    play::CASES,
    play_control::CASES,
    media::CASES,
    ertmp::CASES,
    robust::CASES,
    robust_slow::CASES,
    quirk::CASES,
];

/// All cases.
pub fn all() -> impl Iterator<Item = &'static Case> {
    LISTS.iter().flat_map(|list| list.iter())
}

/// The case with that id.
pub fn find(id: &str) -> Option<&'static Case> {
    all().find(|case| case.id == id)
}
