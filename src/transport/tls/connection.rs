//! A TLS connection, both directions.

use super::certificate;
use super::cipher::{Cipher, HEADER};
use super::half::{Epoch, Half, MAX_MESSAGE, Next};
use super::hello::{self, ClientHello, ServerHello};
use super::keying::{Known, Outcome, Resumable, fragment_len};
use super::suites;
use crate::base::{Direction, Timestamp};
use crate::flow::FlowId;
use crate::transport::{Fact, FactValue, Item, KeyLog, Source};

/// Bytes of a direction that wait for keys which may still come.
const MAX_WAITING: usize = 16 << 10;
/// Bytes of C0 and C1.
const C0C1: usize = 1537;

/// A TLS connection.
///
/// Feed it bytes and gaps of both directions in the order of time; it hands on application data,
/// and facts.
#[derive(Debug)]
pub struct Connection {
    flow: FlowId,
    /// Whether the client is the flow's server.
    flip: bool,
    halves: [Half; 2],
    client: Option<ClientHello>,
    server: Option<ServerHello>,
    /// The master secret is in use.
    keyed12: bool,
    without_keys: bool,
    told_failure: bool,
    told_ticket: bool,
}

/// What a layer above gets to see, as far as it is known by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing protected was seen yet.
    Handshake,
    /// Application data was handed on.
    Plain,
    /// There is protected data that cannot be read.
    Opaque,
}

/// What is needed beside the bytes.
struct Input<'a, 'k> {
    direction: Direction,
    time: Timestamp,
    keys: &'k KeyLog,
    resumable: &'a mut Resumable,
    out: &'a mut dyn FnMut(Item<'_>),
}

impl Connection {
    /// A connection of which nothing was read. `flip` says that the flow's server is the client.
    pub fn new(flow: FlowId, flip: bool) -> Connection {
        Connection {
            flow,
            flip,
            halves: Default::default(),
            client: None,
            server: None,
            keyed12: false,
            without_keys: false,
            told_failure: false,
            told_ticket: false,
        }
    }

    /// Takes the next bytes of a direction (the session's), which lie at `offset` of the flow.
    #[expect(clippy::too_many_arguments, reason = "bytes, their place, keys, and where they go")]
    pub fn data(
        &mut self,
        direction: Direction,
        offset: u64,
        time: Timestamp,
        bytes: &[u8],
        keys: &KeyLog,
        resumable: &mut Resumable,
        out: &mut dyn FnMut(Item<'_>),
    ) {
        let half = &mut self.halves[direction.index()];
        if half.buffer.is_empty() && half.skip == 0 && half.lost.is_none() {
            half.at = offset;
        }
        let skipped = half.skip.min(bytes.len() as u64);
        half.skip -= skipped;
        half.at += skipped;
        half.buffer.extend_from_slice(&bytes[skipped as usize..]);
        // Keys that one direction waited for serve the other as well.
        for direction in [direction, direction.reverse()] {
            self.run(&mut Input { direction, time, keys, resumable, out });
        }
    }

    /// `len` bytes of a direction are missing.
    pub fn gap(
        &mut self,
        direction: Direction,
        time: Timestamp,
        len: u64,
        out: &mut dyn FnMut(Item<'_>),
    ) {
        let half = &mut self.halves[direction.index()];
        if let Some(fragment) = half.gap(len)
            && half.delivered
        {
            let overhead = half.cipher.as_ref().map_or(17, Cipher::overhead);
            let len = (fragment as u64).saturating_sub(overhead);
            out(Item::Gap { direction, time, len, exact: false });
        }
    }

    /// What can be read of it.
    pub fn reading(&self) -> Reading {
        match self {
            _ if self.halves.iter().any(|half| half.delivered) => Reading::Plain,
            Connection { without_keys: true, .. } => Reading::Opaque,
            _ => Reading::Handshake,
        }
    }

    /// Whether the lengths of records that cannot be read are those of RTMP's handshake: C0 and C1
    /// in one, S0 and S1 in one or with S2.
    pub fn looks_like_rtmp(&self) -> bool {
        let Some(server) = &self.server else { return false };
        let [client, answer] = &self.halves;
        // Servers in Go begin a connection with records of about 1200 bytes: several make up one
        // packet of the handshake.
        let has = |half: &Half, plain: usize| {
            let whole = fragment_len(server, plain);
            let empty = fragment_len(server, 0).unwrap_or(0);
            (0..half.sizes.len()).any(|from| {
                let mut sum = 0;
                half.sizes[from..].iter().any(|size| {
                    sum += size.saturating_sub(empty);
                    Some(*size) == whole || sum == plain
                })
            })
        };
        has(client, C0C1) && [2 * C0C1 - 1, C0C1, C0C1 - 1].iter().any(|len| has(answer, *len))
    }

    /// Whether both sides agreed on another protocol than RTMP, or the client only offered others.
    pub fn names_http(&self) -> bool {
        let is_http = |name: &String| name == "h2" || name.starts_with("http/");
        match (&self.server, &self.client) {
            (Some(ServerHello { alpn: Some(alpn), .. }), _) => is_http(alpn),
            (_, Some(client)) => client.alpn.iter().any(is_http),
            _ => false,
        }
    }

    /// Protected records that could not be read, per direction (no more than a few are counted).
    pub fn unread(&self) -> [usize; 2] {
        [self.halves[0].sizes.len(), self.halves[1].sizes.len()]
    }

    /// The earliest offset of the flow that a coming item can refer to, per direction.
    pub fn oldest(&self, direction: Direction) -> u64 {
        self.halves[direction.index()].at
    }

    fn run(&mut self, input: &mut Input<'_, '_>) {
        let index = input.direction.index();
        let mut buffer = std::mem::take(&mut self.halves[index].buffer);
        let mut done = 0;
        loop {
            let rest = &mut buffer[done..];
            let half = &mut self.halves[index];
            let searching = half.lost.is_some();
            let next = if searching { Half::search(rest) } else { Half::next(rest) };
            match next {
                Next::Wait { useless } => {
                    done += useless;
                    half.at += useless as u64;
                    break;
                }
                Next::Broken => {
                    let offset = half.at;
                    half.lose(offset);
                    self.fact(input, "no-record", true, offset, Vec::new());
                }
                Next::Record { at, len } => {
                    half.at += at as u64;
                    done += at;
                    let (record, after) = buffer[done..].split_at_mut(len);
                    match self.record(input, record, searching, after) {
                        Step::Done => {
                            self.halves[index].at += len as u64;
                            done += len;
                        }
                        // Not a record: the search goes on with the next byte.
                        Step::NoRecord => {
                            self.halves[index].at += 1;
                            done += 1;
                        }
                        Step::Wait => break,
                    }
                }
            }
        }
        buffer.drain(..done);
        self.halves[index].buffer = buffer;
    }

    fn record(
        &mut self,
        input: &mut Input<'_, '_>,
        record: &mut [u8],
        searching: bool,
        after: &[u8],
    ) -> Step {
        let Some((header, fragment)) = record.split_first_chunk_mut::<HEADER>() else {
            return Step::NoRecord;
        };
        let header = *header;
        let (direction, index) = (input.direction, input.direction.index());
        let at = self.halves[index].at;
        let known =
            Known { client: self.client.as_ref(), server: self.server.as_ref(), keys: input.keys };
        let tls13 = known.is_tls13();
        let content = header[0];
        let half = &mut self.halves[index];
        if tls13 && content == 23 {
            half.protected = true;
        }
        let clear = !half.protected
            // A client that did not get as far as keys says so in clear text; a second hello after
            // a HelloRetryRequest is in clear text as well.
            || tls13 && (content == 20 || content == 22 || content == 21 && fragment.len() == 2);
        if clear {
            if searching && !(Half::is_chained(after) && content != 23) {
                return Step::NoRecord;
            }
            half.lost = None;
            match content {
                20 if !tls13 => {
                    half.protected = true;
                    half.epoch = Epoch::Tls12;
                    half.rekey(None);
                    self.key12(input);
                }
                _ => self.content(input, content, fragment, at + HEADER as u64, false),
            }
            return Step::Done;
        }
        let outcome = if tls13 {
            known.open_tls13(half, direction, at, header, fragment)
        } else {
            if half.cipher.is_none() {
                self.key12(input);
            }
            Known::open_tls12(&mut self.halves[index], at, header, fragment)
        };
        let half = &mut self.halves[index];
        match outcome {
            Outcome::Opened(opened) => {
                self.without_keys = false;
                if let Some(lost) = half.lost.take()
                    && half.delivered
                {
                    let overhead = half.cipher.as_ref().map_or(17, Cipher::overhead);
                    let records = opened.sequence.saturating_sub(half.sequence);
                    let len = (at - lost.from).saturating_sub(records * (5 + overhead));
                    (input.out)(Item::Gap { direction, time: input.time, len, exact: false });
                }
                half.sequence = opened.sequence + 1;
                let place = at + (HEADER + opened.plain.start) as u64;
                let Some(plain) = fragment.get(opened.plain) else { return Step::Done };
                if opened.content == 23 {
                    half.delivered |= !plain.is_empty();
                    let flow_direction = if self.flip { direction.reverse() } else { direction };
                    let source =
                        Source { flow: self.flow, direction: flow_direction, offset: place };
                    let time = input.time;
                    (input.out)(Item::Data { direction, time, bytes: plain, source });
                } else {
                    self.content(input, opened.content, plain, place, true);
                }
            }
            Outcome::NoKeys => {
                let waits = input.keys.may_grow() && !self.without_keys;
                if waits && after.len() < MAX_WAITING {
                    return Step::Wait;
                }
                if searching && !Half::is_chained(after) {
                    return Step::NoRecord;
                }
                half.lost = None;
                half.unread(fragment.len());
                if !self.without_keys {
                    self.without_keys = true;
                    self.no_keys(input, at);
                }
            }
            Outcome::Failed => {
                if searching {
                    return Step::NoRecord;
                }
                let expected = half.cipher.is_some();
                let overhead = half.cipher.as_ref().map_or(17, Cipher::overhead);
                half.sequence += u64::from(expected);
                half.unread(fragment.len());
                if half.delivered {
                    let len = (fragment.len() as u64).saturating_sub(overhead);
                    (input.out)(Item::Gap { direction, time: input.time, len, exact: false });
                }
                // Records of an epoch whose secret was not logged are no surprise.
                if expected && !self.told_failure {
                    self.told_failure = true;
                    let fields = vec![("sequence", FactValue::Number(half.sequence - 1))];
                    self.fact(input, "record-not-authentic", true, at, fields);
                }
            }
        }
        Step::Done
    }

    /// Derives the keys of TLS 1.2 once all is known.
    fn key12(&mut self, input: &mut Input<'_, '_>) {
        let known =
            Known { client: self.client.as_ref(), server: self.server.as_ref(), keys: input.keys };
        let (Some(client), Some(server)) = (known.client, known.server) else { return };
        // The PRF of earlier versions is another.
        if server.version != 0x0303 {
            return;
        }
        let Some(suite) = suites::find(server.suite) else { return };
        let Some(master) = known.master(input.resumable).map(<[u8]>::to_vec) else { return };
        let ciphers = Cipher::tls12(suite, &master, &client.random, &server.random, server.etm);
        let Some(ciphers) = ciphers else { return };
        if !self.keyed12 {
            input.resumable.remember(&server.session_id, &master);
        }
        self.keyed12 = true;
        for (half, cipher) in self.halves.iter_mut().zip(ciphers) {
            if half.epoch == Epoch::Tls12 && half.cipher.is_none() {
                half.cipher = Some(cipher);
            }
        }
    }

    /// What is in a record that is no application data.
    fn content(
        &mut self,
        input: &mut Input<'_, '_>,
        content: u8,
        plain: &[u8],
        at: u64,
        protected: bool,
    ) {
        match (content, plain) {
            (21, &[level, description]) => {
                let half = &mut self.halves[input.direction.index()];
                let name = hello::alert(description);
                if description == 0 {
                    half.closed = true;
                    return self.fact(input, "close-notify", false, at, Vec::new());
                }
                let level = if level == 2 { "fatal" } else { "warning" };
                let fields = vec![
                    ("level", FactValue::Text(level.into())),
                    ("description", FactValue::Text(name.into())),
                    ("code", FactValue::Number(description.into())),
                    ("protected", FactValue::Flag(protected)),
                ];
                self.fact(input, "alert", true, at, fields);
            }
            (22, _) => {
                let mut messages =
                    std::mem::take(&mut self.halves[input.direction.index()].messages);
                messages.extend_from_slice(plain);
                let mut done = 0;
                while let Some(&[kind, a, b, c]) = messages.get(done..done + 4) {
                    let len = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                    if len > MAX_MESSAGE {
                        done = messages.len();
                        break;
                    }
                    let Some(body) = messages.get(done + 4..done + 4 + len) else { break };
                    self.message(input, kind, body, at);
                    done += 4 + len;
                }
                messages.drain(..done);
                self.halves[input.direction.index()].messages = messages;
            }
            _ => {}
        }
    }

    fn message(&mut self, input: &mut Input<'_, '_>, kind: u8, body: &[u8], at: u64) {
        let index = input.direction.index();
        let tls13 = self.server.as_ref().is_some_and(|server| server.version == 0x0304);
        let from_client = input.direction == Direction::ClientToServer;
        match kind {
            1 if from_client => {
                let Some(hello) = ClientHello::parse(body) else { return };
                if self.client.is_some() && self.halves[0].epoch == Epoch::Tls12 {
                    self.fact(input, "renegotiation", true, at, Vec::new());
                    self.server = None;
                }
                self.fact(input, "client-hello", false, at, hello.fields.clone());
                self.client = Some(hello);
            }
            2 if !from_client => {
                let Some(mut hello) = ServerHello::parse(body) else { return };
                let fields = &mut hello.fields;
                let resumed = hello.version < 0x0304
                    && !hello.session_id.is_empty()
                    && self
                        .client
                        .as_ref()
                        .is_some_and(|client| client.session_id == hello.session_id);
                if resumed {
                    fields.push(("resumed", FactValue::Flag(true)));
                }
                let name = if hello.retry { "hello-retry-request" } else { "server-hello" };
                self.fact(input, name, false, at, hello.fields.clone());
                if !hello.retry {
                    self.halves[1].protected |= hello.version == 0x0304;
                    self.server = Some(hello);
                }
            }
            4 if tls13 && self.told_ticket => {}
            4 if !from_client && tls13 => {
                self.told_ticket = true;
                self.fact(input, "session-ticket", false, at, Vec::new());
            }
            4 if !from_client => {
                let mut cut = hello::Cut(body);
                if cut.take(4).is_some()
                    && let Some(ticket) = cut.vec16()
                {
                    let known = Known {
                        client: self.client.as_ref(),
                        server: self.server.as_ref(),
                        keys: input.keys,
                    };
                    let master = known.master(input.resumable).map(<[u8]>::to_vec);
                    if let Some(master) = master {
                        input.resumable.remember(ticket.0, &master);
                    }
                }
            }
            5 if tls13 && from_client => self.halves[0].rekey(None),
            8 if tls13 && !from_client => {
                let (alpn, early_data) = hello::encrypted_extensions(body);
                let mut fields = Vec::new();
                if let Some(alpn) = &alpn {
                    fields.push(("alpn", FactValue::Text(alpn.clone().into())));
                }
                if self.client.as_ref().is_some_and(|client| client.early_data) {
                    fields.push(("early_data", FactValue::Flag(early_data)));
                }
                if let Some(server) = &mut self.server {
                    server.alpn = alpn;
                }
                if !fields.is_empty() {
                    self.fact(input, "encrypted-extensions", false, at, fields);
                }
            }
            11 if !from_client => {
                let name = self.client.as_ref().and_then(|client| client.server_name.as_deref());
                let fields = certificate::fields(body, tls13, input.time, name);
                self.fact(input, "certificate", false, at, fields);
            }
            12 if !from_client => {
                if let Some(group) = hello::exchange_group(body) {
                    let fields = vec![("group", FactValue::Text(group.into()))];
                    self.fact(input, "key-exchange", false, at, fields);
                }
            }
            20 => {
                self.halves[index].finished = true;
                if tls13 {
                    self.halves[index].rekey(None);
                    self.halves[index].epoch = Epoch::Handshake;
                }
                if self.halves.iter().all(|half| half.finished) {
                    self.fact(input, "established", false, at, Vec::new());
                }
            }
            24 if tls13 => {
                self.halves[index].update();
                let asks = body.first() == Some(&1);
                let fields = vec![("asks_for_answer", FactValue::Flag(asks))];
                self.fact(input, "key-update", false, at, fields);
            }
            _ => {}
        }
    }

    fn no_keys(&mut self, input: &mut Input<'_, '_>, at: u64) {
        let mut fields = Vec::new();
        let reason = match (&self.client, &self.server) {
            (None, _) => "the ClientHello is missing",
            (Some(_), None) => "the ServerHello is missing",
            (_, Some(server)) if server.version < 0x0303 => "the version is too old",
            (_, Some(server))
                if suites::find(server.suite).is_none_or(|suite| suite.protection.is_none()) =>
            {
                "the cipher suite is not known"
            }
            _ => "the key log does not have its client random",
        };
        fields.push(("reason", FactValue::Text(reason.into())));
        if let Some(client) = &self.client {
            fields.push(("client_random", FactValue::Bytes(client.random.to_vec())));
        }
        self.fact(input, "no-keys", false, at, fields);
    }

    fn fact(
        &self,
        input: &mut Input<'_, '_>,
        name: &'static str,
        odd: bool,
        offset: u64,
        fields: Vec<(&'static str, FactValue)>,
    ) {
        let Input { direction, time, .. } = *input;
        let fact = Fact { layer: "tls", name, odd, direction, time, offset, fields };
        (input.out)(Item::Fact(fact));
    }
}

/// What became of bytes that may be a record.
enum Step {
    Done,
    NoRecord,
    Wait,
}
