//! Stream bytes of a session that came through layers: only decoding them anew gives them.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::gather::{Found, Piece};
use crate::analysis::tap::Catch;
use crate::analysis::{Options, Pipeline};
use crate::base::PacketSource;

/// Packets read at once.
const BATCH: u64 = 4096;
/// Packets read beyond the last that holds bytes: a record can be opened when its end came.
const BEYOND: u64 = 1 << 16;

/// A run of the pipeline over the packets of a session up to what is wanted.
#[derive(Clone, Debug)]
pub(super) struct Replay {
    pub options: Options,
    pub catch: Catch,
    /// The last packet that holds wanted bytes.
    pub last: u64,
}

impl Replay {
    pub fn find(&self, packets: &mut dyn PacketSource) -> Result<Found, String> {
        let mut pipeline = Pipeline::new(Options { spans: true, ..self.options.clone() });
        pipeline.catch(self.catch.clone());
        let mut pieces = BTreeMap::new();
        let mut next = self.catch.frame.max(1);
        let end = self.last.saturating_add(BEYOND);
        'reading: while next <= end {
            let batch = packets.packets(next, end.min(next + BATCH - 1))?;
            let Some(read) = batch.last() else { break };
            next = read.frame.max(next) + 1;
            for packet in &batch {
                pipeline.push(packet, &mut |_| {});
                for (caught, spans) in pipeline.caught() {
                    let bytes = Bytes::from(caught.bytes);
                    for span in spans {
                        let (from, to) = (span.at as usize, (span.at + span.len) as usize);
                        let Some(_) = bytes.get(from..to) else { continue };
                        let piece = Piece {
                            bytes: bytes.slice(from..to),
                            frame: span.frame,
                            time: caught.time,
                            position: None,
                        };
                        pieces.insert(caught.offset + span.at, piece);
                    }
                }
                if pipeline.has_caught_all() {
                    break 'reading;
                }
            }
        }
        Ok(Found { pieces, repeats: Vec::new() })
    }
}
