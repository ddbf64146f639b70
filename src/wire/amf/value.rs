//! One value type for both encodings.

use std::fmt;

/// Text as it was on the wire. AMF says UTF-8, senders do not always oblige: bytes are kept.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Text(pub Vec<u8>);

impl Text {
    /// The text, with U+FFFD in place of what is not UTF-8.
    pub fn lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(text.as_bytes().to_vec())
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.lossy())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lossy())
    }
}

/// A named member of an object or associative array, in wire order (names may repeat).
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The key.
    pub name: Text,
    /// The value.
    pub value: Value,
}

/// Which encoding a value was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// AMF 0.
    Amf0,
    /// AMF 3.
    Amf3,
}

/// A decoded AMF value. References are resolved by index, never by copying: a message that refers
/// to itself a million times stays small.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// AMF0 00, AMF3 05.
    Number(f64),
    /// AMF3 04: a 29-bit signed integer.
    Integer(i32),
    /// AMF0 01, AMF3 02 and 03.
    Boolean(bool),
    /// AMF0 02 and 0C, AMF3 06.
    String(Text),
    /// AMF0 03 and 10, AMF3 0A.
    Object {
        /// Class name; `None` for an anonymous object.
        class: Option<Text>,
        /// Members: sealed ones first, then dynamic ones.
        properties: Vec<Property>,
    },
    /// AMF3 0A of an externalizable class whose layout is known: the value inside.
    Externalizable {
        /// Class name.
        class: Text,
        /// What its `writeExternal` wrote.
        content: Vec<Value>,
    },
    /// AMF0 04, reserved by the specification.
    MovieClip,
    /// AMF0 05, AMF3 01.
    Null,
    /// AMF0 06, AMF3 00.
    Undefined,
    /// AMF0 07 or an AMF3 object reference: index into the complex values of this message.
    Reference(u32),
    /// AMF0 08, and AMF3 09 that has an associative part.
    EcmaArray {
        /// AMF0's announced count, which is only a hint; for AMF3 the number of dense members.
        count: u32,
        /// Named members.
        properties: Vec<Property>,
        /// AMF3's dense part.
        dense: Vec<Value>,
    },
    /// AMF0 0A, and AMF3 09 without an associative part.
    StrictArray(Vec<Value>),
    /// AMF0 0B, AMF3 08: milliseconds since 1970-01-01 UTC.
    Date {
        /// Milliseconds since 1970-01-01T00:00:00Z.
        millis: f64,
        /// Minutes, AMF0 only; should be 0.
        zone: i16,
    },
    /// AMF0 0D.
    Unsupported,
    /// AMF0 0E, reserved by the specification.
    RecordSet,
    /// AMF0 0F, AMF3 07 and 0B.
    Xml(Text),
    /// AMF3 0C.
    ByteArray(Vec<u8>),
    /// AMF3 0D.
    VectorInt {
        /// Whether the length is fixed.
        fixed: bool,
        /// The members.
        items: Vec<i32>,
    },
    /// AMF3 0E.
    VectorUint {
        /// Whether the length is fixed.
        fixed: bool,
        /// The members.
        items: Vec<u32>,
    },
    /// AMF3 0F.
    VectorDouble {
        /// Whether the length is fixed.
        fixed: bool,
        /// The members.
        items: Vec<f64>,
    },
    /// AMF3 10.
    VectorObject {
        /// Whether the length is fixed.
        fixed: bool,
        /// Class of the members, `*` for any.
        class: Text,
        /// The members.
        items: Vec<Value>,
    },
    /// AMF3 11.
    Dictionary {
        /// Whether keys are held weakly.
        weak: bool,
        /// Key and value pairs.
        entries: Vec<(Value, Value)>,
    },
}

impl Value {
    /// A string value.
    pub fn string(text: &str) -> Value {
        Value::String(Text::from(text))
    }

    /// An anonymous object.
    pub fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
        let properties = properties
            .into_iter()
            .map(|(name, value)| Property { name: Text::from(name), value })
            .collect();
        Value::Object { class: None, properties }
    }

    /// The text of a string or XML value.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Value::String(text) | Value::Xml(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a double or integer value.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Integer(integer) => Some(f64::from(*integer)),
            _ => None,
        }
    }

    /// The named members of an object or associative array; empty for anything else.
    pub fn properties(&self) -> &[Property] {
        match self {
            Value::Object { properties, .. } | Value::EcmaArray { properties, .. } => properties,
            _ => &[],
        }
    }

    /// The first member of that name, in any letter case: clients spell `flashver`, `flashVer`
    /// and `tcurl`, `tcUrl`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.properties()
            .iter()
            .find(|p| p.name.0.eq_ignore_ascii_case(name.as_bytes()))
            .map(|p| &p.value)
    }
}
