//! The server on a TCP socket: one thread that waits for all connections at once.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;

use super::defects::Defect;
use super::engine::{Close, ConnId, Engine, Output};
use super::options::Options;
use super::play::TICK;
use crate::base::Timestamp;

/// Read from a connection before the others get their turn.
const READ: usize = 64 << 10;
/// How long what a client still sends is read after the server's FIN. A socket that is closed with
/// bytes unread answers with a reset, and the client might lose the last message.
const LINGER: Duration = Duration::from_secs(1);

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    app: String,
    orders: Sender<Order>,
    wake: UnixStream,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    Stop,
    Reconnect(Option<String>),
    Switch(Vec<&'static Defect>, Sender<()>),
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1.
    pub fn start(options: Options) -> io::Result<Server> {
        Server::start_on("127.0.0.1:0", options)
    }

    /// Starts a server on an address; port 0 is any free one.
    pub fn start_on(address: impl ToSocketAddrs, options: Options) -> io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let app = options.apps.iter().find(|app| *app != "*").cloned();
        let (wake, woken) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let (orders, received) = mpsc::channel();
        let mut driver = Driver {
            listener,
            woken,
            orders: received,
            engine: Engine::new(options),
            sockets: BTreeMap::new(),
            start: Instant::now(),
            ticked: Instant::now(),
        };
        let thread = thread::Builder::new()
            .name("rtmp-server".into())
            .spawn(move || while driver.turn() {})?;
        let app = app.unwrap_or_else(|| "live".into());
        Ok(Server { address, app, orders, wake, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its application.
    pub fn url(&self) -> String {
        format!("rtmp://{}/{}", self.address, self.app)
    }

    /// Whether it still runs: a fault may have ended it.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Asks clients that can to connect again; see [`Engine::request_reconnect`].
    pub fn request_reconnect(&self, tc_url: Option<&str>) {
        self.order(Order::Reconnect(tc_url.map(str::to_owned)));
    }

    /// Ends all connections. Says whether the server ran until now.
    pub fn stop(mut self) -> bool {
        self.end()
    }

    /// Switches these faults on and all others off, for connections to come. Returns when done.
    pub fn switch(&self, defects: &[&'static Defect]) {
        let (done, wait) = mpsc::channel();
        self.order(Order::Switch(defects.to_vec(), done));
        // A server that is gone cannot be switched.
        let _ = wait.recv();
    }

    fn order(&self, order: Order) {
        // A server that is gone takes no orders.
        let _ = self.orders.send(order);
        let _ = (&self.wake).write(&[0]);
    }

    fn end(&mut self) -> bool {
        self.order(Order::Stop);
        self.thread.take().is_none_or(|thread| thread.join().is_ok())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

struct Driver {
    listener: TcpListener,
    woken: UnixStream,
    orders: Receiver<Order>,
    engine: Engine,
    sockets: BTreeMap<ConnId, Socket>,
    start: Instant,
    ticked: Instant,
}

struct Socket {
    stream: TcpStream,
    /// To be written; `written` bytes of it are.
    out: Vec<u8>,
    written: usize,
    /// The client sends no more.
    ended: bool,
    /// Closed by the engine: written to its end, then read until then.
    closing: Option<Instant>,
    shut: bool,
}

impl Driver {
    /// Waits for something to happen and does it; false to stop.
    fn turn(&mut self) -> bool {
        let ready = self.wait();
        let mut keep_on = true;
        if ready.orders {
            let mut bytes = [0; 64];
            while matches!(self.woken.read(&mut bytes), Ok(len) if len > 0) {}
            while let Ok(order) = self.orders.try_recv() {
                match order {
                    Order::Stop => keep_on = false,
                    Order::Reconnect(url) => {
                        self.engine.request_reconnect(url.as_deref());
                    }
                    Order::Switch(defects, done) => {
                        self.engine.switch(defects);
                        let _ = done.send(());
                    }
                }
            }
        }
        if ready.listener {
            self.accept();
        }
        for id in ready.readable {
            if self.is_held_up() {
                break;
            }
            self.read(id);
            self.carry_out();
        }
        if self.ticked.elapsed() >= TICK {
            self.ticked = Instant::now();
            self.engine.tick(self.now());
        }
        self.carry_out();
        let ids: Vec<ConnId> = self.sockets.keys().copied().collect();
        for id in ids {
            self.write(id);
        }
        keep_on
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.start.elapsed().as_nanos() as i64)
    }

    fn wait(&self) -> Ready {
        let mut fds = vec![
            PollFd::new(&self.woken, PollFlags::IN),
            PollFd::new(&self.listener, PollFlags::IN),
        ];
        let mut watched = Vec::new();
        let held_up = self.is_held_up();
        for (id, socket) in &self.sockets {
            let mut flags = PollFlags::empty();
            if !socket.ended && !held_up {
                flags |= PollFlags::IN;
            }
            if socket.written < socket.out.len() {
                flags |= PollFlags::OUT;
            }
            // Of a client that is gone, nothing but its going would be heard, again and again.
            if !flags.is_empty() {
                watched.push(*id);
                fds.push(PollFd::new(&socket.stream, flags));
            }
        }
        let timeout = Timespec { tv_sec: 0, tv_nsec: TICK.as_nanos() as i64 };
        if poll(&mut fds, Some(&timeout)).is_err() {
            // A signal: everything is looked at again.
            return Ready::default();
        }
        let came = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let readable = watched.into_iter().zip(&fds[2..]);
        Ready {
            orders: came(&fds[0]),
            listener: came(&fds[1]),
            readable: readable
                .filter(|(_, fd)| {
                    fd.revents().intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
                })
                .map(|(id, _)| id)
                .collect(),
        }
    }

    /// Whether one client that does not read keeps the server from everything else: a fault.
    fn is_held_up(&self) -> bool {
        let waits = |socket: &Socket| socket.written < socket.out.len();
        self.engine.waits_for_writes() && self.sockets.values().any(waits)
    }

    fn accept(&mut self) {
        // An error is the client's (gone already) or ours (no descriptor left): next turn.
        while let Ok((stream, _)) = self.listener.accept() {
            let set_up = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true));
            if set_up.is_err() {
                continue;
            }
            let now = self.now();
            // Too many: closed at once.
            let Some(id) = self.engine.open(now) else { continue };
            let socket = Socket {
                stream,
                out: Vec::new(),
                written: 0,
                ended: false,
                closing: None,
                shut: false,
            };
            self.sockets.insert(id, socket);
        }
    }

    fn read(&mut self, id: ConnId) {
        let now = self.now();
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let mut bytes = [0; READ];
        match socket.stream.read(&mut bytes) {
            Ok(0) => {
                socket.ended = true;
                self.engine.half_close(id, now);
            }
            Ok(len) if socket.closing.is_none() => self.engine.input(id, now, &bytes[..len]),
            Ok(_) => {}
            Err(error) if is_passing(&error) => {}
            Err(_) => {
                socket.ended = true;
                socket.written = socket.out.len();
                self.engine.hang_up(id, now);
            }
        }
    }

    /// Takes what the engine wants done.
    fn carry_out(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Bytes(id, bytes) => {
                    if let Some(socket) = self.sockets.get_mut(&id) {
                        socket.out.extend_from_slice(&bytes);
                        self.write(id);
                    }
                }
                Output::Close(id, Close::Fin) => {
                    if let Some(socket) = self.sockets.get_mut(&id) {
                        socket.closing = Some(Instant::now());
                    }
                }
                Output::Close(id, Close::Reset) => {
                    if let Some(socket) = self.sockets.remove(&id) {
                        // Without it the reset is a FIN, which says nothing worse.
                        let _ = SockRef::from(&socket.stream).set_linger(Some(Duration::ZERO));
                    }
                }
            }
        }
    }

    /// Writes what can be written, and takes leave of what is closed.
    fn write(&mut self, id: ConnId) {
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        while socket.written < socket.out.len() {
            match socket.stream.write(&socket.out[socket.written..]) {
                Ok(len) if len > 0 => socket.written += len,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Gone: the read side says so too.
                _ => socket.written = socket.out.len(),
            }
        }
        if socket.written == socket.out.len() {
            socket.out.clear();
            socket.written = 0;
        } else if socket.written > READ {
            socket.out.drain(..socket.written);
            socket.written = 0;
        }
        let left = socket.out.len() - socket.written;
        self.engine.set_backlog(id, left);
        let Some(since) = socket.closing else { return };
        if left == 0 && !socket.shut {
            socket.shut = true;
            let _ = socket.stream.shutdown(Shutdown::Write);
        }
        if socket.ended && left == 0 || since.elapsed() >= LINGER {
            self.sockets.remove(&id);
        }
    }
}

/// What happened.
#[derive(Default)]
struct Ready {
    orders: bool,
    listener: bool,
    readable: Vec<ConnId>,
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
