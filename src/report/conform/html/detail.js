// What a cell opens: verdict, requirement, and what was said.

const KIND = {
  PASS: "ok", NONSTRICT: "warning", FAIL: "error", FLAKY: "warning", FACT: "note", CRASH: "crash", HANG: "crash",
};
const kindOf = (verdict) => KIND[verdict] || "plain";
const STATUS = {
  "expected": "expected by the expectation file",
  "unexpected": "not expected",
  "unexpected-pass": "the expectation file says otherwise",
};

function verdictChip(verdict) {
  return el("span", { class: "chip " + kindOf(verdict) }, verdict);
}

function list(title, items) {
  return items && items.length ? [el("h3", {}, title), el("ul", {}, items.map((item) => el("li", {}, item)))] : null;
}

// The lines of one connection as a ladder: client on the left, server on the right.
function ladder(connection, label) {
  const rows = [];
  const half = connection.lines.length / 2;
  connection.lines.forEach(([at, who, text], i) => {
    if (connection.omitted && i === half) {
      rows.push(el("li", {}, el("span", { class: "at" }), el("span", { class: "arrow none" }, plural(connection.omitted, "line") + " left out")));
    }
    const from = who & 3;
    const name = from === 0 ? " rtmpscope: " : from === 1 ? " server: " : "";
    rows.push(el("li", {},
      el("span", { class: "at" }, at.toFixed(3) + " ms"),
      el("span", { class: "arrow " + (from === 0 ? "c" : from === 1 ? "s" : "none") + (who & 4 ? " bad" : "") },
        name ? el("span", { class: "visually-hidden" }, name) : null, data.texts[text])));
  });
  return el("section", { class: "ladder" },
    el("h3", {}, connection.name),
    el("div", { class: "peers", "aria-hidden": "true" }, el("b", {}, "rtmpscope"), el("b", {}, label)),
    rows.length ? el("ol", {}, rows) : el("p", { class: "meta" }, "Nothing was said."));
}

function fillDetail(root, row, column, hooks) {
  const server = data.columns[column];
  const cell = row.cells[column];
  const button = (label, text, action) => el("button", { type: "button", "aria-label": text, title: text, onclick: action }, label);
  const head = el("div", { class: "head" },
    el("span", { class: "where" }, server.label),
    button("\u2039", "Previous case", () => hooks.step(-1)), button("\u203a", "Next case", () => hooks.step(1)),
    button("Close", "Close", () => root.close()));
  const body = el("div", { class: "body" },
    el("h2", { id: "detail-title", tabindex: "-1" }, el("code", {}, row.id)),
    el("p", { class: "says" }, row.says));
  if (data.columns.length > 1) {
    body.append(el("p", { class: "chips" }, data.columns.map((other, i) => row.cells[i]
      ? el("button", { type: "button", class: "toggle", "aria-pressed": String(i === column), onclick: () => hooks.show(row, i) },
        other.label + " ", verdictChip(row.cells[i].verdict)) : null)));
  }
  const facts = [["Level", row.level.toUpperCase()], ["Basis", row.basis], ["Sections", row.sections.join("; ") || "none"]];
  if (cell) {
    facts.push(["Took", ms(cell.duration_ms / 1000)]);
    if (cell.attempts > 1) facts.push(["Tries", cell.attempts]);
    body.append(
      el("p", {}, verdictChip(cell.verdict), " ", STATUS[cell.status] ? el("span", { class: "meta" }, STATUS[cell.status]) : null),
      el("p", { class: "seen" }, cell.detail || (cell.verdict === "PASS" ? "As required." : "")));
    if (cell.expected) {
      const expected = cell.expected;
      body.append(el("p", { class: "meta" }, expected.result ? "Expected " + expected.result + ": " : "Expected: ", expected.reason,
        expected.issue ? " (" + expected.issue + ")" : ""));
    }
  }
  body.append(el("dl", { class: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))));
  if (cell) {
    body.append(...[
      list("Tries", cell.tries && cell.tries.map((t) => [verdictChip(t.verdict), " ", t.detail])),
      list("Notes", cell.notes),
      list("What the passive rules say of the server's bytes",
        cell.findings && cell.findings.map((f) => [el("span", { class: "chip " + f.severity }, f.severity), " ", el("code", {}, f.rule), " ", f.text])),
      cell.exchange.map((connection) => ladder(connection, server.label)),
    ].flat(2).filter(Boolean));
    if (!cell.exchange.length) body.append(el("p", { class: "meta" }, "No exchange was recorded."));
  } else {
    body.append(el("p", { class: "meta" }, "This case was not run against " + server.label + "."));
  }
  body.append(el("h3", {}, "Again"), el("p", {}, el("code", {},
    "rtmpscope check --only " + row.id + " --seed " + server.seed + " --verbose " + server.target)));
  root.replaceChildren(head, body);
  root.scrollTop = 0;
}

function ms(seconds) {
  if (seconds < 0.01) return (seconds * 1e3).toFixed(2) + " ms";
  return seconds < 1 ? (seconds * 1e3).toFixed(0) + " ms" : seconds.toFixed(1) + " s";
}
