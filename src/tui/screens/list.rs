//! Every screen there is.

use crate::tui::contract::Screen;

/// One of each, in the order of their number keys. A screen that is not in the list has no tab.
pub fn all() -> Vec<Box<dyn Screen>> {
    vec![]
}
