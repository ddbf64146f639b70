//! RTMFP (RFC 7016) and its Flash profile (RFC 7425): numbers, options, addresses, packets, chunks.
//!
//! Nothing here is encrypted or checksummed; that is `transport::rtmfp`.

mod address;
mod chunk;
mod metadata;
mod number;
mod option;
mod packet;
mod startup;

pub use address::{Address, AddressOrigin};
pub use chunk::{Chunk, Fragmentation, UserData, chunk_name, encode_chunk};
pub use metadata::{FlowMetadata, group_message_name};
pub use number::{read_vlu, write_vlu};
pub use option::{OptionList, RtmfpOption, read_option, read_options, write_marker, write_option};
pub use packet::{Mode, PacketHeader, RawChunk, TICK_MS, encode_packet, parse_packet};
pub use startup::{Certificate, EndpointDiscriminator, KeyingComponent, Negotiation};
