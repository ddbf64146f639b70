//! Screen 5: frames, groups of pictures, codec configurations, and where they contradict.

mod configs;
mod frames;
mod gops;
mod screen;
#[cfg(test)]
mod tests;
mod tracks;

pub use screen::MediaScreen;
