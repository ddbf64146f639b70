//! What is known of a session: kept once, for all rules.

mod connect;
mod media;
mod requests;
mod session;
mod side;
mod streams;
mod tcp;

pub use connect::{Connect, ConnectReply};
pub use media::Clock;
pub use requests::{Request, Status};
pub use session::{Closing, SessionState};
pub use side::{ChunkStream, Side};
pub use streams::{Stream, StreamUse};
pub use tcp::{Stuck, Transmission};

pub(super) use requests::Requests;
pub(super) use streams::Streams;
