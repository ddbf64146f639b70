//! The sentence itself.

use super::rank;
use super::story::Story;
use super::words::span;
use crate::analysis::Transport;
use crate::lint::ending::CloseKind;
use crate::lint::finding::{Finding, Severity};
use crate::lint::rule::{Layer, Rule};
use crate::lint::state::StreamUse;
use crate::lint::words::{SecretKind, Words};

/// How a session went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It did what it came for.
    Fine,
    /// What it says cannot be read: encrypted, or the capture lacks it.
    Unreadable,
    /// It went on, and something was wrong.
    Impaired,
    /// It did not do what it came for.
    Failed,
}

impl Outcome {
    /// `fine`, `unreadable`, `impaired` or `failed`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Fine => "fine",
            Outcome::Unreadable => "unreadable",
            Outcome::Impaired => "impaired",
            Outcome::Failed => "failed",
        }
    }
}

/// A session in one sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Headline {
    /// Session number.
    pub session: u32,
    /// How it went.
    pub outcome: Outcome,
    /// What happened, in a user's words. Holds secrets: stream names.
    pub words: Words,
    /// The rule whose finding explains it.
    pub cause: Option<&'static Rule>,
    /// Index of that finding.
    pub finding: Option<usize>,
}

impl Headline {
    pub(super) fn of(story: &Story, findings: &[Finding]) -> Headline {
        // What an encrypted handshake looks like is no fault.
        let aside = |finding: &&Finding| {
            story.transport == Transport::Rtmpe && finding.id() == "handshake/s2-not-c1"
        };
        let own = || story.findings.iter().filter_map(|at| findings.get(*at));
        let own = || own().filter(|finding| !aside(finding));
        let failed = fails(story);
        let error = rank::best(own(), Severity::Error);
        // A failure may have a cause that is no more than a warning by itself.
        let cause = error.or_else(|| rank::best(own(), Severity::Warning));
        let step = own().find(|finding| finding.id() == "command/auth-challenge");
        let (outcome, words) = match (cause, step) {
            (None | Some(Finding { severity: Severity::Warning, .. }), Some(step)) => {
                let words = who(story).text(", ").words(&step.message);
                (Outcome::Fine, words.text("; not a failure by itself"))
            }
            (Some(cause), _)
                if failed || cause.severity == Severity::Error && breaks(story, cause) =>
            {
                (Outcome::Failed, failure(story, cause))
            }
            (Some(cause), _) => (Outcome::Impaired, impaired(story, cause)),
            (None, _) if unreadable(story) => (Outcome::Unreadable, opaque(story)),
            (None, _) if failed => (Outcome::Failed, unexplained(story)),
            (None, _) => (Outcome::Fine, deed(story).text(ending(story))),
        };
        let at = |cause: &Finding| {
            let mut own = story.findings.iter().copied();
            own.find(|at| findings.get(*at).is_some_and(|f| std::ptr::eq(f, cause)))
        };
        Headline {
            session: story.session,
            outcome,
            words,
            cause: cause.map(|cause| cause.rule),
            finding: cause.and_then(at),
        }
    }
}

/// Whether an error is one that keeps a session from its purpose.
fn breaks(story: &Story, cause: &Finding) -> bool {
    let id = cause.id();
    // A handshake that leads to nothing.
    if cause.rule.layer == Layer::Handshake && story.messages == 0 && !story.gaps {
        return true;
    }
    let refusals = ["command/auth", "publish/badname", "publish/rejected", "play/stream-not-found"];
    let hangs = ["play/start-without-media", "play/no-answer", "publish/no-media"];
    refusals.iter().chain(&hangs).any(|name| id.starts_with(name))
        || id.starts_with("tls/")
        || id.starts_with("http/")
}

/// Whether the session did not do what it came for, as far as one sees.
fn fails(story: &Story) -> bool {
    let Some(end) = &story.end else { return false };
    // Nobody is blamed on bytes that the capture missed.
    if unreadable(story) || story.gaps {
        return false;
    }
    let flowed = story.media.iter().any(|messages| *messages > 0);
    if end.by_server() && !story.goodbye {
        // A server ends a play when the stream is over.
        return !(story.purpose == Some(StreamUse::Play) && story.media[1] > 0);
    }
    let wanted = story.purpose.is_some() && !story.midstream;
    wanted && !flowed && end.kind != CloseKind::CaptureEnded
}

/// Whether its messages cannot be read.
fn unreadable(story: &Story) -> bool {
    story.messages == 0
        && (!matches!(story.transport, Transport::Rtmp) || story.gaps || story.undecoded)
        // One direction alone does not tell what it came for.
        || story.gaps && story.purpose.is_none() && story.media == [0, 0]
}

/// Client and server by name, where they are known.
fn who(story: &Story) -> Words {
    let client = story.client_name.as_deref().unwrap_or("client");
    let server = story.server_name.as_deref().unwrap_or("server");
    Words::from(format!("{client} ({}) to {server} ({})", story.client, story.server))
}

/// What it came for.
fn purpose(story: &Story) -> Words {
    let name = |words: Words| match story.stream.as_deref() {
        Some(name) => words.text(" ").stream(name),
        None => words,
    };
    match story.purpose {
        Some(StreamUse::Publish) => name(Words::from(", publish of")),
        Some(StreamUse::Play) => name(Words::from(", play of")),
        None => Words::default(),
    }
}

/// A session that failed, and why.
fn failure(story: &Story, cause: &Finding) -> Words {
    who(story)
        .words(&purpose(story))
        .text(format!(" failed: {}: ", lower(cause.rule.title)))
        .words(&cause.message)
}

/// A session that went on, and what was wrong with it.
fn impaired(story: &Story, cause: &Finding) -> Words {
    let words = deed(story).text(ending(story));
    words.text(format!(". But {}: ", lower(cause.rule.title))).words(&cause.message)
}

/// The first letter small, but for names.
fn lower(title: &str) -> String {
    let mut letters = title.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() && !title.starts_with("Annex") => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => title.to_owned(),
    }
}

/// What it did.
fn deed(story: &Story) -> Words {
    let client = story.client_name.as_deref().unwrap_or("The client");
    let server = story.server_name.as_deref().unwrap_or("the server");
    let codecs = match story.codecs.as_slice() {
        [] => "no media".to_owned(),
        codecs => codecs.join("/"),
    };
    let name = |words: Words| match story.stream.as_deref() {
        Some(name) => words.text(" ").stream(name),
        None => words,
    };
    let verb = match (story.purpose, story.media) {
        (Some(StreamUse::Publish), _) => "published",
        (Some(StreamUse::Play), _) => "played",
        (None, [sent, got]) if sent > got => "published",
        (None, [_, got]) if got > 0 => "played",
        (None, _) if story.connected => {
            let words = format!("{client} connected to {server} and asked for no stream");
            return Words::from(words);
        }
        (None, _) if story.handshakes[0] => {
            return Words::from(format!("{client} made the handshake with {server}"));
        }
        (None, _) => {
            return Words::from(format!("A connection from {} to {}", story.client, story.server));
        }
    };
    let link = if verb == "played" { "from" } else { "to" };
    let words = name(Words::from(format!("{client} {verb} {codecs} as")));
    let words = if story.stream.is_none() {
        Words::from(format!("{client} {verb} {codecs}"))
    } else {
        words
    };
    let early = if story.midstream { "; the capture began later" } else { "" };
    words.text(format!(" {link} {server} for {}{early}", span(story.seconds)))
}

/// How it ended.
fn ending(story: &Story) -> String {
    let Some(end) = &story.end else { return "; still open".into() };
    let after = if story.goodbye { " after it said goodbye (deleteStream)" } else { "" };
    match (end.by, end.kind) {
        (Some(_), _) if end.by_client() => format!("; closed by the client{after}"),
        (Some(_), _) if story.goodbye => "; closed by the server after the client's goodbye".into(),
        (Some(_), _) => "; closed by the server".into(),
        (None, CloseKind::CaptureEnded) if story.goodbye => "; the client said goodbye".into(),
        (None, CloseKind::CaptureEnded) => "; open when the capture ended".into(),
        (None, _) => "; it fell silent".into(),
    }
}

/// A failure without a finding that explains it.
fn unexplained(story: &Story) -> Words {
    let words = who(story).words(&purpose(story));
    let last = match story.last_request.as_deref() {
        Some("connect") => " after connect",
        Some("createStream") => " after createStream",
        Some("publish") => " after publish",
        Some("play") => " after play",
        _ if !story.handshakes[1] => " before the server's handshake was complete",
        _ => "",
    };
    let by = match story.end.map(|end| end.by_server()) {
        Some(true) => "the server closed",
        _ => "the client gave up",
    };
    words.text(format!(" failed: {by}{last}; the capture shows no reason"))
}

/// A session whose messages cannot be read.
fn opaque(story: &Story) -> Words {
    let words = Words::from(format!("{} to {}: ", story.client, story.server));
    let what = match story.transport {
        Transport::Rtmpe => "RTMPE: encrypted after the handshake",
        Transport::Rtmps => "RTMPS: encrypted",
        Transport::Rtmpt => "RTMPT: no RTMP could be read from its HTTP requests",
        Transport::Rtmpts => "RTMPTS: no RTMP could be read from its HTTP requests",
        Transport::Rtmpte => "RTMPTE: encrypted after the handshake",
        Transport::Rtmfp => "RTMFP: encrypted",
        Transport::Tls => "TLS: encrypted",
        Transport::Http => "HTTP, no RTMP",
        Transport::Unknown => "neither RTMP nor TLS nor HTTP",
        Transport::Rtmp => "the capture lacks the bytes that are needed to read it",
    };
    let words = words.text(what);
    let words = match &story.note {
        Some(note) => words.text(" (").secret(SecretKind::Description, note).text(")"),
        None => words,
    };
    let gave_up = story.transport == Transport::Rtmpe
        && story.handshakes.iter().any(|complete| !complete)
        && story.end.is_some_and(|end| end.by.is_some());
    let words = match gave_up {
        true => words.text("; given up in the handshake"),
        false => words,
    };
    words.text(ending(story))
}
