//! onMetaData: when it comes and whether it is true.

use super::command::from_client;
use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};
use crate::lint::state::{Kind, StreamUse};
use crate::wire::amf::Value;
use crate::wire::message::Body;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Media,
    title: "",
    severity: Severity::Note,
    escalates: None,
    spec: Some(SpecRef { document: "FLV 10.1", section: "E.5" }),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Direction,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "media/metadata-order",
        title: "onMetaData missing or after the media",
        escalates: Some(Severity::Error),
        explanation: "Audio or video came before any onMetaData. Some servers decide by it which \
            tracks there are (older MediaMTX).",
        advice: "Send @setDataFrame onMetaData right after Publish.Start.",
        covers: &["rtmp/publish/metadata-setdataframe"],
        checks: &[Check::Media(order)],
        ..BASE
    },
    Rule {
        id: "media/metadata-contradicts",
        title: "Metadata disagrees with the stream",
        explanation: "onMetaData says another picture size, frame rate, sample rate or codec than \
            the stream has. Players and transcoders that believe it get it wrong.",
        advice: "Fix the encoder's metadata; receivers should read the configuration records.",
        covers: &["flv/script/onmetadata-consistency"],
        checks: &[Check::End(contradicts)],
        ..BASE
    },
    Rule {
        id: "media/metadata-repeated",
        title: "The same metadata sent several times",
        explanation: "onMetaData came again with the same content.",
        advice: "Harmless for most receivers.",
        covers: &["rtmp/publish/second-metadata"],
        checks: &[Check::Data(repeated)],
        ..BASE
    },
];

fn order(cx: &mut Context<'_>, record: &MessageRecord) {
    let client = cx.state.client();
    if !from_client(record) || client.metadata.is_some() || client.media_messages() > 0 {
        return;
    }
    if cx.state.purpose() == Some(StreamUse::Publish) {
        let kind = record.message.type_id.kind();
        cx.report(Report::message(record, format!("{kind} came before any onMetaData")));
    }
}

fn number(value: &Value, name: &str) -> Option<f64> {
    value.get(name)?.as_number().filter(|number| number.is_finite() && *number > 0.0)
}

fn contradicts(cx: &mut Context<'_>, _end: &SessionEnd) {
    let client = cx.state.client();
    let Some((place, said)) = client.metadata.as_ref().filter(|_| client.is_whole()) else {
        return;
    };
    let mut wrong = Vec::new();
    let mut serious = false;
    if let Some(track) = client.track(Kind::Video, 0) {
        let config = track.config.as_ref().and_then(|record| record.config.as_ref());
        let size = config.and_then(|config| Some((config.width?, config.height?)));
        let told = number(said, "width").zip(number(said, "height"));
        if let (Some((width, height)), Some((w, h))) = (size, told)
            && (f64::from(width) != w || f64::from(height) != h)
        {
            wrong.push(format!("size {w:.0}x{h:.0}, the stream's is {width}x{height}"));
            serious = true;
        }
        let rate = (track.steps.count >= 50).then(|| 1000.0 / track.steps.mean.max(1.0));
        if let (Some(rate), Some(told)) = (rate, number(said, "framerate"))
            && (rate / told - 1.0).abs() > 0.1
        {
            wrong.push(format!("frame rate {told:.2}, the stream's is {rate:.2}"));
        }
        if let (Some(told), Some(id)) = (number(said, "videocodecid"), track.legacy_id)
            && told < 256.0
            && told != f64::from(id)
        {
            wrong.push(format!("videocodecid {told}, the stream's is {id}"));
        }
    }
    if let Some(track) = client.track(Kind::Audio, 0) {
        let config = track.config.as_ref().and_then(|record| record.config.as_ref());
        let rate = config.and_then(|config| config.sample_rate).map(f64::from);
        if let (Some(rate), Some(told)) = (rate, number(said, "audiosamplerate"))
            && (rate / told - 1.0).abs() > 0.05
        {
            wrong.push(format!("audiosamplerate {told:.0}, the stream's is {rate:.0}"));
        }
        if let (Some(told), Some(id)) = (number(said, "audiocodecid"), track.legacy_id)
            && told < 256.0
            && told != f64::from(id)
        {
            wrong.push(format!("audiocodecid {told}, the stream's is {id}"));
        }
    }
    if !wrong.is_empty() {
        let place = Place { direction: Some(Direction::ClientToServer), ..place.clone() };
        let words = format!("onMetaData says {}", wrong.join("; "));
        cx.report(Report::new(place, words).warning_if(serious));
    }
}

fn repeated(cx: &mut Context<'_>, record: &MessageRecord) {
    let Body::Data(data) = &record.message.body else { return };
    let Some((_, old)) = &cx.state.side(record.message.direction).metadata else { return };
    let named = data.values.iter().position(|v| v.as_text().is_some_and(|n| *n == "onMetaData"));
    let new = named.and_then(|at| data.values.get(at + 1));
    if new == Some(old) && !cx.repeats(record.message.direction, record.message.time) {
        cx.report(Report::message(record, "onMetaData with the same content as before"));
    }
}
