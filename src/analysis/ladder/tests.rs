use super::*;
use crate::analysis::lanes::load;
use crate::base::Direction;

fn lines(name: &str, number: usize) -> Vec<String> {
    let index = load(name);
    let session = &index.sessions[number - 1];
    let ladder = Ladder::of(session, &index.strings);
    let arrow = |step: &Step| match step.direction {
        Some(Direction::ClientToServer) => "C>S",
        Some(Direction::ServerToClient) => "S>C",
        None => "---",
    };
    ladder
        .steps
        .iter()
        .map(|s| format!("{} {}", arrow(s), s.text(session, &index.strings)))
        .collect()
}

#[test]
fn a_publish_is_a_short_ladder() {
    let lines = lines("ffmpeg_publish_nginx.pcap", 1);
    let text = lines.join("\n");
    insta::assert_snapshot!(text);
}

#[test]
fn steps_are_in_order_and_every_row_has_one() {
    for name in
        ["obs_publish_nginx.pcap", "rtmpdump_play_nginx.pcap", "derived_gap_acked_unseen.pcap"]
    {
        let index = load(name);
        for session in &index.sessions {
            let ladder = Ladder::of(session, &index.strings);
            assert!(ladder.steps.windows(2).all(|pair| pair[0].time <= pair[1].time), "{name}");
            let media: u32 = ladder
                .steps
                .iter()
                .map(|step| match &step.kind {
                    StepKind::Media(run) => run.messages(),
                    _ => 0,
                })
                .sum();
            let rows = session.rows.iter().filter(|row| row.type_id.is_media()).count();
            assert_eq!(media as usize, rows, "{name}");
            for (number, row) in
                session.rows.iter().enumerate().filter(|(_, r)| r.type_id.is_media())
            {
                let step = &ladder.steps[ladder.step_of(session, number)];
                assert!(step.time <= row.time && row.time <= step.until());
            }
        }
    }
}

#[test]
fn a_refusal_is_trouble() {
    let index = load("fail_auth_adobe_crtmpserver.pcap");
    let troubled = index.sessions.iter().filter(|session| {
        let ladder = Ladder::of(session, &index.strings);
        ladder.steps.iter().any(|step| matches!(step.kind, StepKind::Reply { failed: true, .. }))
    });
    assert!(troubled.count() >= 2);
}

#[test]
fn mermaid_escapes_what_it_would_read() {
    let index = load("ffmpeg_publish_nginx.pcap");
    let session = &index.sessions[0];
    let text = Ladder::of(session, &index.strings).to_mermaid(session, &index.strings);
    assert!(text.starts_with("sequenceDiagram\n    participant C as client 127.0.0.1:"));
    assert!(text.contains("C->>S: ") && text.contains("S-->>C: "), "{text}");
    assert!(text.lines().skip(1).all(|line| !line.contains(';') || line.contains("#")), "{text}");
}
