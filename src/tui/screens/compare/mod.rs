//! Screen 9: two sessions, aligned by protocol step.

mod draw;
mod screen;
#[cfg(test)]
mod tests;

pub use screen::CompareScreen;
