//! What the engine holds at most. Reaching a limit is an anomaly, and the run goes on.

/// Limits of one [`super::Session`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Payload bytes kept of coded audio and video: enough for every header that Enhanced RTMP
    /// stacks up, far less than a frame.
    pub media_prefix: usize,
    /// Payload bytes of unfinished messages held per direction. One message can be 16 MiB - 1;
    /// 65,597 chunk streams could each begin one.
    pub pending_bytes: usize,
    /// Payload bytes kept of one message. The length field ends at 16 MiB - 1, so this cuts
    /// nothing unless it is lowered.
    pub message_bytes: usize,
    /// Bytes held back while looking for the next chunk header after damage: three chunks of the
    /// largest size that servers use (65536), with room for what lies between.
    pub search_bytes: usize,
    /// Requests without a reply that are remembered. Clients have a handful in flight.
    pub pending_requests: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            media_prefix: 64,
            pending_bytes: 32 << 20,
            message_bytes: 16 << 20,
            search_bytes: 512 << 10,
            pending_requests: 256,
        }
    }
}
