// The lanes of a session on one time axis; zoom by wheel, drag, pinch and keys.

const LANES = [
  { id: "commands", name: "Commands", height: 40 },
  { id: "control", name: "Control", height: 18 },
  { id: "video", name: "Video", height: 44 },
  { id: "audio", name: "Audio", height: 28 },
  { id: "offset", name: "A\u2212V offset", height: 40 },
  { id: "bitrate", name: "Bitrate", height: 56 },
  { id: "flight", name: "In flight", height: 38 },
  { id: "trouble", name: "Loss, oddities", height: 18 },
  { id: "findings", name: "Findings", height: 26 },
];
const AXIS = 24;
const SHORTEST = 0.001;

class Timeline {
  constructor(detail, session, hooks) {
    this.detail = detail;
    this.session = session;
    this.hooks = hooks;
    this.length = Math.max(detail.length, SHORTEST);
    this.from = 0;
    this.to = this.length;
    this.cursor = null;
    this.active = null;
    this.drag = null;
    this.pointers = new Map();
    this.canvas = el("canvas", {
      tabindex: "0", role: "application", "aria-roledescription": "timeline", id: "timeline",
      "aria-label": "Timeline of session " + session.session + ". Plus and minus zoom, arrow keys pan, 0 shows all, "
        + "square brackets go to the previous and next finding, braces to the previous and next key frame.",
    });
    this.readout = el("div", { class: "readout" });
    this.listen();
  }

  // ---- the window ----

  set(from, to, quiet) {
    let span = Math.min(Math.max(to - from, SHORTEST), this.length);
    from = Math.min(Math.max(from, 0), this.length - span);
    this.from = from;
    this.to = from + span;
    this.canvas.dataset.from = this.from;
    this.canvas.dataset.to = this.to;
    this.draw();
    this.hooks.moved(this.from, this.to);
    if (!quiet) announce("Showing " + clock(this.from, span / 100) + " to " + clock(this.to, span / 100));
  }

  zoom(factor, at) {
    const span = this.to - this.from;
    const place = at === undefined ? (this.cursor !== null && this.cursor >= this.from && this.cursor <= this.to
      ? this.cursor : (this.from + this.to) / 2) : at;
    const next = Math.min(Math.max(span / factor, SHORTEST), this.length);
    const share = (place - this.from) / span;
    this.set(place - next * share, place + next * (1 - share));
  }

  pan(share) {
    const by = (this.to - this.from) * share;
    this.set(this.from + by, this.to + by);
  }

  fit() { this.set(0, this.length); }

  // Puts a moment in the middle, close enough to see what is around it.
  reveal(at, index) {
    const span = Math.min(this.to - this.from, Math.max(this.length / 12, 0.2));
    this.cursor = at;
    this.active = index === undefined ? null : index;
    this.set(at - span / 2, at + span / 2, true);
    this.tell();
  }

  // ---- places ----

  get gutter() { return this.canvas.clientWidth < 560 ? 0 : 104; }
  get right() { return this.canvas.clientWidth - 8; }
  x(t) { return this.gutter + (t - this.from) / (this.to - this.from) * (this.right - this.gutter); }
  t(x) { return this.from + (x - this.gutter) / (this.right - this.gutter) * (this.to - this.from); }

  columns() {
    const n = this.detail.series.video.length;
    const width = this.length / n;
    return { n, width, first: Math.max(0, Math.floor(this.from / width) - 1),
      last: Math.min(n - 1, Math.ceil(this.to / width) + 1) };
  }

  findingAt(finding) { return finding.place.time - this.session.start; }

  // Without a gutter, labels stand above their lanes.
  get strip() { return this.gutter ? 0 : 13; }
  get height() { return AXIS + LANES.reduce((sum, lane) => sum + lane.height + 4 + this.strip, 0); }

  // ---- drawing ----

  draw() {
    const { g, width, height } = context(this.canvas, this.height);
    g.fillStyle = palette.card;
    g.fillRect(0, 0, width, height);
    this.axis(g, width, height);
    let y = AXIS;
    for (const lane of LANES) {
      y += this.strip;
      g.fillStyle = palette.grid;
      g.fillRect(this.gutter, y + lane.height + 1.5, width - this.gutter, 1);
      g.save();
      g.beginPath();
      g.rect(this.gutter, y - 2, width - this.gutter, lane.height + 4);
      g.clip();
      this[lane.id](g, y, lane.height);
      g.restore();
      const unit = this.unit && this.unit[lane.id];
      g.textAlign = "left";
      if (this.gutter) {
        g.fillStyle = palette.soft;
        g.fillText(lane.name, 2, unit ? y + lane.height / 2 - 7 : y + lane.height / 2);
        if (unit) { g.fillStyle = palette.faint; g.fillText(unit, 2, y + lane.height / 2 + 8); }
      } else {
        g.fillStyle = palette.soft;
        g.fillText(lane.name + (unit ? " " + unit : ""), 2, y - 6);
      }
      y += lane.height + 4;
    }
    if (this.cursor !== null && this.cursor >= this.from && this.cursor <= this.to) {
      g.fillStyle = palette.cursor;
      g.fillRect(Math.round(this.x(this.cursor)) - 0.5, AXIS - 6, 1, height);
    }
    if (this.drag && this.drag.moved) {
      g.fillStyle = palette.select;
      const a = Math.min(this.drag.start, this.drag.now), b = Math.max(this.drag.start, this.drag.now);
      g.fillRect(a, AXIS, b - a, height);
    }
  }

  axis(g, width, height) {
    const step = tickStep(this.to - this.from, (this.right - this.gutter) / 95);
    g.textAlign = "center";
    for (let t = Math.ceil(this.from / step) * step; t <= this.to + step / 1e6; t += step) {
      const x = this.x(t);
      g.fillStyle = palette.grid;
      g.fillRect(Math.round(x), AXIS - 4, 1, height);
      const text = clock(t, step);
      const half = g.measureText(text).width / 2;
      g.fillStyle = palette.soft;
      g.fillText(text, Math.min(Math.max(x, this.gutter + half), width - half), 10);
    }
  }

  // Calls draw(x, width, i) for each visible column.
  each(draw) {
    const { width, first, last } = this.columns();
    for (let i = first; i <= last; i++) {
      const a = this.x(i * width), b = this.x((i + 1) * width);
      draw(a, Math.max(b - a, 0.7), i);
    }
  }

  commands(g, y, h) {
    let busy = [-1e9, -1e9];
    for (const c of this.detail.commands) {
      const until = c.until === null ? c.at : c.until;
      if (until < this.from || c.at > this.to) continue;
      const row = c.from_client ? 0 : 1;
      const x = this.x(c.at), w = Math.max(this.x(until) - x, 3);
      const top = y + row * (h / 2);
      g.fillStyle = c.failed ? palette.error : palette.command;
      g.globalAlpha = 0.9;
      g.fillRect(x, top + 2, w, 4);
      g.globalAlpha = 1;
      const label = c.name + (c.failed && c.code ? " " + c.code : "");
      const width = g.measureText(label).width;
      if (x > busy[row] + 6) {
        g.textAlign = "left";
        g.fillStyle = c.failed ? palette.error : palette.ink;
        g.fillText(label, Math.max(x, this.gutter + 1), top + 13);
        busy[row] = x + width;
      }
    }
  }

  control(g, y, h) {
    const s = this.detail.series;
    this.each((x, w, i) => {
      if (s.acks[i]) { g.fillStyle = palette.flight; g.fillRect(x, y + h - 6, Math.max(Math.min(w, 4), 1.5), 6); }
      if (s.control[i]) { g.fillStyle = palette.control; g.fillRect(x, y + 1, Math.max(Math.min(w, 5), 2), h - 9); }
    });
    for (const mark of this.detail.marks) {
      if (mark.kind !== "handshake" && mark.kind !== "end") continue;
      if (mark.at < this.from || mark.at > this.to) continue;
      g.fillStyle = mark.kind === "end" ? palette.ink : palette.command;
      g.fillRect(this.x(mark.at) - 1, y, 2, h);
    }
  }

  // Frames per column as heights; key frames as full bars.
  frames(g, y, h, values, keys, colour) {
    let most = 1;
    this.each((x, w, i) => { most = Math.max(most, values[i] || 0); });
    this.each((x, w, i) => {
      if (!values[i]) return;
      const top = 3 + (h - 6) * Math.sqrt(values[i] / most);
      g.fillStyle = colour;
      g.globalAlpha = 0.75;
      g.fillRect(x, y + h - top, w > 3 ? w - 1 : w, top);
      g.globalAlpha = 1;
    });
    if (keys) this.each((x, w, i) => {
      if (!keys[i]) return;
      g.fillStyle = palette.key;
      g.fillRect(x, y, Math.max(Math.min(w, 3), 1.5), h);
    });
  }

  video(g, y, h) { this.frames(g, y, h, this.detail.series.video, this.detail.series.keys, palette.video); }
  audio(g, y, h) { this.frames(g, y, h, this.detail.series.audio, null, palette.audio); }

  offset(g, y, h) {
    const values = this.detail.series.av_offset;
    let most = 20;
    this.each((x, w, i) => { if (values[i] !== null) most = Math.max(most, Math.abs(values[i])); });
    this.unit.offset = "\u00b1" + ms(most / 1e3);
    g.fillStyle = palette.line;
    g.fillRect(this.gutter, y + h / 2, this.right, 1);
    g.strokeStyle = palette.offset;
    g.lineWidth = 1.4;
    g.beginPath();
    let open = false;
    this.each((x, w, i) => {
      if (values[i] === null) return;
      const at = y + h / 2 - values[i] / most * (h / 2 - 2);
      if (open) g.lineTo(x, at); else g.moveTo(x, at);
      g.lineTo(x + w, at);
      open = true;
    });
    g.stroke();
  }

  bitrate(g, y, h) {
    const { video_kbps: video, audio_kbps: audio } = this.detail.series;
    let most = 1;
    this.each((x, w, i) => { most = Math.max(most, video[i] + audio[i]); });
    this.unit.bitrate = kbps(most);
    this.each((x, w, i) => {
      const a = audio[i] / most * (h - 2), v = video[i] / most * (h - 2);
      g.fillStyle = palette.audio;
      g.fillRect(x, y + h - a, w + 0.5, a);
      g.fillStyle = palette.video;
      g.fillRect(x, y + h - a - v, w + 0.5, v);
    });
  }

  flight(g, y, h) {
    const { flight_client: c, flight_server: s } = this.detail.series;
    let most = 1;
    this.each((x, w, i) => { most = Math.max(most, c[i] || 0, s[i] || 0); });
    this.unit.flight = bytes(most);
    for (const [values, colour] of [[c, palette.flight], [s, palette.audio]]) {
      g.strokeStyle = colour;
      g.lineWidth = 1.4;
      g.beginPath();
      let open = false;
      this.each((x, w, i) => {
        if (values[i] === null) return;
        const at = y + h - 1 - values[i] / most * (h - 3);
        if (open) g.lineTo(x, at); else g.moveTo(x, at);
        g.lineTo(x + w, at);
        open = true;
      });
      g.stroke();
    }
  }

  trouble(g, y, h) {
    const { lost, anomalies, damaged } = this.detail.series;
    this.each((x, w, i) => {
      if (lost[i]) { g.fillStyle = palette.lost; g.fillRect(x, y, Math.max(w, 2.5), h); }
      if (anomalies[i] || damaged[i]) { g.fillStyle = palette.warning; g.fillRect(x, y + h / 2, Math.max(w, 2.5), h / 2); }
    });
  }

  findings(g, y, h) {
    this.session.findings.forEach((finding, index) => {
      const at = this.findingAt(finding);
      if (at < this.from || at > this.to) return;
      const x = this.x(at);
      const on = index === this.active;
      g.fillStyle = palette[finding.severity] || palette.note;
      g.beginPath();
      g.moveTo(x, y + 2);
      g.lineTo(x + 7, y + 9);
      g.lineTo(x, y + 16);
      g.lineTo(x - 7, y + 9);
      g.closePath();
      g.fill();
      if (on) { g.strokeStyle = palette.ink; g.lineWidth = 2; g.stroke(); g.fillRect(x - 9, y + 20, 18, 3); }
    });
  }

  // ---- what is under the cursor ----

  tell() {
    if (this.cursor === null) { this.readout.textContent = "Point at the timeline to read values."; return; }
    const s = this.detail.series;
    const { n, width } = this.columns();
    const i = Math.min(n - 1, Math.max(0, Math.floor(this.cursor / width)));
    const parts = [clock(this.cursor, (this.to - this.from) / 500)];
    if (s.video_kbps[i] || s.audio_kbps[i]) {
      parts.push("video " + kbps(s.video_kbps[i]), "audio " + kbps(s.audio_kbps[i]));
    }
    if (s.av_offset[i] !== null) parts.push("A\u2212V " + s.av_offset[i] + " ms");
    if (s.lateness[i] !== null) parts.push("late " + s.lateness[i] + " ms");
    if (s.flight_client[i] !== null) parts.push("in flight " + bytes(s.flight_client[i]));
    if (s.lost[i]) parts.push(bytes(s.lost[i]) + " lost");
    const near = (this.to - this.from) / (this.right - this.gutter) * 6;
    for (const c of this.detail.commands) {
      if (c.at - near <= this.cursor && this.cursor <= (c.until === null ? c.at : c.until) + near) {
        parts.push(c.name + (c.code ? " " + c.code : "") + (c.until === null ? "" : " +" + ms(c.until - c.at)));
        if (parts.length > 9) break;
      }
    }
    for (const mark of this.detail.marks) {
      if (Math.abs(mark.at - this.cursor) <= near && parts.length < 11) parts.push(mark.text);
    }
    this.readout.textContent = parts.join("  \u00b7  ");
  }

  // ---- input ----

  step(list, forward) {
    const here = this.cursor === null ? (forward ? -1 : Infinity) : this.cursor;
    return forward ? list.find((t) => t > here + 1e-7) : list.filter((t) => t < here - 1e-7).pop();
  }

  key(forward) {
    const { width } = this.columns();
    const keys = [];
    this.detail.series.keys.forEach((count, i) => { if (count) keys.push((i + 0.5) * width); });
    const at = this.step(keys, forward);
    if (at === undefined) return;
    this.cursor = at;
    const span = this.to - this.from;
    if (at < this.from || at > this.to) this.set(at - span / 2, at + span / 2, true);
    this.tell();
    this.draw();
    announce("Key frame at " + clock(at, width));
  }

  finding(forward) {
    const count = this.session.findings.length;
    if (!count) return;
    const order = this.session.findings.map((_, i) => i)
      .sort((a, b) => this.findingAt(this.session.findings[a]) - this.findingAt(this.session.findings[b]));
    const place = order.indexOf(this.active);
    const next = place < 0 ? (forward ? 0 : count - 1) : (place + (forward ? 1 : count - 1)) % count;
    this.hooks.evidence(order[next], true);
  }

  listen() {
    const canvas = this.canvas;
    const place = (event) => event.clientX - canvas.getBoundingClientRect().left;
    canvas.addEventListener("wheel", (event) => {
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        this.pan((event.deltaX || event.deltaY) / 800);
        return;
      }
      // With all in view, scrolling on leaves the timeline.
      if (event.deltaY > 0 && this.to - this.from >= this.length * 0.999) return;
      event.preventDefault();
      this.zoom(Math.exp(-Math.max(-240, Math.min(240, event.deltaY)) * 0.0025), this.t(place(event)));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.focus({ preventScroll: true });
      try { canvas.setPointerCapture(event.pointerId); } catch (error) { /* a pointer that is gone */ }
      this.pointers.set(event.pointerId, place(event));
      const touch = event.pointerType === "touch";
      this.drag = { start: place(event), now: place(event), moved: false, touch, from: this.from, to: this.to };
      if (this.pointers.size === 2) {
        const [a, b] = [...this.pointers.values()];
        this.pinch = { a: this.t(a), b: this.t(b) };
        this.drag = null;
      }
    });
    canvas.addEventListener("pointermove", (event) => {
      const x = place(event);
      if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, x);
      if (this.pinch && this.pointers.size === 2) {
        const [a, b] = [...this.pointers.values()];
        if (Math.abs(a - b) < 8) return;
        const perPixel = (this.pinch.b - this.pinch.a) / (b - a);
        if (perPixel <= 0) return;
        const from = this.pinch.a - (a - this.gutter) * perPixel;
        this.set(from, from + (this.right - this.gutter) * perPixel, true);
        return;
      }
      if (this.drag) {
        this.drag.now = x;
        if (Math.abs(x - this.drag.start) > 4) this.drag.moved = true;
        if (this.drag.touch && this.drag.moved) {
          const by = (this.drag.start - x) / (this.right - this.gutter) * (this.drag.to - this.drag.from);
          this.set(this.drag.from + by, this.drag.to + by, true);
          return;
        }
      }
      this.cursor = Math.min(Math.max(this.t(x), 0), this.length);
      this.tell();
      this.draw();
    });
    const end = (event) => {
      this.pointers.delete(event.pointerId);
      if (this.pointers.size < 2) this.pinch = null;
      const drag = this.drag;
      this.drag = null;
      if (!drag) return;
      if (event.type === "pointerup" && drag.moved && !drag.touch) {
        const a = this.t(Math.min(drag.start, drag.now)), b = this.t(Math.max(drag.start, drag.now));
        this.set(a, b);
      } else if (event.type === "pointerup" && !drag.moved) {
        this.click(place(event), event.clientY - canvas.getBoundingClientRect().top);
      }
      this.draw();
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("dblclick", () => this.fit());
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const actions = {
        "+": () => this.zoom(1.6), "=": () => this.zoom(1.6), "-": () => this.zoom(1 / 1.6), "0": () => this.fit(),
        ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2),
        ArrowUp: () => this.zoom(1.6), ArrowDown: () => this.zoom(1 / 1.6),
        Home: () => this.set(0, this.to - this.from), End: () => this.set(this.length, this.length + this.to - this.from),
        "[": () => this.finding(false), "]": () => this.finding(true),
        "{": () => this.key(false), "}": () => this.key(true),
        Enter: () => { if (this.active !== null) this.hooks.open(this.active); },
      };
      const action = actions[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
    this.unit = {};
  }

  click(x, y) {
    const lane = this.height - LANES[LANES.length - 1].height - 8;
    this.cursor = Math.min(Math.max(this.t(x), 0), this.length);
    if (y >= lane) {
      let best = null;
      this.session.findings.forEach((finding, index) => {
        const far = Math.abs(this.x(this.findingAt(finding)) - x);
        if (far < 12 && (!best || far < best.far)) best = { far, index };
      });
      if (best) { this.hooks.open(best.index); return; }
    }
    this.tell();
    this.draw();
  }
}
