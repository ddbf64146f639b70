use crate::support::lint::Script;
use crate::support::{C2S, S2C, handshake};
use crate::table::{Row, row};

pub const ROWS: &[Row] =
    &[row("handshake/s2-not-c1", || no_echo().server_closes(), || Script::publish().capture())];

/// S2 is not what C1 was.
fn no_echo() -> Script {
    let mut script = Script::silent();
    let flights = handshake::simple(&mut script.s.rng);
    let mut server = flights.server.clone();
    server[2000..2100].fill(7);
    script
        .raw(C2S, &flights.client_hello)
        .wait(1)
        .raw(S2C, &server)
        .wait(1)
        .raw(C2S, &flights.client_reply)
}
