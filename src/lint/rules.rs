//! The table of rules: a file per layer.

mod amf;
mod auth;
mod calls;
mod chunk;
mod close;
mod command;
mod control;
mod ertmp;
mod ertmp_form;
mod handshake;
mod http;
mod media_config;
mod media_keys;
mod media_meta;
mod media_payload;
mod media_rate;
mod media_time;
mod order;
mod play;
mod play_media;
mod publish;
mod publish_media;
mod rtmfp;
mod tcp;
mod tls;

use super::limits::UnknownName;
use super::rule::Rule;

/// The layers, from the wire up.
const LAYERS: &[&[&[Rule]]] = &[
    tcp::RULES,
    &[tls::RULES, http::RULES, rtmfp::RULES],
    handshake::RULES,
    chunk::RULES,
    control::RULES,
    amf::RULES,
    &[command::RULES, auth::RULES, calls::RULES, order::RULES],
    &[publish::RULES, publish_media::RULES],
    &[play::RULES, play_media::RULES],
    &[
        media_config::RULES,
        media_payload::RULES,
        media_keys::RULES,
        media_time::RULES,
        media_rate::RULES,
        media_meta::RULES,
    ],
    &[ertmp::RULES, ertmp_form::RULES, close::RULES],
];

/// What rules keep for themselves of a session, beside what the engine knows.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub tcp: tcp::Memory,
    pub http: http::Memory,
    pub chunk: chunk::Memory,
    pub control: control::Memory,
    pub calls: calls::Memory,
    pub publish: publish_media::Memory,
    pub play: play_media::Memory,
    pub time: media_time::Memory,
    pub rate: media_rate::Memory,
}

/// All rules, from the wire up.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    LAYERS.iter().copied().flatten().copied().flatten()
}

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// The rules that a list of words names: `publish/badname`, `publish` for a layer, `-chunk` for all
/// but those. A list that only takes away begins with all rules.
pub fn select(words: &[String]) -> Result<Vec<&'static Rule>, UnknownName> {
    let named = |rule: &Rule, word: &str| rule.id == word || rule.layer.name() == word;
    let split = |word: &str| match word.strip_prefix('-') {
        Some(rest) => (false, rest.trim_end_matches("/*").to_owned()),
        None => (true, word.trim_end_matches("/*").to_owned()),
    };
    let words: Vec<(bool, String)> = words.iter().map(|word| split(word.trim())).collect();
    for (_, word) in &words {
        if word != "all" && !all().any(|rule| named(rule, word)) {
            return Err(UnknownName(word.clone()));
        }
    }
    let by_default = words.iter().all(|(adds, _)| !adds);
    let wanted = |rule: &Rule| {
        let mut wanted = by_default;
        for (adds, word) in &words {
            if word == "all" || named(rule, word) {
                wanted = *adds;
            }
        }
        wanted
    };
    Ok(all().filter(|rule| wanted(rule)).collect())
}
