//! Events of the terminal's mouse to what was meant.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::contract::Mouse;

/// Longest time between the clicks of a double click.
const DOUBLE: Duration = Duration::from_millis(400);
/// Lines of a step of the wheel.
const WHEEL: i32 = 3;

/// Remembers where the button went down.
#[derive(Clone, Copy, Debug, Default)]
pub struct MouseTracker {
    down: Option<Position>,
    dragged: bool,
    last_click: Option<(Position, Instant)>,
}

impl MouseTracker {
    /// What an event means; `None` for nothing.
    pub fn event(&mut self, event: MouseEvent, now: Instant) -> Option<Mouse> {
        let at = Position { x: event.column, y: event.row };
        let zoom = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.down = Some(at);
                self.dragged = false;
                let double = self
                    .last_click
                    .take()
                    .is_some_and(|(place, then)| place == at && now.duration_since(then) < DOUBLE);
                if double {
                    return Some(Mouse::DoubleClick(at));
                }
                self.last_click = Some((at, now));
                Some(Mouse::Click(at))
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                self.dragged = true;
                Some(Mouse::Drag { from: self.down?, to: at })
            }
            MouseEventKind::Up(MouseButton::Left) => {
                let from = self.down.take()?;
                std::mem::take(&mut self.dragged).then_some(Mouse::Drop { from, to: at })
            }
            MouseEventKind::ScrollDown => Some(Mouse::Wheel { at, lines: WHEEL, zoom }),
            MouseEventKind::ScrollUp => Some(Mouse::Wheel { at, lines: -WHEEL, zoom }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: MouseEventKind, column: u16) -> MouseEvent {
        MouseEvent { kind, column, row: 1, modifiers: KeyModifiers::NONE }
    }

    #[test]
    fn clicks_and_drags() {
        let mut mouse = MouseTracker::default();
        let now = Instant::now();
        let down = MouseEventKind::Down(MouseButton::Left);
        let up = MouseEventKind::Up(MouseButton::Left);
        let at = |x| Position { x, y: 1 };
        assert_eq!(mouse.event(event(down, 3), now), Some(Mouse::Click(at(3))));
        assert_eq!(mouse.event(event(up, 3), now), None);
        assert_eq!(mouse.event(event(down, 3), now), Some(Mouse::DoubleClick(at(3))));
        let drag = MouseEventKind::Drag(MouseButton::Left);
        assert_eq!(mouse.event(event(drag, 9), now), Some(Mouse::Drag { from: at(3), to: at(9) }));
        assert_eq!(mouse.event(event(up, 9), now), Some(Mouse::Drop { from: at(3), to: at(9) }));
        let late = now + Duration::from_secs(1);
        assert_eq!(mouse.event(event(down, 3), now), Some(Mouse::Click(at(3))));
        assert_eq!(mouse.event(event(down, 3), late), Some(Mouse::Click(at(3))));
    }
}
