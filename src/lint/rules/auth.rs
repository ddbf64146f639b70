//! Logins in the reply to `connect` (Adobe's and Limelight's), and redirects.

use super::command::{connect_answer, info};
use crate::analysis::{End, MessageRecord};
use crate::lint::context::{CaptureContext, Context, Report};
use crate::lint::finding::Severity;
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::words::Words;
use crate::wire::amf::Value;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Command,
    title: "",
    severity: Severity::Note,
    escalates: None,
    spec: rtmp("7.2.1.1"),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Message,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "command/auth-challenge",
        title: "Server wants a login (Adobe or Limelight)",
        explanation: "The login takes three connections: the first is refused with authmod=, the \
            second with a salt and a challenge, the third carries the response. Two refusals are \
            how it works; it is an error only when the client does not come back.",
        advice: "Enter user and password in the encoder, or use one that knows this login. A \
            flashVer of FMLE can itself make the server ask (Wowza, crtmpserver).",
        checks: &[Check::Command(challenge), Check::Capture(unanswered)],
        ..BASE
    },
    Rule {
        id: "command/auth-failed",
        title: "Wrong user or password",
        severity: Severity::Error,
        explanation: "The server refused the response to its challenge (authfailed), or does not \
            know the user (nosuchuser).",
        advice: "Correct user and password in the encoder; mind that some servers cut long ones.",
        checks: &[Check::Command(failed)],
        ..BASE
    },
    Rule {
        id: "command/redirect-ignored",
        title: "Server redirected; the client did not follow",
        explanation: "The reply to connect names another server (code 302 and redirect). Few \
            encoders follow it.",
        advice: "Enter the target of the redirect in the encoder.",
        checks: &[Check::Command(redirect), Check::Capture(not_followed)],
        ..BASE
    },
];

fn refusal(record: &MessageRecord) -> Option<String> {
    let answer = connect_answer(record).filter(|answer| answer.name == "_error")?;
    Some(info(answer, "description"))
}

/// The login's name.
fn login(description: &str) -> Option<&'static str> {
    if description.contains("authmod=adobe") {
        Some("Adobe")
    } else if description.contains("authmod=llnw") {
        Some("Limelight")
    } else {
        None
    }
}

/// The reason that ends the login.
fn verdict(description: &str) -> Option<&'static str> {
    ["authfailed", "nosuchuser"].into_iter().find(|r| description.contains(&format!("reason={r}")))
}

fn challenge(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(description) = refusal(record) else { return };
    let Some(name) = login(&description).filter(|_| verdict(&description).is_none()) else {
        return;
    };
    let step = match description.contains("reason=needauth") {
        true => "step 2 of 3: the server sent its challenge",
        false => "step 1 of 3: the server asked for user and password",
    };
    cx.report(Report::message(record, format!("{name} login, {step}")));
}

/// Whether another session of the same client began soon after that one.
fn returned(cx: &CaptureContext<'_>, session: u32) -> Option<u32> {
    let all = || cx.others.ended().chain(cx.others.live());
    let own = all().find(|other| other.session == session)?;
    let (end, _) = own.end?;
    let soon = cx.limit(Limit::ReturnSeconds);
    let next = all().filter(|other| {
        other.session > session
            && other.client.ip() == own.client.ip()
            && (0.0..=soon).contains(&other.start.seconds_since(own.start))
            && other.start.seconds_since(end) <= soon
            // The next step carries the login in its application.
            && other.app.as_deref().is_some_and(|app| app.contains("authmod="))
    });
    next.map(|other| other.session).min()
}

fn unanswered(cx: &mut CaptureContext<'_>, _end: &End) {
    for (session, _) in cx.found() {
        match returned(cx, session) {
            Some(next) => {
                let words =
                    format!("a step of the login: the client came back with it in session {next}");
                cx.revise(session, Severity::Note, words);
            }
            None => {
                let words = "the server asked for a login (user and password), and the client \
                    never came back with one: it has no credentials or does not know this login";
                cx.revise(session, Severity::Error, words);
            }
        }
    }
}

fn failed(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(description) = refusal(record) else { return };
    if let Some(reason) = verdict(&description) {
        let name = login(&description).unwrap_or("server's");
        let words = format!("the {name} login was refused: reason={reason}");
        cx.report(Report::message(record, words));
    }
}

fn redirect(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(answer) = connect_answer(record).filter(|answer| answer.name == "_error") else {
        return;
    };
    let objects = || answer.arguments.iter().chain(&answer.object);
    let ex = || objects().filter_map(|value| value.get("ex"));
    let code = ex().filter_map(|ex| ex.get("code")?.as_number()).next();
    let target = ex().chain(objects()).filter_map(|v| v.get("redirect").and_then(Value::as_text));
    let target = target.map(|text| text.lossy().into_owned()).next();
    if code == Some(302.0) || target.is_some() {
        let words = Words::from("redirected to ").url(target.as_deref().unwrap_or("nowhere"));
        cx.report(Report::message(record, words));
    }
}

fn not_followed(cx: &mut CaptureContext<'_>, _end: &End) {
    for (session, _) in cx.found() {
        let own = cx.others.ended().chain(cx.others.live()).find(|o| o.session == session);
        let Some(own) = own else { continue };
        let soon = cx.limit(Limit::ReturnSeconds);
        let followed = cx.others.ended().chain(cx.others.live()).any(|other| {
            other.session > session
                && other.client.ip() == own.client.ip()
                && other.server != own.server
                && other.start.seconds_since(own.start) <= soon
        });
        if !followed {
            let words = "the server named another one to go to (302), and the client did not \
                connect to it";
            cx.revise(session, Severity::Error, words);
        }
    }
}
