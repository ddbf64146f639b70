//! Negative cases: how a server takes what it should not get.

use super::case::{Case, On, Reaction, Run, State, Step};
use super::conn::Conn;
use super::msg::Msg;
use super::relay::Relay;
use super::toolkit::T;
use super::verdict::{Outcome, Stop, Verdict};
use crate::base::Writer;
use crate::rtmp::Message;
use crate::wire::amf::Value;
use crate::wire::amf::amf0::encode as encode_amf0;

impl T {
    /// Runs the case itself.
    pub fn run(&mut self) -> Outcome {
        match self.case().run {
            Run::Function(function) => function(self),
            Run::Negative { from, send, accept } => self.rows(from, send, accept),
        }
    }

    /// What is sent has been sent: how does the server take it? PASS when the reaction is among
    /// `accept`, NONSTRICT for another one, FAIL for a connection that neither answers nor closes.
    /// The runner asks for a fresh connection afterwards.
    pub fn neg(&mut self, conn: &mut Conn, accept: &[Reaction]) -> Outcome {
        self.expect_alive_after();
        let seen = self.reactions(conn);
        let names = |all: &[Reaction]| {
            all.iter().map(|reaction| reaction.name()).collect::<Vec<_>>().join(", ")
        };
        if seen.iter().any(|reaction| accept.contains(reaction)) {
            return self.pass();
        }
        let how = conn.closed().map_or_else(String::new, |close| format!(" ({})", close.name()));
        if seen == [Reaction::Wait] {
            return self.fail("neither answers on this connection nor closes it");
        }
        self.nonstrict(format!("{}{how}, expected: {}", names(&seen), names(accept)))
    }

    /// What the server did since [`Conn::mark`]: an error, then whether it goes on, closes or waits.
    pub fn reactions(&mut self, conn: &mut Conn) -> Vec<Reaction> {
        let timeouts = self.timeouts();
        let goes_on = self.barrier(conn, timeouts.reply);
        let closed = match goes_on {
            Ok(()) => None,
            Err(_) => {
                let left = timeouts.close.saturating_sub(timeouts.reply);
                conn.closed().or_else(|| conn.wait_close(left))
            }
        };
        let mut seen = Vec::new();
        if conn.since_mark().iter().any(is_error) {
            seen.push(Reaction::Error);
        }
        match (goes_on, closed) {
            (Ok(()), _) => seen.push(Reaction::Tolerate),
            (Err(_), Some(_)) => seen.push(Reaction::Close),
            (Err(_), None) if seen.is_empty() => seen.push(Reaction::Wait),
            (Err(_), None) => {}
        }
        seen
    }

    /// A connection in a state. For [`State::Playing`] the publisher comes with it: keep both.
    pub fn at(&self, state: State) -> Result<(Conn, Option<Relay>), Stop> {
        Ok(match state {
            State::Open => (self.open()?, None),
            State::Handshaken => (self.handshaken()?, None),
            State::Connected => (self.connected()?, None),
            State::Stream => (self.stream()?, None),
            State::Publishing => (self.publisher(&self.name())?, None),
            State::Playing => {
                let relay = self.relay()?;
                let mut player = self.player(&relay.publisher.name)?;
                player.mark();
                (player, Some(relay))
            }
        })
    }

    /// Sends the steps of a row.
    pub fn steps(&self, conn: &mut Conn, steps: &[Step]) {
        for (at, step) in steps.iter().enumerate() {
            let on = |on: On, conn: &Conn| match on {
                On::Zero => 0,
                On::Stream => conn.stream_id,
                On::Id(id) => id,
            };
            match *step {
                Step::Raw(bytes) => {
                    conn.raw(bytes);
                }
                Step::Message(type_id, csid, stream, payload) => {
                    let id = on(stream, conn);
                    conn.send(Msg::new(type_id, payload).csid(csid).on(id).fmt(0));
                }
                Step::Control(type_id, payload) => {
                    conn.send(Msg::control(type_id, payload));
                }
                Step::Command(name, transaction, stream, rest) => {
                    let mut payload = Writer::new();
                    payload.bytes(&encode_amf0(&Value::string(name)));
                    payload.bytes(&encode_amf0(&Value::Number(transaction))).bytes(rest);
                    let id = on(stream, conn);
                    conn.send(Msg::new(20, payload.into_bytes()).on(id).fmt(0));
                }
                Step::Noise(count) => {
                    let noise = self.bytes(&format!("noise {at}"), count);
                    conn.raw(&noise);
                }
                Step::Pause(millis) => {
                    conn.idle(std::time::Duration::from_millis(millis));
                }
                Step::Finish => {
                    conn.finish();
                }
            }
        }
    }

    fn rows(&mut self, from: State, variants: &[&[Step]], accept: &[Reaction]) -> Outcome {
        let mut worst = Verdict::Pass;
        for (at, steps) in variants.iter().enumerate() {
            let run = |t: &mut T| {
                let (mut conn, relay) = t.at(from)?;
                conn.mark();
                t.steps(&mut conn, steps);
                let outcome = t.neg(&mut conn, accept);
                drop(relay);
                outcome
            };
            let verdict = run(self).unwrap_or_else(Stop::verdict);
            let many = variants.len() > 1;
            let name = format!("variant {}", at + 1);
            worst = worst.worst(if many { verdict.of(&name) } else { verdict });
        }
        Ok(worst)
    }
}

/// `_error`, or `onStatus` with level error.
fn is_error(message: &Message) -> bool {
    Conn::command_of(message).is_some_and(|command| command.name == "_error")
        || Conn::status_of(message).is_some_and(|(_, level)| level == "error")
}

impl Case {
    /// What is sent, in words: of a row from its steps.
    pub fn what_is_sent(&self) -> String {
        match self.run {
            Run::Negative { from, send, .. } if self.sends.is_empty() => {
                let count = send.len();
                format!("{count} variants from the state {from:?}, each on a connection of its own")
            }
            _ => self.sends.to_owned(),
        }
    }

    /// What passes, in words: of a row from its reactions.
    pub fn what_passes(&self) -> String {
        match self.run {
            Run::Negative { accept, .. } if self.passes.is_empty() => {
                let names: Vec<_> = accept.iter().map(|reaction| reaction.name()).collect();
                format!("the server {}, and serves a new connection", names.join(" or "))
            }
            _ => self.passes.to_owned(),
        }
    }
}
