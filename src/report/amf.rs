//! AMF values as JSON.
//!
//! What JSON has is written as JSON. What it lacks is an object with one member whose name begins
//! with `$`; an AMF object with such a name is written in the typed form, so the two cannot be
//! mistaken for each other.

use rustc_hash::FxHashSet;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use crate::wire::amf::{Property, Text, Value};

/// Writes one value.
pub(super) struct Amf<'a>(pub &'a Value);

/// Writes a list of values.
pub(super) struct AmfList<'a>(pub &'a [Value]);

/// Writes named members: a JSON object where that loses nothing.
pub(super) struct Members<'a>(pub &'a [Property]);

/// Writes text; what is not UTF-8 becomes U+FFFD.
pub(super) struct Str<'a>(pub &'a Text);

/// Writes a double: whole numbers without a fraction, NaN and infinities in a typed form.
pub(super) struct Num(pub f64);

/// Writes bytes as lower-case hex digits.
pub(super) struct Hex<'a>(pub &'a [u8]);

impl Serialize for Str<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0.lossy())
    }
}

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let number = self.0;
        if !number.is_finite() {
            let name = if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            return typed(s, "$number", name);
        }
        // 2^53: up to here every whole double is exactly one integer.
        if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
            s.serialize_i64(number as i64)
        } else {
            s.serialize_f64(number)
        }
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&super::hex::digits(self.0))
    }
}

impl Serialize for AmfList<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.0.iter().map(Amf))
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if is_plain(self.0) {
            plain(s, self.0)
        } else {
            typed(s, "$object", &Typed { class: None, properties: self.0 })
        }
    }
}

impl Serialize for Amf<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => Num(*number).serialize(s),
            Value::Integer(integer) => s.serialize_i32(*integer),
            Value::Boolean(boolean) => s.serialize_bool(*boolean),
            Value::String(text) => Str(text).serialize(s),
            Value::Null => s.serialize_unit(),
            Value::Undefined => typed(s, "$undefined", &true),
            Value::MovieClip => typed(s, "$movie_clip", &true),
            Value::Unsupported => typed(s, "$unsupported", &true),
            Value::RecordSet => typed(s, "$record_set", &true),
            Value::Reference(index) => typed(s, "$reference", index),
            Value::StrictArray(items) => AmfList(items).serialize(s),
            Value::Xml(text) => typed(s, "$xml", &Str(text)),
            Value::ByteArray(bytes) => typed(s, "$bytes", &Hex(bytes)),
            Value::Object { class, properties } => match class {
                None if is_plain(properties) => plain(s, properties),
                _ => typed(s, "$object", &Typed { class: class.as_ref(), properties }),
            },
            Value::EcmaArray { properties, dense, .. } => {
                if dense.is_empty() && is_plain(properties) {
                    plain(s, properties)
                } else {
                    typed(s, "$array", &Mixed { properties, dense })
                }
            }
            Value::Externalizable { class, content } => {
                #[derive(Serialize)]
                struct Ext<'a> {
                    class: Str<'a>,
                    content: AmfList<'a>,
                }
                let ext = Ext { class: Str(class), content: AmfList(content) };
                typed(s, "$externalizable", &ext)
            }
            Value::Date { millis, zone } => {
                let mut map = s.serialize_map(None)?;
                map.serialize_entry("$date", &Num(*millis))?;
                if *zone != 0 {
                    map.serialize_entry("zone", zone)?;
                }
                map.end()
            }
            Value::VectorInt { fixed, items } => vector(s, "int", *fixed, items),
            Value::VectorUint { fixed, items } => vector(s, "uint", *fixed, items),
            Value::VectorDouble { fixed, items } => {
                let items: Vec<Num> = items.iter().copied().map(Num).collect();
                vector(s, "double", *fixed, &items)
            }
            Value::VectorObject { fixed, class, items } => {
                vector(s, &class.lossy(), *fixed, &AmfList(items))
            }
            Value::Dictionary { weak, entries } => {
                #[derive(Serialize)]
                struct Dictionary<'a> {
                    weak: bool,
                    entries: Entries<'a>,
                }
                typed(s, "$dictionary", &Dictionary { weak: *weak, entries: Entries(entries) })
            }
        }
    }
}

struct Entries<'a>(&'a [(Value, Value)]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.0.iter().map(|(key, value)| (Amf(key), Amf(value))))
    }
}

struct Pairs<'a>(&'a [Property]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut seq = s.serialize_seq(Some(self.0.len()))?;
        for property in self.0 {
            seq.serialize_element(&(Str(&property.name), Amf(&property.value)))?;
        }
        seq.end()
    }
}

struct Typed<'a> {
    class: Option<&'a Text>,
    properties: &'a [Property],
}

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        if let Some(class) = self.class {
            map.serialize_entry("class", &Str(class))?;
        }
        map.serialize_entry("properties", &Pairs(self.properties))?;
        map.end()
    }
}

#[derive(Serialize)]
struct Mixed<'a> {
    #[serde(serialize_with = "pairs")]
    properties: &'a [Property],
    #[serde(serialize_with = "list")]
    dense: &'a [Value],
}

fn pairs<S: Serializer>(properties: &&[Property], s: S) -> Result<S::Ok, S::Error> {
    Pairs(properties).serialize(s)
}

fn list<S: Serializer>(values: &&[Value], s: S) -> Result<S::Ok, S::Error> {
    AmfList(values).serialize(s)
}

fn vector<S, T>(s: S, of: &str, fixed: bool, items: &T) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Serialize + ?Sized,
{
    #[derive(Serialize)]
    struct Vector<'a, T: ?Sized> {
        of: &'a str,
        fixed: bool,
        items: &'a T,
    }
    typed(s, "$vector", &Vector { of, fixed, items })
}

fn typed<S, T>(s: S, name: &'static str, value: &T) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Serialize + ?Sized,
{
    let mut map = s.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

fn plain<S: Serializer>(s: S, properties: &[Property]) -> Result<S::Ok, S::Error> {
    let mut map = s.serialize_map(Some(properties.len()))?;
    for property in properties {
        map.serialize_entry(&Str(&property.name), &Amf(&property.value))?;
    }
    map.end()
}

/// Whether a JSON object says the same: every name once, and none that looks like a typed form.
fn is_plain(properties: &[Property]) -> bool {
    if properties.iter().any(|p| p.name.0.first() == Some(&b'$')) {
        return false;
    }
    // Names that are not UTF-8 could become equal when U+FFFD replaces their bytes.
    let names = properties.iter().map(|p| p.name.lossy());
    if properties.len() <= 8 {
        let names: Vec<_> = names.collect();
        (1..names.len()).all(|i| !names[..i].contains(&names[i]))
    } else {
        let mut seen = FxHashSet::default();
        names.into_iter().all(|name| seen.insert(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &Value) -> String {
        serde_json::to_string(&Amf(value)).unwrap()
    }

    fn property(name: &str, value: Value) -> Property {
        Property { name: name.into(), value }
    }

    #[test]
    fn plain_values_are_plain_json() {
        let object = Value::object([
            ("app", Value::string("live")),
            ("n", Value::Number(15.0)),
            ("f", Value::Number(29.97)),
            ("i", Value::Integer(-1)),
            ("b", Value::Boolean(false)),
            ("z", Value::Null),
            ("a", Value::StrictArray(vec![Value::string("hvc1")])),
        ]);
        assert_eq!(
            json(&object),
            r#"{"app":"live","n":15,"f":29.97,"i":-1,"b":false,"z":null,"a":["hvc1"]}"#
        );
    }

    #[test]
    fn what_json_lacks_has_a_typed_form() {
        for (value, want) in [
            (Value::Number(f64::NAN), r#"{"$number":"NaN"}"#),
            (Value::Number(f64::NEG_INFINITY), r#"{"$number":"-Infinity"}"#),
            (Value::Number(1e300), "1e+300"),
            (Value::Undefined, r#"{"$undefined":true}"#),
            (Value::Reference(3), r#"{"$reference":3}"#),
            (Value::Date { millis: 5.0, zone: 0 }, r#"{"$date":5}"#),
            (Value::Date { millis: 5.5, zone: -60 }, r#"{"$date":5.5,"zone":-60}"#),
            (Value::Xml("<a/>".into()), r#"{"$xml":"<a/>"}"#),
            (Value::ByteArray(vec![0, 0xab]), r#"{"$bytes":"00ab"}"#),
            (
                Value::VectorDouble { fixed: true, items: vec![1.0, f64::INFINITY] },
                r#"{"$vector":{"of":"double","fixed":true,"items":[1,{"$number":"Infinity"}]}}"#,
            ),
            (
                Value::Dictionary {
                    weak: false,
                    entries: vec![(Value::Integer(1), Value::string("x"))],
                },
                r#"{"$dictionary":{"weak":false,"entries":[[1,"x"]]}}"#,
            ),
            (
                Value::Externalizable { class: "C".into(), content: vec![Value::Null] },
                r#"{"$externalizable":{"class":"C","content":[null]}}"#,
            ),
        ] {
            assert_eq!(json(&value), want);
        }
    }

    #[test]
    fn an_object_that_json_would_change_keeps_its_order_and_repeats() {
        let twice = vec![property("k", Value::Integer(1)), property("k", Value::Integer(2))];
        let value = Value::Object { class: None, properties: twice.clone() };
        assert_eq!(json(&value), r#"{"$object":{"properties":[["k",1],["k",2]]}}"#);
        let value = Value::EcmaArray { count: 2, properties: twice, dense: vec![] };
        assert_eq!(json(&value), r#"{"$array":{"properties":[["k",1],["k",2]],"dense":[]}}"#);
        let value = Value::object([("$date", Value::Integer(1))]);
        assert_eq!(json(&value), r#"{"$object":{"properties":[["$date",1]]}}"#);
        let value =
            Value::Object { class: Some("T".into()), properties: vec![property("k", Value::Null)] };
        assert_eq!(json(&value), r#"{"$object":{"class":"T","properties":[["k",null]]}}"#);
        // Nine different bytes that all become U+FFFD.
        let properties =
            (0xf5..=0xfdu8).map(|b| Property { name: Text(vec![b]), value: Value::Null }).collect();
        assert!(json(&Value::Object { class: None, properties }).starts_with(r#"{"$object""#));
    }

    #[test]
    fn text_that_is_not_utf8_is_marked() {
        assert_eq!(json(&Value::String(Text(vec![b'a', 0xff, 0x1b]))), "\"a\u{fffd}\\u001b\"");
    }
}
