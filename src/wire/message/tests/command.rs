use super::*;

fn command(type_id: MessageType, text: &str) -> (Command, Option<Stop>) {
    match both(type_id, &hex(text)) {
        (Body::Command(command), stop) => (command, stop),
        other => panic!("{other:?}"),
    }
}

const CONNECT: &str = "02 0007 636f6e6e656374 00 3ff0000000000000
    03 0003 617070 02 0004 6c697665 0006 636170734578 00 4008000000000000 0000 09";

#[test]
fn a_connect_command() {
    let expected = Command {
        name: "connect".into(),
        transaction_id: Some(1.0),
        object: Some(Value::object([
            ("app", Value::string("live")),
            ("capsEx", Value::Number(3.0)),
        ])),
        arguments: vec![],
    };
    assert_eq!(sound(MessageType::COMMAND_AMF0, CONNECT), Body::Command(expected.clone()));
    assert_eq!(
        fields(MessageType::COMMAND_AMF0, CONNECT),
        [
            "command_name 0..10",
            "transaction_id 10..19",
            "command_object 19..52 (object)",
            " app 25..32",
            " capsEx 40..49 (Reconnect, Multitrack)",
        ]
    );
    // Type 17 with its format byte, and as some senders have it, without.
    let with = format!("00 {CONNECT}");
    assert_eq!(sound(MessageType::COMMAND_AMF3, &with), Body::Command(expected.clone()));
    assert_eq!(command(MessageType::COMMAND_AMF3, CONNECT), (expected, None));
}

#[test]
fn a_reply_with_information() {
    let text = "02 0006 5f6572726f72 00 4000000000000000 05
        03 0004 636f6465 02 0001 78 0000 09 01 01";
    let Body::Command(reply) = sound(MessageType::COMMAND_AMF0, text) else { panic!() };
    assert!(reply.is_reply());
    assert_eq!(reply.info("code").unwrap(), &"x");
    assert_eq!(reply.object, Some(Value::Null));
    assert_eq!(reply.arguments[1], Value::Boolean(true));
}

#[test]
fn amf3_values_in_a_command() {
    // Format byte, AMF0 name and number, null, then one AVM+ value.
    let text = "00 02 0004 63616c6c 00 4000000000000000 05 11 04 07";
    let Body::Command(call) = sound(MessageType::COMMAND_AMF3, text) else { panic!() };
    assert_eq!(call.arguments, [Value::Integer(7)]);
    // After the format byte pure AMF3: string, integer, null, string.
    for text in ["00 06 09 63616c6c 04 02 01 06 03 78", "06 09 63616c6c 04 02 01 06 03 78"] {
        let (call, stop) = command(MessageType::COMMAND_AMF3, text);
        assert_eq!(stop, None);
        assert_eq!((call.name, call.transaction_id), ("call".into(), Some(2.0)));
        assert_eq!((call.object, call.arguments), (Some(Value::Null), vec![Value::string("x")]));
    }
    // A format nobody defined is told, and the rest tried.
    let (call, stop) = command(MessageType::COMMAND_AMF3, "03 02 0001 78 00 0000000000000000 05");
    assert_eq!((call.name, call.object), ("x".into(), Some(Value::Null)));
    let stop = stop.unwrap();
    assert_eq!((stop.field, stop.at, stop.reason), ("format", 0, StopReason::Invalid(3)));
}

#[test]
fn commands_with_parts_missing_or_of_the_wrong_type() {
    let name = "02 0001 78";
    let (x, stop) = command(MessageType::COMMAND_AMF0, name);
    assert_eq!((x.name, x.transaction_id, x.object), ("x".into(), None, None));
    assert_eq!(stop.unwrap().field, "transaction_id");
    let (x, stop) = command(MessageType::COMMAND_AMF0, &format!("{name} 00 3ff0000000000000"));
    assert_eq!((x.transaction_id, x.object, stop), (Some(1.0), None, None));
    // No transaction id: the object comes in its place.
    let (x, stop) = command(MessageType::COMMAND_AMF0, &format!("{name} 05 01 01"));
    assert_eq!((x.transaction_id, x.object), (None, Some(Value::Null)));
    assert_eq!(x.arguments, [Value::Boolean(true)]);
    assert_eq!(stop.unwrap().field, "transaction_id");
    // No name: the rest is read all the same.
    let (x, stop) = command(MessageType::COMMAND_AMF0, "05 00 3ff0000000000000 05");
    assert_eq!((x.name, x.transaction_id), ("".into(), Some(1.0)));
    let stop = stop.unwrap();
    assert_eq!((stop.field, stop.at, stop.reason), ("command_name", 0, StopReason::Invalid(5)));
    for type_id in [MessageType::COMMAND_AMF0, MessageType::COMMAND_AMF3] {
        let (x, stop) = command(type_id, "");
        assert_eq!((x, stop.unwrap().field), (Command::default(), "command_name"));
    }
}

#[test]
fn a_cut_connect_keeps_what_came_before_the_cut() {
    let payload = hex(CONNECT);
    for len in 0..payload.len() {
        let (body, stop) = both(MessageType::COMMAND_AMF0, &payload[..len]);
        let Body::Command(command) = body else { panic!() };
        assert_eq!(stop.is_none(), len == 19, "{len} {stop:?}");
        assert_eq!(command.name == "connect", len >= 10);
        assert_eq!(command.object.as_ref().is_some_and(|o| o.get("app").is_some()), len >= 32);
    }
    // Without the end marker nothing is missing, but it is told.
    let (body, stop) = both(MessageType::COMMAND_AMF0, &payload[..49]);
    let Body::Command(command) = body else { panic!() };
    assert_eq!(command.object.unwrap().properties().len(), 2);
    assert_eq!(stop.unwrap().field, "object_end_marker");
}

#[test]
fn data_messages() {
    let text =
        "02 000a 6f6e4d65746144617461 08 00000001 0005 7769647468 00 4094000000000000 0000 09";
    let Body::Data(data) = sound(MessageType::DATA_AMF0, text) else { panic!() };
    assert_eq!(data.name().unwrap(), &"onMetaData");
    assert_eq!(data.values[1].get("width"), Some(&Value::Number(1280.0)));
    let Body::Data(same) = sound(MessageType::DATA_AMF3, &format!("00 {text}")) else { panic!() };
    assert_eq!(same, data);
    assert_eq!(both(MessageType::DATA_AMF3, &hex(text)), (Body::Data(data), None));
    assert_eq!(both(MessageType::DATA_AMF0, &[]), (Body::Data(Data::default()), None));
    let (body, stop) = both(MessageType::DATA_AMF0, &hex("02 0001 78 05 0e 0102"));
    let Body::Data(data) = body else { panic!() };
    assert_eq!(data.values, [Value::string("x"), Value::Null, Value::RecordSet]);
    assert_eq!(stop.unwrap().at, 5);
    assert_eq!(
        fields(MessageType::DATA_AMF0, "02 0001 78 05 7f 0102"),
        ["value[0] 0..4", "value[1] 4..5 (null)", "value[2] 5..6 (cut)", "undecoded 6..8"]
    );
}
