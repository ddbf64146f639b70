// Numbers, colours.

const data = JSON.parse(document.getElementById("data").textContent);

// What was left out to keep the file small: texts of rules, and series of nothing.
for (const list of [data.report.findings, ...data.report.sessions.map((s) => s.findings)]) {
  for (const finding of list) Object.assign(finding, data.rules[finding.rule]);
}
const GAPS = ["av_offset", "lateness", "flight_client", "flight_server"];
for (const detail of data.detail) {
  for (const [name, values] of Object.entries(detail.series)) {
    if (!values.length) detail.series[name] = new Array(detail.columns).fill(GAPS.includes(name) ? null : 0);
  }
}

function ms(seconds) {
  const value = Math.abs(seconds);
  if (value < 5e-7) return "0 s";
  if (value < 0.0001) return (seconds * 1e6).toFixed(0) + " \u00b5s";
  if (value < 0.01) return (seconds * 1e3).toFixed(2) + " ms";
  if (value < 1) return (seconds * 1e3).toFixed(0) + " ms";
  return seconds.toFixed(value < 100 ? 2 : 1) + " s";
}

// A time on the axis, with as many digits as the step between ticks needs.
function clock(seconds, step) {
  const digits = step >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(step)));
  if (Math.abs(seconds) < 60) return seconds.toFixed(digits) + " s";
  const sign = seconds < 0 ? "-" : "";
  const all = Math.abs(seconds);
  const h = Math.floor(all / 3600), m = Math.floor(all / 60) % 60;
  const s = (all % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return sign + (h ? h + ":" + String(m).padStart(2, "0") : m) + ":" + s;
}

function bytes(value) {
  if (value < 1e4) return value + " B";
  if (value < 1e7) return (value / 1e3).toFixed(1) + " kB";
  if (value < 1e10) return (value / 1e6).toFixed(1) + " MB";
  return (value / 1e9).toFixed(1) + " GB";
}

function kbps(value) {
  return value >= 1e4 ? (value / 1e3).toFixed(1) + " Mbit/s" : Math.round(value) + " kbit/s";
}

// A round step that puts about `count` ticks on `span`.
function tickStep(span, count) {
  const rough = span / Math.max(1, count);
  if (rough >= 30) {
    for (const step of [60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400]) if (step >= rough) return step;
  }
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  for (const factor of [1, 2, 5, 10]) if (factor * power >= rough) return factor * power;
  return 10 * power;
}

const palette = {};
function readPalette() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["page", "card", "ink", "soft", "faint", "line", "grid", "accent", "error", "warning", "note",
    "video", "key", "audio", "command", "control", "offset", "flight", "lost", "cursor", "select"]) {
    palette[name] = style.getPropertyValue("--" + name).trim();
  }
}
readPalette();

// A canvas context in CSS pixels, sized to its element.
function context(canvas, height) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || 300;
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.height = height + "px";
  }
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";
  g.textBaseline = "middle";
  return { g, width, height };
}

function chips(counts, plain) {
  const parts = [];
  for (const severity of ["error", "warning", "note"]) {
    if (counts[severity]) parts.push(el("span", { class: "chip " + severity }, plural(counts[severity], severity)));
  }
  if (!parts.length) parts.push(el("span", { class: "chip ok" }, plain || "no findings"));
  return el("span", { class: "chips" }, parts);
}
