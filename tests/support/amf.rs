//! AMF0 written by hand, so that the crate's own encoder is not its own judge.

#[derive(Clone, Debug)]
pub enum V<'a> {
    Num(f64),
    Bool(bool),
    Str(&'a str),
    Null,
    Undefined,
    Obj(Vec<(&'a str, V<'a>)>),
    Ecma(Vec<(&'a str, V<'a>)>),
    Strict(Vec<V<'a>>),
}

/// The values one after the other, as in a command's payload.
pub fn amf0(values: &[V<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        put(value, &mut out);
    }
    out
}

fn name(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn members(members: &[(&str, V<'_>)], out: &mut Vec<u8>) {
    for (key, value) in members {
        name(key, out);
        put(value, out);
    }
    out.extend_from_slice(&[0, 0, 9]);
}

fn put(value: &V<'_>, out: &mut Vec<u8>) {
    match value {
        V::Num(number) => {
            out.push(0);
            out.extend_from_slice(&number.to_be_bytes());
        }
        V::Bool(flag) => out.extend_from_slice(&[1, u8::from(*flag)]),
        V::Str(text) => {
            out.push(2);
            name(text, out);
        }
        V::Null => out.push(5),
        V::Undefined => out.push(6),
        V::Obj(list) => {
            out.push(3);
            members(list, out);
        }
        V::Ecma(list) => {
            out.push(8);
            out.extend_from_slice(&(list.len() as u32).to_be_bytes());
            members(list, out);
        }
        V::Strict(list) => {
            out.push(10);
            out.extend_from_slice(&(list.len() as u32).to_be_bytes());
            list.iter().for_each(|value| put(value, out));
        }
    }
}
