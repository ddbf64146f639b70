//! A rule: a row of the table.

use std::fmt;

use super::context::{CaptureContext, Context};
use super::finding::Severity;
use crate::analysis::{
    AnomalyRecord, End, GapRecord, HandshakeRecord, MessageRecord, SessionEnd, SessionRecord,
    TcpRecord, TransportRecord,
};

/// A part of the protocol; a rule's id begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Layer {
    Tcp,
    Tls,
    Http,
    Rtmfp,
    Handshake,
    Chunk,
    Control,
    Amf,
    Command,
    Publish,
    Play,
    Media,
    Ertmp,
    Close,
}

impl Layer {
    /// The lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Tcp => "tcp",
            Layer::Tls => "tls",
            Layer::Http => "http",
            Layer::Rtmfp => "rtmfp",
            Layer::Handshake => "handshake",
            Layer::Chunk => "chunk",
            Layer::Control => "control",
            Layer::Amf => "amf",
            Layer::Command => "command",
            Layer::Publish => "publish",
            Layer::Play => "play",
            Layer::Media => "media",
            Layer::Ertmp => "ertmp",
            Layer::Close => "close",
        }
    }
}

/// What a rule rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The specification says so.
    Spec,
    /// Programs do so, and others rely on it.
    DeFacto,
    /// What happened, judged by common sense.
    Robustness,
}

impl Basis {
    /// `spec`, `de-facto` or `robustness`.
    pub fn name(self) -> &'static str {
        match self {
            Basis::Spec => "spec",
            Basis::DeFacto => "de-facto",
            Basis::Robustness => "robustness",
        }
    }
}

/// A section of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpecRef {
    /// The document: `RTMP 1.0`, `Enhanced RTMP v2`, `RFC 9293`.
    pub document: &'static str,
    /// SpecRef number or name.
    pub section: &'static str,
}

impl fmt::Display for SpecRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.document, self.section)
    }
}

/// A section of Adobe's RTMP 1.0.
pub(super) const fn rtmp(section: &'static str) -> Option<SpecRef> {
    Some(SpecRef { document: "RTMP 1.0", section })
}

/// Which bytes must have been captured for a rule to be sure. The engine asks no check whose
/// bytes are not all there: nobody is blamed for what the capture missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// None: it judges what is there.
    Nothing,
    /// All of the message or event that it looks at.
    Message,
    /// Everything so far in the direction that it looks at. A check that is not about one record
    /// asks `Context::sides` which those are.
    Direction,
    /// Everything so far in both directions.
    Both,
}

/// A function that looks for a rule in records of one kind.
///
/// [`Context::state`] is as it was *before* the record, which is an argument.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// The session is first seen.
    Session(fn(&mut Context<'_>, &SessionRecord)),
    /// One side's handshake is over.
    Handshake(fn(&mut Context<'_>, &HandshakeRecord)),
    /// Any message. Called for each picture: it must be cheap.
    Message(fn(&mut Context<'_>, &MessageRecord)),
    /// Types 1 to 6.
    Control(fn(&mut Context<'_>, &MessageRecord)),
    /// Types 17 and 20.
    Command(fn(&mut Context<'_>, &MessageRecord)),
    /// Types 15 and 18.
    Data(fn(&mut Context<'_>, &MessageRecord)),
    /// Audio, video, aggregates. Called for each picture: it must be cheap.
    Media(fn(&mut Context<'_>, &MessageRecord)),
    /// An anomaly of that kind.
    Anomaly(&'static str, fn(&mut Context<'_>, &AnomalyRecord)),
    /// Missing bytes.
    Gap(fn(&mut Context<'_>, &GapRecord)),
    /// What a layer of that name says.
    Fact(&'static str, fn(&mut Context<'_>, &TransportRecord)),
    /// Something that TCP did, where the pipeline tells of it.
    Tcp(fn(&mut Context<'_>, &TcpRecord)),
    /// At most once in a second of capture time while the session goes on.
    Tick(fn(&mut Context<'_>)),
    /// The session ended.
    End(fn(&mut Context<'_>, &SessionEnd)),
    /// The capture ended.
    Capture(fn(&mut CaptureContext<'_>, &End)),
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Check::Session(_) => "Session",
            Check::Handshake(_) => "Handshake",
            Check::Message(_) => "Message",
            Check::Control(_) => "Control",
            Check::Command(_) => "Command",
            Check::Data(_) => "Data",
            Check::Media(_) => "Media",
            Check::Anomaly(..) => "Anomaly",
            Check::Gap(_) => "Gap",
            Check::Fact(..) => "Fact",
            Check::Tcp(_) => "Tcp",
            Check::Tick(_) => "Tick",
            Check::End(_) => "End",
            Check::Capture(_) => "Capture",
        })
    }
}

/// A row of the table of rules.
#[derive(Debug)]
pub struct Rule {
    /// Stable id, `layer/name`. Never given to another rule.
    pub id: &'static str,
    /// Its part of the protocol.
    pub layer: Layer,
    /// What is wrong, in a user's words.
    pub title: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it becomes when the receiver of the odd bytes closes the connection right after.
    pub escalates: Option<Severity>,
    /// Where the specification speaks of it.
    pub spec: Option<SpecRef>,
    /// What it rests on.
    pub basis: Basis,
    /// What it means.
    pub explanation: &'static str,
    /// Probable cause and what to do.
    pub advice: &'static str,
    /// Requirements of the conformance catalogue that it checks.
    pub covers: &'static [&'static str],
    /// Which bytes it needs.
    pub needs: Needs,
    /// What looks for it.
    pub(super) checks: &'static [Check],
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.id == other.id
    }
}
