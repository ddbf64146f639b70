//! Screen 3: the session as arrows between its peers.

mod draw;
mod screen;
#[cfg(test)]
mod tests;

pub use screen::LadderScreen;
