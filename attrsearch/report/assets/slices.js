// Slices: every attribute against utility or distance.

const slicing = { against: "utility", open: false };

function sliceRows() {
  const against = explore.axes.find((axis) => axis.name === slicing.against);
  const rows = [];
  for (const [trial, kind] of drawnOrder())
    for (const axis of explore.axes) if (axis.asked) rows.push({ trial, kind, axis: axis.name, label: axis.label, value: axis.values[trial], y: against.values[trial] });
  return rows;
}

function sliceSpec(width) {
  const columns = Math.max(1, Math.min(6, Math.floor((width + 30) / 180)));
  const side = Math.floor((width - 36 * columns) / columns);
  const place = (scale, field) => ({ scale, field });
  const shown = [{ test: "pointed === datum.trial", value: 130 }, { scale: "size", field: "kind" }];
  return {
    padding: { left: 2, right: 8, top: 2, bottom: 2 },
    layout: { columns, padding: { row: 26, column: 14 }, bounds: "full", align: "all" },
    data: [{ name: "rows", values: sliceRows() }],
    signals: [{ name: "pointed", value: -1, on: [{ events: "@dot:pointerover", update: "datum.trial" }, { events: "@dot:pointerout", update: "-1" }] }],
    scales: [
      { name: "y", type: "linear", domain: { data: "rows", field: "y" }, zero: false, nice: true, range: [110, 0] },
      ...kindScales(),
      kindScale("size", [14, 20, 26, 90, 100]),
    ],
    marks: [{
      type: "group",
      from: { facet: { name: "slice", data: "rows", groupby: ["axis", "label"] } },
      title: { text: { signal: "parent.label" }, anchor: "start", color: "var(--ink)", font: "system-ui", fontSize: 12, fontWeight: "normal", offset: 4 },
      encode: { update: { width: { value: side }, height: { value: 110 } } },
      scales: [{ name: "x", type: "linear", domain: { data: "slice", field: "value" }, zero: false, range: [0, side] }],
      axes: [
        { orient: "bottom", scale: "x", tickCount: 3, format: ".2~f" },
        { orient: "left", scale: "y", tickCount: 3, grid: true, domain: false, ticks: false, format: ".2~f" },
      ],
      marks: [{
        type: "symbol", name: "dot", from: { data: "slice" },
        encode: { update: { x: place("x", "value"), y: place("y", "y"), size: shown, fill: place("stroke", "kind"), fillOpacity: [{ test: "pointed === datum.trial", value: 1 }, place("opacity", "kind")], cursor: { value: "pointer" }, tooltip: { signal: "'trial ' + datum.trial" } } },
      }],
    }],
  };
}

function slicesFigure(person) {
  const place = h("div", { class: "vega", id: "slices" });
  const started = { view: null };
  const start = async () => {
    started.view = await drawChart(place, sliceSpec(Math.max(300, place.clientWidth)), `Attributes of the candidates of ${person.id}, each against ${slicing.against}`);
    followPointer(started.view);
  };
  const show = () => started.view?.data("rows", sliceRows()).runAsync();
  explore.told.push(show);
  const choose = h("select", { id: "slice-against", onchange: (event) => ((slicing.against = event.target.value), show()) }, ["utility", "distance"].map((name) => h("option", { value: name, selected: slicing.against === name }, name)));
  const opened = (event) => (slicing.open = event.target.open) && !started.view && start().catch((error) => place.replaceChildren(h("p", { class: "notice" }, `No charts: ${error.message}`)));
  return h(
    "details",
    { class: "slices", open: slicing.open, ontoggle: opened },
    h("summary", {}, "Slices: each attribute against utility or distance"),
    h("div", { class: "filters" }, h("label", {}, "Against", choose)),
    place,
    h("p", { class: "soft" }, "A point a candidate; click one to mark it."),
  );
}
