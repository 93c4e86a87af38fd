"use strict";

// Base and head on one chart each; the base is dashed, so that colour is not needed to tell them.
assay.CURVES = {
  roc: { title: "ROC", x: "False positive rate", y: "True positive rate", diagonal: true },
  pr: { title: "Precision and recall", x: "Recall", y: "Precision", diagonal: false },
  calibration: { title: "Calibration", x: "Predicted", y: "Observed", diagonal: true },
};

assay.sideColour = (point) => (point.side === "base" ? "var(--base)" : "var(--head)");

assay.curve = (kind, points, width) => {
  const { title, x, y, diagonal } = assay.CURVES[kind];
  const side = (name) => points.filter((point) => point.side === name);
  const dots = kind === "calibration"
    ? [Plot.dot(points, { x: "x", y: "y", fill: assay.sideColour, r: 3 })] : [];
  const line = (name, dash) => Plot.line(side(name), {
    x: "x", y: "y", stroke: `var(--${name})`, strokeWidth: 2, strokeDasharray: dash });
  const rows = (point) => (point.n === null ? "" : `\n${point.n.toLocaleString("en")} rows`);
  const svg = Plot.plot({
    className: "chart", style: { fontSize: "12px" }, width, height: Math.round(width * 0.86), marginLeft: 50, marginBottom: 46,
    x: { domain: [0, 1], label: x, labelAnchor: "center", labelArrow: "none", ticks: 5 },
    y: { domain: [0, 1], label: y, labelArrow: "none", ticks: 5, grid: true },
    marks: [
      ...(diagonal ? [Plot.line([[0, 0], [1, 1]], { stroke: "var(--border)" })] : []),
      line("base", "6 4"), line("head", null), ...dots,
      Plot.tip(points, Plot.pointer({ x: "x", y: "y", title: (point) =>
        `${point.side}\n${x} ${point.x.toFixed(3)}\n${y} ${point.y.toFixed(3)}${rows(point)}` })),
    ],
  });
  return assay.titled(title, assay.picture(svg, `${title}: ${y} against ${x}, base and head`));
};

assay.scores = (points, width) => {
  const of = (name) => points.filter((point) => point.side === name);
  const step = (name, dash) => Plot.line(of(name), {
    x: "x", y: "y", curve: "step", stroke: `var(--${name})`, strokeWidth: 2, strokeDasharray: dash });
  const svg = Plot.plot({
    className: "chart", style: { fontSize: "12px" }, width, height: Math.round(width * 0.86), marginLeft: 50, marginBottom: 46,
    x: { domain: [0, 1], label: "Score", labelAnchor: "center", labelArrow: "none", ticks: 5 },
    y: { label: "Share of rows", labelArrow: "none", grid: true, ticks: 5, zero: true,
      tickFormat: "%" },
    marks: [step("base", "6 4"), step("head", null)],
  });
  return assay.titled("Scores", assay.picture(svg, "Shares of rows by score, base and head"));
};

assay.titled = (title, svg) => assay.element("figure", {},
  assay.element("figcaption", {}, title), svg);

assay.legend = () => assay.element("p", { class: "legend" },
  assay.element("span", { class: "key base" }), "base",
  assay.element("span", { class: "key head" }), "head");

assay.drawCurves = (target, curves) => {
  const whole = Math.max(260, target.clientWidth);
  const width = whole < 560 ? whole : Math.min(430, Math.floor(whole / 2) - 14);
  const drawn = Object.keys(assay.CURVES)
    .filter((kind) => curves[kind]?.length)
    .map((kind) => assay.curve(kind, curves[kind], width));
  if (curves.scores?.length) drawn.push(assay.scores(curves.scores, width));
  target.replaceChildren(assay.legend(), ...drawn);
};

assay.drawDrift = (target, histogram) => {
  const names = histogram.cells.map((cell) => assay.cut(cell, 22));
  const bars = histogram.cells.flatMap((cell, place) => [
    { place, when: "before", share: histogram.reference[place] },
    { place, when: "after", share: histogram.current[place] },
  ]);
  const svg = Plot.plot({
    className: "chart", style: { fontSize: "12px" }, width: Math.max(260, target.clientWidth), height: 36 * names.length + 50,
    marginLeft: 24 + 7 * Math.max(...names.map((name) => name.length)), marginBottom: 46,
    x: { label: "Share of rows", labelAnchor: "center", labelArrow: "none", grid: true, ticks: 4,
      tickFormat: "%" },
    y: { axis: null, domain: ["before", "after"], padding: 0 },
    fy: { domain: names.map((_, place) => place), label: null, padding: 0.2 },
    marks: [
      Plot.axisFy({ anchor: "left", tickFormat: (place) => names[place] }),
      Plot.barX(bars, { x: "share", y: "when", fy: "place",
        fill: (bar) => (bar.when === "before" ? "var(--base)" : "var(--head)"),
        title: (bar) => `${histogram.cells[bar.place]}, ${bar.when}: ${(100 * bar.share).toFixed(1)} %` }),
      Plot.ruleX([0], { stroke: "var(--border)" }),
    ],
  });
  const told = bars.slice(0, 8).map((bar) =>
    `${histogram.cells[bar.place]} ${bar.when} ${(100 * bar.share).toFixed(1)} %`);
  const legend = assay.legend();
  legend.replaceChildren(assay.element("span", { class: "key base" }), "before",
    assay.element("span", { class: "key head" }), "after");
  target.replaceChildren(legend, assay.picture(svg, `Shares of rows: ${told.join(", ")}`));
};
