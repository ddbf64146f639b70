//! What a finding says, with the places marked that may hold a secret.

/// What kind of secret a part of a text may hold. The output decides what of it to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// A stream name, possibly with a query.
    Stream,
    /// An application, possibly with credentials in its query.
    App,
    /// An RTMP or HTTP URL.
    Url,
    /// Text for people that may repeat a stream name: a status description.
    Description,
    /// Anything whose place in the protocol is not known to be harmless.
    Token,
}

/// A part of a [`Words`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Safe to print.
    Text(String),
    /// To be redacted before it is printed.
    Secret(SecretKind, String),
}

/// A text of parts.
///
/// ```
/// use rtmpscope::lint::Words;
/// let words = Words::from("publish of ").stream("example-key").text(" was refused");
/// assert_eq!(words.plain(), "publish of <stream> was refused");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    parts: Vec<Part>,
}

/// Longest value that a finding repeats, in bytes: a message of a megabyte can be one string.
const MAX_VALUE: usize = 200;

impl Words {
    /// Adds text that holds nothing from the payload but numbers and words of the protocol.
    pub fn text(mut self, text: impl AsRef<str>) -> Words {
        let text = text.as_ref();
        match self.parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
        self
    }

    /// Adds a value that must be redacted.
    pub fn secret(mut self, kind: SecretKind, value: &str) -> Words {
        self.parts.push(Part::Secret(kind, shorten(value)));
        self
    }

    /// Adds a stream name.
    pub fn stream(self, name: &str) -> Words {
        self.secret(SecretKind::Stream, name)
    }

    /// Adds an application.
    pub fn app(self, app: &str) -> Words {
        self.secret(SecretKind::App, app)
    }

    /// Adds a URL.
    pub fn url(self, url: &str) -> Words {
        self.secret(SecretKind::Url, url)
    }

    /// Adds a status description.
    pub fn description(self, text: &str) -> Words {
        self.secret(SecretKind::Description, text)
    }

    /// Adds other words.
    pub fn words(mut self, more: &Words) -> Words {
        for part in &more.parts {
            self = match part {
                Part::Text(text) => self.text(text),
                Part::Secret(kind, value) => self.secret(*kind, value),
            };
        }
        self
    }

    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The text with every value as it is: for findings in records that were redacted before they
    /// were judged.
    pub fn verbatim(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Secret(_, text) => text.as_str(),
            })
            .collect()
    }

    /// The text with every secret replaced by its kind.
    pub fn plain(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Secret(SecretKind::Stream, _) => "<stream>",
                Part::Secret(SecretKind::App, _) => "<app>",
                Part::Secret(SecretKind::Url, _) => "<url>",
                Part::Secret(SecretKind::Description, _) => "<description>",
                Part::Secret(SecretKind::Token, _) => "<token>",
            })
            .collect()
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Words {
        Words::default().text(text)
    }
}

impl From<String> for Words {
    fn from(text: String) -> Words {
        Words { parts: vec![Part::Text(text)] }
    }
}

/// The value cut at a character near [`MAX_VALUE`] bytes.
fn shorten(value: &str) -> String {
    match value.char_indices().find(|(at, _)| *at >= MAX_VALUE) {
        Some((at, _)) => format!("{}...", &value[..at]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_parts_of_their_own() {
        let words = Words::from("app ").app("live?token=1").text(" and ").text("more");
        assert_eq!(words.plain(), "app <app> and more");
        assert_eq!(words.parts().len(), 3);
        assert_eq!(words.parts()[1], Part::Secret(SecretKind::App, "live?token=1".into()));
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let words = Words::default().stream(&"ä".repeat(300));
        let Part::Secret(_, value) = &words.parts()[0] else { panic!("a secret") };
        assert!(value.len() <= MAX_VALUE + 4 && value.ends_with("..."));
    }
}
