//! What the server says: results, errors and statuses.

use super::connection::{Connection, Content, Sending, csid};
use super::defects::Flag;
use crate::wire::amf::{Text, Value};
use crate::wire::message::{Body, Command, MessageType, status};

/// An information object.
pub(super) fn information(code: &str, description: &str) -> Value {
    let level = status::level(code).unwrap_or(status::Level::Status);
    Value::object([
        ("level", Value::string(level.name())),
        ("code", Value::string(code)),
        ("description", Value::string(description)),
    ])
}

impl Connection {
    fn say(&mut self, csid: u32, msid: u32, command: Command) {
        let type_id = match self.amf3 {
            true => MessageType::COMMAND_AMF3,
            false => MessageType::COMMAND_AMF0,
        };
        let content = Content::Body(Body::Command(command));
        self.send(Sending::new(csid, type_id, 0, msid, content));
    }

    /// Answers a call. Transaction id 0 asks for no answer.
    pub fn reply(&mut self, name: &str, id: Option<f64>, object: Value, argument: Option<Value>) {
        let answers_all =
            self.faults.has(Flag::Transaction0Answered) || self.faults.has(Flag::DeleteAnswered);
        let Some(id) = id.filter(|id| *id != 0.0 || answers_all) else { return };
        let command = Command {
            name: Text::from(name),
            transaction_id: Some(id),
            object: Some(object),
            arguments: argument.into_iter().collect(),
        };
        self.say(csid::COMMAND, 0, command);
    }

    /// Answers a call that worked.
    pub fn result(&mut self, id: Option<f64>, value: Value) {
        self.reply("_result", id, Value::Null, Some(value));
    }

    /// Answers a call that failed.
    pub fn error(&mut self, id: Option<f64>, code: &str, description: &str) {
        self.reply("_error", id, Value::Null, Some(information(code, description)));
    }

    /// Calls the client.
    pub fn call(&mut self, msid: u32, name: &str, argument: Value) {
        let command = Command {
            name: Text::from(name),
            transaction_id: Some(0.0),
            object: Some(Value::Null),
            arguments: vec![argument],
        };
        let csid = if msid == 0 { csid::COMMAND } else { csid::STATUS };
        self.say(csid, msid, command);
    }

    /// Tells a stream's status; `details` is the stream's name.
    pub fn status(&mut self, msid: u32, code: &str, description: &str, details: &[u8]) {
        let mut information = information(code, description);
        if let Value::Object { properties, .. } = &mut information
            && !details.is_empty()
        {
            let value = Value::String(Text(details.to_vec()));
            properties.push(crate::wire::amf::Property { name: Text::from("details"), value });
        }
        self.call(msid, "onStatus", information);
    }

    /// Asks the client to connect again (Enhanced RTMP v2).
    pub fn request_reconnect(&mut self, tc_url: Option<&str>) {
        let code = "NetConnection.Connect.ReconnectRequest";
        let mut information = information(code, "The streaming server is going down.");
        if let (Value::Object { properties, .. }, Some(url)) = (&mut information, tc_url) {
            let value = Value::string(url);
            properties.push(crate::wire::amf::Property { name: Text::from("tcUrl"), value });
        }
        self.call(0, "onStatus", information);
    }
}
