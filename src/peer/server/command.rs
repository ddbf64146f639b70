//! NetConnection commands: `connect`, streams, and what encoders send around them.

use super::connection::Sending;
use super::control::{bandwidth, event, stream_event, window};
use super::defects::Flag;
use super::engine::{ConnId, Engine};
use super::reply::information;
use crate::base::Stop;
use crate::wire::amf::{Property, Text, Value};
use crate::wire::message::{Body, Command, MessageType};

/// `capsEx` bits of Enhanced RTMP v2: reconnect, multitrack, ModEx, nanosecond offsets.
const CAPS_EX: u32 = 0x0f;
/// A codec bit of an info map: the stream can be forwarded.
const CAN_FORWARD: f64 = 4.0;
/// What the server calls itself.
const FMS_VERSION: &str = "FMS/3,5,7,7009";

impl Engine {
    /// A command came.
    pub(super) fn command(
        &mut self,
        id: ConnId,
        msid: u32,
        type_id: MessageType,
        command: &Command,
        stop: Option<&Stop>,
    ) {
        let name = command.name.lossy().into_owned();
        let txn = command.transaction_id;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if name == "connect" {
            return self.connect(id, type_id, command, stop);
        }
        if connection.app.is_none() && self.faults.has(Flag::CommandsBeforeConnect) {
            connection.app = self.options.apps.first().map(|app| app.clone().into_bytes());
            connection.streams.entry(1).or_default();
            connection.next_stream = 2;
        }
        if connection.app.is_none() {
            return connection.error(txn, "NetConnection.Call.Failed", "Connect first.");
        }
        match name.as_str() {
            "createStream" => self.create_stream(id, txn),
            "deleteStream" => self.delete_stream(id, command),
            "closeStream" => self.close_stream(id, msid),
            "close" => self.hang_up(id, self.now),
            "releaseStream" => connection.result(txn, Value::Undefined),
            "FCPublish" => {
                connection.result(txn, Value::Undefined);
                let code = "NetStream.Publish.Start";
                connection.call(0, "onFCPublish", information(code, "FCPublish"));
            }
            "FCUnpublish" => self.fc_unpublish(id, command),
            "FCSubscribe" => {
                let code = "NetStream.Play.Start";
                connection.call(0, "onFCSubscribe", information(code, "FCSubscribe"));
            }
            "FCUnsubscribe" => connection.result(txn, Value::Undefined),
            // Streams are live: they have no length.
            "getStreamLength" => connection.result(txn, Value::Number(0.0)),
            "_checkbw" | "checkBandwidth" => connection.result(txn, Value::Undefined),
            "publish" => self.publish(id, msid, command),
            "play" => self.play(id, msid, command),
            "play2" => self.play2(id, msid, command),
            "pause" | "pauseRaw" => self.pause(id, msid, command),
            "seek" => self.seek(id, msid, txn),
            "receiveAudio" => self.receive(id, msid, MessageType::AUDIO, command),
            "receiveVideo" => self.receive(id, msid, MessageType::VIDEO, command),
            // Answers, and what only clients handle, ask for nothing.
            "_result" | "_error" | "onStatus" | "" => {}
            _ if self.faults.has(Flag::UnknownMethodSilent) => {}
            _ => {
                let text = format!("Method not found ({name}).");
                connection.error(txn, "NetConnection.Call.Failed", &text);
            }
        }
    }

    fn connect(
        &mut self,
        id: ConnId,
        type_id: MessageType,
        command: &Command,
        stop: Option<&Stop>,
    ) {
        let apps = &self.options.apps;
        let (own_window, mut chunk_size) = (self.options.window, self.options.chunk_size);
        if self.faults.has(Flag::OneChunkSize) {
            chunk_size = 1000;
        }
        let Some(connection) = self.connections.get_mut(&id) else { return };
        // A reply needs an id. Without one there is nobody to tell.
        let txn = command.transaction_id.or(Some(1.0));
        let rejected = "NetConnection.Connect.Rejected";
        if connection.app.is_some() {
            return connection.error(txn, rejected, "Already connected.");
        }
        connection.amf3 = type_id == MessageType::COMMAND_AMF3;
        let object = command.object.as_ref().unwrap_or(&Value::Null);
        let app = object.get("app").and_then(Value::as_text).map(|text| base_name(&text.0));
        // Encoders exist that leave out the end of the object, which hurts nobody.
        let broken = stop.filter(|stop| stop.field != "object_end_marker");
        let known = |app: &[u8]| {
            let room = app.split(|byte| *byte == b'/').next().unwrap_or_default();
            apps.iter().any(|known| known == "*" || known.as_bytes() == room)
        };
        let refusal = match app {
            _ if broken.is_some() => Some((rejected, "The command is damaged.")),
            None | Some(b"") => Some((rejected, "An application must be named.")),
            Some(app) if !known(app) => {
                Some(("NetConnection.Connect.InvalidApp", "No such application."))
            }
            Some(_) => None,
        };
        if let Some((code, text)) = refusal {
            if !(self.faults.has(Flag::InvalidAppClosesSilently) && code.ends_with("InvalidApp")) {
                connection.error(txn, code, text);
            }
            return connection.close();
        }
        connection.app = app.map(<[u8]>::to_vec);
        connection.announced = own_window;
        let late = self.faults.has(Flag::WindowAfterResult);
        if !late {
            connection.send(window(own_window));
        }
        connection.send(bandwidth(own_window));
        connection.send(stream_event(event::STREAM_BEGIN, 0));
        let body = Body::SetChunkSize { size: chunk_size, reserved_bit: false };
        let announcement = Sending::control(MessageType::SET_CHUNK_SIZE, body);
        let unannounced = self.faults.has(Flag::LongChunksFromStart);
        if !unannounced {
            connection.send(announcement.clone());
        }
        let _ = connection.encoder.use_chunk_size(chunk_size);

        let asked = object.get("objectEncoding").and_then(Value::as_number);
        let amf3 = asked == Some(3.0) || self.faults.has(Flag::EncodingAlwaysThree);
        let encoding = if amf3 { 3.0 } else { 0.0 };
        let code = "NetConnection.Connect.Success";
        let mut info = information(code, "Connection succeeded.");
        if let Value::Object { properties, .. } = &mut info {
            let mut add = |name: &str, value| properties.push(property(name, value));
            add("objectEncoding", Value::Number(encoding));
            let offered = object.get("capsEx").and_then(Value::as_number);
            connection.reconnects = offered.is_some_and(|bits| bits as u32 & 1 == 1);
            if enhanced(object) {
                add("capsEx", Value::Number(f64::from(CAPS_EX)));
                for map in ["videoFourCcInfoMap", "audioFourCcInfoMap"] {
                    add(map, Value::object([("*", Value::Number(CAN_FORWARD))]));
                }
            }
        }
        let properties = Value::object([
            ("fmsVer", Value::string(FMS_VERSION)),
            ("capabilities", Value::Number(31.0)),
            ("mode", Value::Number(1.0)),
        ]);
        connection.reply("_result", txn, properties, Some(info));
        if unannounced {
            connection.send(announcement);
        }
        if late {
            connection.send(window(own_window));
        }
    }

    fn create_stream(&mut self, id: ConnId, txn: Option<f64>) {
        let max = self.options.max_streams;
        let Some(connection) = self.conn(id) else { return };
        if connection.streams.len() >= max {
            return connection.error(txn, "NetConnection.Call.Failed", "Too many streams.");
        }
        let msid = connection.next_stream;
        if !connection.faults.has(Flag::StreamIdAlwaysOne) {
            connection.next_stream += 1;
        }
        connection.streams.entry(msid).or_default();
        connection.result(txn, Value::Number(f64::from(msid)));
    }

    fn delete_stream(&mut self, id: ConnId, command: &Command) {
        if self.faults.has(Flag::DeleteAnswered)
            && let Some(connection) = self.conn(id)
        {
            connection.reply("_result", command.transaction_id, Value::Null, None);
        }
        if self.faults.has(Flag::DeleteEndsAll) {
            return self.leave(id);
        }
        let Some(msid) = stream_id(command.arguments.first()) else { return };
        if self.keeps_at_delete(id, msid) {
            return;
        }
        self.end_stream(id, msid);
        if let Some(connection) = self.conn(id) {
            connection.streams.remove(&msid);
        }
    }

    fn close_stream(&mut self, id: ConnId, msid: u32) {
        let publishing = self.publication(id, msid);
        if self.keeps_at_delete(id, msid) {
            return;
        }
        self.end_stream(id, msid);
        if let (Some(key), Some(connection)) = (publishing, self.conn(id)) {
            let code = "NetStream.Unpublish.Success";
            connection.status(msid, code, "The stream is no longer published.", &key.name);
        }
    }
}

/// Whether the client says anything about Enhanced RTMP.
fn enhanced(object: &Value) -> bool {
    let words = ["capsEx", "fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap"];
    words.iter().any(|word| object.get(word).is_some())
}

fn property(name: &str, value: Value) -> Property {
    Property { name: Text::from(name), value }
}

/// A name without its query: tokens travel there.
pub(super) fn base_name(name: &[u8]) -> &[u8] {
    name.split(|byte| *byte == b'?').next().unwrap_or_default()
}

/// A message stream id as an argument.
fn stream_id(value: Option<&Value>) -> Option<u32> {
    let number = value?.as_number()?;
    let id = number as u32;
    (f64::from(id) == number).then_some(id)
}
