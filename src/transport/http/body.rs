//! How long a body is, and its bytes.

use httparse::{Header, Status};

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// Up to the end of the connection.
    Close,
}

impl Framing {
    /// Of a request: without a length there is no body.
    pub fn of_request(headers: &[Header<'_>]) -> Framing {
        Framing::told(headers).unwrap_or(Framing::Length(0))
    }

    /// Of a response: without a length it ends with the connection.
    pub fn of_response(status: u16, headers: &[Header<'_>]) -> Framing {
        match status {
            100..=199 | 204 | 304 => Framing::Length(0),
            _ => Framing::told(headers).unwrap_or(Framing::Close),
        }
    }

    fn told(headers: &[Header<'_>]) -> Option<Framing> {
        let values = |name: &'static str| {
            headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name))
        };
        let chunked = |header: &Header<'_>| {
            header.value.to_ascii_lowercase().windows(7).any(|word| word == b"chunked")
        };
        if values("transfer-encoding").any(chunked) {
            return Some(Framing::Chunked);
        }
        let value = values("content-length").next()?;
        std::str::from_utf8(value.value).ok()?.trim().parse().ok().map(Framing::Length)
    }
}

/// Bytes that the line of a chunk's length may have, extensions included.
const MAX_LINE: usize = 1024;

/// Finds the bytes of a body among those of the stream.
#[derive(Debug)]
pub struct Body {
    state: State,
    line: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Counted(u64),
    Close,
    ChunkLength,
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    Trailer,
    Done,
}

/// What the next bytes of the stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes of the body.
    Bytes(usize),
    /// So many bytes that frame it.
    Framing(usize),
    /// It is over; nothing was used.
    Done,
    /// This is no body.
    Broken,
}

impl Body {
    pub fn new(framing: Framing) -> Body {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(len) => State::Counted(len),
            Framing::Chunked => State::ChunkLength,
            Framing::Close => State::Close,
        };
        Body { state, line: Vec::new() }
    }

    /// Whether nothing more belongs to it.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the end of the connection is its end.
    pub fn ends_with_connection(&self) -> bool {
        self.state == State::Close
    }

    /// Looks at the next bytes, of which there is one at least.
    pub fn step(&mut self, bytes: &[u8]) -> Step {
        let clip = |left: u64| (bytes.len() as u64).min(left) as usize;
        match &mut self.state {
            State::Done => Step::Done,
            State::Close => Step::Bytes(bytes.len()),
            State::Counted(left) => {
                let len = clip(*left);
                *left -= len as u64;
                if *left == 0 {
                    self.state = State::Done;
                }
                Step::Bytes(len)
            }
            State::Chunk(left) => {
                let len = clip(*left);
                *left -= len as u64;
                if *left == 0 {
                    self.state = State::ChunkEnd;
                }
                Step::Bytes(len)
            }
            State::ChunkLength | State::ChunkEnd | State::Trailer => self.line(bytes),
        }
    }

    /// Takes a line of the chunked coding.
    fn line(&mut self, bytes: &[u8]) -> Step {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(bytes.len(), |end| end + 1);
        self.line.extend_from_slice(&bytes[..used]);
        if self.line.len() > MAX_LINE {
            return Step::Broken;
        }
        if end.is_none() {
            return Step::Framing(used);
        }
        let line = std::mem::take(&mut self.line);
        let empty = line.trim_ascii().is_empty();
        self.state = match self.state {
            State::ChunkEnd if empty => State::ChunkLength,
            State::Trailer if empty => State::Done,
            State::Trailer => State::Trailer,
            State::ChunkLength => match httparse::parse_chunk_size(&line) {
                Ok(Status::Complete((_, 0))) => State::Trailer,
                Ok(Status::Complete((_, len))) => State::Chunk(len),
                _ => return Step::Broken,
            },
            _ => return Step::Broken,
        };
        Step::Framing(used)
    }

    /// `len` bytes of the stream are missing; says how many of the body are, and whether the place
    /// in the stream is still known.
    pub fn gap(&mut self, len: u64) -> (u64, bool) {
        match &mut self.state {
            State::Close => (len, true),
            State::Counted(left) | State::Chunk(left) if len < *left => {
                *left -= len;
                (len, true)
            }
            State::Counted(left) if len == *left => {
                self.state = State::Done;
                (len, true)
            }
            State::Counted(left) | State::Chunk(left) => (*left, false),
            _ => (0, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(framing: Framing, stream: &[u8], step: usize) -> (Vec<u8>, usize, bool) {
        let (mut body, mut out, mut at) = (Body::new(framing), Vec::new(), 0);
        while at < stream.len() {
            let end = stream.len().min(at + step);
            match body.step(&stream[at..end]) {
                Step::Bytes(len) => {
                    out.extend_from_slice(&stream[at..at + len]);
                    at += len;
                }
                Step::Framing(len) => at += len,
                Step::Done => break,
                Step::Broken => return (out, at, false),
            }
        }
        (out, at, true)
    }

    #[test]
    fn all_framings_in_pieces_of_any_size() {
        let chunked = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\nPOST";
        for step in 1..50 {
            assert_eq!(read(Framing::Chunked, chunked, step), (b"abcde".to_vec(), 36, true));
            assert_eq!(read(Framing::Length(3), b"abcPOST", step), (b"abc".to_vec(), 3, true));
            assert_eq!(read(Framing::Close, b"abcd", step), (b"abcd".to_vec(), 4, true));
        }
        assert!(!read(Framing::Chunked, b"zz\r\n", 9).2);
        assert!(!read(Framing::Chunked, b"1\r\nabc\r\n", 9).2);
    }
}
