//! All sessions in short, for the rules that compare one with others.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::state::{Kind, SessionState, StreamUse};
use crate::analysis::SessionEnd;
use crate::base::Timestamp;
use crate::flow::EndReason;

/// A session in short.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherSession {
    /// Session number.
    pub session: u32,
    /// The connecting peer.
    pub client: SocketAddr,
    /// The accepting peer.
    pub server: SocketAddr,
    /// When it began.
    pub start: Timestamp,
    /// When it ended and how; `None` while it goes on.
    pub end: Option<(Timestamp, EndReason)>,
    /// When each side's last message came, client first; at most a second old.
    pub last: [Option<Timestamp>; 2],
    /// `app`.
    pub app: Option<String>,
    /// Name of the stream that was published or played first: a secret.
    pub stream: Option<String>,
    /// What it was for.
    pub used: Option<StreamUse>,
    /// Longest step from picture to picture that its client sent, in milliseconds; at most a second
    /// old.
    pub longest_step_ms: f64,
    /// Stream bytes, client first.
    pub bytes: [u64; 2],
    /// Code and description of its last status; the description may repeat a secret.
    pub last_status: Option<(String, String)>,
}

/// Sessions that go on, and the last ones that ended.
#[derive(Clone, Debug, Default)]
pub struct Others {
    live: BTreeMap<u32, OtherSession>,
    ended: VecDeque<OtherSession>,
}

/// Ended sessions that are remembered: a load balancer's probes must not fill the memory.
const MAX_ENDED: usize = 1000;

impl Others {
    /// Sessions that go on, in the order they began.
    pub fn live(&self) -> impl DoubleEndedIterator<Item = &OtherSession> {
        self.live.values()
    }

    /// Sessions that ended, in that order.
    pub fn ended(&self) -> impl DoubleEndedIterator<Item = &OtherSession> {
        self.ended.iter()
    }

    /// Writes down what is known of a session that goes on.
    pub(super) fn note(&mut self, state: &SessionState) {
        self.live.insert(state.info.session, brief(state));
    }

    /// Writes down a session that ended.
    pub(super) fn end(&mut self, state: &SessionState, end: &SessionEnd) {
        self.live.remove(&end.session);
        if self.ended.len() == MAX_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(OtherSession {
            end: Some((end.time, end.reason)),
            bytes: [end.tcp[0].bytes, end.tcp[1].bytes],
            ..brief(state)
        });
    }
}

fn brief(state: &SessionState) -> OtherSession {
    let last_status = state.statuses().next_back();
    OtherSession {
        session: state.info.session,
        client: state.info.client,
        server: state.info.server,
        start: state.info.time,
        end: None,
        last: [state.client().last_message, state.server().last_message],
        app: state.connect.as_ref().and_then(|connect| connect.app.clone()),
        stream: state.stream_name().map(str::to_owned),
        used: state.purpose(),
        longest_step_ms: state.client().track(Kind::Video, 0).map_or(0.0, |track| track.steps.max),
        bytes: [state.client().offset, state.server().offset],
        last_status: last_status.map(|s| (s.code.clone(), s.description.clone())),
    }
}
