//! The application driven by keys, looked at as cells.

mod drive;
mod monkey;
mod scripts;
mod secrets;
mod snapshots;
