//! A layer that changes nothing must change nothing.

use crate::analysis::{Options, Pipeline, Record};
use crate::capture::{Capture, Input, OpenOptions};

fn records(path: &std::path::Path, identity: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options { spans: true, tcp: true, ..Options::default() });
    if identity {
        pipeline.through_identity();
    }
    let mut sink = |record: Record| out.push(format!("{record:?}"));
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    out
}

#[test]
fn through_a_layer_that_changes_nothing_everything_is_the_same() {
    let mut seen = 0;
    for file in std::fs::read_dir("captures").unwrap() {
        let path = file.unwrap().path();
        if !path.extension().is_some_and(|e| e == "pcap" || e == "pcapng") {
            continue;
        }
        seen += 1;
        let (direct, through) = (records(&path, false), records(&path, true));
        for (direct, through) in direct.iter().zip(&through) {
            assert_eq!(direct, through, "{}", path.display());
        }
        assert_eq!(direct.len(), through.len(), "{}", path.display());
    }
    assert!(seen > 20);
}
