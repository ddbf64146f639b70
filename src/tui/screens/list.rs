//! Every screen there is.

use super::messages::Messages;
use super::sessions::Sessions;
use crate::tui::contract::Screen;

/// One of each, in the order of their number keys. A screen that is not in the list has no tab.
pub fn all() -> Vec<Box<dyn Screen>> {
    vec![Box::<Sessions>::default(), Box::<Messages>::default()]
}
