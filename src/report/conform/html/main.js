// Servers, filter, the table of cases.

const data = JSON.parse(document.getElementById("data").textContent);
const VERDICTS = ["CRASH", "HANG", "FAIL", "FLAKY", "NONSTRICT", "INCONCLUSIVE", "UNSUPPORTED", "FACT", "PASS"];
const many = data.columns.length > 1;
const rows = data.groups.flatMap((group) => group.rows);
const filter = { text: "", verdicts: new Set(), level: "", differs: false, unexpected: false };
const dialog = document.getElementById("detail");
let open = null;

function header() {
  const one = data.columns[0];
  const parts = [plural(rows.length, "case")];
  if (!many && one) {
    parts.push(one.target, one.started.replace("T", " ").replace("Z", " UTC"), ms(one.duration_ms / 1000), "seed " + one.seed);
    if (one.shard) parts.push("shard " + one.shard);
  }
  document.getElementById("top").append(el("h1", {}, document.title), el("p", { class: "meta" }, parts.join("  \u00b7  ")));
  document.getElementById("foot").append(el("p", {}, "Made by rtmpscope " + data.version + "."));
}

function share(column) {
  const total = VERDICTS.reduce((sum, verdict) => sum + column.counts[verdict], 0) || 1;
  return el("div", { class: "share", "aria-hidden": "true" }, [...VERDICTS].reverse().map((verdict) => column.counts[verdict]
    ? el("i", { class: kindOf(verdict), style: "width:" + 100 * column.counts[verdict] / total + "%" }) : null));
}

function servers() {
  const table = el("table", { class: "servers" },
    el("thead", {}, el("tr", {}, ["Server", "Outcome", "Cases by verdict", "Share"].map((t) => el("th", { scope: "col" }, t)))),
    el("tbody", {}, data.columns.map((column) => el("tr", {},
      el("th", { scope: "row" }, column.label),
      el("td", {}, column.unexpected ? el("span", { class: "chip error" }, column.unexpected + " unexpected")
        : el("span", { class: "chip ok" }, "as expected")),
      el("td", {}, el("span", { class: "chips" }, VERDICTS.map((verdict) => column.counts[verdict]
        ? el("span", { class: "chip " + kindOf(verdict) }, column.counts[verdict] + " " + verdict) : null))),
      el("td", {}, share(column))))));
  const about = data.columns.map((column) => el("details", { class: "facts" },
    el("summary", {}, "About " + (many ? column.label : "the server")),
    el("dl", { class: "facts" }, [["target", column.target], ["started", column.started], ["took", ms(column.duration_ms / 1000)],
      ["seed", column.seed], ...column.facts.map((f) => [f.name, f.value])].map(([name, value]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, value))))));
  const stale = data.columns.flatMap((column) => column.stale.map((entry) =>
    el("p", { class: "damage" }, (many ? column.label + ": " : "") + "stale expectation: " + entry)));
  document.getElementById("servers").append(el("div", { class: "card" }, table, stale, about));
}

function filters() {
  const total = (verdict) => data.columns.reduce((sum, column) => sum + column.counts[verdict], 0);
  const check = (name, text) => el("label", {}, el("input", { type: "checkbox", id: "only-" + name, onchange: (event) => {
    filter[name] = event.target.checked;
    apply();
  } }), text);
  const search = el("input", { type: "search", id: "text", placeholder: "id, requirement, section, detail", oninput: (event) => {
    filter.text = event.target.value.toLowerCase();
    apply();
  } });
  const level = el("select", { id: "level", onchange: (event) => { filter.level = event.target.value; apply(); } },
    ["", "must", "should", "may"].map((value) => el("option", { value }, value ? value.toUpperCase() : "any")));
  document.getElementById("filters").append(
    el("label", { class: "text" }, el("span", {}, "Filter"), search),
    el("span", { class: "chips", role: "group", "aria-label": "Verdicts" }, VERDICTS.filter((verdict) => total(verdict)).map((verdict) =>
      el("button", { type: "button", class: "toggle", "data-verdict": verdict, "aria-pressed": "false", onclick: (event) => {
        const on = !filter.verdicts.delete(verdict);
        if (on) filter.verdicts.add(verdict);
        event.currentTarget.setAttribute("aria-pressed", String(on));
        apply();
      } }, verdict))),
    el("label", {}, "Level ", level),
    check("unexpected", "unexpected only"),
    many ? check("differs", "only where servers differ") : "",
    el("output", { id: "count" }));
}

function cellButton(row, column) {
  const cell = row.cells[column];
  const label = data.columns[column].label;
  if (!cell) return el("td", { role: "gridcell", "data-label": label }, el("span", { class: "none" }, "not run"));
  const mark = { "unexpected-pass": "\u2757", "expected": "\u2713" }[cell.status];
  return el("td", { role: "gridcell", "data-label": label },
    el("button", { type: "button", class: "cell", tabindex: "-1", "aria-label": cell.verdict + ", " + row.id + ", " + label,
      title: cell.detail || row.says, onclick: () => show(row, column) },
    verdictChip(cell.verdict), mark ? el("span", { class: "mark", title: STATUS[cell.status] }, mark) : null));
}

function table() {
  const head = el("thead", {}, el("tr", { role: "row" }, el("th", { scope: "col", role: "columnheader" }, "Case"),
    data.columns.map((column) => el("th", { scope: "col", role: "columnheader" }, many ? column.label : "Verdict"))));
  const bodies = data.groups.map((group) => {
    const lines = group.rows.map((row) => {
      row.node = el("tr", { role: "row" },
        el("th", { scope: "row", role: "rowheader" }, el("code", {}, row.id), el("span", { class: "tag" }, row.level.toUpperCase()),
          row.basis === "spec" ? null : el("span", { class: "tag" }, row.basis), el("span", { class: "says" }, row.says)),
        data.columns.map((_, i) => cellButton(row, i)));
      row.words = [row.id, row.says, row.level, row.basis, ...row.sections, ...row.cells.map((c) => c ? c.verdict + " " + (c.detail || "") : "")]
        .join("\n").toLowerCase();
      return row.node;
    });
    group.node = el("tbody", {}, el("tr", { class: "place", role: "row" },
      el("th", { scope: "rowgroup", role: "rowheader", colspan: 1 + data.columns.length }, group.name, el("small", {}, group.title))), lines);
    return group.node;
  });
  const node = el("table", { class: "matrix" + (many ? " many" : ""), role: "grid", "aria-label": "Cases and verdicts" }, head, bodies);
  node.addEventListener("keydown", arrows);
  node.addEventListener("focusin", (event) => { if (event.target.matches("button.cell")) rove(event.target); });
  document.getElementById("cases").append(el("div", { class: "scroll" }, node),
    el("p", { class: "meta", id: "nothing", hidden: true }, "No case fits the filter."));
}

// One cell is in the order of the Tab key, the arrow keys go to the others.
function rove(button) {
  for (const other of document.querySelectorAll("button.cell[tabindex='0']")) other.tabIndex = -1;
  if (button) button.tabIndex = 0;
}

function arrows(event) {
  const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  const button = event.target.closest("button.cell");
  if (!button || !(by || event.key === "Home" || event.key === "End")) return;
  event.preventDefault();
  const shown = rows.filter((row) => !row.node.hidden);
  let y = shown.findIndex((row) => row.node.contains(button));
  let x = [...shown[y].node.querySelectorAll("td")].indexOf(button.parentElement);
  if (!by) y = event.key === "Home" ? 0 : shown.length - 1;
  for (;;) {
    if (by) { y += by[0]; x += by[1]; }
    const cell = shown[y] && shown[y].node.querySelectorAll("td")[x];
    if (!cell) return;
    const next = cell.querySelector("button.cell");
    if (next) { next.focus(); return; }
    if (!by) return;
  }
}

function fits(row) {
  if (filter.text && !filter.text.split(/\s+/).every((word) => row.words.includes(word))) return false;
  if (filter.level && row.level !== filter.level) return false;
  const cells = row.cells.filter(Boolean);
  if (filter.verdicts.size && !cells.some((cell) => filter.verdicts.has(cell.verdict))) return false;
  if (filter.unexpected && !cells.some((cell) => cell.status.startsWith("unexpected"))) return false;
  return !filter.differs || new Set(cells.map((cell) => cell.verdict)).size > 1;
}

function apply() {
  let shown = 0;
  for (const group of data.groups) {
    let any = false;
    for (const row of group.rows) {
      row.node.hidden = !fits(row);
      if (!row.node.hidden) { any = true; shown += 1; }
    }
    group.node.hidden = !any;
  }
  document.getElementById("count").textContent = shown === rows.length ? plural(shown, "case") : shown + " of " + plural(rows.length, "case");
  document.getElementById("nothing").hidden = shown > 0;
  const current = document.querySelector("tr:not([hidden]) button.cell[tabindex='0']");
  if (!current) rove(document.querySelector("tbody:not([hidden]) tr:not([hidden]) button.cell"));
}

function buttonOf(row, column) {
  return row.node.querySelectorAll("td")[column].querySelector("button.cell");
}

function show(row, column) {
  open = { row, column };
  fillDetail(dialog, row, column, { show, step });
  if (!dialog.open) dialog.showModal();
  document.getElementById("detail-title").focus({ preventScroll: true });
  history.replaceState(null, "", "#" + row.id + (many ? "@" + column : ""));
  const cell = row.cells[column];
  announce(row.id + ": " + (cell ? cell.verdict : "not run"));
}

function step(by) {
  const shown = rows.filter((row) => !row.node.hidden && row.cells[open.column]);
  const next = shown[shown.indexOf(open.row) + by];
  if (next) show(next, open.column);
}

dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "ArrowRight") step(1);
  if (event.key === "ArrowLeft") step(-1);
});
dialog.addEventListener("close", () => {
  const button = open && buttonOf(open.row, open.column);
  open = null;
  history.replaceState(null, "", location.pathname + location.search);
  if (button && !button.closest("tr").hidden) button.focus();
});

header();
servers();
filters();
table();
apply();
const wanted = /^#([^@]+)(?:@(\d+))?$/.exec(decodeURIComponent(location.hash));
if (wanted) {
  const row = rows.find((r) => r.id === wanted[1]);
  const column = Number(wanted[2] || 0);
  if (row && data.columns[column]) show(row, column);
}
document.documentElement.dataset.ready = "true";
