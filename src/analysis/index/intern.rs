//! Strings that repeat: command names, status codes, codecs.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

/// A string of an [`Interner`]; 0 is the empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(pub u32);

impl Symbol {
    /// The empty string: nothing to say.
    pub const NONE: Symbol = Symbol(0);

    /// Whether there is nothing to say.
    pub fn is_none(self) -> bool {
        self == Symbol::NONE
    }
}

/// Longest string kept, in bytes: enough to recognise a name, too little to fill memory with.
const MAX_LEN: usize = 256;
/// Most strings kept: a peer that invents a name per message must not fill memory.
const MAX_STRINGS: usize = 1 << 18;

/// Each string once.
#[derive(Clone, Debug)]
pub struct Interner {
    strings: Vec<Box<str>>,
    numbers: FxHashMap<Box<str>, Symbol>,
}

impl Default for Interner {
    fn default() -> Interner {
        Interner { strings: vec!["".into()], numbers: FxHashMap::default() }
    }
}

impl Interner {
    /// The symbol of a string, which is shortened when it is very long. When the interner is full
    /// a new string becomes `…`.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return Symbol::NONE;
        }
        let text = shorten(text);
        if let Some(symbol) = self.numbers.get(&*text) {
            return *symbol;
        }
        let text = if self.strings.len() < MAX_STRINGS { text } else { Cow::Borrowed("…") };
        if let Some(symbol) = self.numbers.get(&*text) {
            return *symbol;
        }
        let symbol = Symbol(self.strings.len() as u32);
        self.strings.push(text.as_ref().into());
        self.numbers.insert(text.as_ref().into(), symbol);
        symbol
    }

    /// The string; empty for a symbol of another interner.
    pub fn get(&self, symbol: Symbol) -> &str {
        self.strings.get(symbol.0 as usize).map_or("", |text| text)
    }

    /// The symbol of a string that was interned before.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        match text {
            "" => Some(Symbol::NONE),
            text => self.numbers.get(&*shorten(text)).copied(),
        }
    }
}

fn shorten(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_LEN {
        return Cow::Borrowed(text);
    }
    let mut end = MAX_LEN;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}…", &text[..end]))
}
