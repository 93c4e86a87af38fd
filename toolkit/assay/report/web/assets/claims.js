"use strict";

// The slice explorer: filters and sorts the rows of the table that is there without it.
assay.SORTS = {
  given: ["what decides first", (a, b) => a.place - b.place],
  worst: ["largest loss first", (a, b) => (a.difference ?? Infinity) - (b.difference ?? Infinity)],
  best: ["largest gain first", (a, b) => (b.difference ?? -Infinity) - (a.difference ?? -Infinity)],
  rows: ["most rows first", (a, b) => b.n - a.n],
  fewest: ["fewest rows first", (a, b) => a.n - b.n],
  metric: ["metric", (a, b) => (a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : 0)],
  slice: ["slice", (a, b) => (a.slice < b.slice ? -1 : a.slice > b.slice ? 1 : 0)],
  state: ["state", (a, b) => assay.STATES.indexOf(a.state) - assay.STATES.indexOf(b.state)],
};
// Which orders a click on a column's head goes through, and what each means to a screen reader.
assay.COLUMN_SORTS = {
  difference: [["worst", "ascending"], ["best", "descending"]],
  n: [["rows", "descending"], ["fewest", "ascending"]],
  metric: [["metric", "ascending"]], slice: [["slice", "ascending"]],
  state: [["state", "ascending"]],
};
assay.MOST_DRAWN = 25;

assay.field = (label, control) => assay.element("div", { class: "field" },
  assay.element("label", { for: control.id }, label), control);

assay.select = (label, id, options) => {
  const control = assay.element("select", { id });
  for (const [value, text] of options) control.append(assay.element("option", { value }, text));
  return assay.field(label, control);
};

assay.buildFilters = (form) => {
  const claims = assay.data.claims;
  const distinct = (key) => [...new Set(claims.map((claim) => claim[key]))].map((v) => [v, v]);
  const any = (name, values) => [["", `every ${name}`], ...values];
  if (assay.data.several) {
    form.append(assay.select("Model", "by-model", any("model", distinct("model"))));
  }
  const states = assay.STATES.filter((state) => claims.some((claim) => claim.state === state));
  form.append(
    assay.select("Metric", "by-metric", any("metric", distinct("metric"))),
    assay.select("State", "by-state", any("state", states.map((s) => [s, assay.word(s)]))),
    assay.select("Order", "order", Object.entries(assay.SORTS).map(([key, [text]]) => [key, text])),
    assay.field("Slice contains",
      assay.element("input", { id: "by-slice", type: "search", autocomplete: "off" })),
    assay.element("button", { type: "reset" }, "Clear"),
  );
};

assay.sortButtons = (table, choose) => {
  for (const head of table.querySelectorAll("th[data-key]")) {
    const orders = assay.COLUMN_SORTS[head.dataset.key];
    if (!orders) continue;
    const button = assay.element("button", { type: "button", class: "sort" }, ...head.childNodes);
    button.addEventListener("click", () => choose(orders));
    head.replaceChildren(button);
  }
};

assay.showOrder = (table, order) => {
  for (const head of table.querySelectorAll("th[data-key]")) {
    const found = (assay.COLUMN_SORTS[head.dataset.key] ?? []).find(([name]) => name === order);
    if (found) head.setAttribute("aria-sort", found[1]);
    else head.removeAttribute("aria-sort");
  }
};

assay.startClaims = () => {
  const table = document.getElementById("claims");
  if (!table) return;
  const form = document.getElementById("filters");
  const status = document.getElementById("shown");
  const plot = document.querySelector("#slice-forest .plot");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  assay.data.claims.forEach((claim, place) => { claim.place = place; });
  assay.buildFilters(form);
  const value = (id) => document.getElementById(id)?.value ?? "";
  assay.shownClaims = () => {
    const text = value("by-slice").trim().toLowerCase();
    return assay.data.claims.filter((claim) =>
      (!value("by-model") || claim.model === value("by-model"))
      && (!value("by-metric") || claim.metric === value("by-metric"))
      && (!value("by-state") || claim.state === value("by-state"))
      && claim.slice.toLowerCase().includes(text),
    ).sort((a, b) => assay.SORTS[value("order")][1](a, b) || a.place - b.place);
  };
  assay.drawClaims = () => assay.forest(plot, assay.shownClaims().slice(0, assay.MOST_DRAWN));
  const update = () => {
    const shown = assay.shownClaims();
    body.replaceChildren(...shown.map((claim) => rows[claim.place]));
    assay.showOrder(table, value("order"));
    const drawn = shown.length > assay.MOST_DRAWN ? `; the first ${assay.MOST_DRAWN} are drawn` : "";
    status.textContent = `${shown.length} of ${rows.length} claims are shown${drawn}.`;
    assay.drawClaims();
  };
  assay.sortButtons(table, (orders) => {
    const place = orders.findIndex(([name]) => name === value("order"));
    document.getElementById("order").value = orders[(place + 1) % orders.length][0];
    update();
  });
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update));
  update();
};
