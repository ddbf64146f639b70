//! Playing: joining a stream, leaving parts of it out, waiting for it.

use std::time::Duration;

use super::connection::Stream;
use super::control::{event, stream_event};
use super::defects::Flag;
use super::engine::{ConnId, Engine};
use super::hub::{Key, Seat};
use crate::base::Timestamp;
use crate::wire::amf::Value;
use crate::wire::message::{Command, MessageType};

/// Somebody who plays a stream, or waits for it.
#[derive(Debug)]
pub(super) struct Player {
    pub key: Key,
    /// Whether Play.Reset is to be told.
    pub reset: bool,
    /// Whether Play.Start was told.
    pub started: bool,
    /// Until when a publisher is waited for.
    pub deadline: Option<Timestamp>,
    pub paused: bool,
    pub audio: bool,
    pub video: bool,
    /// Whether video is left out until a key frame.
    pub needs_key: bool,
    /// Milliseconds to play; `None` for all.
    pub duration: Option<u32>,
    /// Timestamp of the first media.
    pub first: Option<u32>,
}

impl Engine {
    pub(super) fn player(&mut self, (id, msid): Seat) -> Option<&mut Player> {
        match self.conn(id)?.streams.get_mut(&msid)? {
            Stream::Playing(player) => Some(player),
            _ => None,
        }
    }

    pub(super) fn play(&mut self, id: ConnId, msid: u32, command: &Command) {
        let [name, start, duration, reset] = [0, 1, 2, 3].map(|index| command.arguments.get(index));
        let reset = match reset {
            Some(Value::Boolean(reset)) => *reset,
            Some(value) => value.as_number().is_some_and(|number| number != 0.0),
            None => false,
        };
        let duration = duration.and_then(Value::as_number).filter(|seconds| *seconds >= 0.0);
        let duration = duration.map(|seconds| (seconds * 1000.0) as u32);
        // 0 and more ask for a recording, which this server does not have: a live stream of that
        // name is played, another one is not waited for.
        let start = start.and_then(Value::as_number).unwrap_or(-2.0);
        let duration = duration.filter(|_| !self.faults.has(Flag::DurationIgnored));
        let reset = reset || self.faults.has(Flag::ResetAlways);
        let wait = start < 0.0 && !self.faults.has(Flag::NeverWaits);
        self.start_playing(id, msid, name, wait, duration, reset);
        if self.faults.has(Flag::StartMustBeMinus2)
            && (start == -1.0 || start == -1000.0)
            && let Some(player) = self.player((id, msid))
        {
            (player.audio, player.video) = (false, false);
        }
    }

    pub(super) fn play2(&mut self, id: ConnId, msid: u32, command: &Command) {
        let name = command.arguments.first().and_then(|options| options.get("streamName"));
        self.start_playing(id, msid, name, true, None, false);
    }

    fn start_playing(
        &mut self,
        id: ConnId,
        msid: u32,
        name: Option<&Value>,
        wait: bool,
        duration: Option<u32>,
        reset: bool,
    ) {
        let key = self.key(id, name);
        if let Some(Stream::Playing(_)) = self.conn(id).and_then(|c| c.streams.get(&msid)) {
            self.end_stream(id, msid);
        }
        let patient = self.faults.has(Flag::NeverNotFound);
        let deadline = Timestamp(self.now.0 + self.options.play_wait.as_nanos() as i64);
        let live = key.as_ref().is_some_and(|key| self.hub.is_live(key));
        let Some(connection) = self.conn(id) else { return };
        let idle = matches!(connection.streams.get(&msid), Some(Stream::Idle));
        let Some(key) = key.filter(|_| idle) else {
            return connection.status(msid, "NetStream.Play.Failed", "Nothing to play.", b"");
        };
        if !live && !wait {
            return not_found(connection, msid, &key);
        }
        let player = Player {
            key: key.clone(),
            reset,
            started: false,
            deadline: (!live && !patient).then_some(deadline),
            paused: false,
            audio: true,
            video: true,
            needs_key: false,
            duration,
            first: None,
        };
        connection.streams.insert(msid, Stream::Playing(Box::new(player)));
        self.hub.entry(&key).players.push((id, msid));
        if live {
            self.start(id, msid);
            self.catch_up(id, msid);
        }
    }

    /// Tells a player that it plays.
    fn start(&mut self, id: ConnId, msid: u32) {
        let Some(player) = self.player((id, msid)) else { return };
        player.started = true;
        player.deadline = None;
        let (reset, name) = (player.reset, player.key.name.clone());
        let Some(connection) = self.conn(id) else { return };
        connection.send(stream_event(event::STREAM_BEGIN, msid));
        if reset {
            connection.status(msid, "NetStream.Play.Reset", "Playing and resetting.", &name);
        }
        connection.status(msid, "NetStream.Play.Start", "Started playing.", &name);
        if connection.faults.has(Flag::LiveIsRecorded) {
            connection.send(stream_event(event::STREAM_IS_RECORDED, msid));
        }
    }

    /// A publisher came for somebody who waits.
    pub(super) fn announce(&mut self, (id, msid): Seat, key: &Key) {
        let Some(player) = self.player((id, msid)) else { return };
        player.needs_key = false;
        if player.started {
            self.send(id, stream_event(event::STREAM_BEGIN, msid));
        } else {
            self.start(id, msid);
        }
        if let Some(connection) = self.conn(id) {
            let text = "The stream is being published.";
            connection.status(msid, "NetStream.Play.PublishNotify", text, &key.name);
        }
    }

    /// The publisher left.
    pub(super) fn end_of_media(&mut self, id: ConnId, msid: u32, key: &Key) {
        if self.player((id, msid)).is_none_or(|player| !player.started) {
            return;
        }
        let Some(connection) = self.conn(id) else { return };
        connection.send(stream_event(event::STREAM_EOF, msid));
        let text = "The stream is no longer published.";
        connection.status(msid, "NetStream.Play.UnpublishNotify", text, &key.name);
    }

    /// Has somebody waited long enough?
    pub(super) fn give_up_waiting(&mut self, id: ConnId) {
        let now = self.now;
        let Some(connection) = self.conn(id) else { return };
        let late = |stream: &Stream| match stream {
            Stream::Playing(player) => player.deadline.is_some_and(|deadline| deadline <= now),
            _ => false,
        };
        let streams = connection.streams.iter();
        let late: Vec<u32> = streams.filter(|(_, s)| late(s)).map(|(msid, _)| *msid).collect();
        for msid in late {
            let Some(key) = self.player((id, msid)).map(|player| player.key.clone()) else {
                continue;
            };
            self.end_stream(id, msid);
            if let Some(connection) = self.conn(id) {
                not_found(connection, msid, &key);
            }
        }
    }

    pub(super) fn pause(&mut self, id: ConnId, msid: u32, command: &Command) {
        let keeps_sending = self.faults.has(Flag::PauseIgnored);
        let pause = matches!(command.arguments.first(), Some(Value::Boolean(true)));
        let Some(player) = self.player((id, msid)) else { return };
        let resumes = player.paused && !pause;
        player.paused = pause && !keeps_sending;
        let name = player.key.name.clone();
        let Some(connection) = self.conn(id) else { return };
        if pause {
            return connection.status(msid, "NetStream.Pause.Notify", "Paused.", &name);
        }
        connection.status(msid, "NetStream.Unpause.Notify", "Playing again.", &name);
        if resumes {
            self.catch_up(id, msid);
        }
    }

    /// Live streams cannot seek.
    pub(super) fn seek(&mut self, id: ConnId, msid: u32, txn: Option<f64>) {
        let plays = self.player((id, msid)).is_some();
        let Some(connection) = self.conn(id) else { return };
        let text = "A live stream cannot seek.";
        if plays {
            connection.status(msid, "NetStream.Seek.Failed", text, b"");
        } else {
            connection.error(txn, "NetStream.Seek.Failed", text);
        }
    }

    pub(super) fn receive(&mut self, id: ConnId, msid: u32, kind: MessageType, command: &Command) {
        let Some(Value::Boolean(wanted)) = command.arguments.first() else { return };
        let ignored = self.faults.has(match kind {
            MessageType::AUDIO => Flag::ReceiveAudioIgnored,
            _ => Flag::ReceiveVideoIgnored,
        });
        let Some(player) = self.player((id, msid)) else { return };
        let before = match kind {
            MessageType::AUDIO => &mut player.audio,
            _ => &mut player.video,
        };
        let resumes = !*before && *wanted;
        *before = *wanted || ignored;
        let name = player.key.name.clone();
        // Section 7.2.2.4: switching on is told, switching off is not.
        if *wanted && let Some(connection) = self.conn(id) {
            connection.status(msid, "NetStream.Seek.Notify", "Playing again.", &name);
            connection.status(msid, "NetStream.Play.Start", "Started playing.", &name);
        }
        if resumes {
            self.catch_up(id, msid);
        }
    }
}

fn not_found(connection: &mut super::connection::Connection, msid: u32, key: &Key) {
    if connection.faults.has(Flag::NotFoundCloses) {
        return connection.close();
    }
    let text = "Nobody publishes the stream.";
    connection.status(msid, "NetStream.Play.StreamNotFound", text, &key.name);
}

/// How often [`Engine::tick`] should be called.
pub(super) const TICK: Duration = Duration::from_millis(50);
