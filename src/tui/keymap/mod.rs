//! The one table of actions: it dispatches keys and makes the help, the hint line, the palette and
//! the configuration file.

mod key;
mod lookup;
mod table;

pub use key::Key;
pub use lookup::{Keymap, KeymapError};
pub use table::{Binding, Group, TABLE, binding};
