//! Requirements on AMF, commands and media that have no case, each with the reason.

const NOT_SEEN: &str = "only visible in a capture: nothing a tester sends makes a server show it";
const CLIENT: &str = "binds clients";

/// Identifiers of requirements without a case, and why.
pub const NOT_CASES: &[(&str, &str)] = &[
    ("amf0/date/timezone", NOT_SEEN),
    ("rtmp/connect/txn-is-1", CLIENT),
    ("flv/audio/aac-flags", NOT_SEEN),
    ("flv/audio/asc-valid", NOT_SEEN),
    ("flv/audio/aac-no-adts", NOT_SEEN),
    ("flv/audio/speex-flags", NOT_SEEN),
    ("flv/video/header-byte", NOT_SEEN),
    ("flv/video/disposable-h263", NOT_SEEN),
    ("flv/video/generated-key-server", CLIENT),
    ("flv/video/keyframe-flag-vs-nal", NOT_SEEN),
    ("flv/script/onmetadata-consistency", NOT_SEEN),
    ("flv/av/timestamp-interleave", CLIENT),
    ("ertmp/connect/videofunction", NOT_SEEN),
    ("ertmp/connect/unadvertised-codec", CLIENT),
    ("ertmp/video/mpeg2ts-exclusive", NOT_SEEN),
    ("ertmp/multitrack/trackid-every-message", NOT_SEEN),
    ("ertmp/multitrack/not-negotiated", CLIENT),
    ("ertmp/reconnect/request-shape", "no client can make a server send the request"),
    ("ertmp/reconnect/only-if-capable", "no client can make a server send the request"),
    ("ertmp/reconnect/client-behaviour", CLIENT),
    ("ertmp/reconnect/old-server-continues", "no client can make a server send the request"),
    ("ertmp/onmetadata/fourcc-number", NOT_SEEN),
    ("ertmp/onmetadata/trackmaps", NOT_SEEN),
    ("ertmp/onmetadata/default-track-zero", CLIENT),
];
