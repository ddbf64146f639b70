//! What the letters mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::draw::Picture;
use crate::analysis::lanes::{MarkKind, TcpColumn};
use crate::flow::EndReason;
use crate::lint::Severity;
use crate::tui::screens::chart::{cells, put};
use crate::tui::theme::Role;
use crate::wire::message::MessageType;

/// What the letters and shades in sight mean.
fn legend(picture: &Picture<'_>) -> Vec<String> {
    let glyphs = picture.theme.glyphs();
    let (view, session) = (picture.view, picture.session);
    let control = |kind: MessageType| {
        view.controls.iter().any(|row| session.rows.get(*row).is_some_and(|r| r.type_id == kind))
    };
    let mark = |is: fn(MarkKind) -> bool| view.marks.iter().any(|mark| is(mark.kind));
    let lost = |kind: usize| view.columns.iter().any(|column| column.lost[kind] > 0);
    let tcp = |is: fn(&TcpColumn) -> bool| view.columns.iter().any(|column| is(&column.tcp));
    let total = &view.total;
    let gap = picture.gaps(|sum| &sum.video).len() + picture.gaps(|sum| &sum.audio).len() > 0;
    let event = |ping: bool| {
        view.controls.iter().filter_map(|row| session.rows.get(*row)).any(|row| {
            row.type_id == MessageType::USER_CONTROL
                && picture.strings.get(row.label).starts_with("ping") == ping
        })
    };
    let found = |severity| picture.found().any(|(_, finding)| finding.severity == severity);
    let ended = mark(|kind| kind == MarkKind::End).then_some(session.end.as_ref()).flatten();
    let ended = |is: fn(&EndReason) -> bool| ended.is_some_and(|end| is(&end.reason));
    [
        (total.video.keys > 0, "K key frame".to_owned()),
        (gap, format!("{} gap", glyphs.shades[0])),
        (total.commands > 0, format!("{}{} command", glyphs.right, glyphs.left)),
        (total.commands > 0, format!("{} reply", glyphs.check)),
        (total.failures > 0, format!("{} refused", glyphs.cross)),
        (mark(|kind| matches!(kind, MarkKind::Handshake(_))), "H handshake".to_owned()),
        (control(MessageType::SET_CHUNK_SIZE), "S chunk size".to_owned()),
        (control(MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE), "W window".to_owned()),
        (control(MessageType::SET_PEER_BANDWIDTH), "B bandwidth".to_owned()),
        (control(MessageType::ABORT), "X abort".to_owned()),
        (control(MessageType::ACKNOWLEDGEMENT), "A ack".to_owned()),
        (event(true), "P ping".to_owned()),
        (event(false), "U user control".to_owned()),
        (lost(0), format!("{} not captured", glyphs.gap)),
        (lost(1), "x lost".to_owned()),
        (tcp(|tcp| tcp.zero_window != [false; 2]), "0 zero window".to_owned()),
        (tcp(|tcp| tcp.retransmissions > 0), "r sent again".to_owned()),
        (tcp(|tcp| tcp.out_of_order > 0), "o out of order".to_owned()),
        (tcp(|tcp| tcp.duplicate_acks > 0), "d duplicate ack".to_owned()),
        (tcp(|tcp| tcp.keep_alives > 0), "k keep-alive".to_owned()),
        (ended(|end| matches!(end, EndReason::Fin(_))), "F FIN".to_owned()),
        (ended(|end| matches!(end, EndReason::Reset(_))), "R RST".to_owned()),
        (mark(|kind| matches!(kind, MarkKind::Anomaly(_))), "! anomaly".to_owned()),
        (found(Severity::Error), "E error".to_owned()),
        (found(Severity::Warning), "W warning".to_owned()),
        (found(Severity::Note), "N note".to_owned()),
    ]
    .into_iter()
    .filter_map(|(there, text)| there.then_some(text))
    .collect()
}

/// Draws the legend as far as it fits.
pub fn draw(buffer: &mut Buffer, area: Rect, picture: &Picture<'_>) {
    let mut x = area.x;
    for text in legend(picture) {
        let len = cells(&text);
        if x + len > area.right() {
            break;
        }
        put(buffer, x, area.y, len, &text, picture.theme.style(Role::Dim));
        x += len + 2;
    }
}
