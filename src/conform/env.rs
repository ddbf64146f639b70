//! What all cases of a run share: the target, time limits, what the probe found out.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use crate::peer::Clock;

/// The server under test, as its URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL as typed.
    pub url: String,
    /// Where to connect.
    pub address: SocketAddr,
    /// `host:port` for `tcUrl`.
    pub authority: String,
    /// Application: the path's first part.
    pub app: String,
    /// What stream names begin with: the rest of the path.
    pub prefix: String,
    /// What goes after a stream name, with its `?`: tokens.
    pub query: String,
    /// A recorded stream that can be played.
    pub vod: Option<String>,
}

/// Why a URL is no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError(pub String);

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TargetError {}

impl Target {
    /// Reads `rtmp://host[:port]/app[/stream][?query]`.
    pub fn parse(url: &str) -> Result<Target, TargetError> {
        let wrong = |what: &str| TargetError(format!("{url}: {what}"));
        let rest = url
            .strip_prefix("rtmp://")
            .ok_or_else(|| wrong("give rtmp://host[:port]/app[/stream]"))?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, format!("?{query}")),
            None => (rest, String::new()),
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let (app, prefix) = path.split_once('/').unwrap_or((path, ""));
        if host.is_empty() {
            return Err(wrong("the host is missing"));
        }
        if app.is_empty() {
            return Err(wrong("the application is missing; give rtmp://host/app"));
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let full = if has_port { host.to_owned() } else { format!("{host}:1935") };
        let address = full
            .to_socket_addrs()
            .map_err(|error| wrong(&format!("cannot find the host: {error}")))?
            .next()
            .ok_or_else(|| wrong("the host has no address"))?;
        Ok(Target {
            url: url.to_owned(),
            address,
            authority: host.to_owned(),
            app: app.to_owned(),
            prefix: prefix.to_owned(),
            query,
            vod: None,
        })
    }

    /// The URL of an application, as `connect` names it.
    pub fn tc_url(&self, app: &str) -> String {
        format!("rtmp://{}/{app}", self.authority)
    }
}

/// Time limits (the catalogue's conventions), scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a handshake: 5 s.
    pub handshake: Duration,
    /// For an expected reply: 5 s.
    pub reply: Duration,
    /// How long silence counts as silence: 0.5 s.
    pub quiet: Duration,
    /// For an expected close: 10 s.
    pub close: Duration,
    /// For media to come out: 5 s.
    pub media: Duration,
    /// For slow entries: 100 s, since nginx-rtmp pings after 60 s and closes 30 s later.
    pub idle: Duration,
    /// For one case as a whole.
    pub case: Duration,
}

impl Timeouts {
    /// The catalogue's, times `scale`.
    pub fn scaled(scale: f64) -> Timeouts {
        let scale = if scale.is_finite() { scale.clamp(0.01, 100.0) } else { 1.0 };
        let of = |seconds: f64| Duration::from_secs_f64(seconds * scale);
        Timeouts {
            handshake: of(5.0),
            reply: of(5.0),
            quiet: of(0.5),
            close: of(10.0),
            media: of(5.0),
            idle: of(100.0),
            case: of(60.0),
        }
    }
}

/// Which request a server answers, whatever came before it: what makes "must ignore" decidable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Barriers {
    /// `createStream` with a fresh transaction id is answered.
    pub create_stream: bool,
    /// Ping Request is answered.
    pub ping: bool,
}

/// What the probe found out about a server before the first case.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// What the server says of itself: `fmsVer` of its reply to `connect`.
    pub software: Option<String>,
    /// Accepts a publisher.
    pub publish: bool,
    /// Hands a published stream to a player.
    pub play: bool,
    /// What is answered once connected.
    pub connected: Barriers,
    /// What is answered while publishing.
    pub publishing: Barriers,
    /// What is answered while playing.
    pub playing: Barriers,
    /// How long `connect` took to be answered, the slowest of several.
    pub latency: Duration,
    /// Why the probe could not find out something.
    pub notes: Vec<String>,
}

impl Default for Facts {
    /// Nothing found out yet: everything is tried.
    fn default() -> Facts {
        let all = Barriers { create_stream: true, ping: true };
        Facts {
            software: None,
            publish: true,
            play: true,
            connected: all,
            publishing: all,
            playing: all,
            latency: Duration::ZERO,
            notes: Vec::new(),
        }
    }
}

/// What all cases of a run share.
#[derive(Clone, Debug)]
pub struct Env {
    /// The server.
    pub target: Target,
    /// Time limits.
    pub timeouts: Timeouts,
    /// What the probe found out.
    pub facts: Facts,
    /// Where all random bytes come from.
    pub seed: u64,
    /// The clock of all transcripts.
    pub clock: Clock,
}
