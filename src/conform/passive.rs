//! What the passive rules say of the server's bytes in a case.

use super::packets::packets;
use crate::analysis::{Options, Pipeline, Record};
use crate::base::Direction;
use crate::lint::{Finding, Linter};
use crate::peer::Transcript;

/// The records of a case, as `dump` would have them.
pub fn records(transcripts: &[Transcript], mut sink: impl FnMut(Record)) {
    let mut options = Options { frames: true, ..Options::default() };
    options.decode_as = transcripts.iter().map(|transcript| transcript.server.port()).collect();
    options.decode_as.dedup();
    let mut pipeline = Pipeline::new(options);
    for packet in packets(transcripts) {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
}

/// Findings about what the server sent. What we sent is often wrong on purpose, and how the
/// connection ended is for the case to judge.
pub fn findings(transcripts: &[Transcript]) -> Vec<Finding> {
    let mut linter = Linter::new(Default::default());
    records(transcripts, |record| linter.push(&record));
    let layers = ["handshake/", "chunk/", "control/", "amf/", "command/", "ertmp/"];
    linter
        .into_findings()
        .into_iter()
        .filter(|finding| finding.direction() == Some(Direction::ServerToClient))
        .filter(|finding| layers.iter().any(|layer| finding.id().starts_with(layer)))
        .collect()
}
