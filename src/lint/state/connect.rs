//! What `connect` asked for and what the server said to it.

use super::requests::text;
use crate::lint::finding::Place;
use crate::wire::amf::Value;
use crate::wire::message::Command;

/// The `connect` command.
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// Where.
    pub place: Place,
    /// Transaction id.
    pub transaction_id: Option<f64>,
    /// `app`.
    pub app: Option<String>,
    /// `tcUrl`.
    pub tc_url: Option<String>,
    /// `flashVer`.
    pub flash_ver: Option<String>,
    /// `objectEncoding`.
    pub object_encoding: Option<f64>,
    /// The whole command object.
    pub object: Value,
}

/// The reply to `connect`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectReply {
    /// Where.
    pub place: Place,
    /// `_result` rather than `_error`.
    pub accepted: bool,
    /// `objectEncoding` of the information object.
    pub object_encoding: Option<f64>,
    /// Properties (`fmsVer` and the like).
    pub properties: Option<Value>,
    /// The information object.
    pub information: Option<Value>,
    /// What a `_result` carries after that.
    pub rest: Vec<Value>,
}

/// Longest connect object that is kept, in bytes of payload: a rule reads a handful of members.
pub(super) const MAX_KEPT: u32 = 64 << 10;

impl Connect {
    pub(in crate::lint) fn of(command: &Command, place: Place) -> Connect {
        let object = command.object.clone().unwrap_or(Value::Null);
        let string = |name: &str| object.get(name)?.as_text().map(text);
        Connect {
            place,
            transaction_id: command.transaction_id,
            app: string("app"),
            tc_url: string("tcUrl"),
            flash_ver: string("flashVer"),
            object_encoding: object.get("objectEncoding").and_then(Value::as_number),
            object,
        }
    }
}

impl ConnectReply {
    pub(super) fn of(command: &Command, place: Place) -> ConnectReply {
        let mut arguments = command.arguments.iter();
        let information = arguments.next().cloned();
        let encoding = |value: &Option<Value>| value.as_ref()?.get("objectEncoding")?.as_number();
        ConnectReply {
            place,
            accepted: command.name == "_result",
            object_encoding: encoding(&information).or_else(|| encoding(&command.object)),
            properties: command.object.clone(),
            information,
            rest: arguments.cloned().collect(),
        }
    }
}
