// Puts the page together and keeps one session in view.

const report = data.report;
let current = null;

function header() {
  const names = report.captures.map((name) => name.split("/").pop());
  const parts = [report.packets + " packets", ms(report.duration), plural(report.sessions.length + data.omitted.sessions, "session"),
    plural(report.messages, "message"), "profile " + report.profile];
  if (report.epoch_ns !== null) {
    const at = new Date(report.epoch_ns / 1e6);
    if (!Number.isNaN(at.getTime())) parts.unshift(at.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC"));
  }
  document.getElementById("top").append(
    el("h1", {}, names.join(", ")),
    el("p", { class: "meta" }, parts.join("  \u00b7  ")),
    el("p", {}, chips(report.counts)),
    ...report.capture_errors.map((error) => el("p", { class: "damage" }, error)),
    report.findings.length ? el("section", { class: "card" }, el("h3", {}, "About the capture"),
      el("ul", { class: "findings" }, report.findings.map((f, i) => findingItem(f, i, null, null)))) : "");
}

function sessionTable() {
  const head = el("thead", {}, el("tr", {}, ["#", "What happened", "Peers", "Stream", "Media"].map((t) => el("th", { scope: "col" }, t)),
    el("th", { scope: "col", class: "num" }, "Start"), el("th", { scope: "col", class: "num" }, "Length"),
    el("th", { scope: "col" }, "Findings")));
  const rows = report.sessions.map((s) => {
    const stream = [s.role, [s.app, s.stream].filter(Boolean).join("/")].filter(Boolean).join(" ");
    const button = el("button", { type: "button", class: "pick-button", "aria-label": "Show session " + s.session }, s.session);
    const row = el("tr", { class: "pick", id: "row-" + s.session, onclick: () => pick(s.session, true) },
      el("td", {}, button), el("td", {}, s.headline.text), el("td", {}, s.client + " \u2192 " + s.server),
      el("td", {}, stream), el("td", {}, [s.video, s.audio].filter(Boolean).join(", ")),
      el("td", { class: "num", "data-label": "starts" }, ms(s.start)), el("td", { class: "num", "data-label": "lasts" }, ms(s.duration)),
      el("td", {}, s.headline.outcome === "failed" ? el("span", { class: "chip error" }, "failed") : null, " ", chips(s.counts, "none")));
    return row;
  });
  const table = el("table", { class: "sessions" }, head, el("tbody", {}, rows));
  table.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const buttons = [...table.querySelectorAll(".pick-button")];
    const next = buttons.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (!buttons[next]) return;
    event.preventDefault();
    buttons[next].focus();
    pick(report.sessions[next].session, false);
  });
  const omitted = [];
  if (data.omitted.sessions) omitted.push(plural(data.omitted.sessions, "session") + " with fewer findings not listed");
  if (data.omitted.timelines) omitted.push(plural(data.omitted.timelines, "session") + " without a timeline");
  if (data.omitted.findings) omitted.push(plural(data.omitted.findings, "finding") + " not listed");
  document.getElementById("sessions").append(el("div", { class: "card" },
    el("h2", { id: "sessions-title" }, "Sessions"),
    rows.length ? table : el("p", { class: "meta" }, "No RTMP was found in this capture."),
    omitted.length ? el("p", { class: "meta" }, omitted.join("; ") + ". rtmpscope report --format json has all.") : ""));
}

function pick(number, scroll) {
  const session = report.sessions.find((s) => s.session === number);
  if (!session) return;
  for (const row of document.querySelectorAll("tr.pick")) {
    row.setAttribute("aria-current", row.id === "row-" + number ? "true" : "false");
  }
  const root = document.getElementById("session");
  root.replaceChildren();
  const detail = data.detail.find((d) => d.session === number);
  const state = { failed: " failed", impaired: " warned", unreadable: " plain" }[session.headline.outcome] || "";
  const hooks = {
    moved: (from, to) => current && current.charts && current.charts.draw(from, to),
    evidence: (index, keep, at) => evidence(index, keep, at),
    open: (index) => openFinding(index, true),
    show: (at) => { current.timeline.reveal(at); toTimeline(); },
  };
  current = { session, timeline: null, charts: null };
  root.append(el("h2", { id: "session-title", tabindex: "-1" }, "Session " + number));
  root.append(el("section", { class: "card" },
    el("p", { class: "headline" + state }, session.headline.text, session.headline.cause
      ? el("small", {}, "cause: ", el("code", {}, session.headline.cause)) : null),
    facts(session)));
  if (detail) {
    const timeline = new Timeline(detail, session, hooks);
    current.timeline = timeline;
    const button = (label, text, action) => el("button", { type: "button", "aria-label": text, title: text, onclick: action }, label);
    root.append(el("section", { class: "card", id: "timeline-card" },
      el("div", { class: "bar" }, el("h3", {}, "Timeline"),
        button("+", "Zoom in", () => timeline.zoom(1.6)), button("\u2212", "Zoom out", () => timeline.zoom(1 / 1.6)),
        button("All", "Show the whole session", () => timeline.fit()),
        session.findings.length ? button("\u2039 finding", "Previous finding", () => timeline.finding(false)) : null,
        session.findings.length ? button("finding \u203a", "Next finding", () => timeline.finding(true)) : null,
        el("span", { class: "hint" }, "wheel or + \u2212 zooms, drag selects, \u2190 \u2192 pan, 0 all, [ ] findings, { } key frames")),
      el("div", { class: "timeline" }, timeline.canvas), timeline.readout));
    current.charts = new Charts(detail);
    timeline.tell();
  }
  root.append(el("section", { class: "card" }, el("h3", {}, "Findings"), session.findings.length
    ? el("ul", { class: "findings" }, session.findings.map((f, i) => findingItem(f, i, session, detail ? hooks : null)))
    : el("p", { class: "meta" }, "None of the rules has anything to say about this session.")));
  const setup = setupPanel(session);
  if (setup) root.append(setup);
  if (current.charts && current.charts.figures.length) root.append(current.charts.node);
  if (detail) root.append(ladderPanel(detail, session, hooks));
  if (current.timeline) current.timeline.set(0, current.timeline.length, true);
  if (scroll) {
    document.getElementById("session-title").scrollIntoView({ block: "start" });
    document.getElementById("session-title").focus({ preventScroll: true });
    announce("Session " + number + ": " + session.headline.text);
  }
}

function toTimeline() {
  document.getElementById("timeline-card").scrollIntoView({ block: "start", behavior: "auto" });
  current.timeline.canvas.focus({ preventScroll: true });
}

// Shows on the timeline and in the ladder where a finding is.
function evidence(index, keep, at) {
  const { session, timeline } = current;
  const finding = session.findings[index];
  if (!finding || !timeline) return;
  const time = at === undefined ? timeline.findingAt(finding) : at;
  timeline.reveal(Math.min(Math.max(time, 0), timeline.length), index);
  for (const item of document.querySelectorAll("ul.findings > li.here, .ladder li.here")) item.classList.remove("here");
  openFinding(index, false);
  let best = null;
  for (const rung of document.querySelectorAll(".ladder li")) {
    const far = Math.abs(Number(rung.dataset.at) - time);
    if (!best || far < best.far) best = { far, rung };
  }
  if (best) {
    best.rung.classList.add("here");
    const list = best.rung.parentElement;
    list.scrollTop = best.rung.offsetTop - list.offsetTop - 120;
  }
  if (!keep) toTimeline();
  announce(finding.severity + ": " + finding.title + ", at " + ms(time));
  history.replaceState(null, "", "#s" + session.session + "-f" + (index + 1));
}

function openFinding(index, focus) {
  const item = document.getElementById("s" + current.session.session + "-f" + (index + 1));
  if (!item) return;
  for (const other of document.querySelectorAll("ul.findings > li.here")) other.classList.remove("here");
  item.classList.add("here");
  item.querySelector("details").open = true;
  if (focus) {
    if (current.timeline) { current.timeline.active = index; current.timeline.draw(); }
    item.scrollIntoView({ block: "center" });
    item.querySelector("summary").focus({ preventScroll: true });
  }
}

function redraw() {
  readPalette();
  if (!current || !current.timeline) return;
  current.timeline.draw();
  current.charts.draw(current.timeline.from, current.timeline.to);
}

header();
sessionTable();
document.getElementById("foot").append(el("p", {}, "Made by " + report.program + " " + report.version
  + ". Names of streams, tokens and addresses of the capture are shown as the command line asked."));
const wanted = /^#s(\d+)(?:-f(\d+))?$/.exec(location.hash);
const worst = [...report.sessions].sort((a, b) => b.counts.error - a.counts.error || (b.headline.outcome === "failed") - (a.headline.outcome === "failed")
  || b.counts.warning - a.counts.warning || a.session - b.session)[0];
if (wanted && report.sessions.some((s) => s.session === Number(wanted[1]))) {
  pick(Number(wanted[1]), false);
  if (wanted[2]) evidence(Number(wanted[2]) - 1, false);
} else if (worst) {
  pick(worst.session, false);
}
window.addEventListener("resize", redraw);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
document.documentElement.dataset.ready = "true";
