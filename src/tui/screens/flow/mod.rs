//! Screen 6: windows, acknowledgements, chunk sizes, bytes in flight.

mod figures;
mod screen;
mod table;
#[cfg(test)]
mod tests;

pub use screen::FlowScreen;
