//! No RTMP in here: time, packets, named reads, byte provenance, field trees.

mod extent;
mod field;
mod packet;
mod reader;
mod source;
mod writer;

pub use extent::{Extents, Run};
pub use field::{Field, FieldTree, FieldValue};
pub use packet::{Direction, GapKind, LinkType, Packet, Timestamp};
pub use reader::{Reader, Stop, StopReason};
pub use source::PacketSource;
pub use writer::Writer;
