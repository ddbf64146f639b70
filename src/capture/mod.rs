//! Input and output of captures.
//!
//! [`Capture`] reads capture files: pcap and pcapng in every byte order and time resolution, plain
//! or compressed with gzip or zstd, from files, pipes and standard input, several of them merged by
//! time, and files that still grow. Damage does not end a run: what can be read is handed on, and
//! each problem is one [`CaptureError`] that says where it is and what to do about it.
//!
//! [`StoreWriter`] and [`StoreReader`] give packets again by their frame numbers.
//!
//! [`PcapWriter`] and [`PcapngWriter`] write captures; with the feature `live`, `Live` captures
//! from a network interface through libpcap. Files never go through libpcap: it refuses pcapng
//! files whose interfaces differ in link type or snap length.

mod blocks;
mod clock;
mod error;
#[cfg(feature = "live")]
mod feed;
mod input;
mod legacy;
#[cfg(feature = "live")]
mod live;
mod log;
mod merge;
mod pcapng;
mod positional;
mod rotate;
mod source;
mod stop;
mod store;
mod writer;

#[cfg(test)]
mod tests;

pub use error::{CaptureError, CaptureErrorKind, OpenError};
#[cfg(feature = "live")]
pub use feed::{FeedLimits, FeedStatus, LiveFeed};
pub use input::Input;
#[cfg(feature = "live")]
pub use live::{DeviceInfo, DropCounts, Live, LiveError, LiveOptions, interfaces};
pub use log::{Comment, CommentPlace, Interface, Secret, SecretKind};
pub use merge::{Capture, Next, OpenOptions};
pub use rotate::{RotateOptions, RotatingWriter};
pub use stop::{Progress, StopFlag};
pub use store::{StoreReader, StoreWriter};
pub use writer::{PcapWriter, PcapngWriter, TimeUnit};
