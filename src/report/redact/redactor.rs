//! Walks records and hides what the rules name.

use rustc_hash::{FxHashMap, FxHashSet};

use super::rules::{self, Treat};
use super::vault::{Kind, Vault};
use super::words::{self, Path};
use crate::analysis::{Fact, FactValue, MessageRecord, Record};
use crate::base::StopReason;
use crate::lint::{self, Part, SecretKind};
use crate::wire::amf::{Property, Text, Value};
use crate::wire::message::{Body, Command, Data, SharedObject};

/// Hides secrets in the records of one run.
///
/// Every record must pass through it in order, those that are not printed too: it learns the
/// secrets of a session from its commands.
#[derive(Debug, Default)]
pub struct Redactor {
    show: bool,
    vault: Vault,
    /// Sessions whose stream name is known: descriptions can be searched for it.
    named: FxHashSet<u32>,
    session: u32,
    found: Redactions,
}

/// What was hidden in one record: the decoded tree and the bytes of a message are masked by it.
#[derive(Clone, Debug, Default)]
pub struct Redactions {
    strings: FxHashMap<String, String>,
    numbers: FxHashSet<u64>,
}

impl Redactions {
    /// Whether nothing was hidden.
    pub(in crate::report) fn is_empty(&self) -> bool {
        self.strings.is_empty() && self.numbers.is_empty()
    }

    /// What a string of the message became, if it was hidden.
    pub(in crate::report) fn string(&self, text: &str) -> Option<&str> {
        self.strings.get(text).map(String::as_str)
    }

    /// Whether a number of the message was hidden.
    pub(in crate::report) fn hides_number(&self, number: f64) -> bool {
        self.numbers.contains(&number.to_bits())
    }
}

impl Redactor {
    /// Hides secrets, unless `show_secrets`.
    pub fn new(show_secrets: bool) -> Redactor {
        Redactor { show: show_secrets, ..Redactor::default() }
    }

    /// Hides secrets behind text of the same length, for rewriting captures.
    pub(in crate::report) fn same_length() -> Redactor {
        Redactor { vault: Vault::same_length(), ..Redactor::default() }
    }

    /// Every remembered secret of at least `min` bytes, in a fixed order.
    pub(in crate::report) fn secrets(&self, min: usize) -> Vec<&[u8]> {
        self.vault.secrets(min)
    }

    /// Remembered secrets in `bytes` with what stands for them.
    pub(in crate::report) fn stand_ins(
        &self,
        bytes: &[u8],
    ) -> Vec<(std::ops::Range<usize>, Option<String>)> {
        self.vault.find(bytes)
    }

    /// Whether nothing is hidden.
    pub fn shows_secrets(&self) -> bool {
        self.show
    }

    /// Replaces the secrets of a record and says which they were.
    pub fn redact(&mut self, record: &mut Record) -> Redactions {
        if self.show {
            return Redactions::default();
        }
        match record {
            Record::Message(record) => self.message(record),
            Record::Session(record) => {
                if let Some(note) = &mut record.note {
                    *note = words::note(&mut self.vault, note);
                }
            }
            Record::SessionEnd(end) => {
                let facts = &mut end.facts;
                let vault = &mut self.vault;
                if let Some(app) = &mut facts.app {
                    *app = words::app(vault, app);
                }
                if let Some(url) = &mut facts.tc_url {
                    *url = words::url(vault, url, Path::App);
                }
                if let Some(stream) = &mut facts.stream {
                    *stream = words::stream(vault, stream);
                }
                if let Some(status) = &mut facts.last_status
                    && !words::is_code(status)
                {
                    *status = words::free_text(vault, status, true);
                }
                self.named.remove(&end.session);
            }
            Record::Anomaly(anomaly) => self.scrub(&mut anomaly.detail),
            Record::End(end) => {
                for error in &mut end.capture_errors {
                    self.scrub(error);
                }
            }
            Record::Transport(record) => self.fact(&mut record.fact),
            Record::Begin(_) | Record::Handshake(_) | Record::Gap(_) | Record::Tcp(_) => {}
        }
        std::mem::take(&mut self.found)
    }

    /// Facts name addresses of applications; other texts may repeat secrets.
    fn fact(&mut self, fact: &mut Fact) {
        for (name, value) in &mut fact.fields {
            match value {
                FactValue::Text(text) if matches!(*name, "uri" | "url") => {
                    *text = words::url(&mut self.vault, text, Path::App).into();
                }
                FactValue::Text(text) => {
                    if let Some(clean) = self.vault.scrub(text) {
                        *text = clean.into();
                    }
                }
                FactValue::List(list) => list.iter_mut().for_each(|text| self.scrub(text)),
                FactValue::Number(_) | FactValue::Flag(_) | FactValue::Bytes(_) => {}
            }
        }
    }

    /// Hides the secrets in what a finding says, whichever way it is written out.
    pub fn finding(&mut self, finding: &mut lint::Finding) {
        let text = self.words(&finding.message);
        finding.message = lint::Words::default().text(text);
    }

    /// A finding's text with the parts hidden that hold secrets.
    pub(in crate::report) fn words(&mut self, words: &lint::Words) -> String {
        let mut out = String::new();
        for part in words.parts() {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Secret(_, value) if self.show => out.push_str(value),
                Part::Secret(kind, value) => {
                    let vault = &mut self.vault;
                    out.push_str(&match kind {
                        SecretKind::Stream => words::stream(vault, value),
                        SecretKind::App => words::app(vault, value),
                        SecretKind::Url => words::url(vault, value, Path::App),
                        SecretKind::Description => words::free_text(vault, value, true),
                        SecretKind::Token => words::hide(vault, Kind::Token, value),
                    });
                }
            }
        }
        out
    }

    /// A line about the run with remembered secrets replaced.
    pub fn clean(&self, line: &str) -> String {
        self.scrubbed(line).unwrap_or_else(|| line.to_owned())
    }

    /// The name of a file with remembered secrets replaced, except short ones, which are words.
    pub(in crate::report) fn clean_name(&self, name: &str) -> String {
        const MIN: usize = 8;
        let is_long = |(range, _): &(std::ops::Range<usize>, Option<String>)| range.len() >= MIN;
        match !self.show && self.vault.find(name.as_bytes()).iter().any(is_long) {
            true => self.clean(name),
            false => name.to_owned(),
        }
    }

    /// Byte ranges of `bytes` that hold remembered secrets.
    pub(in crate::report) fn find(&self, bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
        if self.show {
            return Vec::new();
        }
        self.vault.find(bytes).into_iter().map(|(range, _)| range).collect()
    }

    /// The text with remembered secrets replaced; `None` when it holds none.
    pub(in crate::report) fn scrubbed(&self, text: &str) -> Option<String> {
        if self.show { None } else { self.vault.scrub(text) }
    }

    fn scrub(&self, text: &mut String) {
        if let Some(clean) = self.vault.scrub(text) {
            *text = clean;
        }
    }

    fn message(&mut self, record: &mut MessageRecord) {
        self.session = record.session;
        let message = &mut *record.message;
        self.body(&mut message.body);
        if let Some(reply) = &mut message.reply
            && rules::command(&reply.command.0).is_none()
        {
            self.text(&mut reply.command, Treat::Plain);
        }
        if let Some(stop) = &mut message.stop
            && let StopReason::UnknownExternalizable(class) = &mut stop.reason
        {
            self.scrub(class);
        }
    }

    fn body(&mut self, body: &mut Body) {
        match body {
            Body::Command(command) => self.command(command),
            Body::Data(data) => self.data(data),
            Body::SharedObject(object) => self.shared_object(object),
            Body::UserControl(control) if !self.vault.find(&control.data).is_empty() => {
                control.data.clear();
            }
            Body::Video(tag) => self.properties(&mut tag.metadata, Treat::Plain),
            Body::Aggregate(parts) => {
                for part in parts {
                    self.body(&mut part.body);
                }
            }
            _ => {}
        }
    }

    fn command(&mut self, command: &mut Command) {
        let row = rules::command(&command.name.0);
        if row.is_none() {
            self.text(&mut command.name, Treat::Plain);
        }
        if let Some(object) = &mut command.object {
            self.value(object, row.map_or(Treat::Secret, |r| r.object));
        }
        for (i, argument) in command.arguments.iter_mut().enumerate() {
            let treat =
                row.map_or(Treat::Secret, |r| r.arguments.get(i).copied().unwrap_or(r.rest));
            self.value(argument, treat);
        }
    }

    fn data(&mut self, data: &mut Data) {
        let treat = match data.name() {
            Some(name) if rules::is_status(&name.0) => Treat::Members,
            _ => Treat::Plain,
        };
        let mut values = data.values.iter_mut();
        if let Some(first) = values.next() {
            self.value(first, Treat::Plain);
        }
        for value in values {
            self.value(value, treat);
        }
    }

    fn shared_object(&mut self, object: &mut SharedObject) {
        self.text(&mut object.name, Treat::Plain);
        for event in &mut object.events {
            for name in &mut event.names {
                self.text(name, Treat::Plain);
            }
            for value in &mut event.values {
                self.value(value, Treat::Plain);
            }
        }
    }

    fn properties(&mut self, properties: &mut [Property], treat: Treat) {
        // What is secret by its place comes first: descriptions before it may repeat it.
        for second_pass in [false, true] {
            for property in &mut *properties {
                let inner = member(treat, &property.name.0);
                if matches!(inner, Treat::Plain | Treat::Description | Treat::Page) == second_pass {
                    self.value(&mut property.value, inner);
                }
            }
        }
        for property in properties {
            if let Some(clean) = self.vault.scrub(&property.name.lossy()) {
                self.set(&mut property.name, clean);
            }
        }
    }

    fn value(&mut self, value: &mut Value, treat: Treat) {
        // Only text has these treatments: whatever else turns up there is taken apart by members.
        let inside = match treat {
            Treat::Plain | Treat::Secret | Treat::Strings => treat,
            Treat::Stream | Treat::Details => Treat::Secret,
            _ => Treat::Members,
        };
        match value {
            Value::String(text) | Value::Xml(text) => self.text(text, treat),
            Value::Object { properties, .. } => self.properties(properties, inside),
            Value::EcmaArray { properties, dense, .. } => {
                self.properties(properties, inside);
                self.values(dense, inside);
            }
            // Lists keep their own treatment: `fourCcList` is a list of plain strings.
            Value::StrictArray(items) | Value::VectorObject { items, .. } => {
                self.values(items, treat);
            }
            Value::Externalizable { content, .. } => self.values(content, treat),
            Value::Dictionary { entries, .. } => {
                for (key, value) in entries {
                    self.value(key, treat);
                    self.value(value, treat);
                }
            }
            Value::Number(number) | Value::Date { millis: number, .. } => {
                let number = *number;
                self.number(value, number, treat);
            }
            Value::Integer(number) => {
                let number = f64::from(*number);
                self.number(value, number, treat);
            }
            Value::ByteArray(bytes) => {
                if hides_all(treat) || treat == Treat::Strings || !self.vault.find(bytes).is_empty()
                {
                    let name = self.vault.hide(Kind::Token, bytes);
                    *value = Value::string(&name);
                }
            }
            Value::VectorInt { .. } | Value::VectorUint { .. } | Value::VectorDouble { .. } => {
                if hides_all(treat) {
                    *value = Value::string("<redacted>");
                }
            }
            Value::Boolean(_)
            | Value::Null
            | Value::Undefined
            | Value::MovieClip
            | Value::Unsupported
            | Value::RecordSet
            | Value::Reference(_) => {}
        }
    }

    fn values(&mut self, values: &mut [Value], treat: Treat) {
        for value in values {
            self.value(value, treat);
        }
    }

    fn number(&mut self, value: &mut Value, number: f64, treat: Treat) {
        if hides_all(treat) {
            let kind = if treat != Treat::Secret { Kind::Stream } else { Kind::Token };
            let name = words::hide(&mut self.vault, kind, &number.to_string());
            self.found.numbers.insert(number.to_bits());
            *value = Value::string(&name);
        }
    }

    fn text(&mut self, text: &mut Text, treat: Treat) {
        let old = text.lossy();
        let unsure = self.vault.is_full();
        let vault = &mut self.vault;
        let new = match treat {
            Treat::Plain if words::is_code(&old) => return,
            Treat::Plain => words::free_text(vault, &old, unsure),
            Treat::Word if rules::is_word(&old) => return,
            Treat::Stream => {
                self.named.insert(self.session);
                words::stream(vault, &old)
            }
            Treat::Details => words::details(vault, &old),
            Treat::App => words::app(vault, &old),
            Treat::Url => words::url(vault, &old, Path::App),
            Treat::Page => words::url(vault, &old, Path::All),
            Treat::Description => {
                let unsure = unsure || !self.named.contains(&self.session);
                words::free_text(vault, &old, unsure)
            }
            Treat::Word | Treat::Secret | Treat::Strings | Treat::Members => {
                words::hide(vault, Kind::Token, &old)
            }
        };
        if matches!(old, std::borrow::Cow::Owned(_)) {
            // Not UTF-8: the bytes of it are looked for as they are.
            let lossy = old.into_owned();
            self.vault.alias(lossy.as_bytes(), &text.0);
        }
        self.set(text, new);
    }

    fn set(&mut self, text: &mut Text, new: String) {
        if text.0 != new.as_bytes() {
            self.found.strings.insert(text.lossy().into_owned(), new.clone());
            *text = Text(new.into_bytes());
        }
    }
}

/// How a member of an object is treated that is treated as `outer` itself.
fn member(outer: Treat, name: &[u8]) -> Treat {
    match (outer, rules::plain_member(name)) {
        (Treat::Secret | Treat::Strings, _) => outer,
        (Treat::Plain, treat) => treat,
        (_, Treat::Secret) => Treat::Secret,
        _ => rules::member(name),
    }
}

/// Whether values of any type are hidden.
fn hides_all(treat: Treat) -> bool {
    matches!(treat, Treat::Secret | Treat::Stream | Treat::Details)
}
