//! Message streams: created, published, played.

use crate::base::{Direction, Timestamp};
use crate::lint::finding::Place;
use crate::rtmp::Message;
use crate::wire::message::Command;

use super::requests::text;

/// What a message stream is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamUse {
    /// `publish` was asked.
    Publish,
    /// `play` or `play2` was asked.
    Play,
}

/// A message stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Message stream id.
    pub id: u32,
    /// When the reply to createStream came; `None` when it was never created in sight.
    pub created: Option<Timestamp>,
    /// What it was asked for last.
    pub used: Option<StreamUse>,
    /// Stream name: a secret.
    pub name: Option<String>,
    /// Where `publish` or `play` was asked.
    pub asked: Option<Place>,
    /// Where the server said `NetStream.Publish.Start` or `NetStream.Play.Start`.
    pub started: Option<Place>,
    /// Last status code on it.
    pub last_code: String,
    /// Where closeStream or deleteStream ended it.
    pub closed: Option<Place>,
}

/// The message streams of a session.
#[derive(Clone, Debug, Default)]
pub(in crate::lint) struct Streams {
    pub all: Vec<Stream>,
}

/// Message streams that are remembered.
const MAX_STREAMS: usize = 64;

impl Streams {
    fn entry(&mut self, id: u32) -> Option<&mut Stream> {
        if let Some(at) = self.all.iter().position(|stream| stream.id == id) {
            return self.all.get_mut(at);
        }
        if self.all.len() == MAX_STREAMS {
            return None;
        }
        self.all.push(Stream {
            id,
            created: None,
            used: None,
            name: None,
            asked: None,
            started: None,
            last_code: String::new(),
            closed: None,
        });
        self.all.last_mut()
    }

    /// Takes note of a command.
    pub fn command(&mut self, message: &Message, command: &Command, place: &impl Fn() -> Place) {
        if message.direction == Direction::ServerToClient {
            self.server(message, command, place);
        } else {
            self.client(message, command, place);
        }
    }

    fn server(&mut self, message: &Message, command: &Command, place: &impl Fn() -> Place) {
        let answers = message.reply.as_ref().map(|reply| &reply.command);
        if command.name == "_result" && answers.is_some_and(|name| *name == "createStream") {
            let id = command.arguments.first().and_then(|value| value.as_number());
            let id = id.filter(|id| *id >= 0.0 && *id <= f64::from(u32::MAX));
            if let Some(stream) = id.and_then(|id| self.entry(id as u32)) {
                stream.created = Some(message.time);
                stream.closed = None;
                stream.used = None;
                stream.started = None;
            }
        }
        if command.name != "onStatus" {
            return;
        }
        let Some(code) = command.info("code") else { return };
        let Some(stream) = message.stream_id.filter(|id| *id != 0).and_then(|id| self.entry(id))
        else {
            return;
        };
        stream.last_code = text(code);
        if *code == "NetStream.Publish.Start" || *code == "NetStream.Play.Start" {
            stream.started = Some(place());
        }
    }

    fn client(&mut self, message: &Message, command: &Command, place: &impl Fn() -> Place) {
        let used = match command.name.lossy().as_ref() {
            "publish" => Some(StreamUse::Publish),
            "play" | "play2" => Some(StreamUse::Play),
            "closeStream" => None,
            "deleteStream" => {
                let id = command.arguments.first().and_then(|value| value.as_number());
                let found = self.all.iter_mut().find(|s| Some(f64::from(s.id)) == id);
                if let Some(stream) = found {
                    stream.closed = Some(place());
                }
                return;
            }
            _ => return,
        };
        let Some(stream) = message.stream_id.and_then(|id| self.entry(id)) else { return };
        match used {
            None => stream.closed = Some(place()),
            Some(_) => {
                stream.used = used;
                stream.name = command.arguments.first().and_then(|v| v.as_text()).map(text);
                stream.asked = Some(place());
                stream.started = None;
                stream.closed = None;
            }
        }
    }
}
