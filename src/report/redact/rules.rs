//! Where the protocol puts secrets: a row per command, a row per member name.

/// How a value is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treat {
    /// Not a secret by its place; remembered secrets, URLs and queries in it are hidden.
    Plain,
    /// One of a few words of the protocol; anything else is hidden.
    Word,
    /// A stream name.
    Stream,
    /// A stream name, or one of the words that some servers send in its place.
    Details,
    /// An application.
    App,
    /// An RTMP URL.
    Url,
    /// The URL of a web page or player.
    Page,
    /// Text for people.
    Description,
    /// Hidden, whatever it is.
    Secret,
    /// Strings are hidden, numbers shown.
    Strings,
    /// An object whose members have a row in [`MEMBERS`]; other strings in it are hidden.
    Members,
}

/// How the values of a command are treated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Its name, in any letter case.
    pub command: &'static str,
    /// The command object.
    pub object: Treat,
    /// The arguments by place.
    pub arguments: &'static [Treat],
    /// Arguments after those.
    pub rest: Treat,
}

const fn row(command: &'static str, arguments: &'static [Treat], rest: Treat) -> Row {
    Row { command, object: Treat::Members, arguments, rest }
}

const STREAM: &[Treat] = &[Treat::Stream];

/// One row per command whose arguments are known. A command without a row shows its name, nothing
/// else: what a program's own calls carry may well be a session token.
#[rustfmt::skip]
const COMMANDS: &[Row] = &[
    row("connect",          &[],                            Treat::Secret),
    row("_result",          &[],                            Treat::Members),
    row("_error",           &[],                            Treat::Members),
    row("onStatus",         &[],                            Treat::Members),
    row("createStream",     &[],                            Treat::Strings),
    row("initStream",       &[],                            Treat::Strings),
    row("deleteStream",     &[],                            Treat::Strings),
    row("closeStream",      &[],                            Treat::Strings),
    row("close",            &[],                            Treat::Strings),
    row("publish",          &[Treat::Stream, Treat::Word],  Treat::Strings),
    row("play",             STREAM,                         Treat::Strings),
    row("play2",            &[],                            Treat::Members),
    row("releaseStream",    STREAM,                         Treat::Strings),
    row("FCPublish",        STREAM,                         Treat::Strings),
    row("FCUnpublish",      STREAM,                         Treat::Strings),
    row("FCSubscribe",      STREAM,                         Treat::Strings),
    row("FCUnsubscribe",    STREAM,                         Treat::Strings),
    row("onFCPublish",      &[],                            Treat::Members),
    row("onFCUnpublish",    &[],                            Treat::Members),
    row("onFCSubscribe",    &[],                            Treat::Members),
    row("onFCUnsubscribe",  &[],                            Treat::Members),
    row("onPlayStatus",     &[],                            Treat::Members),
    row("getStreamLength",  STREAM,                         Treat::Strings),
    row("DVRGetStreamInfo", STREAM,                         Treat::Members),
    row("DVRSetStreamInfo", &[],                            Treat::Members),
    row("startTransmit",    &[],                            Treat::Strings),
    row("stopTransmit",     &[],                            Treat::Strings),
    row("set_playlist",     STREAM,                         Treat::Secret),
    row("seek",             &[],                            Treat::Strings),
    row("pause",            &[],                            Treat::Strings),
    row("pauseRaw",         &[],                            Treat::Strings),
    row("receiveAudio",     &[],                            Treat::Strings),
    row("receiveVideo",     &[],                            Treat::Strings),
    row("_checkbw",         &[],                            Treat::Strings),
    row("checkBandwidth",   &[],                            Treat::Strings),
    row("_onbwcheck",       &[],                            Treat::Strings),
    row("_onbwdone",        &[],                            Treat::Strings),
    row("onBWCheck",        &[],                            Treat::Strings),
    row("onBWDone",         &[],                            Treat::Strings),
];

/// The row of a command; `None` for one that has none.
pub(super) fn command(name: &[u8]) -> Option<&'static Row> {
    COMMANDS.iter().find(|row| row.command.as_bytes().eq_ignore_ascii_case(name))
}

/// Data messages that carry a status; the values of all others are plain.
pub(super) fn is_status(handler: &[u8]) -> bool {
    [b"onStatus".as_slice(), b"onPlayStatus"].iter().any(|s| s.eq_ignore_ascii_case(handler))
}

/// One row per member of command and information objects, in any letter case. Strings under
/// another name are hidden.
#[rustfmt::skip]
const MEMBERS: &[(&str, Treat)] = &[
    ("app",                   Treat::App),
    ("tcUrl",                 Treat::Url),
    ("swfUrl",                Treat::Page),
    ("pageUrl",               Treat::Page),
    ("flashVer",              Treat::Plain),
    ("type",                  Treat::Plain),
    ("fourCcList",            Treat::Plain),
    ("audioFourCcInfoMap",    Treat::Plain),
    ("videoFourCcInfoMap",    Treat::Plain),
    ("fmsVer",                Treat::Plain),
    ("level",                 Treat::Plain),
    ("code",                  Treat::Plain),
    ("description",           Treat::Description),
    ("reason",                Treat::Description),
    ("details",               Treat::Details),
    ("clientid",              Treat::Plain),
    ("data",                  Treat::Members),
    ("version",               Treat::Plain),
    ("ex",                    Treat::Members),
    ("redirect",              Treat::Url),
    ("streamName",            Treat::Stream),
    ("oldStreamName",         Treat::Stream),
    ("callName",              Treat::Plain),
    ("transition",            Treat::Plain),
    ("encoder",               Treat::Plain),
    ("srs_sig",               Treat::Plain),
    ("srs_server",            Treat::Plain),
    ("srs_license",           Treat::Plain),
    ("srs_role",              Treat::Plain),
    ("srs_url",               Treat::Plain),
    ("srs_version",           Treat::Plain),
    ("srs_site",              Treat::Plain),
    ("srs_email",             Treat::Plain),
    ("srs_copyright",         Treat::Plain),
    ("srs_primary",           Treat::Plain),
    ("srs_authors",           Treat::Plain),
    ("srs_server_ip",         Treat::Plain),
];

/// How a member of a command or information object is treated.
pub(super) fn member(name: &[u8]) -> Treat {
    MEMBERS
        .iter()
        .find(|(n, _)| n.as_bytes().eq_ignore_ascii_case(name))
        .map_or(Treat::Members, |(_, treat)| *treat)
}

/// How a member of any other object, such as metadata, is treated: by names that say "secret".
pub(super) fn plain_member(name: &[u8]) -> Treat {
    const SECRET: &[&str] = &[
        "token",
        "password",
        "passwd",
        "pwd",
        "secret",
        "passphrase",
        "apikey",
        "api_key",
        "authkey",
        "auth_key",
        "signature",
        "streamkey",
        "stream_key",
    ];
    const STREAM: &[&str] = &["streamname", "stream_name"];
    let name = name.to_ascii_lowercase();
    if name == b"key" || SECRET.iter().any(|s| name.ends_with(s.as_bytes())) {
        Treat::Secret
    } else if STREAM.iter().any(|s| name.ends_with(s.as_bytes())) {
        Treat::Stream
    } else {
        Treat::Plain
    }
}

/// Whether a string is one of the protocol's words: publishing types and the like.
pub(super) fn is_word(text: &str) -> bool {
    ["live", "record", "append", "appendWithGap"].iter().any(|w| w.eq_ignore_ascii_case(text))
}
