//! What the server accepts, how long it waits, how much it holds.

use std::time::Duration;

use super::defects::Defect;

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Applications that exist; `*` accepts any name.
    pub apps: Vec<String>,
    /// Where the random bytes of handshakes come from.
    pub seed: u64,
    /// Faults that are switched on; none for a conforming server.
    pub defects: Vec<&'static Defect>,
    /// How long a client may take from its first byte to the end of C2.
    pub handshake_timeout: Duration,
    /// How long a client may take from there to `connect`.
    pub connect_timeout: Duration,
    /// After how much silence of a client it is pinged.
    pub ping_after: Duration,
    /// After how much silence a client is dropped.
    pub idle_timeout: Duration,
    /// How long `play` waits for somebody to publish the stream: encoders and players start
    /// together, in no particular order.
    pub play_wait: Duration,
    /// Acknowledgement window that the server announces, in bytes.
    pub window: u32,
    /// Chunk size that the server sends with, in bytes.
    pub chunk_size: u32,
    /// Connections at a time.
    pub max_connections: usize,
    /// Message streams of a connection.
    pub max_streams: usize,
    /// Payload bytes of unfinished messages of a connection. A message that is longer closes it.
    pub max_pending: usize,
    /// Bytes that wait for a client to read. From a quarter of it on, media is left out up to the
    /// next key frame; beyond it, the client is dropped.
    pub max_backlog: usize,
    /// Bytes in a stream name.
    pub max_name: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            apps: vec!["live".into()],
            seed: 1,
            defects: Vec::new(),
            handshake_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(30),
            ping_after: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            play_wait: Duration::from_millis(1250),
            window: 2_500_000,
            chunk_size: 4096,
            max_connections: 2000,
            max_streams: 2048,
            max_pending: 8 << 20,
            max_backlog: 8 << 20,
            max_name: 1024,
        }
    }
}
