"use strict";

(() => {
  for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;
  const gates = assay.data.headline;
  const forest = document.querySelector("#forest .plot");
  const sections = [...document.querySelectorAll(".model")];
  if (!gates.length) document.getElementById("forest").hidden = true;
  if (!assay.data.claims.length) {
    document.getElementById("slice-forest").hidden = true;
    document.getElementById("filters").hidden = true;
  }

  const draw = () => {
    if (gates.length) assay.forest(forest, gates);
    assay.drawClaims?.();
    for (const section of sections) {
      const found = assay.data.models[section.dataset.model];
      const curves = section.querySelector(".curves");
      if (curves) assay.drawCurves(curves, found.curves);
      for (const figure of section.querySelectorAll(".drift")) {
        assay.drawDrift(figure.querySelector(".plot"), found.drift[+figure.dataset.place]);
      }
    }
  };

  assay.startClaims();
  sections.forEach(assay.startConfusion);
  sections.forEach(assay.startFlipped);
  draw();
  let width = innerWidth;
  let waiting = 0;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(draw, 150);
  });
})();
