//! The figures of a session: set-up times, frame rates, GOPs, bitrates, clocks, flow control, loss,
//! and how it ended.
//!
//! [`Figures`] collects them while records come, [`SessionFigures`] is what it says at any time. No
//! figure is computed across bytes that are missing: intervals that a gap falls into are left out,
//! and [`TrackFigures::interruptions`] says how many there were.

mod acks;
mod clock;
mod close;
mod collect;
mod config;
mod model;
mod session;
#[cfg(test)]
mod tests;
mod track;

pub use collect::Figures;
pub use model::{
    AckFigures, AvFigures, Changed, ClockFigures, CloseFigures, ConfidenceFigures, Contradiction,
    DirectionFigures, FrameGap, Gop, GopFigures, HandshakeFigures, LossFigures, Response, Second,
    Series, SessionFigures, SetupFigures, Spread, StreamFigures, TcpFigures, TrackFigures,
};
