//! Every threshold, in one table, by name.

use std::fmt;

/// Whose habits and limits count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// No particular server.
    #[default]
    Generic,
    /// YouTube Live ingest.
    Youtube,
    /// Twitch ingest.
    Twitch,
    /// nginx with the RTMP module.
    NginxRtmp,
    /// SRS.
    Srs,
    /// MediaMTX.
    Mediamtx,
}

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 6] = [
        Profile::Generic,
        Profile::Youtube,
        Profile::Twitch,
        Profile::NginxRtmp,
        Profile::Srs,
        Profile::Mediamtx,
    ];

    /// The name that a user types.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Generic => "generic",
            Profile::Youtube => "youtube",
            Profile::Twitch => "twitch",
            Profile::NginxRtmp => "nginx-rtmp",
            Profile::Srs => "srs",
            Profile::Mediamtx => "mediamtx",
        }
    }

    /// The profile of that name.
    pub fn from_name(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

/// Makes [`Limit`] and its table: `Variant "name" unit default, what it is, other profiles`.
macro_rules! limits {
    ($($variant:ident $name:literal $unit:literal $default:literal $what:literal
       $([$($profile:ident $value:literal),+])? ;)+) => {
        /// A threshold of a rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Limit {
            $(#[doc = $what] $variant,)+
        }

        const TABLE: &[Row] = &[
            $(Row {
                limit: Limit::$variant,
                name: $name,
                unit: $unit,
                default: $default,
                what: $what,
                profiles: &[$($((Profile::$profile, $value)),+)?],
            },)+
        ];
    };
}

/// A row of the table.
#[derive(Debug)]
struct Row {
    limit: Limit,
    name: &'static str,
    unit: &'static str,
    default: f64,
    what: &'static str,
    profiles: &'static [(Profile, f64)],
}

limits! {
    // Engine.
    EscalateSeconds "close.after-s" "s" 2.0
        "A close this soon after something odd is taken for its consequence.";
    // TCP.
    ZeroWindowSeconds "tcp.zero-window-s" "s" 1.0
        "Total time with a closed receive window that is worth a warning.";
    ZeroWindowErrorSeconds "tcp.zero-window-error-s" "s" 3.0
        "Total time with a closed receive window that is an error.";
    LossShare "tcp.loss-percent" "%" 1.0
        "Retransmitted segments of all data segments that are worth a warning.";
    LossSegments "tcp.loss-segments" "segments" 10.0
        "Retransmitted segments below which loss is not reported.";
    LossSeconds "tcp.loss-s" "s" 5.0
        "Length of a burst of losses.";
    StuckTimes "tcp.stuck-times" "" 4.0
        "Retransmissions of the same bytes after which the peer is taken for gone.";
    StuckSeconds "tcp.stuck-s" "s" 5.0
        "Time without an answer after which the peer is taken for gone.";
    PaceRatio "tcp.pace-ratio" "" 0.95
        "Media time per clock time below which a stream falls behind.";
    PaceSeconds "tcp.pace-s" "s" 9.0
        "Time over which the pace is measured, 10 s at most.";
    PaceLossShare "tcp.pace-loss-percent" "%" 0.5
        "Retransmitted segments that tell a full path from a slow encoder.";
    IdleTolerance "tcp.idle-percent" "%" 2.0
        "Distance from a known idle timer.";
    ResetSeconds "tcp.reset-s" "s" 0.5
        "A reset this soon after a status may destroy it.";
    // Handshake.
    HandshakeSeconds "handshake.slow-s" "s" 1.0
        "S0, S1 and S2 later than this are slow.";
    HandshakeSilentSeconds "handshake.silent-s" "s" 5.0
        "Time to wait for S0.";
    // Chunks.
    ChunkSizeMax "chunk.size-max" "bytes" 10485760.0
        "Largest chunk size that receivers accept.";
    ChunkDefaultKbps "chunk.size-default-kbps" "kbit/s" 500.0
        "Media bit rate above which the chunk size of 128 is worth a word.";
    ChunkOverheadPercent "chunk.overhead-percent" "%" 2.0
        "Share of chunk headers in the stream that is worth a warning.";
    CompactPercent "chunk.compact-percent" "%" 1.0
        "Avoidable header bytes of the whole stream that are worth a word.";
    ChunkSizeChanges "chunk.size-changes" "" 8.0
        "Changes of the chunk size that are normal.";
    MessageMax "chunk.message-max" "bytes" 1048576.0
        "Largest message that the server accepts."
        [Srs 10485760.0, Mediamtx 10485760.0];
    ChunkStreamMax "chunk.csid-max" "" 31.0
        "Highest chunk stream id that the server accepts."
        [Srs 65599.0, Mediamtx 63.0];
    // Protocol control.
    AckWindows "control.ack-windows" "windows" 2.0
        "Unacknowledged windows after which the acknowledgement is missing.";
    AckSilenceSeconds "control.ack-silence-s" "s" 30.0
        "Time between acknowledgements after which senders time out.";
    PingsPerSecond "control.pings-per-s" "" 10.0
        "Ping requests a second that are normal.";
    PingSeconds "control.ping-s" "s" 10.0
        "Time to wait for a ping response.";
    // Commands.
    ReplySeconds "command.reply-s" "s" 5.0
        "Time to wait for the answer to a command.";
    ReturnSeconds "command.return-s" "s" 10.0
        "Time within which a client comes back with a login or follows a redirect.";
    QueryMax "command.query-max" "bytes" 255.0
        "Longest query string that the server keeps whole."
        [Srs 4096.0, Mediamtx 4096.0];
    // Publish.
    GhostSeconds "publish.ghost-s" "s" 3.0
        "A publisher that was silent for this long is probably gone.";
    StormSeconds "publish.storm-s" "s" 60.0
        "Time within which failed tries of one client are a storm.";
    StormSessions "publish.storm-sessions" "sessions" 3.0
        "Failed tries that make a storm.";
    RefusedBytes "publish.refused-bytes" "bytes" 10240.0
        "Media after a refusal that is worth a warning.";
    NoMediaSeconds "publish.no-media-s" "s" 5.0
        "Time to wait for the first audio or video of a publisher.";
    MediaGapSeconds "publish.media-gap-s" "s" 5.0
        "Silence of a publisher that is worth a warning.";
    // Play.
    PlaySeconds "play.media-s" "s" 1.0
        "Time to wait for the first audio or video of a player.";
    FirstPictureSeconds "play.first-picture-s" "s" 2.0
        "A first key frame later than this is late.";
    FirstPictureWarningSeconds "play.first-picture-warning-s" "s" 5.0
        "A first key frame later than this is a warning.";
    PhantomSeconds "play.phantom-s" "s" 2.0
        "Media time after which a promised track is missed.";
    BehindShare "play.behind" "" 0.98
        "Media time per time of a player below which it lags.";
    // Media.
    ConfigRepeats "media.config-repeats" "" 3.0
        "Repeats of a configuration record that are worth a warning.";
    KeyframeNoteSeconds "media.keyframe-note-s" "s" 2.2
        "Key frame interval that is worth a word."
        [Youtube 4.1, Twitch 2.1];
    KeyframeSeconds "media.keyframe-s" "s" 4.0
        "Key frame interval that is worth a warning."
        [Twitch 2.5];
    KeyframeErrorSeconds "media.keyframe-error-s" "s" 15.0
        "Key frame interval that is an error.";
    KeyframeCount "media.keyframe-count" "intervals" 6.0
        "Key frame intervals from which on their spread is judged.";
    CompositionSeconds "media.composition-s" "s" 5.0
        "Largest composition time that can be meant.";
    BackwardsMs "media.backwards-ms" "ms" 100.0
        "Step back in time that is an error.";
    JumpSeconds "media.jump-s" "s" 1.0
        "Step ahead in time that is worth a warning.";
    SameTimestamp "media.same-timestamp" "messages" 5.0
        "Messages with one timestamp in a row that are worth a warning.";
    StartSeconds "media.start-s" "s" 10.0
        "First timestamp that is far from zero.";
    InterleaveSeconds "media.interleave-s" "s" 1.0
        "Distance of audio and video as they arrive that is worth a warning.";
    InterleavePatience "media.interleave-for-s" "s" 5.0
        "How long audio and video must be apart.";
    TrackLateSeconds "media.track-late-s" "s" 1.5
        "Time after which a second track is late.";
    AbsentSeconds "media.absent-s" "s" 10.0
        "Video after which the lack of audio is worth a word.";
    MediaPaceSeconds "media.pace-s" "s" 10.0
        "Span over which media time is compared with time.";
    RealTimeShare "media.real-time" "" 0.95
        "Media time per time of a publisher below which it is too slow.";
    BitrateKbps "media.bitrate-kbps" "kbit/s" 0.0
        "Bit rate that the service accepts; 0 for no limit."
        [Youtube 51000.0, Twitch 8500.0];
    FrameGaps "media.frame-gaps" "gaps" 5.0
        "Gaps between pictures that are worth a warning.";
    DriftSeconds "media.drift-s" "s" 30.0
        "Audio over which drift is judged.";
    DriftPpm "media.drift-ppm" "ppm" 1000.0
        "Drift of the audio clock that is worth a warning.";
    // Enhanced RTMP.
    ReconnectSeconds "ertmp.reconnect-s" "s" 30.0
        "Time within which a client follows a reconnect request.";
    // Close.
    StatusSeconds "close.status-s" "s" 5.0
        "A status of level error explains a close this long after it.";
    FirstMediaSeconds "close.first-media-s" "s" 0.5
        "A close this soon after the first message of a kind is its consequence.";
    PeriodicSessions "close.periodic-sessions" "sessions" 3.0
        "Sessions of one age that are a pattern.";
}

impl Limit {
    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Limit> {
        TABLE.iter().map(|row| row.limit)
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The name that a user types, such as `tcp.zero-window-s`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The unit; empty for a plain number.
    pub fn unit(self) -> &'static str {
        self.row().unit
    }

    /// What it is, in a sentence.
    pub fn what(self) -> &'static str {
        self.row().what
    }

    /// Its value in a profile.
    pub fn default(self, profile: Profile) -> f64 {
        let row = self.row();
        row.profiles.iter().find(|(p, _)| *p == profile).map_or(row.default, |(_, value)| *value)
    }
}

/// No threshold has that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName(pub String);

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no threshold is called {}", self.0)
    }
}

impl std::error::Error for UnknownName {}

/// The value of every threshold in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    profile: Profile,
    values: Vec<f64>,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds::of(Profile::Generic)
    }
}

impl Thresholds {
    /// The values of a profile.
    pub fn of(profile: Profile) -> Thresholds {
        Thresholds { profile, values: Limit::all().map(|limit| limit.default(profile)).collect() }
    }

    /// Whose they are.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The value of one.
    pub fn value(&self, limit: Limit) -> f64 {
        self.values[limit as usize]
    }

    /// Changes one by its name.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), UnknownName> {
        let limit = Limit::all().find(|limit| limit.name() == name);
        let limit = limit.ok_or_else(|| UnknownName(name.to_owned()))?;
        self.values[limit as usize] = value;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_where_their_limit_says() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.limit as usize, index, "{}", row.name);
            assert!(TABLE.iter().filter(|other| other.name == row.name).count() == 1);
            assert!(row.what.ends_with('.'), "{}", row.name);
        }
    }

    #[test]
    fn a_profile_and_a_user_change_values() {
        let mut limits = Thresholds::of(Profile::Mediamtx);
        assert_eq!(limits.value(Limit::ChunkStreamMax), 63.0);
        assert_eq!(Thresholds::default().value(Limit::ChunkStreamMax), 31.0);
        limits.set("chunk.csid-max", 200.0).unwrap();
        assert_eq!(limits.value(Limit::ChunkStreamMax), 200.0);
        assert_eq!(limits.set("chunk.nothing", 1.0), Err(UnknownName("chunk.nothing".into())));
        assert_eq!(Profile::from_name("nginx-rtmp"), Some(Profile::NginxRtmp));
    }
}
