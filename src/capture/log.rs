//! What a run learns besides packets: problems, comments, secrets, interfaces.

use std::fmt;

use bytes::Bytes;

use super::error::{CaptureError, CaptureErrorKind};
use crate::base::LinkType;

/// Problems listed per input; a file damaged everywhere has no use for more.
const MAX_ERRORS_PER_INPUT: usize = 50;
/// Interfaces, and comments, kept over all inputs.
const MAX_ITEMS: usize = 65_536;
/// Bytes of comments, and of secrets, kept over all inputs.
const MAX_TEXT: usize = 16 << 20;

/// What a comment of a pcapng file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommentPlace {
    /// The section, that is, usually the whole file.
    Section,
    /// An interface, by its number within the section.
    Interface(u32),
    /// A packet, by [`Packet::frame`](crate::base::Packet::frame).
    Packet(u64),
    /// Another block (name resolution, statistics, secrets).
    Block,
}

/// A comment that a pcapng file carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Index of the input.
    pub input: usize,
    /// What it is about.
    pub place: CommentPlace,
    /// The comment; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// The kind of a decryption secret, as pcapng numbers it; unknown numbers stay values.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretKind(pub u32);

impl SecretKind {
    /// NSS key log lines (`SSLKEYLOGFILE`).
    pub const TLS_KEY_LOG: SecretKind = SecretKind(0x544c_534b);
}

impl fmt::Debug for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKind({:#x})", self.0)
    }
}

/// A decryption secrets block. `Debug` does not print the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Index of the input.
    pub input: usize,
    /// What kind of secret.
    pub kind: SecretKind,
    /// The secret, as its kind defines.
    pub data: Bytes,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Secret {{ input: {}, kind: {:?}, {} bytes }}",
            self.input,
            self.kind,
            self.data.len()
        )
    }
}

/// An interface that packets were captured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Index of the input.
    pub input: usize,
    /// Section of the input, from 0.
    pub section: u32,
    /// Number within the section.
    pub id: u32,
    /// How its packets begin.
    pub link: LinkType,
    /// Most bytes captured of a packet; 0 when not limited.
    pub snap_len: u32,
    /// Name at the capturing host.
    pub name: Option<String>,
    /// Description at the capturing host.
    pub description: Option<String>,
    /// Packets that the capturing host says it dropped on this interface (`isb_ifdrop`).
    pub dropped: Option<u64>,
}

/// Collects while reading; every list is bounded.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) names: Vec<String>,
    pub(super) errors: Vec<CaptureError>,
    pub(super) comments: Vec<Comment>,
    pub(super) secrets: Vec<Secret>,
    pub(super) interfaces: Vec<Interface>,
    errors_of: Vec<usize>,
    comment_bytes: usize,
    secret_bytes: usize,
}

/// Where in an input something is, for an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) input: usize,
    pub(super) offset: u64,
    pub(super) packets: u64,
}

impl Log {
    pub(super) fn new(names: Vec<String>) -> Log {
        Log { errors_of: vec![0; names.len()], names, ..Log::default() }
    }

    pub(super) fn error(&mut self, at: Spot, kind: CaptureErrorKind) {
        let count = &mut self.errors_of[at.input];
        *count += 1;
        if *count > MAX_ERRORS_PER_INPUT + 1 {
            let name = &self.names[at.input];
            let last = self.errors.iter_mut().rev().find(|e| e.input == *name);
            if let Some(CaptureError { kind: CaptureErrorKind::More { count }, .. }) = last {
                *count += 1;
            }
            return;
        }
        let kind = match *count > MAX_ERRORS_PER_INPUT {
            true => CaptureErrorKind::More { count: 1 },
            false => kind,
        };
        self.errors.push(CaptureError {
            input: self.names[at.input].clone(),
            offset: at.offset,
            packets_before: at.packets,
            kind,
        });
    }

    pub(super) fn comment(&mut self, at: Spot, place: CommentPlace, text: String) {
        let full = self.comments.len() >= MAX_ITEMS || self.comment_bytes + text.len() > MAX_TEXT;
        if full {
            return self.limit(at, "comments", self.comments.len());
        }
        self.comment_bytes += text.len();
        self.comments.push(Comment { input: at.input, place, text });
    }

    pub(super) fn secret(&mut self, at: Spot, kind: SecretKind, data: &[u8]) {
        if self.secrets.len() >= MAX_ITEMS || self.secret_bytes + data.len() > MAX_TEXT {
            return self.limit(at, "decryption secrets", self.secrets.len());
        }
        self.secret_bytes += data.len();
        // A copy: a slice would keep a whole read block alive for the run.
        self.secrets.push(Secret { input: at.input, kind, data: Bytes::copy_from_slice(data) });
    }

    /// The place of the interface in the list, if there was room.
    pub(super) fn interface(&mut self, at: Spot, interface: Interface) -> Option<usize> {
        if self.interfaces.len() >= MAX_ITEMS {
            self.limit(at, "interfaces", MAX_ITEMS);
            return None;
        }
        self.interfaces.push(interface);
        Some(self.interfaces.len() - 1)
    }

    /// Reports a full list once per input.
    fn limit(&mut self, at: Spot, what: &'static str, limit: usize) {
        let name = &self.names[at.input];
        let told = self.errors.iter().any(|e| {
            e.input == *name
                && matches!(e.kind, CaptureErrorKind::LimitReached { what: w, .. } if w == what)
        });
        if !told {
            self.error(at, CaptureErrorKind::LimitReached { what, limit });
        }
    }
}
