//! Tests of the room as a whole: packets in, stream bytes and gaps out.

mod lifecycle;
mod links;
mod loss;
mod order;
mod properties;
mod support;
mod watch;
