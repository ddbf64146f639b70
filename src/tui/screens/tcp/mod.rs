//! Screen 8: what TCP and the capture did: loss, retransmission, windows, decode confidence.

mod events;
mod figures;
mod screen;
#[cfg(test)]
mod tests;

pub use screen::TcpScreen;
