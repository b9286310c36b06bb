// The page of the whole run.

function overview() {
  const dynamic = {
    head: h("div"), charts: h("div", { class: "pair" }), figures: h("div"), rest: h("div"),
  };
  const people = peopleTable();
  const show = () => {
    dynamic.head.replaceChildren(...overviewHead());
    if (!run.people.length) return; // a run that has just begun
    dynamic.figures.replaceChildren(figuresSection());
    dynamic.rest.replaceChildren(...[distancesSection(), attributesSection(), groupsSection(), judgesSection(), failuresSection(), run.live ? downloads() : null].filter(Boolean));
    if (document.activeElement?.id === "threshold") return;
    const plot = tradeOff();
    dynamic.charts.replaceChildren(plot.element, thresholdPanel(plot.move));
  };
  show();
  const update = () => (show(), people.show());
  const body = [dynamic.head, section("Trade-off", dynamic.charts), section("People", people.element), dynamic.figures, dynamic.rest];
  return { title: "People", body, update };
}

function overviewHead() {
  const people = counted();
  const { failures } = run.about;
  const all = people.length + failures.length;
  const holding = people.filter((p) => p.verdict === HOLDS).length;
  if (!all) return [h("h1", { tabindex: -1 }, "Nobody is finished yet")];
  return [
    h("h1", { tabindex: -1, class: "answer" }, answerSentence(holding, all)),
    verdictsFigure(people, failures.length),
    facesFirst(people),
    ...(run.video ? [h("p", { class: "lead" }, videoSentence(run.video))] : []),
  ];
}

/** What anonymised means here, and the means of the run. */
function figuresSection() {
  const { about } = run;
  const people = counted();
  const good = people.filter((p) => p.feasible);
  const of = (name) => three(mean(good.map((p) => p[name])));
  const items = [
    [of("utility"), "utility", "detection × IoU × distance"],
    [of("detection"), "detection", "probability, after the edit"],
    [of("iou"), "IoU", "of face boxes before and after"],
    [of("distance"), "distance", `FaceNet scale, ${plain(about.threshold)} asked for`],
    [whole(people.reduce((sum, p) => sum + p.evaluations, 0)), "evaluations", about.result.seconds ? `in ${duration(about.result.seconds)}` : "so far"],
  ];
  const judged = run.judges ? "What other recognisers make of it stands under Judges." : "No judge that the search never used has looked at this run: what another recogniser sees is not known from this page.";
  return section(
    "What it means",
    h(
      "p",
      { class: "lead" },
      `Anonymised means: against ${about.recognisers.join(" and ")}, at a mean distance above ${plain(about.threshold)}`,
      about.verification === null ? "" : `, with no picture that still verifies (${three(about.verification)})`,
      `, on the pictures searched and on those kept from the search. Study ${about.study}, objective ${about.objective}, editor ${about.editor}, detector ${about.detector}, seed ${about.seed}.`,
    ),
    h("dl", { class: "figures" }, items.map(([value, name, note]) => h("div", {}, h("dt", {}, termWord(name)), h("dd", {}, value), h("dd", { class: "soft" }, note)))),
    h("p", { class: "soft" }, "Means are over people with a feasible winner, on the pictures the search saw. ", judged),
  );
}

const bell = (x, spread) => Math.exp(-0.5 * ((x - spread.mean) / spread.std) ** 2) / spread.std;

function distancesSection() {
  const { about } = run;
  const winners = counted().map((p) => p.distance);
  if (!winners.length) return null;
  const held = counted().filter((p) => p.held).map((p) => p.held.distance);
  const spreads = about.distances;
  const low = Math.min(0.4, ...winners, ...held);
  const high = Math.max(1.7, ...winners) + 0.02;
  const plot = frame({ width: narrow.matches ? 440 : 860, height: 260, x: [low, high], y: [0, 1.2], xTitle: "distance, FaceNet scale", title: "Distances of winners in front of same-person and different-person distances" });
  const curveOf = (spread, kind, word) => {
    const xs = Array.from({ length: 161 }, (_, i) => low + ((high - low) * i) / 160);
    const points = xs.map((x) => [plot.x.at(x), plot.y.at(bell(x, spread) * spread.std)]);
    plot.drawing.append(
      s("path", { class: `bell ${kind}`, d: `${path(points)}V${plot.base}H${plot.left}z` }),
      s("text", { class: "name", x: plot.x.at(spread.mean - 0.75 * spread.std) - 8, y: plot.y.at(0.8), "text-anchor": "end" }, word),
    );
  };
  if (spreads) {
    curveOf(spreads.same, "same", "same person");
    curveOf(spreads.different, "different", "different people");
  }
  histogram(plot, winners, "winners", low, high);
  if (held.length) histogram(plot, held, "held", low, high);
  if (about.verification !== null) upright(plot, about.verification, "verifies below", "limit", 0, -1);
  if (about.threshold) upright(plot, about.threshold, plain(about.threshold), "limit", 0, 1);
  const row = (name, values) => [name, whole(values.length), three(mean(values)), three(quantile(rising(values), 0.05)), three(quantile(rising(values), 0.5)), three(quantile(rising(values), 0.95))];
  const numbers = table("Distances", ["", "count", "mean", "5 %", "median", "95 %"], [row("winners, pictures searched", winners), ...(held.length ? [row("winners, pictures kept back", held)] : [])]);
  const source = spreads ? ` Behind them: ${spreads.source} (same person ${three(spreads.same.mean)} ± ${three(spreads.same.std)}, different people ${three(spreads.different.mean)} ± ${three(spreads.different.std)}; drawn as normal distributions).` : "";
  return section(
    "Distances",
    figure(plot.drawing, `Bars: mean distance of every winner on the pictures searched${held.length ? "; outline: on pictures kept back" : ""}; each scaled to its own height.${source}`, numbers),
  );
}

function histogram(plot, values, kind, low, high) {
  const bins = 72;
  const counts = new Array(bins).fill(0);
  for (const value of values) counts[Math.min(bins - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * bins)))] += 1;
  const top = Math.max(...counts);
  const width = (plot.right - plot.left) / bins;
  const height = (count) => (plot.base - plot.top) * 0.82 * (count / top);
  if (kind === "winners") {
    const bar = (count, i) => (count ? `M${(plot.left + i * width).toFixed(1)} ${plot.base}v-${height(count).toFixed(1)}h${(width - 1).toFixed(1)}V${plot.base}z` : "");
    plot.drawing.append(s("path", { class: "bars", d: counts.map(bar).join("") }));
    return;
  }
  const outline = counts.map((count) => `V${(plot.base - height(count)).toFixed(1)}h${width.toFixed(2)}`).join("");
  plot.drawing.append(s("path", { class: "outline", d: `M${plot.left} ${plot.base}${outline}V${plot.base}` }));
}

function attributesSection() {
  const good = counted().filter((p) => p.feasible);
  const people = good.length ? good : counted();
  if (!people.length) return null;
  const genders = ["female", "male"].filter((gender) => people.some((p) => p.gender === gender));
  const names = run.about.attributes;
  const sorted = Object.fromEntries(
    genders.map((gender) => {
      const members = people.filter((p) => p.gender === gender);
      return [gender, names.map((_, i) => rising(members.map((p) => p.first[i])))];
    }),
  );
  const values = (gender, i) => sorted[gender][i];
  const numbers = table(
    "Attributes of the winners",
    ["attribute", ...genders.flatMap((g) => [`${g}: bounds`, "25 %", "median", "75 %"])],
    names.map((name, i) => [
      words(name),
      ...genders.flatMap((g) => [run.about.bounds[g][i].map(plain).join(" to "), ...[0.25, 0.5, 0.75].map((share) => two(quantile(values(g, i), share)))]),
    ]),
  );
  const charts = genders.map((gender) => h("div", {}, h("h3", {}, gender), spreadChart(gender, names, (i) => values(gender, i))));
  return section(
    "Attributes of the winners",
    h("figure", {}, h("div", { class: "pair" }, charts), h("figcaption", {}, `First pass. Track: what may be asked; bar: the middle half of ${good.length ? "the feasible" : "all"} winners; line: the median.`), h("details", {}, h("summary", {}, "The numbers"), numbers)),
  );
}

function spreadChart(gender, names, values) {
  const rowHeight = 21;
  const [width, left, right] = [420, 132, 10];
  const height = names.length * rowHeight + 24;
  const x = axis(-1.2, 1.2, left, width - right);
  const drawing = s("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Attributes of the winners, ${gender}` });
  drawing.append(s("path", { class: "grid", d: `M${x.at(0)} 0V${height - 20}` }));
  names.forEach((name, i) => {
    const y = i * rowHeight + 10;
    const [low, high] = run.about.bounds[gender][i];
    const found = values(i);
    const [q1, q2, q3] = [0.25, 0.5, 0.75].map((share) => x.at(quantile(found, share)));
    drawing.append(s("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, words(name)));
    drawing.append(s("path", { class: "bounds", d: `M${x.at(low)} ${y}H${Math.max(x.at(high), x.at(low) + 0.1)}` }));
    if (low < high) drawing.append(s("path", { class: "middle", d: `M${q1} ${y}H${Math.max(q3, q1 + 0.5)}` }), s("path", { class: "median", d: `M${q2} ${y - 6}v12` }));
  });
  for (const tick of [-1, 0, 1]) drawing.append(s("text", { x: x.at(tick), y: height - 4, "text-anchor": "middle" }, plain(tick)));
  return drawing;
}

function groupsSection() {
  const people = counted();
  if (!people.length) return null;
  const groups = [["everyone", people]];
  for (const gender of ["female", "male"]) groups.push([gender, people.filter((p) => p.gender === gender)]);
  const sources = [...new Set(people.map((p) => p.source))].filter(Boolean);
  for (const source of sources.length > 1 ? sources : []) groups.push([`winner from ${source}`, people.filter((p) => p.source === source)]);
  const rows = groups.filter(([, members]) => members.length).map(([name, members]) => {
    const good = members.filter((p) => p.feasible);
    const shares = [...VERDICTS].reverse().map((word) => percent(members.filter((p) => p.verdict === word).length / members.length));
    return [
      name, whole(members.length), ...shares, ...["utility", "detection", "iou", "distance"].map((key) => three(mean(good.map((p) => p[key])))),
    ];
  });
  return section("Groups", table("Groups side by side", ["group", "people", "hold", "searched only", "not anonymised", "utility", "detection", "IoU", "distance"], rows), h("p", { class: "soft" }, "Means are over feasible winners."));
}

function judgesSection() {
  if (!run.judges) return null;
  const heads = [...new Set(run.judges.flatMap((row) => Object.keys(row)))].sort((a, b) => (b === "judge") - (a === "judge"));
  const cell = (value) => (typeof value === "number" ? (Number.isInteger(value) ? whole(value) : three(value)) : String(value ?? "–"));
  return section("Judges", table("Figures of recognisers the search never used", heads.map(words), run.judges.map((row) => heads.map((head) => cell(row[head])))));
}

function failuresSection() {
  const { failures } = run.about;
  if (!failures.length) return null;
  return section("Not searched", h("ul", {}, failures.map((item) => h("li", {}, h("b", {}, item.id), " ", h("span", { class: "soft" }, item.reason)))));
}
