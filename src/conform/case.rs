//! What a case is.

use super::toolkit::T;
use super::verdict::Outcome;

/// How strongly the source text asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// MUST.
    Must,
    /// SHOULD.
    Should,
    /// MAY.
    May,
}

impl Level {
    /// `must`, `should` or `may`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::May => "may",
        }
    }
}

/// What a requirement rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The text of a specification.
    Spec,
    /// Wide practice. `says` tells who agrees.
    DeFacto,
    /// A server must survive it.
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

/// What a server must be able to do for a case to say anything: without it, INCONCLUSIVE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Accepts a publisher.
    Publish,
    /// Hands a published stream to a player.
    Play,
    /// Has a recorded stream to play (`vod` of the manifest).
    Vod,
}

/// Where a row begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// TCP, nothing sent.
    Open,
    /// Handshake done.
    Handshaken,
    /// `connect` answered.
    Connected,
    /// `createStream` answered.
    Stream,
    /// Publishing.
    Publishing,
    /// Playing what another connection publishes and goes on publishing.
    Playing,
}

/// Which message stream a message of a row goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum On {
    /// Message stream 0.
    Zero,
    /// The stream that the state created.
    Stream,
    /// This one.
    Id(u32),
}

/// A step of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// These bytes, as they are.
    Raw(&'static [u8]),
    /// A message with a whole header: type, chunk stream, message stream, payload.
    Message(u8, u32, On, &'static [u8]),
    /// A control message on chunk stream 2, message stream 0: type, payload.
    Control(u8, &'static [u8]),
    /// An AMF0 command on chunk stream 3: name, transaction id, encoded values after it.
    Command(&'static str, f64, On, &'static [u8]),
    /// So many bytes of noise from the seed.
    Noise(usize),
    /// Nothing for so many milliseconds.
    Pause(u64),
    /// Ends our direction.
    Finish,
}

/// How a server takes what it should not get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// FIN or RST.
    Close,
    /// `_error`, or `onStatus` with level error.
    Error,
    /// Goes on: a request after it is answered.
    Tolerate,
    /// Waits for more input: only where the input leaves the reader in the middle of something.
    Wait,
}

impl Reaction {
    /// `closes`, `answers with an error`, `goes on` or `waits`.
    pub fn name(self) -> &'static str {
        match self {
            Reaction::Close => "closes",
            Reaction::Error => "answers with an error",
            Reaction::Tolerate => "goes on",
            Reaction::Wait => "waits",
        }
    }
}

/// How a case is run.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// A function.
    Function(fn(&mut T) -> Outcome),
    /// Each variant on a connection of its own: go to the state, send, judge the reaction. PASS when
    /// it is among the accepted ones, NONSTRICT for another, FAIL when the connection wedges.
    Negative {
        /// Where it begins.
        from: State,
        /// The variants.
        send: &'static [&'static [Step]],
        /// Reactions that pass.
        accept: &'static [Reaction],
    },
}

/// An entry of the catalogue as a test.
///
/// Built in constants: `Case::new(id, says, function).rtmp(&["5.3.1"])` or
/// `Case::negative(id, says, state, variants, accepted)`; the default is MUST, spec.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// `area/slug`; never changes, never comes back with another meaning.
    pub id: &'static str,
    /// The requirement in one sentence. A de-facto one says who agrees.
    pub says: &'static str,
    /// Sections, each with its document: `RTMP 5.3.1`, `E-RTMP`, `FLV E.4.2`, `AMF0 2.2`.
    pub sections: &'static [&'static str],
    /// How strongly it is asked for.
    pub level: Level,
    /// What it rests on.
    pub basis: Basis,
    /// What the server must be able to do.
    pub needs: &'static [Need],
    /// Takes T_IDLE: runs with `--slow` only.
    pub slow: bool,
    /// Needs the server for itself.
    pub alone: bool,
    /// What is sent, for `explain`.
    pub sends: &'static str,
    /// What passes, for `explain`.
    pub passes: &'static str,
    /// How it is run.
    pub run: Run,
}

impl Case {
    /// A case with a function.
    pub const fn new(id: &'static str, says: &'static str, run: fn(&mut T) -> Outcome) -> Case {
        Case::of(id, says, Run::Function(run))
    }

    /// A negative case: a row.
    pub const fn negative(
        id: &'static str,
        says: &'static str,
        from: State,
        send: &'static [&'static [Step]],
        accept: &'static [Reaction],
    ) -> Case {
        Case::of(id, says, Run::Negative { from, send, accept })
    }

    const fn of(id: &'static str, says: &'static str, run: Run) -> Case {
        Case {
            id,
            says,
            sections: &[],
            level: Level::Must,
            basis: Basis::Spec,
            needs: &[],
            slow: false,
            alone: false,
            sends: "",
            passes: "",
            run,
        }
    }

    /// The sections it rests on.
    pub const fn sections(mut self, sections: &'static [&'static str]) -> Case {
        self.sections = sections;
        self
    }

    /// SHOULD.
    pub const fn should(mut self) -> Case {
        self.level = Level::Should;
        self
    }

    /// MAY.
    pub const fn may(mut self) -> Case {
        self.level = Level::May;
        self
    }

    /// Rests on wide practice: shown as a warning of its own kind. The level becomes SHOULD; call
    /// [`Case::level`] after it for another.
    pub const fn de_facto(mut self) -> Case {
        self.basis = Basis::DeFacto;
        self.level = Level::Should;
        self
    }

    /// A server must survive it. The level becomes MUST.
    pub const fn robustness(mut self) -> Case {
        self.basis = Basis::Robustness;
        self.level = Level::Must;
        self
    }

    /// Another level.
    pub const fn level(mut self, level: Level) -> Case {
        self.level = level;
        self
    }

    /// What the server must be able to do.
    pub const fn needs(mut self, needs: &'static [Need]) -> Case {
        self.needs = needs;
        self
    }

    /// Runs with `--slow` only.
    pub const fn slow(mut self) -> Case {
        self.slow = true;
        self
    }

    /// Needs the server for itself.
    pub const fn alone(mut self) -> Case {
        self.alone = true;
        self
    }

    /// What is sent and what passes, for `explain`.
    pub const fn explain(mut self, sends: &'static str, passes: &'static str) -> Case {
        self.sends = sends;
        self.passes = passes;
        self
    }

    /// The part of the id before its last slash: `rtmp/chunk`.
    pub fn group(&self) -> &'static str {
        self.id.rsplit_once('/').map_or(self.id, |(group, _)| group)
    }

    /// Whether the server must serve a fresh connection afterwards: every negative case asks so.
    pub fn is_negative(&self) -> bool {
        matches!(self.run, Run::Negative { .. })
    }
}
