// Parallel coordinates: a line a candidate through every attribute and value; on a phone it runs downwards.

/** Rows of the chart: where each line meets each axis, 0 to 1. */
function parallelRows() {
  const rows = [];
  for (const [trial, kind] of drawnOrder())
    for (const axis of explore.axes) rows.push({ trial, kind, axis: axis.name, at: (axis.values[trial] - axis.low) / (axis.high - axis.low) });
  return rows;
}

/** A value at the end of an axis, with as many digits as tell one end from the other. */
function endOf(axis, value) {
  const digits = [2, 3, 4].find((count) => axis.low.toFixed(count) !== axis.high.toFixed(count)) ?? 5;
  return plain(Number(value.toFixed(digits)));
}

const parallelAxes = () => explore.axes.map((axis) => ({ axis: axis.name, label: axis.label, low: endOf(axis, axis.low), high: endOf(axis, axis.high), asked: axis.asked }));

function parallelLimits() {
  return [...explore.limits].flatMap(([name, [low, high]]) => {
    const axis = explore.axes.find((one) => one.name === name);
    if (!axis) return [];
    const at = (value) => Math.min(1, Math.max(0, (value - axis.low) / (axis.high - axis.low)));
    return [{ axis: name, from: at(low), to: at(high) }];
  });
}

/** Many lines are drawn paler, so that they add up to a picture. */
const shade = () => Math.min(0.75, 0.2 + 30 / explore.trials.count);

// how a candidate is drawn, by its kind
const KIND_STROKES = ["var(--line)", "var(--dot)", "var(--accent)", "var(--warn)", "var(--ink)"];
const kindScale = (name, range) => ({ name, type: "ordinal", domain: KINDS, range });
const kindScales = () => [kindScale("stroke", KIND_STROKES), kindScale("wide", [0.8, 1, 1.2, 2.5, 2.75]), kindScale("opacity", [0.35, 0.8 * shade(), shade(), 1, 1])];

function parallelSpec(down, width) {
  const [length, across] = down ? [width - 146, explore.axes.length * 36] : [250, width - 12];
  const [main, other] = down ? ["y", "x"] : ["x", "y"];
  const along = down ? "x()" : "y()";
  const middle = { scale: "axis", field: "axis", band: 0.5 };
  const grabbed = `invert('axis', ${down ? "y()" : "x()"})`;
  const place = (scale, field) => ({ scale, field });
  return {
    width: down ? length : across,
    height: down ? across : length,
    autosize: "none",
    padding: down ? { left: 134, right: 12, top: 0, bottom: 12 } : { left: 6, right: 6, top: 18, bottom: 96 },
    data: [{ name: "rows", values: parallelRows() }, { name: "axes", values: parallelAxes() }, { name: "limits", values: parallelLimits() }],
    signals: [
      { name: "pointed", value: -1, on: [{ events: "@line:pointerover", update: "datum.trial" }, { events: "@line:pointerout", update: "-1" }] },
      { name: "grabbed", value: "", on: [{ events: "pointerdown", update: grabbed }] },
      { name: "span", value: [0, 0], on: [
        { events: "pointerdown", update: `[${along}, ${along}]` },
        { events: "[pointerdown, window:pointerup] > window:pointermove!", update: `[span[0], clamp(${along}, 0, ${length})]` },
      ] },
      { name: "brushed", value: null, on: [{ events: "window:pointerup", update: "abs(span[1] - span[0]) > 4 ? {axis: grabbed, from: invert('at', span[0]), to: invert('at', span[1])} : null" }] },
    ],
    scales: [
      { name: "axis", type: "band", domain: { data: "axes", field: "axis" }, range: [0, across] },
      { name: "at", type: "linear", domain: [0, 1], range: down ? [0, length] : [length, 0] },
      ...kindScales(),
    ],
    marks: [
      { type: "rule", from: { data: "axes" }, encode: { update: { [main]: middle, [other]: { value: 0 }, [`${other}2`]: { value: length }, stroke: { value: "var(--soft)" }, strokeOpacity: { signal: "datum.asked ? 0.35 : 0.9" } } } },
      { type: "rect", from: { data: "limits" }, encode: { update: { [`${main}c`]: middle, [down ? "height" : "width"]: { value: 14 }, [other]: place("at", "from"), [`${other}2`]: place("at", "to"), fill: { value: "var(--accent)" }, fillOpacity: { value: 0.22 }, stroke: { value: "var(--accent)" } } } },
      {
        type: "group",
        from: { facet: { name: "one", data: "rows", groupby: "trial" } },
        marks: [{
          type: "line", name: "line", from: { data: "one" },
          encode: { update: {
            [main]: middle, [other]: place("at", "at"), cursor: { value: "pointer" }, tooltip: { signal: "'trial ' + datum.trial" },
            stroke: place("stroke", "kind"), strokeOpacity: [{ test: "pointed === datum.trial", value: 1 }, place("opacity", "kind")], strokeWidth: [{ test: "pointed === datum.trial", value: 3.5 }, place("wide", "kind")],
          } },
        }],
      },
      { type: "rect", interactive: false, encode: { update: { [`${main}c`]: { signal: `grabbed ? scale('axis', grabbed) + bandwidth('axis') / 2 : -99` }, [down ? "height" : "width"]: { value: 14 }, [other]: { signal: "span[0]" }, [`${other}2`]: { signal: "span[1]" }, fill: { value: "var(--ink)" }, fillOpacity: { value: 0.18 } } } },
      ...parallelWords(down, length, middle),
    ],
  };
}

/** Names of the axes, and the values at their ends. */
function parallelWords(down, length, middle) {
  const text = (changes) => ({ type: "text", interactive: false, from: { data: "axes" }, encode: { update: { fill: { value: "var(--soft)" }, font: { value: "system-ui" }, fontSize: { value: 11 }, ...changes } } });
  const name = { text: { field: "label" }, fill: { value: "var(--ink)" }, fontSize: { value: 12 } };
  const paper = { stroke: { value: "var(--paper)" }, strokeWidth: { value: 3 } };
  if (down) return [
    text({ ...name, x: { value: -8 }, y: middle, align: { value: "right" }, baseline: { value: "middle" } }),
    text({ text: { field: "low" }, x: { value: 0 }, y: { ...middle, offset: 14 }, align: { value: "left" }, ...paper }),
    text({ text: { field: "high" }, x: { value: length }, y: { ...middle, offset: 14 }, align: { value: "right" }, ...paper }),
  ];
  return [
    text({ ...name, x: middle, y: { value: length + 22 }, angle: { value: -32 }, align: { value: "right" }, baseline: { value: "top" } }),
    text({ text: { field: "high" }, x: middle, y: { value: 0 }, dy: { value: -3 }, align: { value: "center" }, baseline: { value: "bottom" } }),
    text({ text: { field: "low" }, x: middle, y: { value: length + 4 }, align: { value: "center" }, baseline: { value: "top" } }),
  ];
}

function parallelFigure(person) {
  const place = h("div", { class: "vega", id: "parallel" });
  const down = narrow.matches;
  const label = `Candidates of ${person.id}: a line a candidate through ${plural(explore.axes.length, "axis", "axes")}; the same numbers are in the grid and in the table of trials`;
  const start = async () => {
    const width = Math.max(320, place.clientWidth || document.getElementById("main").clientWidth - 40);
    const view = await drawChart(place, parallelSpec(down, width), label);
    view.addSignalListener("brushed", (_, brushed) => brushed && brushAxis(view, brushed));
    followPointer(view);
    explore.told.push(() => view.data("rows", parallelRows()).data("limits", parallelLimits()).runAsync());
  };
  requestAnimationFrame(() => start().catch((error) => place.replaceChildren(h("p", { class: "notice" }, `No charts: ${error.message}`))));
  const how = down ? "Drag along an axis" : "Drag up or down an axis";
  return h("figure", {}, place, h("figcaption", {}, `A line a candidate. ${how} to keep those that pass there; click a line to mark its candidate.`));
}

function brushAxis(view, { axis, from, to }) {
  const { low, high } = explore.axes.find((one) => one.name === axis);
  view.signal("span", [0, 0]);
  setLimit(axis, low + from * (high - low), low + to * (high - low));
}

/** A click marks; what is under the pointer in one chart stands out in all of them. */
function followPointer(view) {
  view.addEventListener("click", (_, item) => Number.isInteger(item?.datum?.trial) && toggleMark(item.datum.trial));
  view.addSignalListener("pointed", (_, trial) => pointAt(trial));
}

function pointAt(trial) {
  if (explore.pointed === trial) return;
  explore.pointed = trial;
  for (const view of charts.views) if (view.signal("pointed") !== trial) view.signal("pointed", trial).runAsync();
  for (const card of document.querySelectorAll("[data-card]")) card.classList.toggle("pointed", Number(card.dataset.card) === trial);
}
