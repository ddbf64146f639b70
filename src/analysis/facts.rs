//! What the commands and media of a session say about it.

use super::record::SessionFacts;
use crate::base::Direction;
use crate::rtmp::Message;
use crate::wire::amf::Value;
use crate::wire::message::{Body, Command};

/// Collects [`SessionFacts`].
#[derive(Clone, Debug, Default)]
pub(super) struct FactsBuilder {
    facts: SessionFacts,
    publishes: bool,
    plays: bool,
    /// The commands may have come before the capture.
    pub midstream: bool,
    media: [u64; 2],
}

impl FactsBuilder {
    pub fn message(&mut self, message: &Message) {
        match &message.body {
            Body::Command(command) if message.direction == Direction::ClientToServer => {
                self.request(command);
            }
            Body::Command(command) => self.status(command),
            Body::Video(tag) => {
                self.media[message.direction.index()] += 1;
                if self.facts.video.is_none() && !tag.tracks.is_empty() {
                    self.facts.video = Some(tag.codec_name().to_string());
                }
            }
            Body::Audio(tag) => {
                self.media[message.direction.index()] += 1;
                if self.facts.audio.is_none() && !tag.empty {
                    self.facts.audio = Some(tag.codec_name().to_string());
                }
            }
            _ => {}
        }
    }

    fn request(&mut self, command: &Command) {
        let text = |value: Option<&Value>| Some(value?.as_text()?.lossy().into_owned());
        match command.name.lossy().as_ref() {
            "connect" => {
                let object = command.object.as_ref();
                self.facts.app = text(object.and_then(|object| object.get("app")));
                self.facts.tc_url = text(object.and_then(|object| object.get("tcUrl")));
            }
            name @ ("publish" | "play") => {
                self.publishes |= name == "publish";
                self.plays |= name == "play";
                if self.facts.stream.is_none() {
                    self.facts.stream = text(command.arguments.first());
                }
            }
            _ => {}
        }
    }

    fn status(&mut self, command: &Command) {
        if let Some(code) = command.info("code") {
            self.facts.last_status = Some(code.lossy().into_owned());
        }
    }

    pub fn finish(mut self) -> SessionFacts {
        let (mut publishes, mut plays) = (self.publishes, self.plays);
        if !publishes && !plays {
            // Mid-stream: who sends media tells, and 1 in 10 messages the other way is noise.
            publishes = self.media[0] > self.media[1];
            plays = self.media[1] > self.media[0];
        }
        self.facts.role = match (publishes, plays) {
            (true, true) => Some("publish+play".into()),
            (true, false) => Some("publish".into()),
            (false, true) => Some("play".into()),
            (false, false) => None,
        };
        self.facts
    }
}
