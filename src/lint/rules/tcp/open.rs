//! Connections that carried nothing, or something before RTMP.

use super::tcp;
use crate::analysis::{SessionEnd, SessionRecord, Transport};
use crate::base::Direction;
use crate::flow::{EndReason, RoleSource};
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "tcp/connect-refused",
        layer: Layer::Tcp,
        title: "Nothing listens on that port",
        severity: Severity::Error,
        escalates: None,
        spec: tcp("3.5.3"),
        basis: Basis::Robustness,
        explanation: "The SYN was answered with a RST: the host is there, and no program listens \
            on this port and address.",
        advice: "The server is not running, listens on another port or on another address \
            (localhost only). RTMP is 1935 by default, RTMPS mostly 443.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(refused)],
    },
    Rule {
        id: "tcp/connect-timeout",
        layer: Layer::Tcp,
        title: "Server never answered the connection attempt",
        severity: Severity::Error,
        escalates: None,
        spec: tcp("3.5"),
        basis: Basis::Robustness,
        explanation: "The SYN was repeated and nothing came back.",
        advice: "A firewall, a security group or a missing port forwarding drops the port. \
            Networks of companies often let 80 and 443 pass only: try RTMPS on 443.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(timeout)],
    },
    Rule {
        id: "tcp/probe-connection",
        layer: Layer::Tcp,
        title: "A port probe, not a stream",
        severity: Severity::Note,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "The connection was opened and closed without a byte of payload: the health \
            check of a load balancer, of Kubernetes, or a port scan.",
        advice: "Harmless. Do not count it as a failed session.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(probe)],
    },
    Rule {
        id: "tcp/proxy-protocol-preamble",
        layer: Layer::Tcp,
        title: "A PROXY header precedes the handshake",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: None,
        basis: Basis::DeFacto,
        explanation: "A load balancer put a PROXY protocol header before C0. A server that does \
            not expect it takes its first byte for the RTMP version: 80 (P) or 13.",
        advice: "Tell the server (nginx: listen ... proxy_protocol) or switch PROXY protocol off \
            in the load balancer.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Session(preamble)],
    },
];

fn nothing_said(end: &SessionEnd) -> bool {
    end.tcp.iter().all(|stats| stats.bytes == 0 && stats.network_lost_bytes == 0)
}

fn refused(cx: &mut Context<'_>, end: &SessionEnd) {
    let by_server = end.reason == EndReason::Reset(Direction::ServerToClient);
    // A SYN-ACK would be a packet of its own beside the RST.
    let answers = end.tcp[1].packets;
    if by_server && nothing_said(end) && cx.state.info.role == RoleSource::Syn && answers <= 1 {
        let words = format!("port {} answered the SYN with a RST", cx.state.info.server.port());
        cx.report(Report::new(Place::at(end.time, Some(Direction::ClientToServer)), words));
    }
}

fn timeout(cx: &mut Context<'_>, end: &SessionEnd) {
    let [client, server] = &end.tcp;
    if nothing_said(end) && server.packets == 0 && client.packets >= 2 {
        let words = format!(
            "{} packet(s) to port {} in {:.1} s, no answer",
            client.packets,
            cx.state.info.server.port(),
            super::span(end.start, end.time)
        );
        cx.report(Report::new(Place::at(end.start, Some(Direction::ClientToServer)), words));
    }
}

fn probe(cx: &mut Context<'_>, end: &SessionEnd) {
    let opened = cx.state.info.role == RoleSource::Syn && end.tcp[1].packets >= 1;
    let refused =
        end.tcp[1].packets == 1 && end.reason == EndReason::Reset(Direction::ServerToClient);
    let closed = matches!(end.reason, EndReason::Fin(_) | EndReason::Reset(_));
    if opened && !refused && closed && nothing_said(end) {
        let from = cx.state.info.client.ip();
        let before = cx.others.ended().filter(|other| {
            other.client.ip() == from && other.bytes == [0, 0] && other.last == [None, None]
        });
        let before = before.count();
        let again = match before {
            0 => String::new(),
            n => format!(", {n} more from the same address before"),
        };
        let words =
            format!("open for {:.1} s, no byte sent{again}", super::span(end.start, end.time));
        cx.report(Report::new(Place::at(end.start, Some(Direction::ClientToServer)), words));
    }
}

fn preamble(cx: &mut Context<'_>, record: &SessionRecord) {
    let note = record.note.as_deref().unwrap_or_default();
    if record.transport == Transport::Unknown && note.starts_with("PROXY") {
        let direction = Some(Direction::ClientToServer);
        let place = Place { frames: vec![record.frame], ..Place::at(record.time, direction) };
        cx.report(Report::new(place, format!("the connection begins with a {note}")));
    }
}
