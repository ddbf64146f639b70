// What stands around the timeline: facts, set-up, findings, charts, ladder.

function facts(session) {
  const f = session.figures;
  const list = [];
  const add = (name, value) => { if (value !== null && value !== undefined && value !== "") list.push([name, value]); };
  const media = (m) => m.frames ? [plural(m.frames, "frame"),
    m.fps ? m.fps.toFixed(2).replace(/\.?0+$/, "") + " fps" : null, m.kbps ? kbps(m.kbps) : null].filter(Boolean).join(", ") : "";
  add("Connection", session.client + " \u2192 " + session.server);
  add("Transport", session.transport + (session.midstream ? ", capture begins in mid-stream" : ""));
  add("Role", session.role);
  add("App", session.app);
  add("tcUrl", session.tc_url);
  add("Stream", session.stream);
  add("Video", [session.video, media(f.video)].filter(Boolean).join(", "));
  add("Audio", [session.audio, media(f.audio)].filter(Boolean).join(", "));
  add("First key frame", f.video.first_key === null ? null : "after " + ms(f.video.first_key));
  add("Key frames every", f.video.gop_ms ? ms(f.video.gop_ms[0] / 1e3) + " to " + ms(f.video.gop_ms[2] / 1e3)
    + ", mean " + ms(f.video.gop_ms[1] / 1e3) : null);
  add("A\u2212V offset", f.av_offset_ms ? f.av_offset_ms[0] + " to " + f.av_offset_ms[1] + " ms" : null);
  add("Longest pause", f.video.frames ? ms(f.video.max_gap) + " of video"
    + (f.audio.frames ? ", " + ms(f.audio.max_gap) + " of audio" : "") : null);
  add("Bytes", bytes(f.bytes[0]) + " from client, " + bytes(f.bytes[1]) + " from server");
  add("Loss", bytes(f.capture_lost_bytes) + " missing in the capture, " + bytes(f.network_lost_bytes) + " lost on the way"
    + (f.retransmissions[0] + f.retransmissions[1] ? ", retransmissions " + f.retransmissions.join("/") : ""));
  add("Round trip", f.rtt_ms.filter((v) => v !== null).map((v) => ms(v / 1e3)).join(" / "));
  add("Ended", session.close.text + (session.close.last_status ? "; last status " + session.close.last_status : ""));
  return el("dl", { class: "facts" }, list.map(([name, value]) => el("div", { class: String(value).length > 44 ? "wide" : null }, el("dt", {}, name), el("dd", {}, value))));
}

function setupPanel(session) {
  const steps = session.setup;
  if (steps.length < 2) return null;
  const end = Math.max(...steps.map((s) => s.until === null ? s.at : s.until), 1e-6);
  const rows = steps.map((s) => {
    const from = s.at / end * 100;
    const until = s.state === "unanswered" ? 100 : (s.until === null ? s.at : s.until) / end * 100;
    const moment = s.until === null && s.state !== "unanswered";
    const bar = el("i", {
      class: moment && s.state === "moment" ? "moment" : s.state,
      style: "left:" + Math.min(from, 99) + "%;" + (moment ? "" : "width:" + Math.max(until - from, 0.4) + "%"),
    });
    const took = s.state === "unanswered" ? "no answer" : s.until === null ? "at " + ms(s.at) : "+" + ms(s.until - s.at);
    return [el("span", {}, s.name), el("span", { class: "track", "aria-hidden": "true" }, bar),
      el("span", { class: "took" }, took + (s.detail ? "  " + s.detail : ""))];
  });
  return el("section", { class: "card" }, el("h3", {}, "Set-up, " + ms(end) + " to its last step"),
    el("div", { class: "setup" }, rows));
}

function place(p) {
  const parts = [];
  if (p.direction) parts.push(p.direction === "client_to_server" ? "client to server" : "server to client");
  if (p.frames.length) parts.push((p.frames.length > 1 ? "packets " : "packet ") + p.frames.join(" "));
  if (p.bytes) parts.push("stream bytes " + p.bytes[0] + " to " + Math.max(p.bytes[0], p.bytes[1] - 1));
  return parts.join(", ");
}

function findingItem(finding, index, session, hooks) {
  const at = finding.place.time - (session ? session.start : 0);
  const jump = (label, time) => el("button", {
    type: "button", class: "evidence",
    onclick: () => hooks.evidence(index, false, time),
  }, label);
  const body = el("div", { class: "body" },
    finding.explanation ? el("p", {}, finding.explanation) : null,
    finding.advice ? el("p", {}, finding.advice) : null,
    el("p", { class: "rule" }, el("code", {}, finding.rule), finding.spec
      ? ", " + finding.spec.document + ", " + finding.spec.section : "", ", basis: " + finding.basis),
    el("p", { class: "rule" }, "First at " + ms(at) + (place(finding.place) ? ", " + place(finding.place) : "")
      + (finding.count > 1 ? "; " + finding.count + " times" : "")),
    finding.related.map((r) => el("p", { class: "rule" }, r.what + ": " + ms(r.place.time - (session ? session.start : 0))
      + (r.session ? " in session " + r.session : "") + (place(r.place) ? ", " + place(r.place) : ""))),
    hooks ? el("p", { class: "chips" }, jump("Show on the timeline"),
      finding.more.slice(0, 6).map((more) => jump("at " + ms(more.time - session.start), more.time - session.start))) : null);
  const details = el("details", { class: "finding" },
    el("summary", {}, el("span", {}, el("span", { class: "chip " + finding.severity }, finding.severity)),
      el("span", { class: "title" }, finding.title),
      el("span", { class: "where" }, "at " + ms(at) + (finding.count > 1 ? ", " + finding.count + "\u00d7" : "")),
      finding.message ? el("span", { class: "message" }, finding.message) : null),
    body);
  return el("li", { id: session ? "s" + session.session + "-f" + (index + 1) : null }, details);
}

// Small charts with the timeline's window.
class Charts {
  constructor(detail) {
    this.detail = detail;
    this.figures = [];
    const s = detail.series;
    const some = (values) => values.some((v) => v !== null && v !== 0);
    if (some(s.video_kbps) || some(s.audio_kbps)) {
      this.add("Bitrate", "kbit/s", [["video", "video", s.video_kbps], ["audio", "audio", s.audio_kbps]], kbps);
    }
    if (detail.gops.length) this.add("Time between key frames", "ms", [["GOP", "key", null, detail.gops]], (v) => ms(v / 1e3));
    if (some(s.av_offset)) this.add("A\u2212V offset, video ahead of audio", "ms", [["offset", "offset", s.av_offset]], (v) => Math.round(v) + " ms", true);
    if (some(s.lateness)) this.add("Media later than its timestamps", "ms", [["late", "warning", s.lateness]], (v) => Math.round(v) + " ms", true);
    if (some(s.flight_client) || some(s.flight_server)) {
      this.add("Bytes not acknowledged by RTMP", "bytes", [["from client", "flight", s.flight_client],
        ["from server", "audio", s.flight_server]].filter((l) => some(l[2])), bytes);
    }
    this.node = el("section", { class: "card" }, el("h3", {}, "Charts"),
      el("div", { class: "charts" }, this.figures.map((f) => f.node)));
  }

  add(title, unit, lines, format, signed) {
    const canvas = el("canvas", { role: "img" });
    const legend = lines.length > 1 ? el("span", { class: "legend" }, lines.map((l) =>
      el("span", {}, el("i", { style: "background:var(--" + l[1] + ")" }), l[0]))) : null;
    const node = el("figure", {}, el("figcaption", {}, el("span", {}, title), legend), canvas);
    this.figures.push({ title, lines, format, signed, canvas, node });
  }

  draw(from, to) {
    for (const figure of this.figures) this.one(figure, from, to);
  }

  one(figure, from, to) {
    const { g, width, height } = context(figure.canvas, 120);
    const left = 4, top = 8, bottom = height - 20, right = width - 4;
    const n = this.detail.series.video.length, step = this.detail.length / n;
    const points = figure.lines.map(([, colour, values, pairs]) => ({ colour, stem: !!pairs, list: pairs
      ? pairs.filter(([t]) => t >= from && t <= to)
      : values.map((v, i) => [(i + 0.5) * step, v]).filter(([t, v]) => v !== null && t >= from - step && t <= to + step) }));
    const all = points.flatMap((p) => p.list.map(([, v]) => v));
    let high = Math.max(...all.slice(0, 50000), 1), low = figure.signed ? Math.min(...all.slice(0, 50000), 0) : 0;
    if (!all.length) { high = 1; low = 0; }
    const x = (t) => left + (t - from) / (to - from) * (right - left);
    const y = (v) => bottom - (v - low) / (high - low) * (bottom - top);
    g.fillStyle = palette.grid;
    for (const v of [low, (low + high) / 2, high]) g.fillRect(left, Math.round(y(v)), right - left, 1);
    if (low < 0) { g.fillStyle = palette.faint; g.fillRect(left, Math.round(y(0)), right - left, 1); }
    g.save();
    g.beginPath();
    g.rect(left, 0, right - left, bottom + 1);
    g.clip();
    for (const { colour, list, stem } of points) {
      g.strokeStyle = g.fillStyle = palette[colour];
      g.lineWidth = 1.5;
      g.beginPath();
      list.forEach(([t, v], i) => {
        if (stem) { g.fillRect(x(t) - 1, y(v), 2, bottom - y(v)); return; }
        if (i && t - list[i - 1][0] < step * 8 + 1) g.lineTo(x(t), y(v)); else g.moveTo(x(t), y(v));
      });
      g.stroke();
    }
    g.restore();
    g.fillStyle = palette.soft;
    g.textAlign = "left";
    g.fillText(all.length ? figure.format(high) : "nothing in this window", left + 2, top + 6);
    g.fillText(clock(from, (to - from) / 50), left, height - 8);
    g.textAlign = "right";
    g.fillText(clock(to, (to - from) / 50), right, height - 8);
    if (low < 0) g.fillText(figure.format(low), right - 2, bottom - 6);
    figure.canvas.setAttribute("aria-label", all.length ? figure.title + ", from " + clock(from, 0.1) + " to "
      + clock(to, 0.1) + ": least " + figure.format(Math.min(...all.slice(0, 50000))) + ", greatest "
      + figure.format(high) : figure.title + ": nothing in this window");
  }
}

function ladderPanel(detail, session, hooks) {
  const rungs = detail.ladder.map((rung) => {
    const style = ["arrow", rung.from || "none", rung.kind === "media" ? "media" : "", rung.failed ? "bad" : ""];
    const arrow = rung.from === "c" ? " to the server: " : rung.from === "s" ? " to the client: " : "";
    const text = rung.text + (rung.response === null ? "" : "  +" + ms(rung.response));
    return el("li", { onclick: () => hooks.show(rung.at), "data-at": rung.at },
      el("span", { class: "at" }, rung.at.toFixed(3)),
      el("span", { class: "delta" }, "+" + ms(Math.max(0, rung.delta))),
      el("span", { class: style.filter(Boolean).join(" ") },
        arrow ? el("span", { class: "visually-hidden" }, arrow) : null, text));
  });
  return el("section", { class: "card ladder" }, el("h3", {}, "Ladder"),
    el("div", { class: "peers" }, el("span"), el("span"), el("b", {}, "client " + session.client), el("b", {}, "server " + session.server)),
    el("ol", { tabindex: "0", "aria-label": "Steps of the session" }, rungs),
    detail.ladder_dropped ? el("p", { class: "meta" }, plural(detail.ladder_dropped, "further step") + " not shown") : null);
}
