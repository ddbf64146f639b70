//! The application driven by keys, looked at as cells.

mod drive;
mod monkey;
mod places;
mod scripts;
mod secrets;
mod snapshots;
