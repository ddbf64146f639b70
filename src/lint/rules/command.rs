//! `connect` and what is wrong with where it goes (section 7.2.1.1).

use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::ending::Ending;
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::state::Connect;
use crate::lint::words::Words;
use crate::wire::amf::Value;
use crate::wire::message::{Body, Command};

/// What all rows here have in common.
const BASE: Rule = Rule {
    id: "",
    layer: Layer::Command,
    title: "",
    severity: Severity::Error,
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
        id: "command/app-not-found",
        title: "The application name does not exist on the server",
        explanation: "The server closed the connection instead of answering connect, or said that \
            it does not know the application. nginx-rtmp and crtmpserver say nothing at all, so \
            that clients print no more than \"I/O error\".",
        advice: "Check the first part of the path: rtmp://host/APP/KEY. The encoder may have put \
            the key into the application, or left the application out (Kick and Amazon IVS want \
            /app); or the server's configuration has no such application.",
        covers: &["rtmp/connect/invalid-app", "rtmp/connect/no-reply-timeout"],
        needs: Needs::Both,
        checks: &[Check::Command(app_refused), Check::End(connect_unanswered)],
        ..BASE
    },
    Rule {
        id: "command/connect-rejected",
        title: "Server refused the connection",
        explanation: "The server answered connect with an error. Clients rarely show the text that \
            comes with it.",
        advice: "Read the description: 401 and 403 are credentials or an address list, licence and \
            limit texts a quota of the server.",
        covers: &["rtmp/connect/invalid-app"],
        checks: &[Check::Command(rejected)],
        ..BASE
    },
    Rule {
        id: "command/app-holds-stream-name",
        title: "Stream name is inside the application",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        explanation: "The application has several parts and the stream name is empty: the client \
            splits the URL in another place than the server expects.",
        advice: "Enter the key in the key field, or the whole URL in one field, whichever the \
            encoder splits correctly.",
        checks: &[Check::Command(app_holds_name)],
        ..BASE
    },
    Rule {
        id: "command/app-slash",
        title: "Leading, trailing or double slash in application or stream name",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        explanation: "Servers compare names letter by letter: \"/key\" is not \"key\" to most of \
            them.",
        advice: "Remove the extra slash from the URL.",
        checks: &[Check::Command(app_slash)],
        ..BASE
    },
    Rule {
        id: "command/tcurl-problem",
        title: "tcUrl is missing or does not fit the application",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        explanation: "Servers that choose a virtual host by tcUrl (SRS, CDNs) refuse such a \
            client. A relay that passes on the tcUrl of its source shows the wrong host.",
        advice: "Send tcUrl as protocol://host:port/app of the server that was dialled.",
        covers: &["rtmp/connect/tcurl-forms"],
        checks: &[Check::Command(tc_url)],
        ..BASE
    },
    Rule {
        id: "command/credentials-in-tcurl",
        title: "User and password inside tcUrl",
        severity: Severity::Warning,
        explanation: "tcUrl still has the part before the @. It goes over the wire in the clear and \
            into the server's logs.",
        advice: "Remove user:password from the tcUrl; use the server's login or a token.",
        checks: &[Check::Command(credentials)],
        ..BASE
    },
    Rule {
        id: "command/long-query",
        title: "Query string may be cut by the server",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        explanation: "nginx-rtmp keeps 256 bytes of the application's and of the name's arguments \
            (NGX_RTMP_MAX_NAME) and checks a token that is cut off.",
        advice: "Use a shorter token, or build the server with a larger limit.",
        covers: &["rtmp/connect/long-values"],
        checks: &[Check::Command(long_query)],
        ..BASE
    },
    Rule {
        id: "command/query-on-wrong-part",
        title: "Token sent on connect, maybe expected on publish (or the reverse)",
        severity: Severity::Note,
        explanation: "The session failed, and only one of application and stream name carries \
            arguments. nginx-rtmp hands those of connect to on_connect only, SRS looks at both.",
        advice: "Move the ?token=... to the other part of the URL, as the server's manual says.",
        checks: &[Check::End(query_part)],
        ..BASE
    },
    Rule {
        id: "command/result-incomplete",
        title: "connect reply lacks usual fields",
        severity: Severity::Note,
        explanation: "The reply has no properties, no information object or no code. Some clients \
            insist on them; Flash insists on objectEncoding.",
        advice: "Send fmsVer and capabilities, then level, code, description and objectEncoding.",
        covers: &["rtmp/connect/info-fields", "rtmp/connect/fmsver"],
        checks: &[Check::Command(incomplete)],
        ..BASE
    },
    Rule {
        id: "command/objectencoding-raised",
        title: "Server answered AMF3 to an AMF0 client",
        explanation: "The server says objectEncoding 3 although the client asked for 0 or nothing. \
            Clients that only know AMF0 then cannot read it.",
        advice: "The server must answer the smaller of both.",
        covers: &["amf3/object-encoding-echo"],
        checks: &[Check::Command(encoding)],
        ..BASE
    },
];

/// The command of a message.
pub(super) fn command(record: &MessageRecord) -> Option<&Command> {
    match &record.message.body {
        Body::Command(command) => Some(command),
        _ => None,
    }
}

/// Whether the client sent it.
pub(super) fn from_client(record: &MessageRecord) -> bool {
    record.message.direction == Direction::ClientToServer
}

/// The command, if it is the client's `connect`.
fn connect(record: &MessageRecord) -> Option<Connect> {
    let command = command(record).filter(|command| command.name == "connect")?;
    from_client(record).then(|| Connect::of(command, Place::of(record)))
}

/// The command, if it is the server's answer to `connect`.
pub(super) fn connect_answer(record: &MessageRecord) -> Option<&Command> {
    let command = command(record).filter(|command| command.is_reply())?;
    let reply = record.message.reply.as_ref()?;
    (!from_client(record) && reply.command == "connect").then_some(command)
}

/// A string of an information object.
pub(super) fn info(command: &Command, name: &str) -> String {
    command.info(name).map(|text| text.lossy().into_owned()).unwrap_or_default()
}

/// Whether a text says that the application is unknown.
fn names_unknown_app(code: &str, description: &str) -> bool {
    let text = description.to_ascii_lowercase();
    let of_app = ["application", "app ", "app:", "scope", "vhost"].iter().any(|w| text.contains(w));
    let unknown = ["not found", "unknown", "no such", "not exist", "invalid", "not loaded"];
    code == "NetConnection.Connect.InvalidApp"
        || of_app && unknown.iter().any(|word| text.contains(word))
}

/// Whether a text is a part of a login or a redirect, which have rules of their own.
fn is_login_or_redirect(description: &str) -> bool {
    description.contains("authmod=")
        || description.contains("reason=")
        || description.contains("redirect")
}

fn app_refused(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(answer) = connect_answer(record).filter(|answer| answer.name == "_error") else {
        return;
    };
    let (code, description) = (info(answer, "code"), info(answer, "description"));
    if names_unknown_app(&code, &description) {
        let app = cx.state.connect.as_ref().and_then(|c| c.app.as_deref()).unwrap_or("");
        let words = Words::from("the server does not know the application ")
            .app(app)
            .text(format!(": {} ", safe_code(&code)))
            .description(&description);
        cx.report(Report::message(record, words));
    }
}

fn connect_unanswered(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let Some(connect) = &state.connect else { return };
    let waited = closing.time.seconds_since(connect.place.time);
    let answered = state.connect_reply.is_some() || state.statuses().next().is_some();
    // A broken chunk size or the like explains the close better.
    let odd = state.client().messages > 4 || state.client().bad_chunk_size;
    if !closing.by_server() || answered || waited > cx.limit(Limit::EscalateSeconds) || odd {
        return;
    }
    let words = Words::from(
        "the server closed the connection instead of answering connect to \
        application ",
    )
    .app(connect.app.as_deref().unwrap_or(""))
    .text(" of ")
    .url(connect.tc_url.as_deref().unwrap_or(""))
    .text(format!(", {} after it, without a reason", crate::lint::cause::span(waited)));
    let place = Place::at(closing.time, Some(Direction::ServerToClient));
    cx.report(Report::new(place, words).related("the request", connect.place.clone()));
}

fn rejected(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(answer) = connect_answer(record).filter(|answer| answer.name == "_error") else {
        return;
    };
    let (code, description) = (info(answer, "code"), info(answer, "description"));
    if !names_unknown_app(&code, &description) && !is_login_or_redirect(&description) {
        let words = Words::from(format!("{}: ", safe_code(&code))).description(&description);
        cx.report(Report::message(record, words));
    }
}

fn app_holds_name(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|_| from_client(record)) else { return };
    if command.name != "publish" && command.name != "play" {
        return;
    }
    let app = cx.state.connect.as_ref().and_then(|c| c.app.as_deref()).unwrap_or("");
    let name = command.arguments.first().and_then(Value::as_text);
    let parts = app.split('?').next().unwrap_or("").split('/').filter(|part| !part.is_empty());
    if parts.count() > 1 && name.is_none_or(|name| name.0.is_empty()) {
        let words = Words::from("application ").app(app).text(" and an empty stream name");
        cx.report(Report::message(record, words));
    }
}

fn app_slash(cx: &mut Context<'_>, record: &MessageRecord) {
    if let Some(connect) = connect(record) {
        let app = connect.app.as_deref().unwrap_or("");
        let path = app.split('?').next().unwrap_or("");
        if path.starts_with('/') || path.ends_with('/') || path.contains("//") {
            cx.report(Report::message(record, Words::from("application ").app(app)));
        }
        return;
    }
    let Some(command) = command(record).filter(|_| from_client(record)) else { return };
    if command.name == "publish" || command.name == "play" {
        let name = command.arguments.first().and_then(Value::as_text).map(|name| name.lossy());
        let name = name.unwrap_or_default();
        let path = name.split('?').next().unwrap_or("");
        if path.starts_with('/') || path.contains("//") {
            cx.report(Report::message(record, Words::from("stream name ").stream(&name)));
        }
    }
}

/// The path of a URL without its leading slash, and whether it has a host.
fn path(url: &str) -> Option<(&str, &str)> {
    let rest = url.split_once("://")?.1;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

fn tc_url(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(connect) = connect(record) else { return };
    let url = connect.tc_url.as_deref().unwrap_or("");
    let app = connect.app.as_deref().unwrap_or("");
    let bare = |text: &str| text.split('?').next().unwrap_or("").trim_matches('/').to_owned();
    let words = match path(url) {
        None if url.is_empty() => Words::from("connect has no tcUrl"),
        None => Words::from("tcUrl ").url(url).text(" is no URL"),
        Some(("", _)) => Words::from("tcUrl ").url(url).text(" names no host"),
        Some((_, path)) if bare(path) != bare(app) && !bare(path).starts_with(&bare(app)) => {
            Words::from("tcUrl ").url(url).text(" does not lead to application ").app(app)
        }
        Some(_) => return,
    };
    cx.report(Report::message(record, words));
}

fn credentials(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(connect) = connect(record) else { return };
    let host = connect.tc_url.as_deref().and_then(path).map_or("", |(host, _)| host);
    if host.contains('@') {
        cx.report(Report::message(record, "tcUrl holds user information before the host"));
    }
}

/// Bytes after the question mark.
fn query_len(text: &str) -> usize {
    text.split_once('?').map_or(0, |(_, query)| query.len())
}

fn long_query(cx: &mut Context<'_>, record: &MessageRecord) {
    let limit = cx.limit(Limit::QueryMax) as usize;
    let (what, len) = match (connect(record), command(record)) {
        (Some(connect), _) => ("application", query_len(connect.app.as_deref().unwrap_or(""))),
        (None, Some(command)) if command.name == "publish" || command.name == "play" => {
            let name = command.arguments.first().and_then(Value::as_text);
            ("stream name", name.map_or(0, |name| query_len(&name.lossy())))
        }
        _ => return,
    };
    if len > limit {
        let words = format!("the arguments of the {what} have {len} bytes; the limit is {limit}");
        cx.report(Report::message(record, words));
    }
}

fn query_part(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let Some(connect) = &state.connect else { return };
    let app = query_len(connect.app.as_deref().unwrap_or("")) > 0;
    let name = query_len(state.stream_name().unwrap_or("")) > 0;
    let closing = Ending::of(end);
    let refused = state
        .statuses()
        .any(|status| status.is_failure() && status.answers.as_deref() != Some("releaseStream"))
        || closing.by_server() && state.goodbye.is_none();
    // A login carries its arguments in the application, and that is right.
    let login = connect.app.as_deref().is_some_and(|app| app.contains("authmod="));
    if app != name && refused && !login {
        let (has, lacks) =
            if app { ("application", "stream name") } else { ("stream name", "application") };
        let words = format!("the {has} has arguments, the {lacks} has none, and it was refused");
        cx.report(Report::new(connect.place.clone(), words));
    }
}

fn incomplete(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(answer) = connect_answer(record).filter(|answer| answer.name == "_result") else {
        return;
    };
    let information = answer.arguments.first();
    let has = |value: Option<&Value>, name: &str| value.is_some_and(|v| v.get(name).is_some());
    let missing: Vec<&str> = [
        ("properties (fmsVer)", has(answer.object.as_ref(), "fmsVer")),
        ("code", has(information, "code")),
        ("level", has(information, "level")),
        ("description", has(information, "description")),
    ]
    .into_iter()
    .filter_map(|(name, there)| (!there).then_some(name))
    .collect();
    if !missing.is_empty() {
        let words = format!("the reply to connect has no {}", missing.join(", no "));
        cx.report(Report::message(record, words));
    }
}

fn encoding(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(answer) = connect_answer(record).filter(|answer| answer.name == "_result") else {
        return;
    };
    let said = answer.arguments.iter().chain(&answer.object);
    let said = said.filter_map(|value| value.get("objectEncoding")?.as_number()).next();
    let asked = cx.state.connect.as_ref().map_or(0.0, |c| c.object_encoding.unwrap_or(0.0));
    if said == Some(3.0) && asked == 0.0 {
        let words = "objectEncoding 3 in the reply, 0 or nothing in connect";
        cx.report(Report::message(record, words));
    }
}

/// A status code as it may be printed: anything that is not shaped like one may be a secret.
pub(super) fn safe_code(code: &str) -> &str {
    let shaped = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    match code {
        "" => "no code",
        _ if shaped => code,
        _ => "an odd code",
    }
}
