// The threshold slider: what would have been feasible, had another mean distance been asked for.

const threshold = { value: null };

/** The best utility of a person with a mean distance above t, all other constraints held; null where there is none. */
function bestAt(person, t) {
  const { steps } = person;
  let best = null;
  for (let i = 0; i < steps.length && steps[i] > t; i += 2) best = steps[i + 1];
  return best;
}

/** Share of people who are feasible at t, and the mean of their best utilities: from every trial of the run. */
function cohortAt(t) {
  const people = counted();
  const best = people.map((person) => bestAt(person, t)).filter((value) => value !== null);
  return { feasible: best.length, people: people.length, share: best.length / people.length, utility: mean(best) };
}

/** The slider with what it counts; `moved` is told every value. */
function thresholdPanel(moved) {
  const { about } = run;
  const furthest = quantile(rising(counted().map((person) => person.steps[0] ?? 0)), 0.98) || 0;
  const high = Math.ceil(20 * Math.max(1.6, about.threshold + 0.2, furthest)) / 20;
  const low = about.exact ? Math.min(1.0, about.threshold) : about.threshold;
  threshold.value ??= about.threshold;
  const input = h("input", {
    type: "range",
    id: "threshold",
    min: low,
    max: high,
    step: 0.005,
    value: threshold.value,
    "aria-describedby": "threshold-note",
  });
  const chosen = h("output", { for: "threshold", class: "big" });
  const feasible = h("dd", { id: "threshold-share" });
  const utility = h("dd", { id: "threshold-utility" });
  const plot = curve(low, high);
  const line = s("path", { class: "limit" });
  const dot = s("circle", { class: "winner", r: 6 });
  plot.drawing.append(line, dot);
  const show = () => {
    const t = Number(input.value);
    threshold.value = t;
    moved(t);
    const at = cohortAt(t);
    chosen.textContent = three(t);
    feasible.textContent = `${whole(at.feasible)} of ${whole(at.people)} (${percent(at.share)})`;
    utility.textContent = three(at.utility);
    const x = plot.x.at(t).toFixed(1);
    line.setAttribute("d", `M${x} ${plot.top}V${plot.base}`);
    dot.setAttribute("cx", x);
    dot.setAttribute("cy", plot.y.at(at.share || 0));
  };
  input.addEventListener("input", show);
  const reset = h("button", { type: "button", class: "quiet", onclick: () => ((input.value = about.threshold), show()) }, `Back to ${plain(about.threshold)}`);
  show();
  return h(
    "div",
    { class: "threshold" },
    h("h3", {}, h("label", { for: "threshold" }, "What if the threshold were another?")),
    h("p", { class: "row" }, chosen, reset),
    input,
    h("dl", { class: "facts" }, h("div", {}, h("dt", {}, "people feasible"), feasible), h("div", {}, h("dt", {}, "mean utility of their best"), utility)),
    plot.drawing,
    h(
      "p",
      { class: "soft", id: "threshold-note" },
      "Share of people with a feasible trial, by the mean distance asked for; recomputed from every trial, all other constraints as they were.",
      about.objective === "utility_product" ? null : " The best is that of highest utility; this objective chose its winners by another value.",
    ),
  );
}

function curve(low, high) {
  const plot = frame({
    width: 420, height: 190, x: [low, high], y: [0, 1], xTitle: "mean distance asked for", yTitle: "share feasible",
    title: "Share of people feasible by threshold", yFormat: (v) => `${Math.round(v * 100)} %`, yTicks: 4, margin: 66,
  });
  const points = Array.from({ length: 81 }, (_, i) => low + ((high - low) * i) / 80);
  plot.drawing.append(s("path", { class: "line", d: path(points.map((t) => [plot.x.at(t), plot.y.at(cohortAt(t).share || 0)])) }));
  return plot;
}
