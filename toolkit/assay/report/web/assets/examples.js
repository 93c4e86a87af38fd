"use strict";

assay.CONFUSION_VIEWS = {
  both: ["base → head", (base, head) => `${base.toLocaleString("en")} → ${head.toLocaleString("en")}`],
  base: ["base", (base) => base.toLocaleString("en")],
  head: ["head", (_, head) => head.toLocaleString("en")],
  change: ["change", (base, head) => (head > base ? "+" : head < base ? "−" : "±")
    + Math.abs(head - base).toLocaleString("en")],
};

assay.radios = (target, name, options, choose) => {
  for (const [value, text] of options) {
    const input = assay.element("input", { type: "radio", name, value });
    input.checked = value === options[0][0];
    input.addEventListener("change", () => choose(value));
    target.append(assay.element("label", { class: "radio" }, input, text));
  }
};

assay.startConfusion = (section, number) => {
  const target = section.querySelector(".confusion-view");
  const cells = [...section.querySelectorAll(".confusion td[data-base]")];
  if (!target || !cells.length) return;
  const views = Object.entries(assay.CONFUSION_VIEWS).map(([key, [text]]) => [key, text]);
  assay.radios(target, `confusion-${number}`, views, (view) => {
    const values = cells.map((cell) => [+cell.dataset.base, +cell.dataset.head]);
    const most = Math.max(1, ...values.map(([base, head]) => Math.abs(head - base)));
    cells.forEach((cell, place) => {
      const [base, head] = values[place];
      cell.textContent = assay.CONFUSION_VIEWS[view][1](base, head);
      const better = cell.classList.contains("right") === head > base;
      const share = view === "change" && head !== base ? Math.abs(head - base) / most : 0;
      cell.style.backgroundColor = share
        ? `color-mix(in srgb, var(--${better ? "better" : "worse"}) ${Math.round(6 + 18 * share)}%, transparent)`
        : "";
    });
  });
};

assay.startFlipped = (section, number) => {
  const form = section.querySelector(".flipped-filter");
  const rows = [...section.querySelectorAll(".flipped tbody tr")];
  if (!form) return;
  const search = assay.element("input",
    { id: `flipped-text-${number}`, type: "search", autocomplete: "off" });
  const status = assay.element("span", { role: "status" });
  let kind = "";
  const update = () => {
    const text = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = (kind && row.dataset.kind !== kind)
        || !row.textContent.toLowerCase().includes(text);
      shown += row.hidden ? 0 : 1;
    }
    status.textContent = `${shown} of ${rows.length} rows are shown.`;
  };
  const group = assay.element("fieldset", {}, assay.element("legend", {}, "Show"));
  assay.radios(group, `flipped-${number}`, [["", "all"], ["lost", "lost"], ["won", "won"]],
    (chosen) => { kind = chosen; update(); });
  form.append(group, assay.field("Contains", search), status);
  search.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  update();
};
