//! Every screen there is.

use super::compare::CompareScreen;
use super::findings::FindingsScreen;
use super::flow::FlowScreen;
use super::ladder::LadderScreen;
use super::media::MediaScreen;
use super::messages::Messages;
use super::sessions::Sessions;
use super::tcp::TcpScreen;
use super::timeline::Timeline;
use crate::tui::contract::Screen;

/// One of each, in the order of their number keys. A screen that is not in the list has no tab.
pub fn all() -> Vec<Box<dyn Screen>> {
    vec![
        Box::<Sessions>::default(),
        Box::<Timeline>::default(),
        Box::<LadderScreen>::default(),
        Box::<Messages>::default(),
        Box::<MediaScreen>::default(),
        Box::<FlowScreen>::default(),
        Box::<FindingsScreen>::default(),
        Box::<TcpScreen>::default(),
        Box::<CompareScreen>::default(),
    ]
}
