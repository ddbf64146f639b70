//! `rtmpscope rules`: what is judged, and by which measure.

use std::io::{self, Write};

use clap::{Args, Subcommand};

use super::EXIT_OK;
use crate::lint::{self, Limit, Profile, Rule, Thresholds};
use crate::report::findings;

pub(super) const EXAMPLES: &str = "\
Examples:
  rtmpscope rules                              every rule, a line each
  rtmpscope rules publish                      those of a layer
  rtmpscope rules explain publish/badname      what a rule means, and what to do
  rtmpscope rules --thresholds --profile srs   measures, for `report --set NAME=VALUE`";

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    command: Option<RulesCommand>,

    /// Only these: ids, layers or patterns such as publish/*
    #[arg(value_name = "RULES")]
    rules: Vec<String>,

    /// List the thresholds instead
    #[arg(long, conflicts_with = "rules")]
    thresholds: bool,

    /// Whose thresholds
    #[arg(long, value_name = "NAME", default_value = "generic", requires = "thresholds")]
    profile: String,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Say everything about rules
    Explain {
        /// Ids, layers or patterns such as publish/*
        #[arg(value_name = "RULE", required = true)]
        rules: Vec<String>,
    },
}

/// Runs to an exit code; `Err` is why it could not.
pub(super) fn run(args: RulesArgs) -> Result<u8, String> {
    let text = match args.command {
        Some(RulesCommand::Explain { rules }) => {
            let texts: Vec<String> = select(&rules)?.into_iter().map(findings::explain).collect();
            texts.join("\n")
        }
        None if args.thresholds => thresholds(&args.profile)?,
        None => findings::list(&select(&args.rules)?),
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write the output: {error}"))
        }
        _ => Ok(EXIT_OK),
    }
}

/// The profile of that name.
pub(super) fn profile(name: &str) -> Result<Profile, String> {
    Profile::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Profile::ALL.iter().map(|profile| profile.name()).collect();
        format!("--profile {name}: there are {}", names.join(", "))
    })
}

fn thresholds(name: &str) -> Result<String, String> {
    let values = Thresholds::of(profile(name)?);
    let width = Limit::all().map(|limit| limit.name().len()).max().unwrap_or(0);
    Ok(Limit::all()
        .map(|limit| {
            let value = format!("{} {}", values.value(limit), limit.unit());
            format!("{:<width$}  {:<16}  {}\n", limit.name(), value.trim_end(), limit.what())
        })
        .collect())
}

/// The rules that words name: ids, layers, patterns with `*`; all for no words.
pub(super) fn select(words: &[String]) -> Result<Vec<&'static Rule>, String> {
    let mut expanded = Vec::new();
    for word in words {
        let (sign, pattern) = match word.trim().strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", word.trim()),
        };
        if !pattern.contains('*') {
            expanded.push(format!("{sign}{pattern}"));
            continue;
        }
        let regex = format!("^{}$", regex::escape(pattern).replace(r"\*", ".*"));
        let regex = regex::Regex::new(&regex).map_err(|e| format!("{word}: {e}"))?;
        let before = expanded.len();
        let matching = lint::all().filter(|rule| regex.is_match(rule.id));
        expanded.extend(matching.map(|rule| format!("{sign}{}", rule.id)));
        if expanded.len() == before {
            return Err(format!("no rule matches {word}; rtmpscope rules lists them"));
        }
    }
    lint::select(&expanded).map_err(|unknown| {
        let word = &unknown.0;
        let near = lint::all()
            .map(|rule| rule.id)
            .find(|id| id.split('/').any(|part| part == word) || id.contains(word.as_str()));
        let hint = near.map(|id| format!(" (did you mean {id}?)")).unwrap_or_default();
        format!("no rule or layer is called {word}{hint}; rtmpscope rules lists them")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_rules() {
        let all = select(&[]).unwrap().len();
        let tcp = select(&["tcp/*".into()]).unwrap();
        assert!(!tcp.is_empty() && tcp.iter().all(|rule| rule.id.starts_with("tcp/")));
        assert_eq!(select(&["-tcp".into()]).unwrap().len(), all - tcp.len());
        assert!(select(&["nothing/at-all".into()]).unwrap_err().contains("nothing/at-all"));
        assert!(select(&["no*thing".into()]).is_err());
    }
}
