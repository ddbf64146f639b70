//! Publishing: who may, under which name, until when.

use super::command::base_name;
use super::connection::Stream;
use super::control::{event, stream_event};
use super::defects::Flag;
use super::engine::{ConnId, Engine};
use super::hub::{Key, Seat};
use super::reply::information;
use crate::wire::amf::Value;
use crate::wire::message::Command;

impl Engine {
    /// The stream that a message stream publishes.
    pub(super) fn publication(&self, id: ConnId, msid: u32) -> Option<Key> {
        match self.connections.get(&id)?.streams.get(&msid)? {
            Stream::Publishing(key) => Some(key.clone()),
            _ => None,
        }
    }

    /// The stream that a name means for this connection; `None` if it cannot be one.
    pub(super) fn key(&self, id: ConnId, name: Option<&Value>) -> Option<Key> {
        let app = self.connections.get(&id)?.app.clone()?;
        let name = &name?.as_text()?.0;
        let name = if self.faults.has(Flag::QueryIsName) { name } else { base_name(name) };
        let max = self.options.max_name;
        let bad = name.is_empty()
            || name.len() > max
            || name.iter().any(u8::is_ascii_control)
            || name.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| part == b"..");
        (!bad).then(|| Key { app, name: name.to_vec() })
    }

    pub(super) fn publish(&mut self, id: ConnId, msid: u32, command: &Command) {
        let key = self.key(id, command.arguments.first());
        let taken = key.as_ref().is_some_and(|key| self.hub.is_live(key))
            && !self.faults.has(Flag::NamesAreShared);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let bad = "NetStream.Publish.BadName";
        let known = match command.arguments.get(1) {
            None | Some(Value::Null | Value::Undefined) => true,
            Some(Value::String(kind)) => ["live", "record", "append"].iter().any(|k| kind == k),
            Some(_) => false,
        };
        if self.faults.has(Flag::AnyStreamPublishes) {
            connection.streams.entry(msid).or_default();
        }
        let idle = matches!(connection.streams.get(&msid), Some(Stream::Idle));
        let refusal = match &key {
            _ if !idle => Some(("NetStream.Failed", "Not a stream that can publish.")),
            None => Some((bad, "Not a stream name.")),
            Some(_) if taken => Some((bad, "The stream is being published.")),
            Some(_) if !known => Some((bad, "The type must be live, record or append.")),
            Some(_) => None,
        };
        if let Some((code, text)) = refusal {
            return connection.status(msid, code, text, b"");
        }
        let Some(key) = key else { return };
        connection.streams.insert(msid, Stream::Publishing(key.clone()));
        connection.send(stream_event(event::STREAM_BEGIN, msid));
        let text = "The stream is being published.";
        connection.status(msid, "NetStream.Publish.Start", text, &key.name);
        let publication = self.hub.entry(&key);
        publication.publisher = Some((id, msid));
        if self.faults.has(Flag::EarlyMediaRelayed)
            && let Some(connection) = self.connections.get_mut(&id)
        {
            for (count, (type_id, payload)) in connection.early.drain(..).enumerate() {
                let packet_type = 200 + count as u8;
                let config = super::hub::ConfigKey::Video { packet_type, tracks: Vec::new() };
                publication.keep(config, type_id, payload);
            }
        }
        for seat in publication.players.clone() {
            self.announce(seat, &key);
        }
    }

    /// Whether a fault keeps a stream publishing or playing when it is closed.
    pub(super) fn keeps_at_delete(&self, id: ConnId, msid: u32) -> bool {
        let stream = self.connections.get(&id).and_then(|c| c.streams.get(&msid));
        let keeps = |flag| self.faults.has(flag);
        match stream {
            Some(Stream::Publishing(_)) => {
                keeps(Flag::DeleteKeepsName) || keeps(Flag::FcUnpublishKeeps)
            }
            Some(Stream::Playing(_)) => keeps(Flag::CloseKeepsPlaying),
            _ => false,
        }
    }

    /// Frees the name and tells the players. The players stay: the publisher may come back.
    pub(super) fn unpublish(&mut self, key: &Key, seat: Seat) {
        let Some(publication) = self.hub.get_mut(key) else { return };
        let players = publication.players.clone();
        if self.faults.has(Flag::OldConfigStays) {
            publication.publisher = None;
        } else {
            *publication =
                super::hub::Publication { players: players.clone(), ..Default::default() };
        }
        let gone = self.connections.get(&seat.0).is_none_or(|connection| connection.over);
        if self.faults.has(Flag::HangUpKeepsName) && gone {
            publication.publisher = Some(seat);
        }
        if !self.faults.has(Flag::NoNotice) {
            for (id, msid) in players {
                self.end_of_media(id, msid, key);
            }
        }
        self.hub.forget_unused(key);
    }

    /// FMLE's way to stop: the name is an argument, the stream follows with `deleteStream`.
    pub(super) fn fc_unpublish(&mut self, id: ConnId, command: &Command) {
        let key = self.key(id, command.arguments.first());
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.result(command.transaction_id, Value::Undefined);
        if connection.faults.has(Flag::FcUnpublishKeeps) {
            return;
        }
        let msid = connection.streams.iter().find_map(|(msid, stream)| match stream {
            Stream::Publishing(published) if Some(published) == key.as_ref() => Some(*msid),
            _ => None,
        });
        let (Some(msid), Some(key)) = (msid, key) else { return };
        let code = "NetStream.Unpublish.Success";
        let text = "The stream is no longer published.";
        connection.call(0, "onFCUnpublish", information(code, text));
        connection.status(msid, code, text, &key.name);
        self.end_stream(id, msid);
    }
}
