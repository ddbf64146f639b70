//! The house rules that a compiler does not check.
//!
//! Reads `src/` as text: who uses whom, what the core must not touch, how long files are, what a
//! `mod.rs` holds. `docs/architecture.md` shows the same table and says why. Each rule has a test
//! here that proves it speaks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room and the rooms it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("wire", &["base"]),
    ("rtmp", &["base", "wire"]),
    ("flow", &["base"]),
    ("transport", &["base", "wire", "rtmp", "flow"]),
    ("analysis", &["base", "wire", "rtmp", "flow", "transport"]),
    ("lint", &["base", "wire", "rtmp", "flow", "transport", "analysis"]),
    ("capture", &["base"]),
    ("peer", &["base", "wire", "rtmp", "transport", "capture"]),
    (
        "conform",
        &["base", "wire", "rtmp", "flow", "transport", "analysis", "lint", "capture", "peer"],
    ),
    (
        "report",
        &["base", "wire", "rtmp", "flow", "transport", "analysis", "lint", "peer", "conform"],
    ),
    ("tui", &["base", "wire", "rtmp", "flow", "analysis", "lint", "capture", "report"]),
    (
        "cli",
        &[
            "base",
            "wire",
            "rtmp",
            "flow",
            "transport",
            "analysis",
            "lint",
            "capture",
            "peer",
            "conform",
            "report",
            "tui",
        ],
    ),
];

/// Rooms that open, start, read and print nothing: time and input are arguments.
const CORE: &[&str] = &["base", "wire", "rtmp", "flow", "transport", "analysis", "lint"];

/// Modules of `std` that the core may use in part only, and that part.
const CORE_STD: &[(&str, &[&str])] = &[
    ("fs", &[]),
    ("thread", &[]),
    ("process", &[]),
    ("env", &[]),
    ("time", &["Duration"]),
    ("net", &["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "SocketAddrV6"]),
    ("io", &["Read", "Write", "BufRead", "Seek", "Cursor", "Error", "ErrorKind", "Result"]),
];

/// Macros that print.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// Past this a file must be split, or its tests moved to `x/tests.rs`.
const HARD_LINES: usize = 1000;

/// Past this the test warns.
const SOFT_LINES: usize = 600;

#[test]
fn rooms_use_only_what_the_table_allows() {
    report(check_all(imports));
}

#[test]
fn the_core_touches_nothing_outside() {
    report(check_all(core_is_pure));
}

#[test]
fn nothing_is_unsafe() {
    report(check_all(no_unsafe));
}

#[test]
fn mod_files_hold_docs_mod_and_use() {
    report(check_all(mod_files));
}

#[test]
fn files_are_short() {
    for file in sources() {
        let lines = file.text.lines().count();
        if lines > SOFT_LINES {
            println!("warning: {} has {lines} lines, over {SOFT_LINES}", file.path);
        }
    }
    report(check_all(length));
}

#[test]
fn every_room_is_in_the_table_and_every_row_is_a_room() {
    let rooms: BTreeSet<String> = sources().iter().filter_map(|f| f.room()).collect();
    let table: BTreeSet<String> = ROOMS.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(rooms, table, "src/ (left) and ROOMS in tests/architecture.rs (right) differ");
}

#[test]
fn the_table_has_no_circle() {
    let mut above: Vec<&str> = Vec::new();
    let mut left: Vec<_> = ROOMS.to_vec();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|(name, uses)| {
            let ready = uses.iter().all(|used| above.contains(used));
            if ready {
                above.push(name);
            }
            !ready
        });
        assert!(left.len() < before, "in a circle: {left:?}");
    }
}

#[test]
fn the_document_shows_this_table() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).expect("read the document");
    let shown = document_table(&text);
    let table: Vec<(String, Vec<String>)> = ROOMS
        .iter()
        .map(|(name, uses)| (name.to_string(), uses.iter().map(|u| u.to_string()).collect()))
        .collect();
    assert_eq!(shown, table, "docs/architecture.md (left) and ROOMS (right) differ");
}

/// The rows of the block fenced as `rooms`; a lone `-` means nothing.
fn document_table(text: &str) -> Vec<(String, Vec<String>)> {
    text.lines()
        .skip_while(|line| line.trim() != "```rooms")
        .skip(1)
        .take_while(|line| line.trim() != "```")
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let room = words.next().unwrap_or_default();
            (room, words.filter(|word| word != "-").collect())
        })
        .collect()
}

// ---- the rules --------------------------------------------------------------------------------

fn imports(file: &Source) -> Vec<String> {
    let tokens = tokens(&file.text);
    let mut found = Vec::new();
    // The program's own file sees the library by its name, and may only start the command line.
    let (name, room, allowed) = match file.room() {
        Some(room) => {
            let Some((_, uses)) = ROOMS.iter().find(|(name, _)| *name == room) else {
                return vec![format!("{}: room {room} is not in the table", file.path)];
            };
            ("crate", room, uses.to_vec())
        }
        None if file.path == "src/main.rs" => ("rtmpscope", "main".to_owned(), vec!["cli"]),
        None => return found,
    };
    for path in paths(&tokens) {
        let used = match path.segments[0].as_str() {
            first if first == name => path.segments.get(1).cloned(),
            "super" => file.room_above(&path),
            _ => None,
        };
        let Some(used) = used else { continue };
        // Tests of every room are held against recordings, which somebody has to read.
        if file.is_test() && used == "capture" {
            continue;
        }
        if used != room && !allowed.contains(&used.as_str()) {
            found.push(format!("{}:{}: {room} must not use {used}", file.path, path.line));
        }
    }
    found
}

fn core_is_pure(file: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if !file.room().is_some_and(|room| CORE.contains(&room.as_str())) || file.is_test() {
        return found;
    }
    let tokens = without_tests(tokens(&file.text));
    for path in paths(&tokens) {
        if path.segments[0] != "std" {
            continue;
        }
        let Some(module) = path.segments.get(1) else { continue };
        if module == "*" {
            found.push(format!("{}:{}: the core must not use std::*", file.path, path.line));
        }
        let Some((_, allowed)) = CORE_STD.iter().find(|(name, _)| name == module) else { continue };
        if !path.segments.get(2).is_some_and(|item| allowed.contains(&item.as_str())) {
            let path_text = path.segments.join("::");
            found.push(format!("{}:{}: the core must not use {path_text}", file.path, path.line));
        }
    }
    for pair in tokens.windows(2) {
        if pair[1].text == "!" && PRINTING.contains(&pair[0].text.as_str()) {
            let (line, name) = (pair[0].line, &pair[0].text);
            found.push(format!("{}:{line}: the core must not print ({name}!)", file.path));
        }
    }
    found
}

fn no_unsafe(file: &Source) -> Vec<String> {
    let tokens = tokens(&file.text);
    let hits = tokens.iter().filter(|token| token.text == "unsafe");
    hits.map(|token| format!("{}:{}: unsafe", file.path, token.line)).collect()
}

fn mod_files(file: &Source) -> Vec<String> {
    if !(file.path.ends_with("/mod.rs") || file.path == "src/lib.rs") {
        return Vec::new();
    }
    let tokens = tokens(&file.text);
    let mut at = 0;
    while at < tokens.len() {
        let line = tokens[at].line;
        let ended = match tokens[at].text.as_str() {
            "#" => closing(&tokens, at, "[", "]").map(|end| end + 1),
            "pub" => match tokens.get(at + 1).map(|token| token.text.as_str()) {
                Some("(") => closing(&tokens, at, "(", ")").map(|end| end + 1),
                _ => Some(at + 1),
            },
            "mod" if tokens.get(at + 2).is_some_and(|token| token.text == ";") => Some(at + 3),
            "use" => (at..tokens.len()).find(|i| tokens[*i].text == ";").map(|i| i + 1),
            _ => None,
        };
        match ended {
            Some(next) => at = next,
            None => return vec![format!("{}:{line}: more than docs, mod and use", file.path)],
        }
    }
    Vec::new()
}

fn length(file: &Source) -> Vec<String> {
    let lines = file.text.lines().count();
    if lines <= HARD_LINES {
        return Vec::new();
    }
    vec![format!("{}: {lines} lines, the cap is {HARD_LINES}", file.path)]
}

// ---- source files -----------------------------------------------------------------------------

struct Source {
    /// From the package's root, with forward slashes: `src/wire/amf/value.rs`.
    path: String,
    text: String,
}

impl Source {
    /// The room it lies in; `None` for `lib.rs` and `main.rs`.
    fn room(&self) -> Option<String> {
        let inner = self.path.strip_prefix("src/")?;
        match inner.split_once('/') {
            Some((room, _)) => Some(room.to_owned()),
            // A room may be a single file.
            None => inner
                .strip_suffix(".rs")
                .filter(|name| !["lib", "main"].contains(name))
                .map(str::to_owned),
        }
    }

    /// Whether it is compiled for tests only, which may read files.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// How many `super`s lead from the file's module to the crate's root.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count() - 1;
        if self.path.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    /// The room that a path of `super`s reaches by way of the crate's root.
    fn room_above(&self, path: &UsedPath) -> Option<String> {
        let supers = path.segments.iter().take_while(|segment| *segment == "super").count();
        let reaches_root = supers >= self.depth() + path.inline_modules;
        if reaches_root { path.segments.get(supers).cloned() } else { None }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    walk(&root().join("src"), &mut files);
    assert!(files.len() > 10, "found only {} files in src", files.len());
    files
}

fn walk(dir: &Path, files: &mut Vec<Source>) {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("sources are UTF-8");
            let inside = path.strip_prefix(root()).expect("below the root");
            let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
            files.push(Source { path: parts.join("/"), text });
        }
    }
}

fn check_all(rule: fn(&Source) -> Vec<String>) -> Vec<String> {
    sources().iter().flat_map(rule).collect()
}

fn report(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

// ---- as much of Rust's grammar as the rules need ----------------------------------------------

#[derive(Clone, Debug)]
struct Token {
    /// An identifier, `::`, or one other character. Literals and comments are left out.
    text: String,
    line: usize,
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let next = |i: usize| chars.get(at + i).copied().unwrap_or('\0');
        let start = at;
        match chars[at] {
            '/' if next(1) == '/' => at = find(&chars, at, |rest| rest[0] == '\n'),
            '/' if next(1) == '*' => at = block_comment(&chars, at),
            '"' => at = string(&chars, at + 1),
            'r' | 'b' | 'c' if literal_prefix(&chars, at).is_some() => {
                at = literal_prefix(&chars, at).expect("just asked");
            }
            // `'a'` and `'\n'` are characters, `'a` is a lifetime.
            '\'' if next(1) == '\\' => {
                at = find(&chars, at + 3, |rest| rest[0] == '\'') + 1;
            }
            '\'' if next(2) == '\'' => at += 3,
            c if c.is_alphanumeric() || c == '_' => {
                at = find(&chars, at, |rest| !(rest[0].is_alphanumeric() || rest[0] == '_'));
                out.push(Token { text: chars[start..at].iter().collect(), line });
            }
            ':' if next(1) == ':' => {
                at += 2;
                out.push(Token { text: "::".to_owned(), line });
            }
            c => {
                at += 1;
                if !c.is_whitespace() {
                    out.push(Token { text: c.to_string(), line });
                }
            }
        }
        at = at.min(chars.len());
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
    }
    out
}

/// The first place from `at` on where `test` holds, or the end.
fn find(chars: &[char], at: usize, test: impl Fn(&[char]) -> bool) -> usize {
    (at..chars.len()).find(|i| test(&chars[*i..])).unwrap_or(chars.len())
}

/// The end of a string literal whose inside begins at `at`.
fn string(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The end of a literal such as `b"…"`, `r"…"` or `br#"…"#`, if one begins at `at`.
fn literal_prefix(chars: &[char], at: usize) -> Option<usize> {
    let preceded = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    let letters = chars[at..].iter().take_while(|c| matches!(c, 'r' | 'b' | 'c')).count();
    let after = at + letters;
    let hashes = chars[after..].iter().take_while(|c| **c == '#').count();
    if preceded || letters > 2 || chars.get(after + hashes) != Some(&'"') {
        return None;
    }
    let inside = after + hashes + 1;
    if !chars[at..after].contains(&'r') {
        return (hashes == 0).then(|| string(chars, inside));
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    Some(find(chars, inside, |rest| rest.starts_with(&close)) + close.len())
}

/// The end of a block comment, which may hold others.
fn block_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

/// The index of the bracket that closes the first `open` from `at` on.
fn closing(tokens: &[Token], at: usize, open: &str, close: &str) -> Option<usize> {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        if token.text == open {
            depth += 1;
        } else if token.text == close {
            depth -= 1;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}

/// Leaves out what stands in `#[cfg(test)] mod x { … }`.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    const OPENING: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        let test_module = rest.len() > 9
            && rest.iter().zip(OPENING).all(|(token, text)| token.text == text)
            && rest[9].text == "{";
        match test_module.then(|| closing(&tokens, at, "{", "}")).flatten() {
            Some(end) => at = end + 1,
            None => {
                out.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    out
}

/// A path as written, a use tree multiplied out.
#[derive(Debug)]
struct UsedPath {
    segments: Vec<String>,
    line: usize,
    /// Number of `mod x { … }` around it in its file.
    inline_modules: usize,
}

fn paths(tokens: &[Token]) -> Vec<UsedPath> {
    let mut out = Vec::new();
    let mut depth: usize = 0;
    let mut modules: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let text = |i: usize| tokens.get(at + i).map_or("", |token| token.text.as_str());
        if text(0) == "mod" && text(2) == "{" {
            modules.push(depth + 1);
        }
        match text(0) {
            "{" => depth += 1,
            "}" => {
                if modules.last() == Some(&depth) {
                    modules.pop();
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        let continues = at > 0 && tokens[at - 1].text == "::";
        if is_name(text(0)) && text(1) == "::" && !continues {
            let mut trees = Vec::new();
            let line = tokens[at].line;
            at = path_tree(tokens, at, &mut Vec::new(), &mut trees);
            let inline_modules = modules.len();
            out.extend(trees.into_iter().map(|segments| UsedPath {
                segments,
                line,
                inline_modules,
            }));
        } else {
            at += 1;
        }
    }
    out
}

/// Reads one path or use tree; gives the index after it.
fn path_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &mut Vec<String>,
    out: &mut Vec<Vec<String>>,
) -> usize {
    let mark = prefix.len();
    while let Some(token) = tokens.get(at) {
        if token.text == "{" {
            at += 1;
            while at < tokens.len() && tokens[at].text != "}" {
                let name = is_name(&tokens[at].text) || ["{", "*"].contains(&&*tokens[at].text);
                // The name after `as` is no path.
                let alias = tokens[at - 1].text == "as" || tokens[at].text == "as";
                at = if name && !alias { path_tree(tokens, at, prefix, out) } else { at + 1 };
            }
            prefix.truncate(mark);
            return at + 1;
        }
        if !is_name(&token.text) && token.text != "*" {
            break;
        }
        prefix.push(token.text.clone());
        at += 1;
        if tokens.get(at).is_none_or(|token| token.text != "::") {
            break;
        }
        at += 1;
    }
    out.push(prefix.clone());
    prefix.truncate(mark);
    at
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

// ---- each rule speaks, and is silent where it must be -----------------------------------------

fn snippet(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[track_caller]
fn speaks(rule: fn(&Source) -> Vec<String>, path: &str, text: &str, expected: &str) {
    let found = rule(&snippet(path, text));
    assert!(found.iter().any(|line| line.contains(expected)), "{expected:?} not in {found:?}");
}

#[track_caller]
fn silent(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) {
    assert_eq!(rule(&snippet(path, text)), Vec::<String>::new());
}

#[test]
fn a_forbidden_import_is_found_however_it_is_written() {
    for text in [
        "use crate::rtmp::Event;",
        "use crate::{base::Reader, rtmp::{Event, Message}};",
        "use crate::{base::{Reader, Stop as Halt}, rtmp};",
        "use {crate::base::Reader, crate::rtmp::Event};",
        "pub(crate) use crate::rtmp;",
        "fn f() -> crate::rtmp::Event { loop {} }",
        "fn f<'a>(x: &'a [crate::rtmp::Event]) {}",
        "const C: char = '\"'; use crate::rtmp::Event;",
        "const C: &str = \"\\\"\"; use crate::rtmp::Event;",
        "const C: &str = r#\"\"\"#; use crate::rtmp::Event;",
        "/* /* */ */ use crate::rtmp::Event;",
        "#[cfg(test)] mod tests { use crate::rtmp::Event; }",
        "use super::super::super::rtmp::Event;",
        "mod tests { use super::super::super::super::rtmp::Event; }",
        "use super::super::super::{base, rtmp::Event};",
    ] {
        speaks(imports, "src/wire/amf/value.rs", text, "wire must not use rtmp");
    }
}

#[test]
fn allowed_imports_and_mere_words_are_no_finding() {
    for text in [
        "use crate::base::Reader; use crate::wire::flv;",
        "use crate::{base::{Reader, Stop}, wire};",
        "// use crate::rtmp::Event;",
        "//! [`crate::rtmp::Event`]",
        "/* use crate::rtmp::Event; */",
        "const S: &str = \"use crate::rtmp::Event;\";",
        "const S: &[u8] = b\"crate::rtmp::Event\"; const R: &str = r#\"crate::rtmp::\"#;",
        "use super::rtmp::Event;",
        "use super::super::rtmp;",
        "mod tests { use super::super::super::rtmp; }",
        "use other::rtmp::Event;",
    ] {
        silent(imports, "src/wire/amf/value.rs", text);
    }
    silent(imports, "src/cli/dump.rs", "use crate::{report::Json, capture::Input};");
}

#[test]
fn supers_are_counted_from_the_files_module() {
    speaks(imports, "src/wire/mod.rs", "use super::rtmp;", "wire must not use rtmp");
    silent(imports, "src/wire/handshake.rs", "use super::rtmp;");
    speaks(imports, "src/wire/handshake.rs", "use super::super::rtmp;", "must not use rtmp");
}

#[test]
fn nobody_uses_cli_and_only_cli_and_tui_use_report() {
    for (room, _) in ROOMS.iter().filter(|(room, _)| *room != "cli") {
        let path = format!("src/{room}/x.rs");
        speaks(imports, &path, "use crate::cli::Args;", "must not use cli");
        // The screens show records in the words of the output, with its redaction.
        if !["report", "tui"].contains(room) {
            speaks(imports, &path, "use crate::report::Json;", "must not use report");
        }
    }
    speaks(imports, "src/main.rs", "fn main() { rtmpscope::rtmp::run() }", "must not use rtmp");
    silent(imports, "src/main.rs", "fn main() { rtmpscope::cli::run() }");
}

#[test]
fn a_room_that_no_table_knows_is_found() {
    speaks(imports, "src/attic/mod.rs", "", "attic is not in the table");
    speaks(imports, "src/attic.rs", "", "attic is not in the table");
    speaks(imports, "src/wire/x.rs", "use crate::attic::Box;", "wire must not use attic");
}

#[test]
fn io_threads_clocks_and_prints_in_the_core_are_found() {
    for text in [
        "use std::fs;",
        "use std::fs::File;",
        "use std::{fmt, fs::{self, File}};",
        "use std::net::TcpStream;",
        "use std::net::{SocketAddr, UdpSocket};",
        "use std::net;",
        "use std::thread;",
        "use std::time::{Duration, Instant};",
        "use std::time;",
        "fn f() { let now = std::time::SystemTime::now(); }",
        "use std::io::stdout;",
        "use std::io;",
        "use std::process::Command;",
        "use std::env;",
        "use std::*;",
    ] {
        speaks(core_is_pure, "src/flow/table.rs", text, "the core must not use std::");
    }
    for text in ["fn f() { println!(\"x\") }", "fn f() { dbg!(1); }", "fn f() { eprint!(\"\") }"] {
        speaks(core_is_pure, "src/rtmp/session.rs", text, "must not print");
    }
}

#[test]
fn addresses_durations_and_other_rooms_are_no_finding() {
    let text = "use std::net::{IpAddr, SocketAddr}; use std::time::Duration; use std::io::Write;
        // std::fs::read, println!
        fn f() { write!(x, \"println!\") }";
    silent(core_is_pure, "src/flow/table.rs", text);
    let test = "#[cfg(test)]\nmod tests { fn f() { std::fs::read(x); { println!() } } }";
    silent(core_is_pure, "src/flow/table.rs", test);
    silent(core_is_pure, "src/flow/tests.rs", "use std::fs;");
    speaks(core_is_pure, "src/flow/a.rs", &format!("{test} use std::fs;"), "std::fs");
    speaks(core_is_pure, "src/flow/a.rs", "mod b { use std::fs; }", "std::fs");
    silent(core_is_pure, "src/capture/file.rs", "use std::fs::File; fn f() { eprintln!() }");
}

#[test]
fn unsafe_is_found() {
    speaks(no_unsafe, "src/wire/x.rs", "fn f() {\n unsafe { g() } }", "src/wire/x.rs:2: unsafe");
    silent(no_unsafe, "src/lib.rs", "#![forbid(unsafe_code)] // unsafe\n/* unsafe */");
}

#[test]
fn logic_in_a_mod_file_is_found() {
    for text in ["mod a;\nfn f() {}", "mod a { }", "pub struct S;", "pub const N: u8 = 1;"] {
        speaks(mod_files, "src/wire/mod.rs", text, "more than docs, mod and use");
    }
    let good = "//! Docs.\n#![warn(missing_docs)]\n#[cfg(feature = \"x\")]\npub mod a;\nmod b;\n
        pub use a::{A, b::{self, C}};\npub(crate) use b::D;\n#[cfg(test)]\nmod tests;";
    silent(mod_files, "src/wire/mod.rs", good);
    silent(mod_files, "src/wire/a.rs", "fn f() {}");
}

#[test]
fn a_long_file_is_found() {
    speaks(length, "src/wire/x.rs", &"\n".repeat(HARD_LINES + 1), "1001 lines");
    silent(length, "src/wire/x.rs", &"\n".repeat(HARD_LINES));
}

#[test]
fn the_documents_table_is_read() {
    let text = "# x\n```rooms\na  -\nb  a c\n```\nd e\n";
    let row = |name: &str, uses: &[&str]| {
        (name.to_owned(), uses.iter().map(|u| u.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(document_table(text), [row("a", &[]), row("b", &["a", "c"])]);
}
