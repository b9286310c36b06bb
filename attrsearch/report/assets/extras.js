// Pages that only some runs have: the surrogate, and the coverage of a video.

function surrogatePage() {
  const { surrogate } = run;
  const net = surrogate.saved - surrogate.overhead;
  const figures = [
    [three(surrogate.spearman ?? NaN), "rank correlation", `over ${whole(surrogate.measured)} measured candidates`],
    [whole(surrogate.screened), "screened out", "predicted, never measured"],
    [surrogate.audited ? percent(surrogate.falseRejects / surrogate.audited) : "–", "false rejects", `${whole(surrogate.falseRejects)} of ${whole(surrogate.audited)} audited were feasible`],
    [`${net < 0 ? "−" : ""}${duration(Math.abs(net))}`, "saved, net", `${duration(surrogate.saved)} less ${duration(surrogate.overhead)} of fitting and ranking`],
  ];
  return {
    title: "Surrogate",
    body: [
      h("h1", { tabindex: -1 }, "Surrogate"),
      h("p", { class: "lead" }, "What was predicted before it was measured, and whether predicting paid."),
      h("dl", { class: "figures" }, figures.map(([value, name, note]) => h("div", {}, h("dt", {}, name), h("dd", {}, value), h("dd", { class: "soft" }, note)))),
      h("div", { class: "pair" }, predictedFigure(surrogate), stagesFigure(surrogate)),
    ],
  };
}

function predictedFigure({ pairs, measured }) {
  const all = rising(pairs.flat());
  const range = [Math.floor(quantile(all, 0.01) * 20) / 20, Math.ceil(quantile(all, 0.995) * 20) / 20];
  const plot = frame({ x: range, y: range, xTitle: "predicted utility", yTitle: "measured utility", title: "Predicted against measured utility" });
  plot.drawing.append(
    s("path", { class: "front", d: `M${plot.left} ${plot.base}L${plot.right} ${plot.top}` }),
    s("path", { class: "dots yes small", d: pairs.map(([a, b]) => `M${plot.x.at(a).toFixed(1)} ${plot.y.at(b).toFixed(1)}h0`).join("") }),
  );
  return figure(plot.drawing, `One dot a measured candidate${pairs.length < measured ? ` (${whole(pairs.length)} of ${whole(measured)} drawn)` : ""}; on the line, the prediction was right.`);
}

function stagesFigure({ stages }) {
  const low = Math.min(0, ...stages.map((stage) => stage[1]));
  const plot = frame({ x: [0, 1], y: [Math.floor(low * 5) / 5, 1], xTitle: "share of a person's study done", yTitle: "rank correlation", title: "Rank correlation over time", xFormat: (v) => `${Math.round(v * 100)} %` });
  const line = (column) => stages.map((stage) => [plot.x.at(stage[0]), plot.y.at(stage[column])]);
  plot.drawing.append(
    s("path", { class: "band", d: `${path(line(1))}${path(line(3).reverse()).replace("M", "L")}z` }),
    s("path", { class: "line", d: path(line(2)) }),
  );
  const numbers = table("Rank correlation over time", ["share done", "25 %", "median", "75 %"], stages.map(([share, ...values]) => [percent(share), ...values.map(three)]));
  return figure(plot.drawing, "Median over people of the model's rank correlation with the person's own trials, and the middle half.", numbers);
}

const TRACKS_A_PAGE = 40;
const coverage = { page: 0 };

const foundWord = (name) => (name === "low" ? "low confidence" : name);

function videoPage() {
  const { video } = run;
  const faces = video.coverCounts.reduce((sum, count) => sum + count, 0);
  const used = (names, counts) => names.map((name, i) => [name, counts[i]]).filter(([, count]) => count);
  const covers = used(video.cover, video.coverCounts);
  const place = h("div");
  const pages = Math.ceil(video.tracks.length / TRACKS_A_PAGE);
  const show = () => {
    const part = video.tracks.slice(coverage.page * TRACKS_A_PAGE, (coverage.page + 1) * TRACKS_A_PAGE);
    const turn = (step, word) => h("button", { type: "button", disabled: !(coverage.page + step >= 0 && coverage.page + step < pages), onclick: () => ((coverage.page += step), show()) }, word);
    const pager = pages > 1 ? h("div", { class: "pager" }, turn(-1, "← Previous"), h("span", {}, `Page ${coverage.page + 1} of ${pages}`), turn(1, "Next →")) : null;
    place.replaceChildren(...[timelineFigure(video, part), pager].filter(Boolean));
  };
  show();
  const items = [
    [whole(video.tracks.length), "tracks", `of ${plural(new Set(video.tracks.map((t) => t.person).filter(Boolean)).size, "person", "people")}`],
    [whole(faces), "faces", `in ${whole(video.frames)} frames, ${duration(video.seconds)}`],
    ...covers.map(([name, count]) => [percent(count / faces), name, plural(count, "face", "faces")]),
  ];
  return {
    title: "Video",
    body: [
      h("h1", { tabindex: -1 }, "Video"),
      h("p", { class: "lead" }, "Every face that was known of in every frame: how it was found, and how it was covered. From the run's ledger, coverage.parquet."),
      h("dl", { class: "figures" }, items.map(([value, name, note]) => h("div", {}, h("dt", {}, name), h("dd", {}, value), h("dd", { class: "soft" }, note)))),
      section("Coverage over time", place),
      section("How faces were found", table("How faces were found", ["found", "faces", "share"], used(video.found, video.foundCounts).map(([name, count]) => [foundWord(name), whole(count), percent(count / faces)]))),
    ],
  };
}

function timelineFigure(video, tracks) {
  const rowHeight = 22;
  const [width, left, right] = narrow.matches ? [480, 170, 10] : [960, 190, 14];
  const height = tracks.length * rowHeight + 44;
  const x = axis(0, Math.max(1, video.frames), left, width - right);
  const drawing = s("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Coverage of every track over time" });
  const base = tracks.length * rowHeight + 8;
  for (const tick of x.ticks(narrow.matches ? 4 : 10)) {
    drawing.append(s("path", { class: "grid", d: `M${x.at(tick)} 4V${base}` }), s("text", { x: x.at(tick), y: base + 16, "text-anchor": x.at(tick) > width - 24 ? "end" : "middle" }, whole(tick)));
  }
  drawing.append(s("text", { class: "name", x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, "frame"));
  tracks.forEach((track, i) => {
    const y = i * rowHeight + 18;
    const who = track.person || "nobody known";
    drawing.append(s("text", { x: left - 10, y: y + 4, "text-anchor": "end" }, `${who.length > 18 ? `${who.slice(0, 17)}…` : who} · ${track.track}`));
    for (const [first, last, found, cover] of track.stretches) {
      const sure = video.found[found] === "detected";
      const word = `${video.cover[cover]}, ${foundWord(video.found[found])}: frames ${first} to ${last}`;
      drawing.append(s("path", { class: `cover ${video.cover[cover]}${sure ? "" : " unsure"}`, d: `M${x.at(first).toFixed(1)} ${y}H${Math.max(x.at(last + 1), x.at(first) + 1).toFixed(1)}` }, s("title", {}, word)));
    }
  });
  const key = h("ul", { class: "key" }, video.cover.filter((_, i) => video.coverCounts[i]).map((name) => h("li", { class: name }, h("span", { class: `swatch ${name}`, "aria-hidden": "true" }), name)), h("li", {}, h("span", { class: "swatch edited unsure", "aria-hidden": "true" }), "paler: not detected in that frame itself"));
  const numbers = table("Coverage by track", ["track", "person", "median width", "frames", ...video.cover], tracks.map((track) => {
    const frames = (code) => track.stretches.filter((part) => code === null || part[3] === code).reduce((sum, [first, last]) => sum + last - first + 1, 0);
    return [String(track.track), track.person || "–", `${track.width} px`, whole(frames(null)), ...video.cover.map((_, code) => whole(frames(code)))];
  }));
  return h("div", {}, key, figure(drawing, "A row a track; the same person may have several.", numbers));
}
