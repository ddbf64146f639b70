use super::super::media::{SPENT_PREFIX, values, video};
use super::*;
use crate::base::Reader;
use crate::wire::amf::{MAX_VALUES, State};

#[test]
fn a_message_whose_values_are_spent_shows_only_the_headers_of_its_media() {
    let payload = vec![0x84; 1000];
    for (spent, read) in [(MAX_VALUES - 1, 1000), (MAX_VALUES, SPENT_PREFIX)] {
        let mut state = State::new();
        state.spend(spent as usize);
        let mut r = Reader::new(&payload);
        video(&mut r, payload.len(), &mut state);
        assert_eq!(r.pos(), read);
    }
}

#[test]
fn values_inside_values_count() {
    let pair = Value::StrictArray(vec![Value::Null, Value::string("x")]);
    assert_eq!(values(&pair), 3);
    let object = Value::object([("a", pair.clone()), ("b", Value::Null)]);
    assert_eq!(values(&object), 5);
    let array = |properties| Value::EcmaArray { count: 1, properties, dense: vec![pair.clone()] };
    let property = Property { name: "a".into(), value: object };
    assert_eq!(values(&array(vec![property])), 9);
    let dictionary = Value::Dictionary { weak: false, entries: vec![(Value::Null, pair.clone())] };
    assert_eq!(values(&dictionary), 5);
}
