//! Handshake packets C0..C2 and S0..S2 (section 5.2) and the digest handshake.
/// shim
pub const PACKET_LEN: usize = 1536;
/// shim
#[derive(PartialEq)]
pub enum Layout {
    DigestFirst,
    KeyFirst,
}
/// shim
pub struct Digest {
    pub layout: Layout,
    pub digest: [u8; 32],
}
/// shim
pub fn find_digest(_p: &[u8; 1536], _client: bool) -> Option<Digest> {
    None
}
/// shim
pub fn verify_signature(_p: &[u8; 1536], _d: &[u8; 32], _client: bool) -> bool {
    false
}
/// shim
pub fn is_echo(a: &[u8; 1536], b: &[u8; 1536]) -> bool {
    a[8..] == b[8..]
}
