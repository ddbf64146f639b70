//! How the packets of a pcapng interface are to be read: link type, and what a tick is.

use crate::base::{LinkType, Timestamp};

/// How the time of a packet counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// So many nanoseconds.
    Nanos(u64),
    /// So many to a nanosecond.
    PerNano(u64),
    /// 2^-n seconds.
    Binary(u32),
    /// Seconds by the option (zero), which no capture uses: a time that makes no sense as seconds
    /// is taken as the default, microseconds.
    DoubtfulSeconds,
}

impl Unit {
    pub(super) const MICROS: Unit = Unit::Nanos(1_000);

    /// Of an `if_tsresol` option; `None` when no capture can mean it.
    pub(super) fn parse(value: u8) -> Option<Unit> {
        let exponent = u32::from(value & 0x7f);
        match (value & 0x80 != 0, exponent) {
            (true, 0..=63) => Some(Unit::Binary(exponent)),
            (false, 0) => Some(Unit::DoubtfulSeconds),
            (false, 1..=9) => Some(Unit::Nanos(10_u64.pow(9 - exponent))),
            (false, 10..=19) => Some(Unit::PerNano(10_u64.pow(exponent - 9))),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn nanos(self, ticks: u64) -> i64 {
        let clamp = |nanos: u128| i64::try_from(nanos).unwrap_or(i64::MAX);
        match self {
            Unit::Nanos(scale) => {
                ticks.checked_mul(scale).and_then(|n| i64::try_from(n).ok()).unwrap_or(i64::MAX)
            }
            Unit::PerNano(per) => clamp(u128::from(ticks / per)),
            Unit::Binary(shift) => clamp((u128::from(ticks) * 1_000_000_000) >> shift),
            Unit::DoubtfulSeconds => match ticks.checked_mul(1_000_000_000).map(i64::try_from) {
                Some(Ok(nanos)) => nanos,
                _ => Unit::MICROS.nanos(ticks),
            },
        }
    }
}

/// What the packets of an interface need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decode {
    pub(super) link: LinkType,
    pub(super) snap_len: u32,
    pub(super) unit: Unit,
    /// Nanoseconds added to every time.
    pub(super) offset: i64,
    /// Place in the log's list.
    pub(super) listed: Option<usize>,
}

impl Decode {
    pub(super) const ASSUMED: Decode = Decode {
        link: LinkType::ETHERNET,
        snap_len: 0,
        unit: Unit::MICROS,
        offset: 0,
        listed: None,
    };

    #[inline]
    pub(super) fn time(&self, ticks: u64) -> Timestamp {
        Timestamp(self.unit.nanos(ticks).saturating_add(self.offset))
    }
}
