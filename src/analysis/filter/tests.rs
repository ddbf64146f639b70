//! On real recordings.

use super::*;
use crate::analysis::index::Index;
use crate::analysis::index::MediaKind;
use crate::analysis::{Options, Pipeline, Record};
use crate::capture::{Capture, Input, OpenOptions};

fn load(name: &str) -> (Index, Vec<Record>) {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options::default());
    let mut index = Index::new();
    let mut records = Vec::new();
    let mut sink = |record: Record| {
        index.push(&record);
        records.push(record);
    };
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    (index, records)
}

fn rows(index: &Index, text: &str) -> Vec<(u32, usize)> {
    let filter = Filter::parse(text).unwrap_or_else(|e| panic!("{}", e.pointed(text)));
    Scan::all(&filter, index, None)
}

fn error(text: &str) -> FilterError {
    Filter::parse(text).expect_err(text)
}

/// What stands in code spans and blocks of the documentation marked as filters.
fn documented() -> Vec<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/filter.md"));
    let text = text.expect("docs/filter.md");
    let mut inside = false;
    let mut examples = Vec::new();
    for line in text.lines() {
        match line {
            "```filter" => inside = true,
            "```" => inside = false,
            _ if inside => {
                let expression = line.split("  #").next().unwrap_or(line).trim();
                examples.push(expression.to_owned());
            }
            _ => {}
        }
    }
    examples
}

/// What `dump --filter` selects of a capture, as rows of the index.
fn streamed(records: &[Record], text: &str) -> Vec<(u32, usize)> {
    let mut filter = RecordFilter::new(Filter::parse(text).unwrap());
    let mut next: std::collections::BTreeMap<u32, usize> = Default::default();
    let mut found = Vec::new();
    for record in records {
        let takes = filter.takes(record);
        if let Record::Message(message) = record {
            let row = next.entry(message.session).or_default();
            if takes {
                found.push((message.session, *row));
            }
            *row += 1;
        }
    }
    found.sort_unstable();
    found
}

#[test]
fn every_field_has_a_line_and_a_kind_that_agrees() {
    for info in FIELDS {
        assert_eq!(Field::named(info.name), Some(info.field), "{}", info.name);
        assert_eq!(info.field.info().name, info.name);
        let text = matches!(info.kind, Kind::Text | Kind::Codec | Kind::Address);
        assert_eq!(info.field.is_text(), text, "{}", info.name);
        let example = value::example(info);
        Filter::parse(&example).unwrap_or_else(|e| panic!("{}", e.pointed(&example)));
    }
    let mut names: Vec<_> =
        FIELDS.iter().flat_map(|i| i.also.iter().chain([&i.name])).copied().collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "a name for two fields");
}

#[test]
fn the_documentation_is_true() {
    let examples = documented();
    assert!(examples.len() > 30, "{}", examples.len());
    for example in &examples {
        Filter::parse(example).unwrap_or_else(|e| panic!("{}", e.pointed(example)));
    }
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/filter.md"));
    let text = text.unwrap();
    for info in FIELDS {
        assert!(text.contains(&format!("`{}`", info.name)), "{} is not described", info.name);
    }
    for entry in WIRESHARK.iter().filter(|entry| entry.field.is_some()) {
        assert!(text.contains(&format!("`{}`", entry.name)), "{} is not described", entry.name);
    }
}

#[test]
fn selects_what_is_meant() {
    let (index, _) = load("obs_publish_nginx.pcap");
    let session = &index.sessions[0];
    let count = |text: &str| rows(&index, text).len();
    let by = |test: &dyn Fn(&crate::analysis::index::Row) -> bool| {
        session.rows.iter().filter(|row| test(row)).count()
    };
    let video = by(&|row| row.type_id.0 == 9);
    assert!(video > 100);
    assert_eq!(index.sessions.len(), 1);
    assert_eq!(count(""), session.rows.len());
    for text in ["type==video", "type == 9", "video", "rtmpt.header.typeid==9", "TYPE==Video"] {
        assert_eq!(count(text), video, "{text}");
    }
    assert_eq!(count("media"), count("audio") + video);
    assert_eq!(count("!video"), session.rows.len() - video);
    assert_eq!(count("type!=video"), session.rows.len() - video);
    assert_eq!(count("type in {audio, video}"), by(&|row| row.type_id.is_media()));
    let keys = by(&|row| row.media == MediaKind::Key);
    assert!(keys > 0);
    assert_eq!(count("key"), keys);
    assert_eq!(count("key==true"), keys);
    assert_eq!(count("key==false"), session.rows.len() - keys);
    assert_eq!(count("rtmpt.video.type==1"), keys + count("kind==seq-header && video"));
    assert_eq!(count("cmd==publish"), 1);
    assert_eq!(count("cmd == \"publish\" && dir==s2c"), 0);
    assert_eq!(count("code~\"Publish.*Start$\""), 1);
    assert_eq!(count("code contains PUBLISH"), 1);
    assert_eq!(count("cmd==connect && arg==live"), 1);
    assert_eq!(count("code==live"), 0);
    assert_eq!(count("handler==onMetaData"), 1);
    assert_eq!(count("codec==h264 && codec!=aac"), count("video"));
    assert_eq!(count("rtmpt.video.format==7"), count("video"));
    assert_eq!(count("video.format!=7"), 0);
    assert_eq!(count("ip==127.0.0.1 || ip!=127.0.0.1"), session.rows.len());
    assert_eq!(count(&format!("src.port=={}", session.session.server.port())), count("dir==s2c"));
    assert_eq!(count("find.severity>=info"), 0);
    assert_eq!(count("n<=10"), 10);
    assert_eq!(count("reply"), count("response>=0"));
    assert!(count("reply") >= 3);
    assert_eq!(count("chunksize"), count("type==1"));
}

#[test]
fn frames_are_those_a_message_lies_in() {
    let (index, _) = load("ffmpeg_publish_nginx.pcap");
    let session = &index.sessions[0];
    let (at, row) = session
        .rows
        .iter()
        .enumerate()
        .find(|(_, row)| {
            let place = session.place(row);
            place.last_frame > place.first_frame
        })
        .expect("a message in two packets");
    let place = session.place(row);
    let middle = place.first_frame + 1;
    assert!(rows(&index, &format!("frame=={middle}")).contains(&(1, at)));
    assert!(
        rows(&index, &format!("frame=={middle} && chunks=={}", place.chunks)).contains(&(1, at))
    );
    assert!(!rows(&index, &format!("frame!={middle}")).contains(&(1, at)));
    assert!(rows(&index, &format!("frame in {{{middle}..{middle}}}")).contains(&(1, at)));
}

#[test]
fn gap_and_step_look_back_to_the_same_kind() {
    let (index, _) = load("obs_publish_nginx.pcap");
    let session = &index.sessions[0];
    let mut last: Option<&crate::analysis::index::Row> = None;
    let (mut late, mut expected, mut steps) = (0, 0, 0);
    for row in session.rows.iter().filter(|row| row.type_id.0 == 9) {
        if let Some(last) = last {
            late = late.max(row.time.nanos_since(last.time) / 1_000_000);
            expected += usize::from(row.time.nanos_since(last.time) > 40_000_000);
            steps += usize::from(row.timestamp - last.timestamp == 100);
        }
        last = Some(row);
    }
    assert_eq!(rows(&index, "video && gap>40ms").len(), expected);
    assert_eq!(rows(&index, &format!("video && gap>={late}ms")).len(), 1);
    assert!(steps > 20);
    assert_eq!(rows(&index, "video && step==100ms").len(), steps);
    assert_eq!(rows(&index, "step<0"), []);
}

#[test]
fn records_as_they_come_give_the_same() {
    for name in [
        "obs_publish_nginx.pcap",
        "derived_gap_acked_unseen.pcap",
        "publish_denied_nginx.pcap",
        "enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap",
    ] {
        let (index, records) = load(name);
        let mut some = 0;
        for text in documented() {
            let found = rows(&index, &text);
            assert_eq!(streamed(&records, &text), found, "{name}: {text}");
            some += usize::from(!found.is_empty());
        }
        assert!(some > 10, "{name}: {some}");
    }
}

#[test]
fn other_lines_have_types() {
    let (_, records) = load("derived_gap_acked_unseen.pcap");
    let count = |text: &str| {
        let mut filter = RecordFilter::new(Filter::parse(text).unwrap());
        let is_line = |record: &&Record| {
            matches!(record, Record::Handshake(_) | Record::Gap(_) | Record::Anomaly(_))
        };
        // Every record teaches the filter; only the lines beside messages are counted.
        records.iter().filter(|r| filter.takes(r)).filter(is_line).count()
    };
    let gaps = records.iter().filter(|r| matches!(r, Record::Gap(_))).count();
    assert!(gaps > 0);
    assert_eq!(count("type==gap"), gaps);
    assert_eq!(count("type==gap && length>0"), gaps);
    assert_eq!(count("type==handshake && dir==c2s"), 1);
    assert_eq!(count("video"), 0);
}

#[test]
fn multitrack_media_tells_its_first_track() {
    let (index, _) = load("enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap");
    assert!(!rows(&index, "track==1 && video").is_empty());
    assert!(!rows(&index, "fourcc==hvc1").is_empty());
    assert_eq!(rows(&index, "track && !multitrack"), []);
    assert!(!rows(&index, "video && cts>0").is_empty());
}

#[test]
fn a_portion_at_a_time_finds_the_same() {
    let (index, _) = load("nrrs_rtmp_ffmpeg_publish_rtmpdump_play.pcap");
    let text = "media && (gap>20ms || key)";
    let all = rows(&index, text);
    assert!(all.len() > 10);
    let mut scan = Scan::new(Filter::parse(text).unwrap());
    let mut progress = scan.advance(&index, None, 7);
    assert_eq!(progress.done, 7);
    while progress.done < progress.total {
        progress = scan.advance(&index, None, 7);
    }
    assert_eq!(progress.matches, all.len());
    for (session, row) in all {
        assert!(scan.contains(session, row));
    }
    assert!(!scan.contains(1, usize::MAX) && !scan.contains(0, 0));
}

#[test]
fn findings_are_looked_up() {
    struct Third;
    impl FindingLookup for Third {
        fn findings(&self, _: u32, row: usize, each: &mut dyn FnMut(u8, &str)) {
            if row == 2 {
                each(2, "command/slow");
            }
        }
    }
    let (index, _) = load("publish_denied_nginx.pcap");
    let found = |text: &str| Scan::all(&Filter::parse(text).unwrap(), &index, Some(&Third));
    let third: Vec<_> = index
        .sessions
        .iter()
        .filter(|session| session.rows.len() > 2)
        .map(|session| (session.number(), 2))
        .collect();
    assert!(!third.is_empty());
    for text in ["find", "find.sev>=warn", "rule==command/slow", "find.rule~slow && !key"] {
        assert_eq!(found(text), third, "{text}");
    }
    assert_eq!(found("find.severity==error"), []);
}

#[test]
fn faults_have_a_place_and_a_way_out() {
    for (text, span, message, help) in [
        ("vidio", 0..5, "no field vidio", "did you mean video?"),
        ("type==vidio", 6..11, "vidio is not a message type", "did you mean video?"),
        ("video && command==5", 9..16, "no field command", "type==command"),
        ("avc", 0..3, "no field avc", "codec==avc"),
        ("gap>", 4..4, "a time is missing", "gap>500ms"),
        ("gap>5parsecs", 4..12, "not a time", "gap>500ms"),
        ("key video", 4..9, "&& or || is missing", ""),
        ("cmd=publish", 3..4, "= is not an operator", "=="),
        ("cmd<publish", 3..4, "no order", "=="),
        ("type~video", 4..5, "not text", "type==video"),
        ("type>command", 5..12, "several numbers", "=="),
        ("(video", 6..6, ") is missing", "( at 1"),
        ("video)", 5..6, "closes nothing", ""),
        ("cmd==\"publish", 5..13, "not closed", "\""),
        ("code~\"(\"", 5..8, "no regular expression", ""),
        ("key==5", 5..6, "set or not", "!key"),
        ("csid in 3", 8..9, "{ is expected", "{a, b"),
        ("csid in {3", 10..10, "} is missing", ""),
        ("csid in {5..3}", 9..10, "from low to high", ""),
        ("codec==h246", 7..11, "no codec", "did you mean"),
        ("ip==10.0.0", 4..10, "not an address", "10.0.0.1"),
        ("rtmpt.handshake.c1", 0..18, "no counterpart", "type==handshake"),
        ("rtmpt.header.typed==9", 0..18, "no field", "rtmpt.header.typeid"),
        ("video &&", 8..8, "a field is missing", ""),
        ("== 3", 0..2, "a field is expected", ""),
        ("session==1.5", 9..12, "not a number", ""),
        ("time>1e9", 5..8, "not a time", ""),
    ] {
        let error = error(text);
        assert_eq!(error.span, span, "{text}: {error}");
        assert!(error.message.contains(message), "{text}: {error}");
        assert!(error.help.clone().unwrap_or_default().contains(help), "{text}: {error}");
        let pointed = error.pointed(text);
        assert_eq!(pointed.lines().nth(1).unwrap().find('^'), Some(span.start), "{pointed}");
    }
}

#[test]
fn nothing_typed_is_too_much() {
    assert!(Filter::parse(&"(".repeat(100_000)).is_err());
    assert!(Filter::parse(&"!".repeat(60_000)).is_err());
    assert!(Filter::parse(&"key&&".repeat(10_000)).is_err());
    assert!(Filter::parse(&format!("key{}", "&&key".repeat(10_000))).is_ok());
    assert!(Filter::parse("code~\"(a{1000}){1000}\"").is_err());
    // Prefixes of a long one, cut anywhere, and with a character that takes two bytes.
    let text = "(type==\"vidéo\" || cmd in {a, 'b'}) and not gap >= 1.5µs && csid in {1..3}";
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let _ = Filter::parse(&text[..end]);
        complete(&text[..end], end, &|_| Vec::new());
        complete(text, end, &|_| Vec::new());
    }
}

#[test]
fn completion_knows_what_comes_next() {
    let texts = |text: &str| -> Vec<String> {
        let none = |_| Vec::new();
        complete(text, text.len(), &none).into_iter().map(|c| c.text).collect()
    };
    assert!(texts("").contains(&"type".to_owned()));
    assert_eq!(texts("vid")[0], "video");
    assert!(texts("type").contains(&"type".to_owned()));
    assert!(texts("type ").contains(&"==".to_owned()));
    assert!(texts("cmd ").contains(&"~".to_owned()) && !texts("cmd ").contains(&"<".to_owned()));
    assert_eq!(texts("key "), ["&&", "||"]);
    assert!(texts("type==vi").contains(&"video".to_owned()));
    assert!(texts("codec in {avc, he").contains(&"hevc".to_owned()));
    assert!(texts("code==\"NetStream.Publish.B").contains(&"\"NetStream.Publish.BadName\"".into()));
    assert!(texts("gap>500").contains(&"500ms".to_owned()));
    assert_eq!(texts("video && ke")[0], "key");
    assert!(texts("rtmpt.vi").contains(&"rtmpt.video.type".to_owned()));
    assert_eq!(texts("key && video a"), ["and"]);
    let here = |field| match field {
        Field::Arg => vec!["<stream-1>".to_owned()],
        _ => Vec::new(),
    };
    let found = complete("arg==", 5, &here);
    assert_eq!((found[0].text.as_str(), found[0].replace.clone()), ("\"<stream-1>\"", 5..5));
    // Whatever is offered can be put in, and is understood.
    for before in ["", "type==", "codec==", "kind==", "dir==", "event==", "code==", "key && "] {
        for candidate in complete(before, before.len(), &|_| Vec::new()) {
            let text = format!("{before}{}", candidate.text);
            match Filter::parse(&text) {
                Ok(_) => {}
                Err(_) => assert_eq!(candidate.text, "not", "{text}"),
            }
        }
    }
}

#[test]
fn speaks_wireshark() {
    let to = |text: &str| Filter::parse(text).unwrap().to_tshark();
    for (ours, theirs) in [
        ("type==video", "rtmpt.header.typeid == 9"),
        (
            "type==command && stream==1",
            "rtmpt.header.typeid in {17, 20} && rtmpt.header.streamid == 1",
        ),
        (
            "length>1000 || csid in {3..5}",
            "rtmpt.header.bodysize >= 1001 || (rtmpt.header.csid >= 3 && rtmpt.header.csid <= 5)",
        ),
        ("ts<500ms", "rtmpt.header.timestamp <= 499"),
        ("ts>500", "rtmpt.header.timestamp >= 501"),
        ("!(frame==118)", "!(frame.number == 118)"),
        ("cmd==publish", "(rtmpt.header.typeid in {17, 20} && amf.string == \"publish\")"),
        ("code~\"Bad\\.Name\"", "amf.string matches \"Bad\\\\.Name\""),
        ("codec==h264", "rtmpt.video.format == 7"),
        ("ip==10.0.0.1 && port==1935", "ip.addr == 10.0.0.1 && tcp.port == 1935"),
    ] {
        assert_eq!(to(ours).as_deref(), Some(theirs), "{ours}");
    }
    for ours in ["", "session==1", "gap>500ms", "dir==c2s", "key && confidence==exact", "type==gap"]
    {
        assert_eq!(to(ours), None, "{ours}");
    }
}

/// `time cargo test --release -- a_million_rows` says how long; a test must not.
#[test]
fn a_million_rows_are_no_wait() {
    let (mut index, _) = load("obs_publish_nginx.pcap");
    let rows = &mut index.sessions[0].rows;
    let once = rows.clone();
    while rows.len() < 1_000_000 {
        rows.extend_from_slice(&once);
    }
    let total = rows.len();
    let filter = Filter::parse("type==video && key && length>1kB || cmd==publish").unwrap();
    let mut scan = Scan::new(filter);
    let progress = scan.advance(&index, None, usize::MAX);
    assert_eq!(progress.done, total);
    let each = Scan::all(
        &Filter::parse("key && length>1kB || cmd==publish").unwrap(),
        &{
            let (index, _) = load("obs_publish_nginx.pcap");
            index
        },
        None,
    );
    assert_eq!(progress.matches, each.len() * total.div_ceil(once.len()));
}
