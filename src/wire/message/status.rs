//! Status codes of NetConnection and NetStream (section 7.2, Flash and server practice).

/// The `level` of an information object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// `status`
    Status,
    /// `warning`
    Warning,
    /// `error`
    Error,
}

impl Level {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Level::Status => "status",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// The level that belongs to a status code; `None` for a code nobody defined.
pub fn level(code: &str) -> Option<Level> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, level)| *level)
}

/// Known codes and their levels.
pub const CODES: &[(&str, Level)] = &[
    ("NetConnection.Call.BadVersion", Level::Error),
    ("NetConnection.Call.Failed", Level::Error),
    ("NetConnection.Call.Prohibited", Level::Error),
    ("NetConnection.Connect.AppShutdown", Level::Error),
    ("NetConnection.Connect.Closed", Level::Status),
    ("NetConnection.Connect.Failed", Level::Error),
    ("NetConnection.Connect.IdleTimeout", Level::Status),
    ("NetConnection.Connect.InvalidApp", Level::Error),
    ("NetConnection.Connect.NetworkChange", Level::Status),
    // Enhanced RTMP.
    ("NetConnection.Connect.ReconnectRequest", Level::Status),
    ("NetConnection.Connect.Rejected", Level::Error),
    ("NetConnection.Connect.Success", Level::Status),
    ("NetConnection.Proxy.NotResponding", Level::Error),
    ("NetStream.Buffer.Empty", Level::Status),
    ("NetStream.Buffer.Flush", Level::Status),
    ("NetStream.Buffer.Full", Level::Status),
    ("NetStream.Data.Start", Level::Status),
    ("NetStream.Failed", Level::Error),
    ("NetStream.Pause.Notify", Level::Status),
    ("NetStream.Play.Complete", Level::Status),
    ("NetStream.Play.Failed", Level::Error),
    ("NetStream.Play.FileStructureInvalid", Level::Error),
    ("NetStream.Play.InsufficientBW", Level::Warning),
    ("NetStream.Play.NoSupportedTrackFound", Level::Error),
    ("NetStream.Play.PublishNotify", Level::Status),
    ("NetStream.Play.Reset", Level::Status),
    ("NetStream.Play.Start", Level::Status),
    ("NetStream.Play.Stop", Level::Status),
    ("NetStream.Play.StreamNotFound", Level::Error),
    ("NetStream.Play.Switch", Level::Status),
    ("NetStream.Play.Transition", Level::Status),
    ("NetStream.Play.UnpublishNotify", Level::Status),
    ("NetStream.Publish.BadName", Level::Error),
    ("NetStream.Publish.Denied", Level::Error),
    ("NetStream.Publish.Idle", Level::Status),
    ("NetStream.Publish.Start", Level::Status),
    // MediaMTX.
    ("NetStream.Publish.Unauthorized", Level::Error),
    ("NetStream.Record.Failed", Level::Error),
    ("NetStream.Record.NoAccess", Level::Error),
    ("NetStream.Record.Start", Level::Status),
    ("NetStream.Record.Stop", Level::Status),
    ("NetStream.Seek.Failed", Level::Error),
    ("NetStream.Seek.InvalidTime", Level::Error),
    ("NetStream.Seek.Notify", Level::Status),
    ("NetStream.Unpause.Notify", Level::Status),
    ("NetStream.Unpublish.Success", Level::Status),
    ("NetStream.Video.DimensionChange", Level::Status),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_have_levels() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(level("NetStream.Publish.BadName"), Some(Level::Error));
        assert_eq!(level("NetStream.Play.Start").unwrap().name(), "status");
        assert_eq!(level("netstream.play.start"), None);
    }
}
