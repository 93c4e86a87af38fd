"use strict";

// Shared by the page's scripts; `data` is what the report put into it, already cleaned.
const assay = { data: JSON.parse(document.getElementById("data").textContent) };

assay.STATES = ["worse", "not-measured", "inconclusive", "no-worse", "better"];
assay.SYMBOLS = {
  "worse": "times", "not-measured": "cross", "inconclusive": "circle",
  "no-worse": "diamond", "better": "triangle",
};

assay.element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

assay.word = (state) => state.replace("-", " ");

assay.cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

assay.nameOf = (claim) => {
  const parts = assay.data.several ? [claim.model, claim.metric] : [claim.metric];
  const found = claim.searched === null ? "" : ` (worst of ${claim.searched})`;
  return (claim.slice === "all" ? parts : [...parts, claim.slice + found]).join(" · ");
};

// One picture to a screen reader: its parts are in the table beside it.
assay.picture = (svg, label) => {
  for (const part of svg.querySelectorAll("g[aria-label]")) {
    part.dataset.part = part.getAttribute("aria-label");
    part.removeAttribute("aria-label");
  }
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  return svg;
};

assay.forest = (target, claims) => {
  const width = Math.max(260, target.clientWidth);
  const drawn = claims.filter((claim) => claim.difference !== null);
  const units = [...new Set(drawn.map((claim) => claim.unit))];
  const panels = units.map((unit) =>
    assay.panel(drawn.filter((claim) => claim.unit === unit), unit, width));
  const missing = claims.length - drawn.length;
  if (missing > 0) {
    const what = missing === 1 ? "1 claim has" : `${missing} claims have`;
    panels.push(assay.element("p", { class: "note" }, `${what} no difference to draw.`));
  }
  target.replaceChildren(...panels);
  target.parentElement.hidden = drawn.length === 0;
};

assay.panel = (claims, unit, width) => {
  const narrow = width < 640;
  const most = narrow ? Math.floor(width / 7) : 38;
  const labels = claims.map((claim) => assay.cut(assay.nameOf(claim), most));
  const longest = Math.max(...labels.map((label) => label.length));
  const keys = claims.map((_, place) => place);
  const at = (place) => claims[place];
  const colour = (place) => `var(--${at(place).state})`;
  const left = narrow ? [Plot.text(keys, {
    y: (k) => k, text: (k) => `${labels[k]}: ${assay.word(at(k).state)}`, frameAnchor: "left",
    dy: -13, textAnchor: "start", fill: "var(--text)",
  })] : [
    Plot.axisY({ tickSize: 0, tickFormat: (k) => labels[k], fontSize: 12, label: null }),
    Plot.text(keys, {
      y: (k) => k, text: (k) => assay.word(at(k).state), frameAnchor: "right", dx: 12,
      textAnchor: "start", fill: colour, fontWeight: 600, fontSize: 12,
    }),
  ];
  const margins = keys.filter((k) => at(k).margin !== null);
  const intervals = keys.filter((k) => at(k).low !== null);
  const svg = Plot.plot({
    className: "chart", style: { fontSize: "12px" }, width,
    height: keys.length * (narrow ? 44 : 30) + 62,
    marginLeft: narrow ? 8 : 16 + 7 * longest, marginRight: narrow ? 8 : 104,
    marginTop: narrow ? 22 : 8, marginBottom: 48,
    x: {
      label: unit === "share" ? "Difference, + is better" : `Difference in ${unit}, + is better`,
      labelAnchor: "center", labelArrow: "none", nice: true, grid: true, ticks: narrow ? 4 : 8,
    },
    y: { type: "band", domain: keys, axis: null, padding: 0.25 },
    marks: [
      Plot.ruleX([0], { stroke: "var(--text)", strokeDasharray: "4 3" }),
      Plot.tickX(margins, { x: (k) => -at(k).margin, y: (k) => k, stroke: "var(--margin)",
        strokeWidth: 2.5 }),
      Plot.ruleY(intervals, { y: (k) => k, x1: (k) => at(k).low, x2: (k) => at(k).high,
        stroke: colour, strokeWidth: 3 }),
      Plot.dot(keys, { x: (k) => at(k).difference, y: (k) => k, fill: colour, r: 5,
        symbol: (k) => assay.SYMBOLS[at(k).state], stroke: colour, strokeWidth: 1.5 }),
      ...left,
      Plot.tip(keys, Plot.pointerY({ x: (k) => at(k).difference, y: (k) => k,
        title: (k) => `${assay.nameOf(at(k))}\n${at(k).said}\n${at(k).n.toLocaleString("en")} rows, `
          + assay.word(at(k).state) })),
    ],
    symbol: { type: "identity" },
  });
  const told = claims.slice(0, 12).map((claim) =>
    `${assay.nameOf(claim)}: ${claim.said}, ${assay.word(claim.state)}`);
  return assay.picture(svg, `Differences with intervals. ${told.join("; ")}`);
};
