//! What is kept of a session for its sentence.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::headline::Headline;
use super::software;
use crate::analysis::{SessionEnd, Transport};
use crate::base::Direction;
use crate::lint::ending::Ending;
use crate::lint::finding::Finding;
use crate::lint::state::{Kind, SessionState, StreamUse};

/// What a sentence needs.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub session: u32,
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub transport: Transport,
    pub note: Option<String>,
    pub midstream: bool,
    pub client_name: Option<String>,
    pub server_name: Option<String>,
    pub purpose: Option<StreamUse>,
    /// A secret.
    pub stream: Option<String>,
    pub connected: bool,
    /// Codecs of the media that flowed.
    pub codecs: Vec<&'static str>,
    pub media: [u64; 2],
    /// Seconds from the first to the last media message.
    pub seconds: f64,
    pub end: Option<Ending>,
    /// The command with which the client said goodbye before the end.
    pub goodbye: bool,
    /// Last command of the client.
    pub last_request: Option<String>,
    /// Handshakes that came: client, server.
    pub handshakes: [bool; 2],
    pub messages: u64,
    /// Bytes are missing in the capture.
    pub gaps: bool,
    /// There are bytes that could not be decoded.
    pub undecoded: bool,
    /// Indices of its findings.
    pub findings: Vec<usize>,
}

impl Story {
    pub fn of(state: &SessionState, end: Option<&Ending>, findings: &[usize]) -> Story {
        let side = state.media_side();
        let times = side.media_times();
        let mut codecs = Vec::new();
        for kind in [Kind::Video, Kind::Audio] {
            for track in side.tracks().iter().filter(|track| track.kind == kind) {
                let name = software::codec(track.codec);
                if !codecs.contains(&name) {
                    codecs.push(name);
                }
            }
        }
        let goodbye = state.goodbye.as_ref();
        Story {
            session: state.info.session,
            client: state.info.client,
            server: state.info.server,
            transport: state.info.transport,
            note: state.info.note.clone(),
            midstream: state.info.midstream,
            client_name: software::client(state),
            server_name: software::server(state),
            purpose: state.purpose(),
            stream: state.stream_name().map(str::to_owned),
            connected: state.connect_reply.as_ref().is_some_and(|reply| reply.accepted),
            codecs,
            media: [state.client().media_messages(), state.server().media_messages()],
            seconds: times.map_or(0.0, |(first, last)| last.seconds_since(first)),
            end: end.copied(),
            goodbye: goodbye.is_some_and(|said| end.is_none_or(|end| said.time <= end.time)),
            last_request: state
                .last_request(Direction::ClientToServer)
                .map(|request| request.command.clone()),
            handshakes: [
                state.client().handshake.as_ref().is_some_and(|h| h.complete),
                state.server().handshake.as_ref().is_some_and(|h| h.complete),
            ],
            messages: state.sides.iter().map(|side| side.messages).sum(),
            gaps: !state.is_whole(),
            undecoded: false,
            findings: findings.to_vec(),
        }
    }
}

/// Sessions that ended and are remembered for their headline.
const MAX_STORIES: usize = 10_000;

/// The stories of the sessions that ended.
#[derive(Debug, Default)]
pub(in crate::lint) struct Stories {
    ended: VecDeque<Story>,
}

impl Stories {
    /// Writes down a session that ended.
    pub fn end(
        &mut self,
        state: &SessionState,
        end: &SessionEnd,
        closing: &Ending,
        findings: &[usize],
    ) {
        if self.ended.len() == MAX_STORIES {
            self.ended.pop_front();
        }
        let story = Story::of(state, Some(closing), findings);
        // What follows the handshake tells whether it is encrypted.
        let undecoded = end.undecoded_bytes.iter().any(|bytes| *bytes > 0);
        self.ended.push_back(Story { transport: end.transport, undecoded, ..story });
    }

    /// A sentence for each session, by number.
    pub fn headlines<'a>(
        &self,
        live: impl Iterator<Item = (&'a SessionState, &'a [usize])>,
        findings: &[Finding],
    ) -> Vec<Headline> {
        let live: Vec<Story> = live.map(|(state, own)| Story::of(state, None, own)).collect();
        let mut all: Vec<Headline> =
            self.ended.iter().chain(&live).map(|story| Headline::of(story, findings)).collect();
        all.sort_by_key(|headline| headline.session);
        all
    }
}
