// Exploring a person's candidates: what is marked and what is kept are the same in every chart and in the grid.

const KINDS = ["out", "no", "yes", "marked", "winner"];
const KIND_WORDS = { yes: "feasible", no: "not feasible", marked: "marked", winner: "the winner", out: "left out by a limit" };
const explore = { person: null, limits: new Map(), marked: new Set(), pointed: -1, axes: [], trials: null, told: [] };

/** The axes: every attribute that varied, then what was measured. */
function axesOf(trials, attributes) {
  const measured = Array.from({ length: trials.count }, (_, i) => i).filter((i) => trials.evaluated[i]);
  const passes = [attributes.first, run.about.passes === "mirrored" ? null : attributes.second];
  const both = passes.every(Boolean);
  const axes = [];
  passes.forEach((pass, number) => {
    if (!pass) return;
    run.about.attributes.forEach((name, i) => {
      const label = both ? `${words(name)}, ${number ? "second" : "first"}` : words(name);
      axes.push({ name: `${number ? "second" : "first"}_${name}`, label, values: pass.map((row) => row[i]), asked: true });
    });
  });
  for (const [label, values] of [["detection", trials.detection], ["IoU", trials.iou], ["worst distance", trials.worst], ["distance", trials.distance], ["utility", trials.utility]])
    axes.push({ name: label, label, values, asked: false });
  for (const axis of axes) {
    const found = measured.map((i) => axis.values[i]);
    [axis.low, axis.high] = [Math.min(...found), Math.max(...found)];
  }
  return axes.filter((axis) => axis.high > axis.low);
}

function startExploring(person, trials, attributes) {
  if (explore.person !== person.id) Object.assign(explore, { person: person.id, limits: new Map(), marked: new Set() });
  Object.assign(explore, { axes: axesOf(trials, attributes), trials, winner: person.winner, told: [], pointed: -1 });
}

const keptByLimits = (i) => [...explore.limits].every(([name, [low, high]]) => {
  const axis = explore.axes.find((one) => one.name === name);
  return !axis || (axis.values[i] >= low - 1e-9 && axis.values[i] <= high + 1e-9);
});

function kindOf(i) {
  if (i === explore.winner) return "winner";
  if (explore.marked.has(i)) return "marked";
  if (!keptByLimits(i)) return "out";
  return explore.trials.feasible[i] ? "yes" : "no";
}

/** Measured trials as [trial, kind], those drawn last at the end. */
function drawnOrder() {
  const found = [];
  for (let i = 0; i < explore.trials.count; i += 1) if (explore.trials.evaluated[i]) found.push([i, kindOf(i)]);
  return found.sort((a, b) => KINDS.indexOf(a[1]) - KINDS.indexOf(b[1]));
}

function changed() {
  for (const tell of explore.told) tell();
}

function toggleMark(trial) {
  if (!explore.marked.delete(trial)) explore.marked.add(trial);
  changed();
}

function setLimit(name, low, high) {
  explore.limits.set(name, [Math.min(low, high), Math.max(low, high)]);
  changed();
}

/** What is limited, each with a button that lets it go; and a form for whoever has no pointer. */
function limitsForm() {
  const chips = h("ul", { class: "chips", id: "limits", "aria-label": "Limits" });
  const axis = h("select", { id: "limit-axis", onchange: () => fill() }, explore.axes.map((one) => h("option", { value: one.name }, one.label)));
  const [low, high] = ["from", "to"].map((word) => h("input", { type: "number", id: `limit-${word}`, step: "any", "aria-label": word }));
  const chosen = () => explore.axes.find((one) => one.name === axis.value);
  const fill = () => ([low.value, high.value] = (explore.limits.get(axis.value) ?? [chosen().low, chosen().high]).map((value) => Number(value.toFixed(4))));
  const add = (event) => (event.preventDefault(), setLimit(axis.value, Number(low.value), Number(high.value)));
  const chip = ([name, [from, to]]) => {
    const label = explore.axes.find((one) => one.name === name)?.label ?? name;
    const text = `${label} ${two(from)} to ${two(to)}`;
    return h("li", {}, h("button", { type: "button", "aria-label": `Let go of ${text}`, onclick: () => (explore.limits.delete(name), changed()) }, text, h("span", { "aria-hidden": "true" }, " ×")));
  };
  const show = () => chips.replaceChildren(...[...explore.limits].map(chip));
  explore.told.push(show);
  show();
  fill();
  const form = h("form", { class: "filters", onsubmit: add }, h("label", {}, "Keep only", axis), h("label", {}, "from", low), h("label", {}, "to", high), h("button", { type: "submit", id: "limit-add" }, "Keep"));
  return h("div", { class: "limits" }, chips, h("details", {}, h("summary", {}, "Limits by keyboard"), form));
}

/** The key of the colours. */
function kindsKey() {
  return h("ul", { class: "key" }, ["winner", "marked", "yes", "no", "out"].map((kind) => h("li", {}, h("span", { class: `swatch kind-${kind}` }), KIND_WORDS[kind])));
}

/** Charts and grid of a person's candidates. */
function exploreSection(person, trials, attributes) {
  forgetCharts();
  startExploring(person, trials, attributes);
  const place = h("div", {}, kindsKey(), parallelFigure(person), limitsForm(), gridPart(person), slicesFigure(person));
  return section("Candidates", place);
}
