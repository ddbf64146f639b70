//! Screen 7: what is wrong, why, and where one sees it.

mod explain;
mod screen;
#[cfg(test)]
mod tests;

pub use screen::FindingsScreen;
