//! Protocol control and user control messages.

use super::connection::Sending;
use super::defects::Flag;
use super::engine::{ConnId, Engine};
use crate::wire::message::{Body, LimitType, MessageType, UserControl, UserControlEvent};

/// Event types of user control messages.
pub(super) mod event {
    pub const STREAM_BEGIN: u16 = 0;
    pub const STREAM_EOF: u16 = 1;
    /// For recordings, which this server has none of: only a fault sends it.
    pub const STREAM_IS_RECORDED: u16 = 4;
    pub const PING_REQUEST: u16 = 6;
    pub const PING_RESPONSE: u16 = 7;
}

const HARD: LimitType = LimitType(0);
const SOFT: LimitType = LimitType(1);
const DYNAMIC: LimitType = LimitType(2);

fn user(event: u16) -> UserControl {
    UserControl {
        event: UserControlEvent(event),
        stream_id: None,
        buffer_ms: None,
        timestamp: None,
        data: Vec::new(),
    }
}

/// An event about a message stream.
pub(super) fn stream_event(event: u16, msid: u32) -> Sending {
    let body = UserControl { stream_id: Some(msid), ..user(event) };
    Sending::control(MessageType::USER_CONTROL, Body::UserControl(body))
}

/// Asks a client whether it is still there.
pub(super) fn ping_request(now_ms: u32) -> Sending {
    let body = UserControl { timestamp: Some(now_ms), ..user(event::PING_REQUEST) };
    Sending::control(MessageType::USER_CONTROL, Body::UserControl(body))
}

/// Announces the server's window.
pub(super) fn window(size: u32) -> Sending {
    let body = Body::WindowAcknowledgementSize { size };
    Sending::control(MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE, body)
}

/// Asks the client to limit its output.
pub(super) fn bandwidth(size: u32) -> Sending {
    let body = Body::SetPeerBandwidth { size, limit: Some(DYNAMIC) };
    Sending::control(MessageType::SET_PEER_BANDWIDTH, body)
}

impl Engine {
    /// A control message came. Set Chunk Size and Abort Message are the decoder's.
    pub(super) fn control(&mut self, id: ConnId, body: &Body) {
        let Some(connection) = self.conn(id) else { return };
        match body {
            Body::WindowAcknowledgementSize { size } => connection.window = *size,
            Body::SetPeerBandwidth { size, limit: Some(limit) } => {
                let was_hard = connection.hard_limit.unwrap_or(false);
                let size = match *limit {
                    HARD => *size,
                    // The smaller of the two.
                    SOFT if connection.hard_limit.is_none() => *size,
                    SOFT => (*size).min(connection.announced),
                    DYNAMIC if was_hard => *size,
                    _ => return,
                };
                connection.hard_limit = Some(*limit == HARD || was_hard && *limit == DYNAMIC);
                // Section 5.4.5: answered if the window differs from the last one sent.
                if size != connection.announced {
                    connection.announced = size;
                    connection.send(window(size));
                }
            }
            Body::UserControl(UserControl { event, timestamp: Some(timestamp), .. })
                if event.0 == event::PING_REQUEST =>
            {
                let body =
                    UserControl { timestamp: Some(*timestamp), ..user(event::PING_RESPONSE) };
                let body = Body::UserControl(body);
                let answer = Sending::control(MessageType::USER_CONTROL, body);
                if connection.faults.has(Flag::HoldsControl) && connection.pending() > 0 {
                    return connection.held.push(answer);
                }
                connection.send(answer);
            }
            _ => {}
        }
    }
}
