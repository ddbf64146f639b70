//! The three connections of Adobe's login, with a server of the test's own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::rig::{Process, Rig};
use super::support::{V, amf0};

const ASK: &str = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ";
const CHALLENGE: &str = "[ AccessManager.Reject ] : [ authmod=adobe ] : \
    ?reason=needauth&user=user&salt=c2FsdA==&challenge=Y2hhbA==&opaque=b3Bh";
const FAILED: &str =
    "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=b3Bh";

/// Answers one connect after the other with these descriptions, and closes.
fn serve(port: u16, descriptions: &'static [&'static str]) -> thread::JoinHandle<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("listen");
    thread::spawn(move || {
        for description in descriptions {
            let (client, _) = listener.accept().expect("a client");
            refuse(client, description);
        }
    })
}

fn refuse(mut client: TcpStream, description: &str) {
    client.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let mut hello = vec![0; 1537];
    client.read_exact(&mut hello).expect("C0 and C1");
    let mut reply = vec![3];
    reply.extend([0; 8]);
    reply.extend([7; 1528]);
    reply.extend(&hello[1..]);
    client.write_all(&reply).expect("S0, S1 and S2");
    client.read_exact(&mut [0; 1536]).expect("C2");
    // connect: its end is the object's end marker at least 100 bytes in.
    let mut asked = Vec::new();
    while !(asked.len() > 100 && asked.windows(3).any(|w| w == [0, 0, 9])) {
        let mut buffer = [0; 2048];
        let count = client.read(&mut buffer).expect("connect");
        assert!(count > 0, "the client closed before connect");
        asked.extend_from_slice(&buffer[..count]);
    }
    let info = V::Obj(vec![
        ("level", V::Str("error")),
        ("code", V::Str("NetConnection.Connect.Rejected")),
        ("description", V::Str(description)),
    ]);
    let payload = amf0(&[V::Str("_error"), V::Num(1.0), V::Null, info]);
    let mut message = vec![3, 0, 0, 0];
    message.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    message.extend([20, 0, 0, 0, 0]);
    for (at, chunk) in payload.chunks(128).enumerate() {
        if at > 0 {
            message.push(0xc3);
        }
        message.extend(chunk);
    }
    client.write_all(&message).expect("the refusal");
    // The client reads it and closes first; FFmpeg then comes back with the next step.
    while client.read(&mut [0; 256]).is_ok_and(|count| count > 0) {}
}

fn publish(rig: &Rig, login: &str) {
    let url = format!("rtmp://{login}127.0.0.1:{}/live/key", rig.port);
    let mut command = rig.ffmpeg("testsrc=size=160x90:rate=10", &["-c:v", "flv1", "-f", "flv"]);
    Process::spawn(command.arg(url)).finish();
}

/// "The encoder cannot log in": a wrong password.
#[test]
fn a_wrong_password() {
    let Some(rig) = Rig::without_server() else { return };
    let server = serve(rig.port, &[ASK, CHALLENGE, FAILED]);
    publish(&rig, "user:word@");
    server.join().expect("three connections");
    let told = rig.told();
    assert_eq!(told.headlines.len(), 3, "{}", told.all());
    for step in &told.headlines[..2] {
        assert_eq!(step.outcome.name(), "fine", "{}", told.all());
    }
    let last = told.headlines[2].session;
    told.expect(
        last,
        "command/auth-failed",
        &["FFmpeg", "wrong user or password", "Adobe"],
        &["does not exist", "packet loss"],
    );
}

/// The same without user and password in the encoder.
#[test]
fn no_password_at_all() {
    let Some(rig) = Rig::without_server() else { return };
    let server = serve(rig.port, &[ASK]);
    publish(&rig, "");
    server.join().expect("one connection");
    let told = rig.told();
    let session = told.headlines.last().expect("a session").session;
    told.expect(
        session,
        "command/auth-challenge",
        &["server wants a login", "never came back"],
        &["packet loss"],
    );
}
