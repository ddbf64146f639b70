//! Packets that were read before, read again.

use super::Packet;

/// Gives packets of a capture again, by their frame numbers.
///
/// The index of a capture holds no payload: what a message, a handshake or a hex view needs of it
/// is read again on demand, through this. It is a trait because decoding opens no file.
pub trait PacketSource {
    /// Packets of frames `first..=last`, ascending, beginning with `first`.
    ///
    /// An implementation bounds what it gives at once: it may end before `last`, but gives at least
    /// one packet when there is one. Ask again from the frame after the last one. An empty list says
    /// that `first` was not captured (yet). `Err` is a line for the user.
    fn packets(&mut self, first: u64, last: u64) -> Result<Vec<Packet>, String>;
}
