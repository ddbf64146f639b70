//! The secrets of a run and the placeholders that stand for them.

use rustc_hash::FxHashMap;

/// What a secret is, as its placeholder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A stream name.
    Stream,
    /// Part of a path or query, or an argument.
    Token,
    /// User, password, salt, challenge, response.
    Auth,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Stream => "stream",
            Kind::Token => "token",
            Kind::Auth => "auth",
        }
    }
}

/// Bytes of secrets that are remembered. A capture can hold any number of them; past this, new
/// ones share a placeholder without a number and free text is shown only as far as its words are
/// ordinary ones.
const MAX_REMEMBERED: usize = 1 << 20;

/// Bytes of one secret that are searched for in free text: what follows such a match goes too.
const MAX_SEARCHED: usize = 256;

/// Shorter secrets are not searched for in free text: they would hide ordinary words and say
/// little themselves.
const MIN_SEARCHED: usize = 3;

/// Shorter secrets are found as whole words only.
const MIN_INSIDE_WORDS: usize = 8;

/// Steps of the search through one text; what is left is hidden.
const MAX_STEPS: usize = 1 << 24;

/// Remembers secrets: the same one always gets the same placeholder.
#[derive(Debug, Default)]
pub(super) struct Vault {
    /// Secrets become text of their own length instead of a placeholder.
    same_length: bool,
    names: FxHashMap<Vec<u8>, (Kind, u32)>,
    /// With `same_length`: what an alias becomes, where that is a part of what the whole becomes.
    parts: FxHashMap<Vec<u8>, Vec<u8>>,
    counts: FxHashMap<Kind, u32>,
    used: usize,
    full: bool,
    trie: Trie,
}

/// Prefix tree of secrets in lower case.
#[derive(Debug, Default)]
struct Trie {
    edges: FxHashMap<(u32, u8), u32>,
    ends: FxHashMap<u32, End>,
    nodes: u32,
}

#[derive(Clone, Copy, Debug)]
struct End {
    kind: Kind,
    number: u32,
    cut: bool,
}

fn placeholder(kind: Kind, number: u32) -> String {
    match number {
        0 => format!("<{}>", kind.name()),
        n => format!("<{}-{n}>", kind.name()),
    }
}

/// A text of the secret's length that stands for it: letters and digits, the slashes kept, so that
/// a path remains one. The same secret gets the same text.
fn stand_in(kind: Kind, number: u32, secret: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    let mut rest = number as usize;
    while rest > 0 || digits.is_empty() {
        digits.insert(0, DIGITS[rest % 36]);
        rest /= 36;
    }
    let room = secret.len();
    // The number tells secrets apart: short ones have it alone.
    let start = digits.len().saturating_sub(room);
    let mut text: Vec<u8> = kind.name().bytes().take(room.saturating_sub(digits.len())).collect();
    text.extend_from_slice(&digits[start..]);
    text.resize(room, b'x');
    for (out, byte) in text.iter_mut().zip(secret) {
        if *byte == b'/' {
            *out = b'/';
        }
    }
    if text.eq_ignore_ascii_case(secret)
        && let Some(first) = text.iter_mut().find(|byte| **byte != b'/')
    {
        *first = if first.eq_ignore_ascii_case(&b'z') { b'y' } else { b'z' };
    }
    text
}

impl Vault {
    /// A vault whose replacements are as long as what they replace.
    pub(super) fn same_length() -> Vault {
        Vault { same_length: true, ..Vault::default() }
    }

    /// Every remembered secret of at least `min` bytes, in a fixed order.
    pub(super) fn secrets(&self, min: usize) -> Vec<&[u8]> {
        let mut all: Vec<&[u8]> =
            self.names.keys().map(Vec::as_slice).filter(|secret| secret.len() >= min).collect();
        all.sort_unstable();
        all
    }

    /// What stands for a secret, or for the bytes in which it was found.
    fn replacement(&self, kind: Kind, number: u32, bytes: &[u8]) -> String {
        if !self.same_length {
            return placeholder(kind, number);
        }
        let text = match self.parts.get(bytes) {
            Some(part) => part.clone(),
            None => stand_in(kind, number, bytes),
        };
        String::from_utf8(text).unwrap_or_default()
    }

    /// Whether secrets were met that are not remembered.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// The placeholder of a secret, remembered from now on.
    pub(super) fn hide(&mut self, kind: Kind, secret: &[u8]) -> String {
        let (kind, number) = self.learn(kind, secret);
        self.replacement(kind, number, secret)
    }

    /// Other ways in which the secret may be repeated: decoded, or in part.
    pub(super) fn alias(&mut self, secret: &[u8], alias: &[u8]) {
        let Some(&(kind, number)) = self.names.get(secret) else { return };
        if !alias.is_empty() && !self.names.contains_key(alias) {
            let inside = secret.windows(alias.len()).position(|window| window == alias);
            if let Some(at) = inside.filter(|_| self.same_length) {
                let whole = stand_in(kind, number, secret);
                self.parts.insert(alias.to_vec(), whole[at..at + alias.len()].to_vec());
            }
            self.insert(alias, kind, number);
        }
    }

    fn learn(&mut self, kind: Kind, secret: &[u8]) -> (Kind, u32) {
        if let Some(&known) = self.names.get(secret) {
            return known;
        }
        if self.full {
            return (kind, 0);
        }
        let number = self.counts.get(&kind).copied().unwrap_or(0) + 1;
        if !self.insert(secret, kind, number) {
            return (kind, 0);
        }
        self.counts.insert(kind, number);
        (kind, number)
    }

    fn insert(&mut self, secret: &[u8], kind: Kind, number: u32) -> bool {
        if self.used + secret.len() > MAX_REMEMBERED {
            self.full = true;
            return false;
        }
        self.used += secret.len();
        self.names.insert(secret.to_vec(), (kind, number));
        if secret.len() >= MIN_SEARCHED {
            self.trie.insert(secret, kind, number);
        }
        true
    }

    /// Byte ranges of remembered secrets in `text`, ascending and apart, with their placeholders.
    /// Letter case does not matter. `None` as a placeholder: searching took too long from here on.
    pub(super) fn find(&self, text: &[u8]) -> Vec<(std::ops::Range<usize>, Option<String>)> {
        let mut found = Vec::new();
        if self.trie.nodes == 0 {
            return found;
        }
        let mut steps = 0;
        let mut at = 0;
        while at < text.len() {
            if steps > MAX_STEPS {
                found.push((at..text.len(), None));
                break;
            }
            match self.trie.longest(text, at, &mut steps) {
                Some((end, mark)) => {
                    let name = self.replacement(mark.kind, mark.number, &text[at..end]);
                    found.push((at..end, Some(name)));
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }

    /// The text with remembered secrets replaced; `None` when it holds none.
    pub(super) fn scrub(&self, text: &str) -> Option<String> {
        let found = self.find(text.as_bytes());
        if found.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (range, name) in found {
            // A secret can end inside a character of the text when it was not UTF-8 itself.
            let start = floor(text, range.start.max(at));
            out.push_str(&text[at..start]);
            out.push_str(name.as_deref().unwrap_or("<redacted>"));
            at = ceil(text, range.end);
        }
        out.push_str(&text[at..]);
        Some(out)
    }
}

/// The character boundary at or before `at`.
pub(super) fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The character boundary at or after `at`.
pub(super) fn ceil(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

impl Trie {
    fn insert(&mut self, secret: &[u8], kind: Kind, number: u32) {
        let searched = &secret[..secret.len().min(MAX_SEARCHED)];
        let mut node = 0;
        for byte in searched {
            let next = self.nodes + 1;
            node = *self.edges.entry((node, byte.to_ascii_lowercase())).or_insert_with(|| {
                self.nodes = next;
                next
            });
        }
        let cut = secret.len() > MAX_SEARCHED;
        self.ends.entry(node).or_insert(End { kind, number, cut });
    }

    /// The longest secret that begins at `at`, and where it ends.
    fn longest(&self, text: &[u8], at: usize, steps: &mut usize) -> Option<(usize, End)> {
        let starts_word = at == 0 || !is_word(text[at - 1]);
        let mut node = 0;
        let mut best = None;
        for (i, byte) in text[at..].iter().enumerate() {
            *steps += 1;
            let Some(&next) = self.edges.get(&(node, byte.to_ascii_lowercase())) else { break };
            node = next;
            let Some(&end) = self.ends.get(&node) else { continue };
            let stop = at + i + 1;
            let ends_word = text.get(stop).is_none_or(|b| !is_word(*b));
            if i + 1 >= MIN_INSIDE_WORDS || (starts_word && ends_word) {
                best = Some((stop, end));
            }
        }
        let (mut stop, end) = best?;
        if end.cut {
            while text.get(stop).is_some_and(|b| !b.is_ascii_whitespace()) {
                stop += 1;
            }
        }
        Some((stop, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_keeps_its_placeholder() {
        let mut vault = Vault::default();
        assert_eq!(vault.hide(Kind::Stream, b"cam-key"), "<stream-1>");
        assert_eq!(vault.hide(Kind::Token, b"abc"), "<token-1>");
        assert_eq!(vault.hide(Kind::Stream, b"other"), "<stream-2>");
        assert_eq!(vault.hide(Kind::Token, b"cam-key"), "<stream-1>");
        vault.alias(b"cam-key", b"cam key");
        assert_eq!(vault.hide(Kind::Auth, b"cam key"), "<stream-1>");
    }

    #[test]
    fn text_is_searched_in_any_letter_case() {
        let mut vault = Vault::default();
        vault.hide(Kind::Stream, b"SecretStreamKey");
        assert_eq!(
            vault.scrub("Started publishing secretstreamkey.").as_deref(),
            Some("Started publishing <stream-1>.")
        );
        assert_eq!(vault.scrub("xxSECRETSTREAMKEYxx").as_deref(), Some("xx<stream-1>xx"));
        assert_eq!(vault.scrub("secretstreamke"), None);
    }

    #[test]
    fn short_secrets_are_whole_words() {
        let mut vault = Vault::default();
        vault.hide(Kind::Stream, b"cam");
        vault.hide(Kind::Stream, b"x");
        assert_eq!(vault.scrub("scam camera"), None);
        assert_eq!(vault.scrub("live/cam is x").as_deref(), Some("live/<stream-1> is x"));
    }

    #[test]
    fn the_longest_secret_wins() {
        let mut vault = Vault::default();
        vault.hide(Kind::Stream, b"first-secret");
        vault.hide(Kind::Stream, b"first-secret-long");
        assert_eq!(vault.scrub("a first-secret-long b").as_deref(), Some("a <stream-2> b"));
        assert_eq!(vault.scrub("a first-secret-lo b").as_deref(), Some("a <stream-1>-lo b"));
    }

    #[test]
    fn a_long_secret_hides_what_follows_it() {
        let mut vault = Vault::default();
        let long = "k".repeat(300) + "END";
        vault.hide(Kind::Token, long.as_bytes());
        let text = vault.scrub(&format!("a {long} b")).unwrap();
        assert_eq!(text, "a <token-1> b");
    }

    #[test]
    fn a_full_vault_hides_without_numbers() {
        let mut vault = Vault::default();
        let big = "z".repeat(1000);
        for i in 0..2000 {
            vault.hide(Kind::Token, format!("{i}{big}").as_bytes());
        }
        assert!(vault.is_full());
        assert_eq!(vault.hide(Kind::Token, b"never seen"), "<token>");
        assert!(vault.used <= MAX_REMEMBERED);
    }

    #[test]
    fn a_search_that_takes_too_long_hides_the_rest() {
        let mut vault = Vault::default();
        vault.hide(Kind::Token, ("a".repeat(250) + "b").as_bytes());
        let text = "a".repeat(200_000);
        let clean = vault.scrub(&text).unwrap();
        assert!(clean.ends_with("<redacted>") && clean.len() < text.len());
    }

    #[test]
    fn secrets_that_are_not_utf8_do_not_split_characters() {
        let mut vault = Vault::default();
        // The tail of "é" as a secret's last byte.
        vault.hide(Kind::Token, b"secretkey\xc3");
        assert_eq!(vault.scrub("secretkey\u{e9}!").as_deref(), Some("<token-1>!"));
    }
}
