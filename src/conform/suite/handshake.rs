//! The handshake (RTMP 5.2).

use crate::conform::{Case, Outcome, T};
use crate::wire::handshake::PACKET_LEN;

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new("rtmp/handshake/s0-version", "For a C0 of 3 the server answers S0 = 3", s0_version)
        .sections(&["RTMP 5.2.2"])
        .explain("C0 = 3 and C1", "the server's first byte is 3"),
    Case::new(
        "rtmp/handshake/c1-random-echo",
        "S2 carries C1's 1528 random bytes at offset 8",
        c1_random_echo,
    )
    .sections(&["RTMP 5.2.4"])
    .explain("C0 and a C1 of random bytes", "S2 repeats C1 from byte 8 on"),
];

fn s0_version(t: &mut T) -> Outcome {
    let mut c = t.open()?;
    c.raw(&[&[3], &t.c1("C1")[..]].concat());
    let s0 = c.read_first(1, t.timeouts().handshake)?;
    t.pass_if(s0 == [3], format!("S0 is {}", s0[0]))
}

fn c1_random_echo(t: &mut T) -> Outcome {
    let mut c = t.open()?;
    let c1 = t.c1("C1");
    t.handshake_with(&mut c, 3, &c1)?;
    let s2 = c.s2().unwrap_or(&[0; PACKET_LEN]);
    t.pass_if(s2[8..] == c1[8..], "S2 does not repeat the random bytes of C1")
}
