//! The chunk stream (RTMP 5.3).

use crate::conform::{Case, Msg, Need, Outcome, Reaction, State, Step, T};

/// The cases of this file.
pub const CASES: &[Case] = &[
    // A function: relays frames and compares what comes out.
    Case::new("rtmp/chunk/fmt1", "A header of format 1 inherits the message stream id", fmt1)
        .sections(&["RTMP 5.3.1.2.2"])
        .needs(&[Need::Publish, Need::Play])
        .explain(
            "audio with format 0, then format 1 of other lengths",
            "the player gets all of it",
        ),
    // A row: variants, each on its own connection, and the reactions that pass.
    Case::negative(
        "rtmp/chunk/unseen-csid-fmt1-3",
        "The first chunk on a chunk stream with format 1, 2 or 3 is refused or dropped",
        State::Connected,
        &[
            &[Step::Raw(&[0xc5; 11])],
            &[Step::Raw(b"\x85\0\0\x14")],
            &[Step::Raw(b"\x45\0\0\x14\0\0\x05\x14aaaaa")],
        ],
        &[Reaction::Close, Reaction::Tolerate],
    )
    .sections(&["RTMP 5.3.1.2.1"]),
];

fn fmt1(t: &mut T) -> Outcome {
    let mut r = t.relay()?;
    let mut sent = Vec::new();
    for (at, (fmt, size)) in [(0, 90), (1, 120), (1, 60), (1, 300)].into_iter().enumerate() {
        let frame = Msg::audio(r.time + 20, t.sound(&format!("frame {at}"), size)).fmt(fmt);
        sent.push(r.send(frame));
    }
    let got = t.collect(&mut r)?;
    t.same_frames(&sent, &got)
}
