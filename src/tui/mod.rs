//! The terminal screens.
//!
//! ```text
//! key ─ keymap ─> Action ─> update(&mut App, Action) ─> Effects ─ run.rs ─> terminal, files
//! loader thread ─ records ─> Index (behind a lock) ─> view(&mut App, frame)
//! ```
//!
//! `run` and `loader` are the only files that read, write or wait. Everything else is a function of
//! the state, so tests drive it with lists of keys and look at the cells.

pub mod action;
pub mod app;
pub mod clipboard;
pub mod config;
pub mod contract;
pub mod detail;
pub mod keymap;
pub mod line;
pub mod loader;
pub mod mouse;
pub mod run;
pub mod screens;
pub mod theme;
pub mod trace;
pub mod view;

#[cfg(test)]
mod tests;
