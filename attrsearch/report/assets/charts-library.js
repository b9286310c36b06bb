// Charts by Vega: loaded when a person first explores, never by the report. Its expressions are
// interpreted, not compiled, so that the page's security policy needs no exception for them.

const LIBRARY = ["vega.min.js", "vega-interpreter.min.js"];
const charts = { loaded: null, views: [] };

// colours and fonts are the page's own, by name: a chart follows the theme without being drawn again
const CHART_STYLE = {
  background: null,
  axis: {
    labelColor: "var(--soft)", titleColor: "var(--ink)", gridColor: "var(--line)", domainColor: "var(--soft)", tickColor: "var(--soft)",
    labelFont: "system-ui", titleFont: "system-ui", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
  },
  style: { "guide-label": { font: "system-ui" }, "guide-title": { font: "system-ui" } },
};

function loadScript(name) {
  return new Promise((done, failed) => {
    const gone = () => failed(new Error(`${name} is not served`));
    document.head.append(h("script", { src: `library/${name}`, onload: done, onerror: gone }));
  });
}

function chartLibrary() {
  charts.loaded ??= LIBRARY.reduce((before, name) => before.then(() => loadScript(name)), Promise.resolve());
  return charts.loaded;
}

/** A chart in a place of the page; what it shows is also reached by other means, so it is one picture to a screen reader. */
async function drawChart(place, spec, label) {
  await chartLibrary();
  const runtime = vega.parse(spec, CHART_STYLE, { ast: true });
  const view = new vega.View(runtime, { expr: vegaInterpreter.expressionInterpreter, renderer: "svg", container: place, hover: false });
  await view.runAsync();
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", label);
  place.querySelector("svg").setAttribute("aria-hidden", "true");
  charts.views.push(view);
  return view;
}

/** Let go of charts whose page is gone. */
function forgetCharts() {
  for (const view of charts.views.splice(0)) view.finalize();
}
