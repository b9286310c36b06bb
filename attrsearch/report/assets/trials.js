// A person's attributes, what was screened out, and the table of trials.

function attributesOf(person) {
  const names = run.about.attributes;
  const bounds = run.about.bounds[person.gender];
  const passes = [person.first, person.second].filter(Boolean);
  const shares = names.map((name) => (person.importance ? (person.importance[`first_${name}`] ?? 0) + (person.importance[`second_${name}`] ?? 0) : null));
  const numbers = table(
    "Attributes of the winner",
    ["attribute", "bounds", ...passes.map((_, i) => (i ? "second pass" : "first pass")), "importance"],
    names.map((name, i) => [words(name), bounds[i].map(plain).join(" to "), ...passes.map((pass) => two(pass[i])), shares[i] === null ? "–" : percent(shares[i])]),
  );
  const free = run.about.passes === "mirrored" ? " The second pass is the first with its sign turned." : "";
  return section(
    "Attributes",
    figure(
      attributesChart(person, names, bounds, passes, shares),
      `What the winner asks of the editor, inside its bounds${passes.length > 1 ? " (thick: first pass, thin: second)" : ""}, and the share of each attribute in what sets the best tenth of the trials apart (PED-ANOVA${person.importance ? "" : ": not known for this person"}).${free}`,
      numbers,
    ),
  );
}

function attributesChart(person, names, bounds, passes, shares) {
  const rowHeight = passes.length > 1 ? 28 : 24;
  const [width, left, gap, end] = narrow.matches ? [460, 148, 336, 460] : [860, 150, 560, 850];
  const height = names.length * rowHeight + 46;
  const x = axis(-1.2, 1.2, left, gap - 20);
  const most = Math.max(0.05, ...shares.map((share) => share ?? 0));
  const drawing = s("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Attributes of the winner of ${person.id}, and their importance` });
  drawing.append(
    s("text", { class: "name", x: x.at(0), y: 12, "text-anchor": "middle" }, "asked for"),
    s("text", { class: "name", x: gap + 20, y: 12 }, "importance"),
    s("path", { class: "grid", d: `M${x.at(0)} 20V${height - 22}` }),
  );
  names.forEach((name, i) => {
    const y = 36 + i * rowHeight;
    const [low, high] = bounds[i];
    drawing.append(s("text", { x: left - 12, y: y + 4, "text-anchor": "end" }, words(name)));
    passes.forEach((pass, number) => {
      const at = passes.length > 1 ? y + (number ? 6 : -4) : y;
      const [a, b] = number && run.about.passes !== "single" ? [-high, -low] : [low, high];
      drawing.append(s("path", { class: number ? "bounds thin" : "bounds", d: `M${x.at(a)} ${at}H${Math.max(x.at(b), x.at(a) + 0.1)}` }));
      if (pass[i]) drawing.append(s("path", { class: number ? "asked thin" : "asked", d: `M${x.at(0)} ${at}H${x.at(pass[i])}` }));
    });
    if (shares[i] === null) return;
    const right = gap + 20 + (end - gap - 76) * (shares[i] / most);
    if (shares[i] > 0) drawing.append(s("path", { class: "weight", d: `M${gap + 20} ${y}H${right.toFixed(1)}` }));
    drawing.append(s("text", { x: right + 8, y: y + 4 }, low < high ? percent(shares[i]) : "fixed"));
  });
  for (const tick of [-1, -0.5, 0, 0.5, 1]) drawing.append(s("text", { x: x.at(tick), y: height - 4, "text-anchor": "middle" }, plain(tick)));
  return drawing;
}

function screenedSection(person, trials) {
  const sources = run.sources.map((name) => {
    const of = Array.from({ length: trials.count }, (_, i) => i).filter((i) => trials.source[i] === name);
    const measured = of.filter((i) => trials.evaluated[i]);
    return [name, of.length, measured.length, measured.filter((i) => trials.feasible[i]).length];
  }).filter(([, count]) => count);
  const audited = sources.find(([name]) => name === "audit");
  const notes = person.screened
    ? `${plural(person.screened, "candidate", "candidates")} of ${whole(trials.count)} were screened out without a measurement.`
    : "Every candidate was measured; nothing was screened out.";
  const audit = audited
    ? ` Of the rejected, ${whole(audited[2])} were measured all the same: ${plural(audited[3], "was", "were")} feasible, a false-reject rate of ${percent(audited[3] / audited[2])}.`
    : person.screened ? " No rejected candidate was audited, so it is not known how many of them would have been feasible." : "";
  return section("Screening", h("p", {}, notes + audit), sources.length > 1 ? table("Candidates by source", ["source", "candidates", "measured", "feasible"], sources.map(([name, ...counts]) => [name, ...counts.map(whole)])) : null);
}

function trialsSection(person, trials) {
  const order = Array.from({ length: trials.count }, (_, i) => i).filter((i) => trials.evaluated[i]);
  order.sort((a, b) => trials.feasible[b] - trials.feasible[a] || (trials.feasible[a] ? trials.utility[b] - trials.utility[a] : trials.distance[b] - trials.distance[a]));
  const shown = { count: 12 };
  const place = h("div");
  const show = () => {
    const rows = order.slice(0, shown.count).map((i) => [
      h("span", {}, `${i}`, i === person.winner ? " · winner" : person.runners.includes(i) ? " · runner-up" : ""),
      three(trials.utility[i]), three(trials.detection[i]), three(trials.iou[i]), three(trials.distance[i]), three(trials.worst[i]),
      h("span", { class: trials.feasible[i] ? "yes" : "soft" }, trials.feasible[i] ? "yes" : "no"),
      ...(run.live ? [winnerButton(person, i)] : []),
    ]);
    const more = order.length > shown.count ? h("button", { type: "button", onclick: () => ((shown.count *= 4), show()) }, `More of ${whole(order.length)}`) : null;
    place.replaceChildren(...[table("Trials", ["trial", "utility", "detection", "IoU", "distance", "worst", "feasible", ...(run.live ? ["winner"] : [])], rows), more].filter(Boolean));
  };
  show();
  return section("Best trials", place);
}
