//! Screen 2: lanes on one time axis.

mod axis;
mod commands;
mod detail;
mod draw;
mod figures;
mod lanes;
mod legend;
mod moves;
mod screen;
#[cfg(test)]
mod tests;

pub use axis::draw as draw_axis;
pub use screen::Timeline;
