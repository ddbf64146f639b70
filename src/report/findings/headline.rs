//! What happened in a session, in a sentence.

use super::build::closer;
use super::model::{Close, Figures, FindingLine, Headline};
use crate::analysis::SessionFacts;
use crate::analysis::index::SessionIndex;
use crate::base::Direction;

/// The sentence: the worst finding of a session that failed, or what a fine one was.
pub(super) fn headline(
    facts: &SessionFacts,
    figures: &Figures,
    close: &Close,
    findings: &[FindingLine],
    session: &SessionIndex,
) -> Headline {
    let worst = findings.iter().find(|finding| finding.severity == "error");
    if let Some(worst) = worst {
        let detail =
            if worst.message.is_empty() { String::new() } else { format!(": {}", worst.message) };
        let text = format!("{}{detail}", worst.title.trim_end_matches('.'));
        return Headline { text, failed: true, cause: Some(worst.rule) };
    }
    let who = match facts.role.as_deref() {
        Some("publish") => "Published",
        Some("play") => "Played",
        Some(_) => "Published and played",
        None => "Connected",
    };
    let codecs: Vec<&str> =
        [facts.video.as_deref(), facts.audio.as_deref()].into_iter().flatten().collect();
    let mut text = who.to_owned();
    if !codecs.is_empty() {
        text.push_str(&format!(" {}", codecs.join(" and ")));
    }
    let media = figures.video.frames + figures.audio.frames;
    if facts.role.is_some() && media == 0 {
        text.push_str(" without any media");
    }
    let seconds = session.last.seconds_since(session.session.time);
    text.push_str(&format!(" for {seconds:.1} s; {}", close.text));
    let refused = facts.last_status.as_deref().filter(|status| is_refusal(status));
    if let Some(status) = refused {
        text = format!("The server answered {status}; {}", close.text);
        return Headline { text, failed: true, cause: None };
    }
    // A server that closes before anything flowed did so for a reason that it did not tell.
    let by_server = session
        .end
        .as_ref()
        .is_some_and(|end| closer(end.reason) == Some(Direction::ServerToClient));
    let failed = by_server && media == 0;
    Headline { text, failed, cause: None }
}

fn is_refusal(status: &str) -> bool {
    ["Failed", "Rejected", "BadName", "NotFound", "Denied", "InvalidApp", "NoAccess"]
        .iter()
        .any(|word| status.contains(word))
}
