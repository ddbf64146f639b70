//! One direction of a connection: message after message.

use super::body::{Body, Step};
use super::head::{self, MAX_HEAD, Request, Response};

/// The head of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    Request(Request),
    Response(Response),
}

/// What bytes of a connection turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// A message begins. Holds the length of its head.
    Head(Head, usize),
    /// Bytes of its body: from byte `from` of those fed, `len` of them.
    Body { from: usize, len: usize },
    /// Bytes of its body that are missing.
    Missing(u64),
    /// It ends; whether all of it was there.
    End(bool),
    /// The place in the stream is lost: messages may be missing here.
    Lost,
}

/// Reads the messages of one direction.
#[derive(Debug)]
pub struct Messages {
    requests: bool,
    state: State,
    /// Bytes of a head that is not complete, or the last ones while searching.
    held: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Head,
    Body(Body),
    /// Looking for a beginning.
    Search,
}

impl Messages {
    pub fn new(requests: bool) -> Messages {
        Messages { requests, state: State::Head, held: Vec::new() }
    }

    /// Whether the next byte begins a message.
    pub fn is_between(&self) -> bool {
        matches!(self.state, State::Head | State::Search) && self.held.is_empty()
    }

    /// Takes bytes up to the end of a message; says how many.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Part)) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.state {
                State::Search => at += self.search(&bytes[at..]),
                State::Head => {
                    at += self.head(&bytes[at..], sink);
                    if self.ends(sink) {
                        return at;
                    }
                }
                State::Body(body) => match body.step(&bytes[at..]) {
                    Step::Bytes(len) => {
                        sink(Part::Body { from: at, len });
                        at += len;
                        if self.ends(sink) {
                            return at;
                        }
                    }
                    Step::Framing(len) => {
                        at += len;
                        if self.ends(sink) {
                            return at;
                        }
                    }
                    Step::Done | Step::Broken => {
                        sink(Part::End(false));
                        self.lose(sink);
                    }
                },
            }
        }
        at
    }

    fn ends(&mut self, sink: &mut dyn FnMut(Part)) -> bool {
        let ends = matches!(&self.state, State::Body(body) if body.is_done());
        if ends {
            self.state = State::Head;
            sink(Part::End(true));
        }
        ends
    }

    fn lose(&mut self, sink: &mut dyn FnMut(Part)) {
        self.state = State::Search;
        self.held.clear();
        sink(Part::Lost);
    }

    /// Takes bytes of a head.
    fn head(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Part)) -> usize {
        if self.held.is_empty() {
            // Old clients end bodies with a line end that no length counts.
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if blank > 0 {
                return blank;
            }
        }
        let before = self.held.len();
        self.held.extend_from_slice(&bytes[..bytes.len().min(MAX_HEAD)]);
        let from = before.saturating_sub(3);
        let end = self.held[from..].windows(4).position(|window| window == b"\r\n\r\n");
        let Some(end) = end.map(|end| from + end + 4) else {
            if self.held.len() > MAX_HEAD || !self.may_begin() {
                self.lose(sink);
            }
            return bytes.len().min(MAX_HEAD);
        };
        self.held.truncate(end);
        let parsed = match self.requests {
            true => head::request(&self.held).map(|head| (head.framing, Head::Request(head))),
            false => head::response(&self.held).map(|head| (head.framing, Head::Response(head))),
        };
        self.held.clear();
        match parsed {
            Some((framing, head)) => {
                sink(Part::Head(head, end));
                self.state = State::Body(Body::new(framing));
            }
            None => self.lose(sink),
        }
        end - before
    }

    /// Whether what is held can be the beginning of a message.
    fn may_begin(&self) -> bool {
        match self.requests {
            true => self.held.first().is_some_and(u8::is_ascii_uppercase),
            false => self.held.iter().zip(b"HTTP/1.").all(|(held, byte)| held == byte),
        }
    }

    /// Looks for the beginning of a message after damage.
    fn search(&mut self, bytes: &[u8]) -> usize {
        let needle: &[u8] = if self.requests { b"POST " } else { b"HTTP/1." };
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        match self.held.windows(needle.len()).position(|window| window == needle) {
            Some(found) => {
                self.state = State::Head;
                if found < before {
                    // It began in bytes that were fed before.
                    self.held.drain(..found);
                    self.held.truncate(before - found);
                    return 0;
                }
                self.held.clear();
                found - before
            }
            None => {
                let keep = self.held.len().min(needle.len() - 1);
                self.held.drain(..self.held.len() - keep);
                bytes.len()
            }
        }
    }

    /// `len` bytes are missing.
    pub fn gap(&mut self, len: u64, sink: &mut dyn FnMut(Part)) {
        match &mut self.state {
            State::Search => self.held.clear(),
            State::Head => self.lose(sink),
            State::Body(body) => {
                let (missing, known) = body.gap(len);
                if missing > 0 {
                    sink(Part::Missing(missing));
                }
                if !known {
                    sink(Part::End(false));
                    self.lose(sink);
                } else {
                    self.ends(sink);
                }
            }
        }
    }

    /// No more bytes will come.
    pub fn end(&mut self, sink: &mut dyn FnMut(Part)) {
        if let State::Body(body) = &self.state {
            sink(Part::End(body.ends_with_connection()));
        }
        self.state = State::Search;
    }
}
