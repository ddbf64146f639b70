//! The server under test as a process: started, watched and stopped with all its children.

mod manifest;
mod process;
mod watch;

pub use manifest::{Manifest, Ready};
pub use process::{Process, StartError, kill_all};
pub use watch::Watch;
