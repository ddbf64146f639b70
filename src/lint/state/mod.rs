//! What is known of a session: kept once, for all rules.

mod connect;
mod media;
mod requests;
mod session;
mod side;
mod streams;
mod tcp;
mod tracks;

pub use connect::{Connect, ConnectReply};
pub use media::Clock;
pub use requests::{Request, Status};
pub use session::{Closing, SessionState};
pub use side::{ChunkStream, CutMessage, Side};
pub use streams::{Stream, StreamUse};
pub use tcp::{Stuck, Transmission};
pub use tracks::{Frame, Kind, MediaTrack, Series, TrackRecord};

pub(super) use requests::Requests;
pub(super) use streams::Streams;
pub(super) use tracks::Tracks;
