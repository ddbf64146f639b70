//! Live capture from a network interface, through libpcap.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::merge::Next;
use super::stop::StopFlag;
use crate::base::{LinkType, Packet, Timestamp};

/// Pause between looks at a silent interface. libpcap's own waiting is no use: on Linux its timeout
/// does not end a wait while no packet comes at all, so that a stop would not be noticed.
const PAUSE: Duration = Duration::from_millis(4);
/// Memory that packets are copied into, a piece at a time. Small, since one kept packet keeps all
/// of its piece.
const ARENA: usize = 64 << 10;
/// Kernel buffer: 32 MiB ride out a second of decoding trouble at 250 Mbit/s.
const KERNEL_BUFFER: i32 = 32 << 20;

/// What to capture.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Interface name; `any` is all of them, on Linux.
    pub interface: String,
    /// BPF filter in libpcap's language; empty for everything.
    pub filter: String,
    /// Most bytes captured of a packet. RTMP decoding wants whole packets.
    pub snap_len: u32,
    /// Whether packets not meant for this host are captured too.
    pub promiscuous: bool,
    /// Ends the capture.
    pub stop: StopFlag,
}

impl LiveOptions {
    /// Whole packets, no filter, promiscuous.
    pub fn new(interface: impl Into<String>) -> LiveOptions {
        LiveOptions {
            interface: interface.into(),
            filter: String::new(),
            snap_len: 262_144,
            promiscuous: true,
            stop: StopFlag::new(),
        }
    }
}

/// Why live capture does not work, in words that say what to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveError {
    /// The user may not capture.
    Permission {
        /// The interface.
        interface: String,
    },
    /// There is no such interface.
    NoSuchInterface {
        /// The interface.
        interface: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The interface is down.
    Down {
        /// The interface.
        interface: String,
    },
    /// The filter is wrong.
    Filter {
        /// The filter.
        filter: String,
        /// What libpcap said.
        message: String,
    },
    /// Anything else that libpcap reports.
    Other {
        /// What it said.
        message: String,
    },
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LiveError::Permission { interface } => write!(
                f,
                "not permitted to capture on {interface}: run as root, give this program the right once \
                 (sudo setcap cap_net_raw,cap_net_admin+ep {}), or let tcpdump capture: \
                 sudo tcpdump -i {interface} -U -w - | rtmpscope dump -",
                program()
            ),
            LiveError::NoSuchInterface { interface, known } if known.is_empty() => {
                write!(
                    f,
                    "there is no interface {interface}, and none that this user may capture on"
                )
            }
            LiveError::NoSuchInterface { interface, known } => {
                write!(f, "there is no interface {interface}; there are: {}", known.join(", "))
            }
            LiveError::Down { interface } => {
                write!(f, "interface {interface} is down; bring it up first")
            }
            LiveError::Filter { filter, message } => {
                write!(
                    f,
                    "the capture filter {filter:?} is wrong ({message}); it is in libpcap's language, such \
                     as: tcp port 1935"
                )
            }
            LiveError::Other { message } => write!(f, "live capture failed: {message}"),
        }
    }
}

impl std::error::Error for LiveError {}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The name to open it by.
    pub name: String,
    /// A description, where the system has one.
    pub description: Option<String>,
    /// Its addresses, as text.
    pub addresses: Vec<String>,
    /// Whether it is up.
    pub up: bool,
    /// Whether it is a loopback interface.
    pub loopback: bool,
}

/// The interfaces this user may see.
pub fn interfaces() -> Result<Vec<DeviceInfo>, LiveError> {
    let devices = pcap::Device::list().map_err(|e| LiveError::Other { message: said(e) })?;
    let info = |device: pcap::Device| DeviceInfo {
        up: device.flags.is_up(),
        loopback: device.flags.is_loopback(),
        addresses: device.addresses.iter().map(|address| address.addr.to_string()).collect(),
        description: device.desc,
        name: device.name,
    };
    Ok(devices.into_iter().map(info).collect())
}

/// Packets that never reached the program, since the capture began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DropCounts {
    /// Packets that matched the filter.
    pub received: u64,
    /// Dropped because the kernel's buffer was full: they were not read fast enough.
    pub by_kernel: u64,
    /// Dropped by the interface or its driver.
    pub by_interface: u64,
}

/// A running live capture.
pub struct Live {
    handle: pcap::Capture<pcap::Active>,
    link: LinkType,
    /// Nanoseconds in the fraction field of a time.
    scale: i64,
    stop: StopFlag,
    arena: BytesMut,
    frames: u64,
    error: Option<LiveError>,
}

impl Live {
    /// Starts capturing.
    pub fn open(options: &LiveOptions) -> Result<Live, LiveError> {
        let failed = |e| explain(&options.interface, e);
        let snap_len = i32::try_from(options.snap_len).unwrap_or(i32::MAX);
        let prepare = |precision| {
            let inactive =
                pcap::Capture::from_device(options.interface.as_str()).map_err(failed)?;
            inactive
                .promisc(options.promiscuous)
                .snaplen(snap_len.clamp(1, 262_144))
                .timeout(PAUSE.as_millis() as i32)
                // Without it packets wait in the kernel until a buffer is full.
                .immediate_mode(true)
                .buffer_size(KERNEL_BUFFER)
                .precision(precision)
                .open()
                .and_then(pcap::Capture::setnonblock)
                .map_err(failed)
        };
        // Not every system counts in nanoseconds.
        let (mut handle, scale) = match prepare(pcap::Precision::Nano) {
            Ok(handle) => (handle, 1),
            Err(LiveError::Other { .. }) => (prepare(pcap::Precision::Micro)?, 1_000),
            Err(error) => return Err(error),
        };
        if !options.filter.is_empty() {
            handle.filter(&options.filter, true).map_err(|e| LiveError::Filter {
                filter: options.filter.clone(),
                message: said(e),
            })?;
        }
        Ok(Live {
            link: LinkType(handle.get_datalink().0 as u32),
            handle,
            scale,
            stop: options.stop.clone(),
            arena: BytesMut::new(),
            frames: 0,
            error: None,
        })
    }

    /// How the packets begin.
    pub fn link(&self) -> LinkType {
        self.link
    }

    /// The next packet; `None` once stopped, or after an [`error`](Live::error).
    pub fn next_packet(&mut self) -> Option<Packet> {
        loop {
            match self.poll_packet(Duration::from_secs(1)) {
                Next::Packet(packet) => return Some(packet),
                Next::Idle => {}
                Next::End => return None,
            }
        }
    }

    /// The next packet, if it comes within `timeout`, to within a few milliseconds.
    pub fn poll_packet(&mut self, timeout: Duration) -> Next {
        let start = Instant::now();
        loop {
            if self.stop.is_set() || self.error.is_some() {
                return Next::End;
            }
            match self.handle.next_packet() {
                Ok(packet) => {
                    if self.arena.capacity() < packet.data.len() {
                        self.arena = BytesMut::with_capacity(ARENA.max(packet.data.len()));
                    }
                    self.arena.extend_from_slice(packet.data);
                    let data: Bytes = self.arena.split().freeze();
                    self.frames += 1;
                    let header = *packet.header;
                    // The types of `timeval` differ between systems.
                    #[allow(clippy::unnecessary_cast)]
                    let (seconds, fraction) = (header.ts.tv_sec as i64, header.ts.tv_usec as i64);
                    let nanos = seconds.saturating_mul(1_000_000_000);
                    return Next::Packet(Packet {
                        frame: self.frames,
                        time: Timestamp(nanos.saturating_add(fraction * self.scale)),
                        link: self.link,
                        original_len: header.len.max(header.caplen),
                        data,
                    });
                }
                Err(pcap::Error::TimeoutExpired) => {}
                Err(pcap::Error::NoMorePackets) => return Next::End,
                Err(e) => {
                    self.error = Some(LiveError::Other { message: said(e) });
                    return Next::End;
                }
            }
            match timeout.checked_sub(start.elapsed()) {
                Some(left) if !left.is_zero() => std::thread::sleep(left.min(PAUSE)),
                _ => return Next::Idle,
            }
        }
    }

    /// Why the capture ended by itself, such as an interface that went away.
    pub fn error(&self) -> Option<&LiveError> {
        self.error.as_ref()
    }

    /// What was lost before it could be read.
    pub fn drops(&mut self) -> DropCounts {
        let counts = self.handle.stats().map(|stats| DropCounts {
            received: stats.received.into(),
            by_kernel: stats.dropped.into(),
            by_interface: stats.if_dropped.into(),
        });
        counts.unwrap_or_default()
    }
}

/// Where this program is, for a line to copy.
fn program() -> String {
    std::env::current_exe().map_or_else(|_| "PATH".into(), |path| path.display().to_string())
}

fn said(error: pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(message) => message,
        other => other.to_string(),
    }
}

/// libpcap tells kinds of failures apart only in its texts.
fn explain(interface: &str, error: pcap::Error) -> LiveError {
    let message = said(error);
    let interface = interface.to_owned();
    let says = |texts: &[&str]| texts.iter().any(|text| message.to_lowercase().contains(text));
    if says(&["permission", "not permitted", "eperm", "eacces"]) {
        LiveError::Permission { interface }
    } else if says(&["no such device", "bios name", "doesn't exist", "device not configured"]) {
        let known = interfaces().unwrap_or_default();
        let known = known.into_iter().map(|device| device.name).collect();
        LiveError::NoSuchInterface { interface, known }
    } else if says(&["is not up", "network is down"]) {
        LiveError::Down { interface }
    } else {
        LiveError::Other { message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libpcap_texts_become_advice() {
        let text =
            |message: &str| explain("eth9", pcap::Error::PcapError(message.to_owned())).to_string();
        let denied =
            text("eth9: You don't have permission to perform this capture (socket: EPERM)");
        assert!(denied.contains("setcap") && denied.contains("tcpdump -i eth9"), "{denied}");
        assert!(text("eth9: No such device exists").contains("no interface eth9"));
        assert!(text("eth9: That device is not up").contains("is down"));
        assert!(text("out of cheese").contains("out of cheese"));
    }

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        let error = Live::open(&LiveOptions::new("nosuch0")).err().expect("cannot open");
        assert!(error.to_string().contains("nosuch0"), "{error}");
    }

    /// Where the user may capture on the loopback interface, a datagram sent there is captured.
    #[test]
    fn loopback_traffic_is_captured_and_a_stop_ends_it() {
        use std::net::UdpSocket;
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = socket.local_addr().expect("bound");
        let loopback = interfaces().ok().into_iter().flatten().find(|device| device.loopback);
        let Some(loopback) = loopback else { return };
        let mut options = LiveOptions::new(loopback.name);
        options.filter = format!("udp dst port {}", address.port());
        let mut live = match Live::open(&options) {
            Ok(live) => live,
            Err(LiveError::Permission { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        socket.send_to(b"to be captured", address).expect("sent");
        let Next::Packet(packet) = live.poll_packet(Duration::from_secs(20)) else {
            panic!("nothing captured: {:?}", live.error());
        };
        assert!(packet.data.ends_with(b"to be captured"));
        assert_eq!((packet.frame, packet.original_len as usize), (1, packet.data.len()));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let apart = now.expect("after 1970").as_nanos() as i64 - packet.time.0;
        assert!(apart.abs() < 60_000_000_000, "{apart} ns apart");
        assert_eq!(live.drops().by_kernel, 0);
        assert!(matches!(live.poll_packet(Duration::from_millis(60)), Next::Idle));
        options.stop.stop();
        assert!(live.next_packet().is_none() && live.error().is_none());

        options.filter = "tcp prot 1935".to_owned();
        let error = Live::open(&options).err().expect("a wrong filter");
        assert!(matches!(error, LiveError::Filter { .. }), "{error}");
    }
}
