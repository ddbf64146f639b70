//! Results of `rtmpscope check` in every format: against schemas, read back, merged, compared, and
//! the page in headless Chromium.
#![cfg(feature = "cli")]

mod support;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rtmpscope::base::Timestamp;
use rtmpscope::conform::result::{CaseResult, Expectation, Run};
use rtmpscope::conform::{Facts, Target, Verdict as V, suite};
use rtmpscope::peer::{Close, Transcript};
use rtmpscope::report::conform::{self, Options, Results, Status, Verdict};
use serde_json::Value;
use support::Plan;
use tempfile::TempDir;

const KEY: &str = "pl4nt3dStreamKey";
const TOKEN: &str = "t0kenInTheQuery";
const FORMATS: [&str; 7] = ["json", "ndjson", "junit", "html", "sarif", "tap", "md"];

/// A case of every verdict and status, the first ones of the suite.
fn outcomes() -> Vec<(V, Expectation)> {
    let met = || Expectation::Met {
        reason: format!("it never did, says # the | maintainer of {KEY}"),
        issue: Some("https://example.org/issues/1".into()),
    };
    let unmet = || Expectation::Unmet { expected: "fail".into(), reason: "it never did".into() };
    let none = Expectation::None;
    vec![
        (V::Pass, none.clone()),
        (V::NonStrict("answers | late, with <b>".into()), none.clone()),
        (V::Fail(format!("the player of {KEY} got nothing\nat all")), none.clone()),
        (V::Fact("sends 3 # of them".into()), none.clone()),
        (V::Unsupported("no play side".into()), none.clone()),
        (V::Inconclusive("connect was refused".into()), none.clone()),
        (V::Crash("exited on signal 11".into()), none.clone()),
        (V::Hang("nobody is served".into()), none.clone()),
        (V::Flaky(vec![V::Fail("nothing came".into()), V::Pass]), none),
        (V::Fail("no ping".into()), met()),
        (V::Pass, unmet()),
        (V::Crash("exited with status 1".into()), met()),
        (V::Fail("still nothing".into()), unmet()),
    ]
}

/// What a connection with secrets in it looked like.
fn transcript() -> Transcript {
    let mut plan = Plan::new(5);
    plan.stream_key = format!("{KEY}?sign={TOKEN}");
    let scenario = plan.build();
    let at = |ns: i64| Timestamp(1_700_000_000_000_000_000 + ns);
    let (client, server) = ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:1935".parse().unwrap());
    let mut out = Transcript::new(client, server, at(0));
    let mut last = 0;
    for write in scenario.writes() {
        let range = write.range.start as usize..write.range.end as usize;
        out.push(at(write.time_ns), write.direction, &scenario.stream(write.direction)[range]);
        last = write.time_ns;
    }
    out.closed = Some((at(last), Close::Rst));
    out
}

fn run() -> Run {
    let cases = suite::all().zip(outcomes()).map(|(case, (verdict, expectation))| CaseResult {
        id: case.id,
        attempts: if matches!(verdict, V::Flaky(_)) { 2 } else { 1 },
        verdict,
        level: case.level,
        basis: case.basis,
        sections: case.sections,
        says: case.says,
        notes: vec![format!("asked for {KEY}")],
        duration: Duration::from_micros(1500),
        findings: Vec::new(),
        transcripts: vec![transcript()],
        expectation,
    });
    Run {
        target: Target::parse(&format!("rtmp://127.0.0.1:1935/live/{KEY}?auth={TOKEN}")).unwrap(),
        server: Some("made-up 1.0".into()),
        facts: Facts { software: Some("FMS/3,0,1,123".into()), ..Facts::default() },
        seed: u64::MAX,
        started: Timestamp(1_700_000_000_000_000_000),
        duration: Duration::from_millis(12_345),
        shard: None,
        cases: cases.collect(),
        stale: vec!["rtmp/chnuk/*: matches no case".into()],
    }
}

fn results() -> Results {
    let results = conform::results(&run(), Options::default());
    assert_eq!(results.cases.len(), outcomes().len(), "the suite is too short for this test");
    results
}

fn written(results: &Results, format: &str) -> String {
    let mut out = Vec::new();
    match format {
        "json" => conform::json(results, &mut out),
        "ndjson" => conform::ndjson(results, &mut out),
        "junit" => conform::junit(results, &mut out),
        "html" => conform::html(std::slice::from_ref(results), &mut out),
        "sarif" => conform::sarif(results, Some("ci/server.toml"), &mut out),
        "tap" => conform::tap(results, &mut out),
        _ => conform::md(results, &mut out),
    }
    .unwrap();
    String::from_utf8(out).unwrap()
}

fn validator(path: &str) -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn rtmpscope(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn outcomes_have_the_status_that_ci_asks_for() {
    use Status::*;
    let status = |strict| -> Vec<Status> {
        let options = Options { strict, ..Options::default() };
        conform::results(&run(), options).cases.iter().map(|case| case.status).collect()
    };
    let mut want = vec![
        Ok,
        Ok,
        Unexpected,
        Ok,
        Ok,
        Ok,
        Unexpected,
        Unexpected,
        Unexpected,
        Expected,
        UnexpectedPass,
        Expected,
        Unexpected,
    ];
    assert_eq!(status(false), want);
    want[1] = Unexpected;
    assert_eq!(status(true), want);
}

#[test]
fn json_fits_its_schema_and_is_read_back() {
    let validator = validator("docs/check.schema.json");
    let results = results();
    let text = written(&results, "json");
    let value: Value = serde_json::from_str(&text).unwrap();
    if let Some(error) = validator.iter_errors(&value).next() {
        panic!("{error} at {}", error.instance_path());
    }
    assert_eq!(conform::read(&text).unwrap(), results);
    // A case a line.
    assert_eq!(text.lines().filter(|l| l.starts_with("{\"id\"")).count(), results.cases.len());
    // The numbers of JavaScript hold no such seed.
    assert_eq!(value["seed"], u64::MAX.to_string());
    assert_eq!(value["started"], "2023-11-14T22:13:20Z");
    let mut strange = value.clone();
    strange["cases"][0]["surprise"] = Value::Bool(true);
    assert!(!validator.is_valid(&strange), "the schema takes anything");
    let empty = Results { cases: vec![], counts: Default::default(), ..results };
    let text = written(&empty, "json");
    assert!(validator.is_valid(&serde_json::from_str(&text).unwrap()));
    assert_eq!(conform::read(&text).unwrap(), empty);
}

#[test]
fn every_field_is_documented() {
    let text = include_str!("../docs/check.md");
    let schema: Value = serde_json::from_str(include_str!("../docs/check.schema.json")).unwrap();
    let objects = [&schema, &schema["$defs"]["case"], &schema["$defs"]["line"]];
    for name in objects.iter().flat_map(|o| o["properties"].as_object().unwrap().keys()) {
        assert!(text.contains(&format!("`{name}`")), "{name} is not documented");
    }
}

#[test]
fn what_is_no_result_is_told_in_one_line() {
    let text = written(&results(), "json");
    for (text, word) in [
        ("".to_owned(), "no result"),
        ("{}".to_owned(), "schema"),
        (text.replace("\"schema\": 1", "\"schema\": 2"), "its schema is 2"),
        (text.replace("\"verdict\":\"CRASH\"", "\"verdict\":\"BOOM\""), "BOOM"),
        (text[..text.len() / 2].to_owned(), "line"),
    ] {
        let told = conform::read(&text).unwrap_err();
        assert!(told.contains(word) && told.lines().count() == 1, "{word}: {told}");
    }
}

#[test]
fn ndjson_has_the_run_its_cases_and_the_totals() {
    let results = results();
    let text = written(&results, "ndjson");
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), results.cases.len() + 2);
    assert_eq!(
        (&lines[0]["type"], &lines[0]["target"]),
        (&"run".into(), &results.target[..].into())
    );
    let end = &lines[lines.len() - 1];
    assert_eq!((&end["type"], &end["counts"]["CRASH"]), (&"end".into(), &2.into()));
    let validator = validator("docs/check.schema.json");
    let mut whole: Value = serde_json::from_str(&written(&results, "json")).unwrap();
    whole["cases"] = lines[1..lines.len() - 1]
        .iter()
        .map(|line| {
            assert_eq!(line["type"], "case");
            let mut line = line.clone();
            line.as_object_mut().unwrap().remove("type");
            line
        })
        .collect();
    assert!(validator.is_valid(&whole));
}

#[test]
fn junit_is_loaded_back() {
    use quick_junit::{NonSuccessKind, Report, TestCaseStatus as S};
    let results = results();
    let report = Report::deserialize_from_str(&written(&results, "junit")).unwrap();
    assert_eq!(report.tests, results.cases.len() + 1);
    // Crash and hang; fail, flaky, unexpected pass, other failure, stale file.
    assert_eq!((report.errors, report.failures), (2, 5));
    let all: Vec<_> = report.test_suites.iter().flat_map(|suite| &suite.test_cases).collect();
    for case in &results.cases {
        let found: Vec<_> = all.iter().filter(|one| one.name.as_str() == case.id).collect();
        assert_eq!(found.len(), 1, "{}", case.id);
        let kind = match &found[0].status {
            S::Success { .. } => "success",
            S::Skipped { .. } => "skipped",
            S::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
            S::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failure",
        };
        let want = match (case.status, case.verdict) {
            (Status::Expected, _) => "skipped",
            (Status::Ok, verdict) if verdict.is_skip() => "skipped",
            (Status::Ok, _) => "success",
            (Status::Unexpected, Verdict::Crash | Verdict::Hang) => "error",
            _ => "failure",
        };
        assert_eq!(kind, want, "{}", case.id);
        if let S::Skipped { message, .. } = &found[0].status {
            assert!(message.as_ref().is_some_and(|m| !m.as_str().is_empty()), "{}", case.id);
        }
    }
}

#[test]
fn sarif_fits_the_standard() {
    let results = results();
    let value: Value = serde_json::from_str(&written(&results, "sarif")).unwrap();
    let validator = validator("tests/data/sarif.schema.json");
    if let Some(error) = validator.iter_errors(&value).next() {
        panic!("{error} at {}", error.instance_path());
    }
    let run = &value["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let found = run["results"].as_array().unwrap();
    assert_eq!(found.len(), 9, "NONSTRICT, bad ones, unexpected pass");
    for result in found {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(place, "ci/server.toml");
    }
    let suppressed = found.iter().filter(|r| r.get("suppressions").is_some()).count();
    assert_eq!(suppressed, results.with(Status::Expected).count());
    // Without a file there is no physical place, and that fits too.
    let mut out = Vec::new();
    conform::sarif(&results, None, &mut out).unwrap();
    let value: Value = serde_json::from_slice(&out).unwrap();
    assert!(validator.is_valid(&value));
    assert!(value["runs"][0]["results"][0]["locations"][0].get("physicalLocation").is_none());
}

#[test]
fn tap_has_a_line_for_each_case() {
    let results = results();
    let text = written(&results, "tap");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("TAP version 14"));
    assert_eq!(lines.next(), Some(&*format!("1..{}", results.cases.len())));
    let points: Vec<&str> =
        text.lines().filter(|l| l.starts_with("ok ") || l.starts_with("not ok ")).collect();
    assert_eq!(points.len(), results.cases.len());
    for (i, (case, line)) in results.cases.iter().zip(points).enumerate() {
        let good = case.status == Status::Ok;
        let start = format!("{} {} - {}", if good { "ok" } else { "not ok" }, i + 1, case.id);
        assert!(line.starts_with(&start), "{line}");
        assert_eq!(line.contains(" # TODO "), case.status == Status::Expected, "{line}");
        assert_eq!(line.contains(" # SKIP "), good && case.verdict.is_skip(), "{line}");
        // A reason with a # of its own is no second directive.
        assert!(line.replace("\\#", "").matches('#').count() <= 1, "{line}");
    }
    assert_eq!(text.matches("\n  ---\n").count(), text.matches("\n  ...\n").count());
}

#[test]
fn markdown_stays_in_its_cells() {
    let text = written(&results(), "md");
    assert!(
        text.starts_with("## RTMP conformance of made-up 1.0: 5 unexpected outcomes\n"),
        "{text}"
    );
    for line in text.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(line.replace("\\|", "").matches('|').count(), 6, "{line}");
        assert!(!line.contains("<b>"), "{line}");
    }
    for part in ["### Unexpected (5)", "Expected failures (2)", "Not judged (2)", "chnuk"] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

#[test]
fn secrets_are_in_no_format() {
    let hidden = results();
    assert!(hidden.target.starts_with("rtmp://127.0.0.1:1935/live"), "{}", hidden.target);
    for format in FORMATS {
        let text = written(&hidden, format);
        for secret in [KEY, TOKEN] {
            // The reason in the expectation file is the user's own text, and public as it is.
            let text = text.replace(&format!("maintainer of {KEY}"), "");
            assert!(!text.contains(secret), "{secret} in {format}");
        }
    }
    let shown = conform::results(&run(), Options { show_secrets: true, ..Options::default() });
    assert!(written(&shown, "json").contains(TOKEN));
}

#[test]
fn exchanges_are_decoded_and_bounded() {
    let results = results();
    let connection = &results.cases[0].exchange[0];
    let said = |word: &str| connection.lines.iter().any(|line| line.text.contains(word));
    assert!(said("connect app=") && said("publish <stream-") && said("RST"), "{connection:#?}");
    assert!(connection.lines.len() <= 80);
    let mut run = run();
    run.cases.truncate(1);
    let mut flood = transcript();
    let bytes = [2, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 1].repeat(5000);
    let end = flood.closed.take().unwrap().0;
    flood.push(end, rtmpscope::base::Direction::ServerToClient, &bytes);
    run.cases[0].transcripts = vec![flood];
    let results = conform::results(&run, Options::default());
    let connection = &results.cases[0].exchange[0];
    assert_eq!(connection.lines.len(), 80);
    assert!(connection.omitted > 4000, "{}", connection.omitted);
    assert!(connection.lines[79].text.contains("Acknowledgement"));
}

/// Results as files, and their paths.
fn files(dir: &TempDir, all: &[(&str, &Results)]) -> Vec<String> {
    all.iter()
        .map(|(name, results)| {
            let path = dir.path().join(name);
            std::fs::write(&path, written(results, "json")).unwrap();
            path.display().to_string()
        })
        .collect()
}

fn shards() -> [Results; 3] {
    [1, 2, 3].map(|k| {
        let mut shard = results();
        let mut i = 0;
        shard.cases.retain(|_| {
            i += 1;
            i % 3 == k % 3
        });
        shard.shard = Some(format!("{k}/3"));
        shard.counts = conform::Counts::of(&shard.cases);
        shard
    })
}

#[test]
fn shards_together_are_the_whole() {
    let [a, b, c] = shards();
    // In any order.
    let named = [("c", &c), ("a", &a), ("b", &b)].map(|(n, r)| (n.to_owned(), r.clone()));
    let merged = conform::merge(&named, false).unwrap();
    assert_eq!(merged, results());

    let dir = TempDir::new().unwrap();
    let paths = files(&dir, &[("1.json", &a), ("2.json", &b), ("3.json", &c)]);
    let out = dir.path().join("all.json");
    let out = out.to_str().unwrap();
    let output = rtmpscope(&["check", "merge", &paths[0], &paths[1], &paths[2], "-o", out]);
    assert_eq!(output.status.code(), Some(5), "{}", err(&output));
    assert!(std::fs::read_to_string(out).unwrap() == written(&results(), "json"));
    for (args, word) in [
        (vec![&paths[0], &paths[1]], "3/3 is missing"),
        (vec![&paths[0], &paths[1], &paths[2], &paths[2]], "is in"),
    ] {
        let args: Vec<&str> =
            ["check", "merge"].into_iter().chain(args.iter().map(|path| path.as_str())).collect();
        let output = rtmpscope(&args);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains(word) && err(&output).lines().count() == 1, "{output:?}");
    }
    let output = rtmpscope(&["check", "merge", "--partial", &paths[0], "-o", out]);
    assert_eq!(output.status.code(), Some(5), "{}", err(&output));
    assert!(std::fs::read_to_string(out).unwrap() == written(&a, "json"));
}

#[test]
fn strangers_are_not_merged() {
    let [a, b, c] = shards();
    for (other, word) in [
        (Results { seed: "7".into(), ..b.clone() }, "seed"),
        (Results { target: "rtmp://elsewhere/live".into(), ..b.clone() }, "target"),
        (Results { version: "0.0.1".into(), ..b.clone() }, "version"),
        (Results { shard: Some("2/4".into()), ..b }, "2/4"),
    ] {
        let all = [("a", &a), ("b", &other), ("c", &c)].map(|(n, r)| (n.to_owned(), r.clone()));
        let told = conform::merge(&all, false).unwrap_err();
        assert!(told.contains(word), "{word}: {told}");
    }
}

#[test]
fn merge_exits_as_the_run_did() {
    let dir = TempDir::new().unwrap();
    for (keep, stale, code) in [
        (&["PASS", "FACT", "NONSTRICT"][..], false, 0),
        (&["PASS"], true, 4),
        (&["FAIL"], true, 1),
        (&["FLAKY"], false, 1),
        (&["FAIL", "HANG"], false, 5),
    ] {
        let mut some = results();
        some.cases.retain(|case| {
            keep.contains(&case.verdict.name()) && case.status != Status::UnexpectedPass
        });
        if !stale {
            some.stale.clear();
        }
        let path = &files(&dir, &[("some.json", &some)])[0];
        let output = rtmpscope(&["check", "merge", path, "--format", "md"]);
        assert_eq!(output.status.code(), Some(code), "{keep:?}: {}", err(&output));
    }
    let mut passes = results();
    passes.cases.retain(|case| case.status == Status::UnexpectedPass);
    passes.stale.clear();
    assert_eq!(passes.cases.len(), 1);
    let path = &files(&dir, &[("passes.json", &passes)])[0];
    assert_eq!(rtmpscope(&["check", "merge", path]).status.code(), Some(4));
    // An input is never overwritten.
    assert_eq!(rtmpscope(&["check", "merge", path, "-o", path]).status.code(), Some(2));
    assert!(std::fs::metadata(path).unwrap().len() > 100);
}

/// Three columns that differ, one with a name that is there already.
fn columns() -> [Results; 3] {
    let one = results();
    let mut other = results();
    other.server = Some("another 2.0".into());
    other.cases.truncate(6);
    let mut third = results();
    third.cases.reverse();
    third.cases[0].verdict = Verdict::Pass;
    [one, other, third]
}

#[test]
fn the_matrix_has_a_column_for_each_server() {
    let columns = columns();
    let mut out = Vec::new();
    conform::matrix_md(&columns, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let head = text.lines().next().unwrap();
    assert_eq!(head, "| | made-up 1.0 | another 2.0 | made-up 1.0 (2) |");
    for case in &columns[0].cases {
        let row = text.lines().find(|line| line.contains(&format!("`{}`", case.id))).unwrap();
        assert_eq!(row.matches('|').count(), 5, "{row}");
        assert!(row.contains(case.verdict.name()), "{row}");
    }
}

#[test]
fn the_page_is_one_file_without_addresses_to_fetch() {
    let text = written(&results(), "html");
    assert!(text.starts_with("<!doctype html>") && text.contains("default-src 'none'"));
    for part in ["<link rel=\"stylesheet", "src=\"", "@import", "{{"] {
        assert!(!text.contains(part), "{part}");
    }
    assert!(!text.contains("with <b>"), "text of a server in the page's markup");
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What a browser shows of the page of these results.
fn visit(name: &str, columns: &[Results]) -> Option<Value> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"].iter().any(|name| has(name));
    if !chromium || !has("python3") {
        assert!(std::env::var_os("CI").is_none(), "chromium or python3 is missing");
        eprintln!("SKIPPED: chromium or python3 is missing");
        return None;
    }
    let dir = TempDir::new().unwrap();
    let names: Vec<String> = (0..columns.len()).map(|i| format!("{i}.json")).collect();
    let all: Vec<(&str, &Results)> = names.iter().map(String::as_str).zip(columns).collect();
    let paths = files(&dir, &all);
    let page = dir.path().join("matrix.html");
    let page = page.to_str().unwrap();
    let mut args = vec!["check", "matrix", "-o", page];
    args.extend(paths.iter().map(String::as_str));
    let output = rtmpscope(&args);
    assert!(output.status.success(), "{}", err(&output));
    // Pictures to look at: REPORT_PICTURES=folder keeps them.
    let pictures = std::env::var("REPORT_PICTURES").unwrap_or(dir.path().display().to_string());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/check_browser.py");
    let prefix = format!("{pictures}/check-{name}");
    let output = Command::new("python3").arg(script).args([page, &prefix]).output().unwrap();
    assert!(output.status.success(), "{name}: {}", err(&output));
    for size in ["1280", "1280-dark", "400", "400-dark", "400-detail", "1280-dark-detail"] {
        let picture = std::fs::metadata(format!("{prefix}-{size}.png")).unwrap();
        assert!(picture.len() > 15_000, "{name} {size}: an empty picture");
    }
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn works(name: &str, columns: &[Results]) {
    let Some(seen) = visit(name, columns) else { return };
    let nothing = Value::Array(Vec::new());
    assert_eq!(seen["problems"], nothing, "{name}: the console told of errors");
    assert_eq!(seen["requests"], nothing, "{name}: a request left the page");
    assert_eq!(seen["nameless"], nothing, "{name}: a control has no name");
    let total = columns[0].cases.len();
    assert_eq!((&seen["rows"], &seen["columns"]), (&total.into(), &columns.len().into()));
    // A cell opens its exchange.
    assert_eq!(seen["opened"], true);
    let lines = seen["lines"].to_string();
    assert!(lines.contains("connect app=") && lines.contains("createStream"), "{lines}");
    let title = seen["title"].as_str().unwrap();
    assert!(seen["hash"].as_str().unwrap().contains(title), "{seen}");
    assert_eq!(seen["linked"], title);
    assert!(seen["announced"].as_str().unwrap().starts_with(title));
    // The keyboard: next case, close, arrows, Enter.
    let second = seen["second"].as_str().unwrap();
    assert_ne!(second, title);
    assert!(seen["left"].as_str().unwrap().contains(second), "{seen}");
    assert!(seen["home"].as_str().unwrap().contains(title), "{seen}");
    assert!(seen["down"].as_str().unwrap().contains(second), "{seen}");
    assert_eq!(seen["down"] != seen["right"], columns.len() > 1, "{seen}");
    assert_eq!((&seen["entered"], &seen["tab_stops"]), (&true.into(), &1.into()));
    // The filter.
    assert_eq!((&seen["nothing"], &seen["told"]), (&0.into(), &true.into()));
    assert_eq!(seen["again"], total);
    for (verdict, shown) in seen["verdicts"].as_object().unwrap() {
        let verdict = Verdict::ALL.into_iter().find(|v| v.name() == verdict).unwrap();
        let has = |id: &str| {
            let cases = columns.iter().flat_map(|column| &column.cases);
            cases.into_iter().any(|case| case.id == id && case.verdict == verdict)
        };
        let want = columns[0].cases.iter().filter(|case| has(&case.id)).count();
        assert_eq!(shown[0], want, "{name}: rows with {verdict:?}");
        assert!(want > 0 && shown[1].to_string().contains(verdict.name()));
    }
    let is_bad = |s: Status| matches!(s, Status::Unexpected | Status::UnexpectedPass);
    let bad = columns[0].cases.iter().filter(|case| is_bad(case.status)).count();
    assert_eq!(seen["unexpected"], bad);
    if columns.len() > 1 {
        assert_eq!(seen["differs"], 1, "{name}: one case was changed");
    }
    for size in ["1280", "1280-dark", "400", "400-dark"] {
        for what in ["overflow", "detail-overflow"] {
            let overflow = seen[format!("{what}-{size}")].as_f64().unwrap();
            assert!(overflow <= 0.0, "{name}: {what} at {size}: {overflow}");
        }
    }
}

#[test]
fn the_page_of_one_server_works_by_mouse_and_keyboard() {
    works("one", &[results()]);
}

#[test]
fn the_page_of_several_servers_works_by_mouse_and_keyboard() {
    works("many", &columns());
}

/// The script of the action, with the outputs that it wrote.
fn action(dir: &TempDir, inputs: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (outputs, summary) = (dir.path().join("outputs"), dir.path().join("summary"));
    let bin = Path::new(env!("CARGO_BIN_EXE_rtmpscope")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for file in [&outputs, &summary] {
        std::fs::write(file, "").unwrap();
    }
    let output = Command::new("bash")
        .arg(root.join(".github/actions/check/check.sh"))
        .current_dir(dir.path())
        .env("PATH", path)
        .env("GITHUB_OUTPUT", &outputs)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .envs(inputs.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let read = |path| std::fs::read_to_string(path).unwrap();
    (output.status.code(), read(&outputs), read(&summary))
}

#[test]
fn the_action_merges_shards_and_exits_as_the_run_did() {
    let dir = TempDir::new().unwrap();
    for (k, shard) in shards().iter().enumerate() {
        let folder = dir.path().join(format!("shard-{}", k + 1));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("results.json"), written(shard, "json")).unwrap();
    }
    let inputs = [("CHECK_MERGE", "shard-*/results.json"), ("CHECK_SERVER", "ci/server.toml")];
    let (code, outputs, summary) = action(&dir, &inputs);
    assert_eq!(code, Some(5));
    assert!(outputs.contains("exit-code=5\n") && summary.contains("5 unexpected outcomes"));
    for line in outputs.lines().skip(2) {
        let file = line.split_once('=').unwrap().1;
        let text = std::fs::read_to_string(dir.path().join(file)).unwrap();
        assert!(!text.is_empty(), "{file}");
        assert!(!file.ends_with("sarif") || text.contains("ci/server.toml"), "{file}");
    }
    let (code, ..) = action(&dir, &[&inputs[..], &[("CHECK_GATE", "false")]].concat());
    assert_eq!(code, Some(0));
    // What could not be merged is never waved through.
    std::fs::remove_dir_all(dir.path().join("shard-2")).unwrap();
    let (code, ..) = action(&dir, &[&inputs[..], &[("CHECK_GATE", "false")]].concat());
    assert_eq!(code, Some(2));
}

#[test]
fn the_action_tells_of_a_server_that_is_not_there() {
    let dir = TempDir::new().unwrap();
    // A port that was free a moment ago, and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("rtmp://127.0.0.1:{port}/live");
    let (code, outputs, _) = action(
        &dir,
        &[("CHECK_URL", &url), ("CHECK_GATE", "false"), ("CHECK_ARGS", "--only\nhandshake")],
    );
    assert_eq!(code, Some(3), "{outputs}");
    assert!(outputs.contains("exit-code=3\n"), "{outputs}");
}

#[test]
fn the_inputs_of_the_action_are_those_of_its_script() {
    let action = include_str!("../.github/actions/check/action.yml");
    let script = include_str!("../.github/actions/check/check.sh");
    let inputs = action.split("inputs:\n").nth(1).unwrap().split("\noutputs:").next().unwrap();
    let names: Vec<&str> = inputs
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with(' '))
        .collect();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        let variable = format!("CHECK_{}", name.to_uppercase());
        assert!(action.contains(&format!("{variable}: ${{{{ inputs.{name} }}}}")), "{name}");
        let by_option =
            script.contains(&format!(" {name}")) && script.contains("CHECK_${option^^}");
        assert!(script.contains(&variable) || by_option, "{name}");
    }
}
