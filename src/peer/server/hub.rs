//! What is published, and who plays it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::engine::ConnId;
use crate::wire::message::{Body, MessageType};

/// Configurations kept of a publication: tracks of either kind.
const MAX_CONFIGS: usize = 64;

/// Names a stream: application and name without query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub app: Vec<u8>,
    pub name: Vec<u8>,
}

/// A message stream of a connection.
pub(super) type Seat = (ConnId, u32);

/// What late players need before coded frames, in the order in which they get it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConfigKey {
    Audio { packet_type: u8, tracks: Vec<Option<u8>> },
    Video { packet_type: u8, tracks: Vec<Option<u8>> },
}

/// A stream that is published, or waited for.
#[derive(Debug, Default)]
pub(super) struct Publication {
    pub publisher: Option<Seat>,
    pub players: Vec<Seat>,
    /// `onMetaData`: message type and payload.
    pub metadata: Option<(MessageType, Bytes)>,
    /// Codec configurations and the like.
    pub configs: BTreeMap<ConfigKey, (MessageType, Bytes)>,
    /// Whether coded video came: who joins now must wait for a key frame.
    pub has_video: bool,
    /// Timestamp of the newest media.
    pub timestamp: u32,
}

/// All streams.
#[derive(Debug, Default)]
pub(super) struct Hub {
    streams: BTreeMap<Key, Publication>,
}

impl Hub {
    pub fn get(&self, key: &Key) -> Option<&Publication> {
        self.streams.get(key)
    }

    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Publication> {
        self.streams.get_mut(key)
    }

    pub fn entry(&mut self, key: &Key) -> &mut Publication {
        self.streams.entry(key.clone()).or_default()
    }

    pub fn is_live(&self, key: &Key) -> bool {
        self.streams.get(key).is_some_and(|publication| publication.publisher.is_some())
    }

    pub fn remove_player(&mut self, key: &Key, seat: Seat) {
        if let Some(publication) = self.streams.get_mut(key) {
            publication.players.retain(|player| *player != seat);
        }
        self.forget_unused(key);
    }

    pub fn forget_unused(&mut self, key: &Key) {
        let unused = |p: &Publication| p.publisher.is_none() && p.players.is_empty();
        if self.streams.get(key).is_some_and(unused) {
            self.streams.remove(key);
        }
    }
}

impl Publication {
    /// Keeps a configuration for players to come.
    pub fn keep(&mut self, key: ConfigKey, type_id: MessageType, payload: Bytes) {
        if self.configs.len() < MAX_CONFIGS || self.configs.contains_key(&key) {
            self.configs.insert(key, (type_id, payload));
        }
    }
}

/// Names what a media message configures; `None` for coded frames.
pub(super) fn config_key(body: &Body) -> Option<ConfigKey> {
    match body {
        // Sequence start, metadata, sequence start for MPEG-2 TS.
        Body::Video(tag) => {
            let packet_type = tag.packet_type?;
            let configures = match tag.enhanced {
                true => matches!(packet_type, 0 | 4 | 5) && tag.command.is_none(),
                false => packet_type == 0,
            };
            let tracks = tag.tracks.iter().map(|track| track.id).collect();
            configures.then_some(ConfigKey::Video { packet_type, tracks })
        }
        // Sequence start, multichannel configuration.
        Body::Audio(tag) => {
            let packet_type = tag.packet_type?;
            let configures = packet_type == 0 || tag.enhanced && packet_type == 4;
            let tracks = tag.tracks.iter().map(|track| track.id).collect();
            configures.then_some(ConfigKey::Audio { packet_type, tracks })
        }
        _ => None,
    }
}
