//! Numbers of the wire that stay values when nobody knows them.

/// Message type id (RTMP 1.0 sections 5.4, 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageType(pub u8);

impl MessageType {
    /// Set Chunk Size.
    pub const SET_CHUNK_SIZE: MessageType = MessageType(1);
    /// Abort Message.
    pub const ABORT: MessageType = MessageType(2);
    /// Acknowledgement.
    pub const ACKNOWLEDGEMENT: MessageType = MessageType(3);
    /// User Control Message.
    pub const USER_CONTROL: MessageType = MessageType(4);
    /// Window Acknowledgement Size.
    pub const WINDOW_ACKNOWLEDGEMENT_SIZE: MessageType = MessageType(5);
    /// Set Peer Bandwidth.
    pub const SET_PEER_BANDWIDTH: MessageType = MessageType(6);
    /// Audio.
    pub const AUDIO: MessageType = MessageType(8);
    /// Video.
    pub const VIDEO: MessageType = MessageType(9);
    /// Data, AMF3.
    pub const DATA_AMF3: MessageType = MessageType(15);
    /// Shared object, AMF3.
    pub const SHARED_OBJECT_AMF3: MessageType = MessageType(16);
    /// Command, AMF3.
    pub const COMMAND_AMF3: MessageType = MessageType(17);
    /// Data, AMF0.
    pub const DATA_AMF0: MessageType = MessageType(18);
    /// Shared object, AMF0.
    pub const SHARED_OBJECT_AMF0: MessageType = MessageType(19);
    /// Command, AMF0.
    pub const COMMAND_AMF0: MessageType = MessageType(20);
    /// Aggregate.
    pub const AGGREGATE: MessageType = MessageType(22);

    /// The snake_case name that output uses; `unknown` for a number without one.
    pub fn kind(self) -> &'static str {
        match self.0 {
            1 => "set_chunk_size",
            2 => "abort",
            3 => "acknowledgement",
            4 => "user_control",
            5 => "window_acknowledgement_size",
            6 => "set_peer_bandwidth",
            8 => "audio",
            9 => "video",
            15 => "data_amf3",
            16 => "shared_object_amf3",
            17 => "command_amf3",
            18 => "data_amf0",
            19 => "shared_object_amf0",
            20 => "command_amf0",
            22 => "aggregate",
            _ => "unknown",
        }
    }

    /// Whether the specification defines this type.
    pub fn is_known(self) -> bool {
        self.kind() != "unknown"
    }

    /// Audio or video.
    pub fn is_media(self) -> bool {
        self == MessageType::AUDIO || self == MessageType::VIDEO
    }

    /// A protocol control or user control message (types 1 to 6).
    pub fn is_control(self) -> bool {
        (1..=6).contains(&self.0)
    }
}

/// Limit type of Set Peer Bandwidth (section 5.4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LimitType(pub u8);

impl LimitType {
    /// `hard`, `soft`, `dynamic` or `unknown`.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "hard",
            1 => "soft",
            2 => "dynamic",
            _ => "unknown",
        }
    }
}

/// Event type of a User Control Message (section 7.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserControlEvent(pub u16);

impl UserControlEvent {
    /// The snake_case name that output uses; `unknown` for a number without one.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "stream_begin",
            1 => "stream_eof",
            2 => "stream_dry",
            3 => "set_buffer_length",
            4 => "stream_is_recorded",
            6 => "ping_request",
            7 => "ping_response",
            // Not in the specification; Flash Media Server and librtmp.
            0x1a => "swf_verification_request",
            0x1b => "swf_verification_response",
            0x1f => "buffer_empty",
            0x20 => "buffer_ready",
            _ => "unknown",
        }
    }
}
