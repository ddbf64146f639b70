//! Handshake packets C0..C2 and S0..S2 (section 5.2) and the digest handshake.
