//! Startup chunks, flows and figures as the fields of facts.

use std::borrow::Cow;

use super::cipher::Protection;
use super::event::Target;
use super::keys::{SessionKeys, fingerprint};
use super::receive::Flow;
use super::session::Side;
use crate::transport::FactValue;
use crate::wire::rtmfp::{
    Address, Certificate, EndpointDiscriminator, FlowMetadata, KeyingComponent, chunk_name,
};

/// Fields of a fact.
pub(super) type Fields = Vec<(&'static str, FactValue)>;

fn text(value: impl Into<Cow<'static, str>>) -> FactValue {
    FactValue::Text(value.into())
}

fn lossy(bytes: &[u8]) -> FactValue {
    text(String::from_utf8_lossy(bytes).into_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whom an endpoint discriminator asks for. A fingerprint wins (RFC 7425 section 4.4).
pub(super) fn target(epd: &[u8]) -> Option<Target> {
    let epd = EndpointDiscriminator::parse(epd);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    match epd {
        EndpointDiscriminator { fingerprint: Some(id), .. } => Some(Target::Peer(id)),
        EndpointDiscriminator { ancillary: Some(uri), .. } => Some(Target::Uri(text(uri))),
        EndpointDiscriminator { hostname, .. } => Some(Target::Hostname(text(hostname?))),
    }
}

/// An endpoint discriminator.
pub(super) fn endpoint(bytes: &[u8]) -> Fields {
    let epd = EndpointDiscriminator::parse(bytes);
    let mut fields = Fields::new();
    if let Some(uri) = &epd.ancillary {
        fields.push(("uri", lossy(uri)));
    }
    if let Some(hostname) = &epd.hostname {
        fields.push(("hostname", lossy(hostname)));
    }
    if let Some(fingerprint) = &epd.fingerprint {
        fields.push(("peer_id", text(hex(fingerprint))));
    }
    if fields.is_empty() {
        fields.push(("endpoint", FactValue::Bytes(bytes.to_vec())));
    }
    if let Some(stop) = epd.stop {
        fields.push(("damaged", text(stop.to_string())));
    }
    fields
}

fn groups(groups: impl Iterator<Item = u64>) -> FactValue {
    FactValue::List(groups.map(|group| group.to_string()).collect())
}

/// A certificate.
pub(super) fn certificate(bytes: &[u8], fields: &mut Fields) {
    let certificate = Certificate::parse(bytes);
    fields.push(("peer_id", text(hex(&fingerprint(bytes)))));
    fields.push(("certificate_length", FactValue::Number(bytes.len() as u64)));
    if let Some(hostname) = &certificate.hostname {
        fields.push(("hostname", lossy(hostname)));
    }
    if certificate.accepts_ancillary {
        fields.push(("accepts_uri", FactValue::Flag(true)));
    }
    if !certificate.ephemeral_groups.is_empty() {
        fields.push(("dh_groups", groups(certificate.ephemeral_groups.iter().copied())));
    }
    if !certificate.static_keys.is_empty() {
        let numbers = certificate.static_keys.iter().map(|(group, _)| *group);
        fields.push(("static_dh_groups", groups(numbers)));
    }
    if let Some(stop) = certificate.stop {
        fields.push(("damaged", text(stop.to_string())));
    }
}

/// A keying component.
pub(super) fn component(bytes: &[u8], fields: &mut Fields) {
    let component = KeyingComponent::parse(bytes);
    if let Some(group) = component.group() {
        fields.push(("dh_group", FactValue::Number(group)));
    }
    if let Some((_, key)) = &component.ephemeral_key {
        fields.push(("dh_key", FactValue::Bytes(key.clone())));
    }
    fields.push(("hmac", text(component.hmac.text())));
    fields.push(("hmac_length", FactValue::Number(component.hmac_len)));
    fields.push(("sequence_numbers", text(component.sequence.text())));
    if let Some(stop) = component.stop {
        fields.push(("damaged", text(stop.to_string())));
    }
}

/// Where a Redirect leads.
pub(super) fn addresses(addresses: &[Address]) -> FactValue {
    let one = |address: &Address| format!("{} ({})", address.socket, address.origin.name());
    FactValue::List(addresses.iter().map(one).collect())
}

/// What a flow is for.
pub(super) fn flow(id: u64, metadata: Option<&FlowMetadata>, association: Option<u64>) -> Fields {
    let mut fields = vec![("flow", FactValue::Number(id))];
    match metadata {
        Some(metadata) => {
            fields.push(("carries", text(metadata.name())));
            match metadata {
                FlowMetadata::Tc { stream_id, network_order } => {
                    if let Some(id) = stream_id {
                        fields.push(("stream_id", FactValue::Number(*id)));
                    }
                    if *network_order {
                        fields.push(("network_order", FactValue::Flag(true)));
                    }
                }
                FlowMetadata::Group(kind) => {
                    fields.push(("group_flow", FactValue::Number(u64::from(*kind))));
                }
                FlowMetadata::Other(value) => {
                    let printable = value.iter().all(|byte| (0x20..0x7f).contains(byte));
                    let value = match printable {
                        true => lossy(value),
                        false => FactValue::Bytes(value.clone()),
                    };
                    fields.push(("metadata", value));
                }
            }
        }
        None => fields.push(("carries", text("unknown"))),
    }
    if let Some(association) = association {
        fields.push(("answers_flow", FactValue::Number(association)));
    }
    fields
}

/// What came of a flow.
pub(super) fn flow_figures(id: u64, flow: &Flow) -> Fields {
    let figures = &flow.figures;
    let mut fields = self::flow(id, flow.metadata.as_ref(), flow.association);
    fields.push(("messages", FactValue::Number(figures.messages)));
    fields.push(("fragments", FactValue::Number(figures.fragments)));
    fields.push(("bytes", FactValue::Number(figures.bytes)));
    for (name, count) in [
        ("repeated", figures.repeated),
        ("out_of_order", figures.late),
        ("too_late", figures.too_late),
        ("lost", figures.lost),
        ("uncaptured", figures.uncaptured),
        ("abandoned", figures.abandoned),
        ("damaged_messages", figures.damaged),
        ("short_messages", figures.short),
        ("acks", figures.acks),
        ("missing_at_receiver", figures.missing_at_receiver),
    ] {
        if count > 0 {
            fields.push((name, FactValue::Number(count)));
        }
    }
    if let Some(last) = flow.last {
        fields.push(("final_sequence", FactValue::Number(last)));
    }
    if let Some(code) = flow.rejected {
        fields.push(("rejected", FactValue::Number(code)));
    }
    fields
}

/// What came of a direction.
pub(super) fn side_figures(side: &Side) -> Fields {
    let mut fields = vec![
        ("packets", FactValue::Number(side.traffic.packets)),
        ("bytes", FactValue::Number(side.traffic.bytes)),
    ];
    let numbers = &side.numbers;
    if let Some(first) = numbers.first {
        fields.push(("first_number", FactValue::Number(first)));
        fields.push(("last_number", FactValue::Number(numbers.highest)));
    }
    for (name, count) in [
        ("missing_numbers", numbers.missing()),
        ("repeated_numbers", numbers.repeated),
        ("late_numbers", numbers.late),
        ("not_decrypted", side.refused),
    ] {
        if count > 0 {
            fields.push((name, FactValue::Number(count)));
        }
    }
    if !side.chunks.is_empty() {
        let one = |(kind, count): (&u8, &u64)| match chunk_name(*kind) {
            "unknown" => format!("{kind:02x} {count}"),
            name => format!("{name} {count}"),
        };
        fields.push(("chunks", FactValue::List(side.chunks.iter().map(one).collect())));
    }
    if !side.groups.is_empty() {
        let one = |(name, count): (&&str, &u64)| format!("{name} {count}");
        fields.push(("group_messages", FactValue::List(side.groups.iter().map(one).collect())));
    }
    fields
}

/// A session id as it is usually written.
pub(super) fn session_id(id: u32) -> FactValue {
    text(format!("{id:08x}"))
}

/// How packets are protected.
pub(super) fn keys(source: FactValue, keys: &SessionKeys) -> Fields {
    let one = |side: &Protection| {
        let check = match side.hmac {
            Some((_, len)) => format!("hmac {len}"),
            None => "checksum".to_owned(),
        };
        text(if side.numbered { check + ", numbered" } else { check })
    };
    vec![
        ("from", source),
        ("initiator_sends", one(&keys.initiator)),
        ("responder_sends", one(&keys.responder)),
    ]
}
