//! `--session`, `--type` and `--filter`.

use crate::analysis::Record;
use crate::analysis::filter::{Filter, RecordFilter};
use crate::wire::message::MessageType;

/// Which records are printed.
#[derive(Clone, Debug, Default)]
pub(super) struct Select {
    sessions: Vec<u32>,
    kinds: Vec<Kind>,
    filter: Option<RecordFilter>,
    summary: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Type(u8),
    Handshake,
    Anomaly,
    Gap,
    Layer,
}

/// Names that stand for several types.
const GROUPS: &[(&str, &[u8])] = &[
    ("media", &[8, 9, 22]),
    ("control", &[1, 2, 3, 4, 5, 6]),
    ("command", &[17, 20]),
    ("data", &[15, 18]),
    ("shared_object", &[16, 19]),
    ("amf0", &[18, 19, 20]),
    ("amf3", &[15, 16, 17]),
    ("ack", &[3]),
    ("metadata", &[15, 18]),
];

impl Select {
    /// Reads what was typed.
    pub(super) fn new(
        sessions: Vec<u32>,
        kinds: &[String],
        summary: bool,
    ) -> Result<Select, String> {
        let mut select = Select { sessions, kinds: Vec::new(), filter: None, summary };
        for kind in kinds {
            select.add(kind)?;
        }
        Ok(select)
    }

    /// Adds `--filter`.
    pub(super) fn filter(&mut self, text: &str) -> Result<(), String> {
        let filter = Filter::parse(text).map_err(|error| {
            let at = text.get(..error.span.start).unwrap_or(text).chars().count() + 1;
            format!("--filter {text}: at {at}: {error}")
        })?;
        self.filter = Some(RecordFilter::new(filter));
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let name = text.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        if let Ok(number) = name.parse() {
            self.kinds.push(Kind::Type(number));
            return Ok(());
        }
        match name.as_str() {
            "handshake" => self.kinds.push(Kind::Handshake),
            "anomaly" => self.kinds.push(Kind::Anomaly),
            "gap" => self.kinds.push(Kind::Gap),
            _ => {
                let of_group = GROUPS.iter().find(|(group, _)| *group == name);
                let types: Vec<u8> = match of_group {
                    Some((_, types)) => types.to_vec(),
                    None if name == "unknown" => {
                        (0..=255).filter(|t| !MessageType(*t).is_known()).collect()
                    }
                    None => (0..=255).filter(|t| MessageType(*t).kind() == name).collect(),
                };
                if types.is_empty() {
                    return Err(format!("--type {text}: no such type; {}", known()));
                }
                self.kinds.extend(types.into_iter().map(Kind::Type));
            }
        }
        Ok(())
    }

    /// Whether the record is printed. To be asked about every record, in order.
    pub(super) fn takes(&mut self, record: &Record) -> bool {
        // The filter looks back: it must see what is not printed too.
        let filtered = self.filter.as_mut().is_none_or(|filter| filter.takes(record));
        filtered && self.takes_kind(record)
    }

    fn takes_kind(&self, record: &Record) -> bool {
        let (session, kind) = match record {
            Record::Begin(_) | Record::End(_) => return true,
            Record::Session(r) => return self.takes_session(Some(r.session)),
            Record::SessionEnd(r) => return self.takes_session(Some(r.session)),
            Record::Message(r) => (Some(r.session), Kind::Type(r.message.type_id.0)),
            Record::Handshake(r) => (Some(r.session), Kind::Handshake),
            Record::Anomaly(r) => (r.session, Kind::Anomaly),
            Record::Gap(r) => (Some(r.session), Kind::Gap),
            Record::Transport(r) => (Some(r.session), Kind::Layer),
            Record::Tcp(_) => return false,
        };
        !self.summary
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
            && self.takes_session(session)
    }

    fn takes_session(&self, session: Option<u32>) -> bool {
        // What is about the capture itself concerns every session.
        self.sessions.is_empty() || session.is_none_or(|s| self.sessions.contains(&s))
    }
}

/// All names, for the error.
fn known() -> String {
    let mut names: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
    names.extend((0..=255).map(|t| MessageType(t).kind()).filter(|k| *k != "unknown"));
    names.extend(["handshake", "anomaly", "gap", "layer", "unknown"]);
    format!("there are: {}, and type ids 0 to 255", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{AnomalyRecord, Begin};

    fn select(kinds: &[&str]) -> Result<Select, String> {
        let kinds: Vec<String> = kinds.iter().map(|k| (*k).to_owned()).collect();
        Select::new(vec![], &kinds, false)
    }

    #[test]
    fn names_numbers_and_groups() {
        let types = |names: &[&str]| select(names).unwrap().kinds;
        assert_eq!(types(&["video", "20"]), [Kind::Type(9), Kind::Type(20)]);
        assert_eq!(types(&["Command"]), [Kind::Type(17), Kind::Type(20)]);
        assert_eq!(types(&["set-chunk-size"]), [Kind::Type(1)]);
        assert_eq!(types(&["gap", "anomaly"]), [Kind::Gap, Kind::Anomaly]);
        assert!(types(&["unknown"]).contains(&Kind::Type(7)));
        let error = select(&["vidio"]).unwrap_err();
        assert!(error.contains("vidio") && error.contains("video") && error.contains("media"));
        assert!(select(&["256"]).is_err());
    }

    #[test]
    fn sessions_and_the_capture_itself() {
        let anomaly = |session, detail: &str| {
            Record::Anomaly(AnomalyRecord {
                session,
                kind: "x",
                direction: None,
                time: None,
                frame: None,
                offset: None,
                csid: None,
                detail: detail.to_owned(),
            })
        };
        let mut only_two = Select::new(vec![2], &[], false).unwrap();
        assert!(only_two.takes(&anomaly(Some(2), "")) && only_two.takes(&anomaly(None, "")));
        assert!(!only_two.takes(&anomaly(Some(1), "")));
        assert!(only_two.takes(&Record::Begin(Begin { epoch: None })));
        let mut summary = Select::new(vec![], &[], true).unwrap();
        assert!(!summary.takes(&anomaly(Some(1), "")));
    }
}
