//! What the startup chunks carry in the Flash profile, RFC 7425 section 4.

use super::number::{read_vlu, write_vlu};
use super::option::{OptionList, read_options, write_option};
use crate::base::{Reader, Stop, Writer};

/// Whom an IHello is for, RFC 7425 section 4.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointDiscriminator {
    /// Option 00: the host name that the certificate must have.
    pub hostname: Option<Vec<u8>>,
    /// Option 0a: for servers the URI.
    pub ancillary: Option<Vec<u8>>,
    /// Option 0f: SHA-256 of the certificate; wins over the others.
    pub fingerprint: Option<[u8; 32]>,
    /// Types of options that are none of these.
    pub others: Vec<u64>,
    /// Where reading it stopped.
    pub stop: Option<Stop>,
}

impl EndpointDiscriminator {
    /// Reads the options; what is damaged is left out.
    pub fn parse(epd: &[u8]) -> EndpointDiscriminator {
        let OptionList { options, stop, .. } = read_options(&mut Reader::new(epd));
        let mut out = EndpointDiscriminator { stop, ..Default::default() };
        for option in options {
            match option.kind {
                0x00 => out.hostname = Some(option.value.to_vec()),
                0x0a => out.ancillary = Some(option.value.to_vec()),
                0x0f if option.value.len() == 32 => {
                    out.fingerprint = option.value.try_into().ok();
                }
                kind => out.others.push(kind),
            }
        }
        out
    }

    /// The options in ascending order of their types.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        if let Some(hostname) = &self.hostname {
            write_option(&mut out, 0x00, hostname);
        }
        if let Some(ancillary) = &self.ancillary {
            write_option(&mut out, 0x0a, ancillary);
        }
        if let Some(fingerprint) = &self.fingerprint {
            write_option(&mut out, 0x0f, fingerprint);
        }
        out.into_bytes()
    }
}

/// A certificate, RFC 7425 section 4.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Option 00.
    pub hostname: Option<Vec<u8>>,
    /// Option 0a: a server that takes URIs.
    pub accepts_ancillary: bool,
    /// Option 0e: bytes that make the fingerprint unique.
    pub extra_randomness: Option<Vec<u8>>,
    /// Options 15: Diffie-Hellman groups with a key per session.
    pub ephemeral_groups: Vec<u64>,
    /// Options 1d: groups with a fixed public key.
    pub static_keys: Vec<(u64, Vec<u8>)>,
    /// Types of other options.
    pub others: Vec<u64>,
    /// How many bytes the fingerprint covers: all before the marker.
    pub signed_len: usize,
    /// Where reading it stopped.
    pub stop: Option<Stop>,
}

impl Certificate {
    /// Reads the options; what is damaged is left out.
    pub fn parse(certificate: &[u8]) -> Certificate {
        let OptionList { options, end, stop } = read_options(&mut Reader::new(certificate));
        let damaged = stop.is_some();
        let signed_len = if damaged { certificate.len() } else { end };
        let mut out = Certificate { signed_len, stop, ..Certificate::default() };
        for option in options {
            match option.kind {
                0x00 => out.hostname = Some(option.value.to_vec()),
                0x0a => out.accepts_ancillary = true,
                0x0e => out.extra_randomness = Some(option.value.to_vec()),
                0x15 => {
                    let mut r = Reader::new(option.value);
                    match read_vlu(&mut r, "group_id") {
                        Ok(group) => out.ephemeral_groups.push(group),
                        Err(stop) => _ = out.stop.get_or_insert(stop),
                    }
                }
                0x1d => {
                    let mut r = Reader::new(option.value);
                    match read_vlu(&mut r, "group_id") {
                        Ok(group) => out.static_keys.push((group, r.remaining().to_vec())),
                        Err(stop) => _ = out.stop.get_or_insert(stop),
                    }
                }
                kind => out.others.push(kind),
            }
        }
        out
    }

    /// The options, without a marker.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        if let Some(hostname) = &self.hostname {
            write_option(&mut out, 0x00, hostname);
        }
        if self.accepts_ancillary {
            write_option(&mut out, 0x0a, &[]);
        }
        for group in &self.ephemeral_groups {
            write_option(&mut out, 0x15, &vlu(*group));
        }
        if let Some(random) = &self.extra_randomness {
            write_option(&mut out, 0x0e, random);
        }
        for (group, key) in &self.static_keys {
            write_option(&mut out, 0x1d, &[&vlu(*group)[..], key].concat());
        }
        out.into_bytes()
    }
}

fn vlu(value: u64) -> Vec<u8> {
    let mut out = Writer::new();
    write_vlu(&mut out, value);
    out.into_bytes()
}

/// What a side says about HMACs or session sequence numbers: bits of options 1a and 1e.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Negotiation {
    /// Bit 04: I will always send them.
    pub always: bool,
    /// Bit 02: I will send them on request.
    pub on_request: bool,
    /// Bit 01: I request them.
    pub request: bool,
}

impl Negotiation {
    /// From the flags byte.
    pub fn from_flags(flags: u8) -> Negotiation {
        Negotiation { always: flags & 4 != 0, on_request: flags & 2 != 0, request: flags & 1 != 0 }
    }

    /// To the flags byte.
    pub fn flags(self) -> u8 {
        u8::from(self.always) << 2 | u8::from(self.on_request) << 1 | u8::from(self.request)
    }

    /// Whether a side that says this sends them to a far end that says `far`.
    pub fn sends_to(self, far: Negotiation) -> bool {
        self.always || (far.request && self.on_request)
    }

    /// Whether `far` asks for what this side will not do: the session must then fail.
    pub fn refuses(self, far: Negotiation) -> bool {
        far.request && !self.always && !self.on_request
    }

    /// In words.
    pub fn text(self) -> String {
        let words: Vec<&str> =
            [(self.always, "always"), (self.on_request, "on-request"), (self.request, "requests")]
                .into_iter()
                .filter_map(|(set, word)| set.then_some(word))
                .collect();
        if words.is_empty() { "no".to_owned() } else { words.join("+") }
    }
}

/// A session keying component, RFC 7425 section 4.5.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyingComponent {
    /// Option 0d: group and public key for this session.
    pub ephemeral_key: Option<(u64, Vec<u8>)>,
    /// Option 0e.
    pub extra_randomness: Option<Vec<u8>>,
    /// Option 1d: which group's fixed key of the certificate is used.
    pub group_select: Option<u64>,
    /// Option 1a: HMACs.
    pub hmac: Negotiation,
    /// How long the HMACs are that this side sends.
    pub hmac_len: u64,
    /// Option 1e: session sequence numbers.
    pub sequence: Negotiation,
    /// Types of other options.
    pub others: Vec<u64>,
    /// Where reading it stopped.
    pub stop: Option<Stop>,
}

impl KeyingComponent {
    /// Reads the options; what is damaged is left out.
    pub fn parse(component: &[u8]) -> KeyingComponent {
        let OptionList { options, stop, .. } = read_options(&mut Reader::new(component));
        let mut out = KeyingComponent { stop, ..Default::default() };
        for option in options {
            let mut r = Reader::new(option.value);
            if let Err(stop) = out.option(option.kind, &mut r) {
                out.stop.get_or_insert(stop);
            }
        }
        out
    }

    fn option(&mut self, kind: u64, r: &mut Reader<'_, '_>) -> Result<(), Stop> {
        match kind {
            0x0d => {
                let group = read_vlu(r, "group_id")?;
                self.ephemeral_key = Some((group, r.remaining().to_vec()));
            }
            0x0e => self.extra_randomness = Some(r.remaining().to_vec()),
            0x1d => self.group_select = Some(read_vlu(r, "group_id")?),
            0x1a => {
                self.hmac = Negotiation::from_flags(r.u8("hmac_flags")?);
                self.hmac_len = read_vlu(r, "hmac_length")?;
            }
            0x1e => self.sequence = Negotiation::from_flags(r.u8("sequence_flags")?),
            kind => self.others.push(kind),
        }
        Ok(())
    }

    /// The options, without a marker.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        if let Some(group) = self.group_select {
            write_option(&mut out, 0x1d, &vlu(group));
        }
        if let Some((group, key)) = &self.ephemeral_key {
            write_option(&mut out, 0x0d, &[&vlu(*group)[..], key].concat());
        }
        if let Some(random) = &self.extra_randomness {
            write_option(&mut out, 0x0e, random);
        }
        write_option(&mut out, 0x1a, &[&[self.hmac.flags()][..], &vlu(self.hmac_len)].concat());
        write_option(&mut out, 0x1e, &[self.sequence.flags()]);
        out.into_bytes()
    }

    /// The group whose keys are agreed on.
    pub fn group(&self) -> Option<u64> {
        self.ephemeral_key.as_ref().map(|(group, _)| *group).or(self.group_select)
    }
}
