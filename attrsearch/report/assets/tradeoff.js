// The trade-off of everyone: named points that follow the threshold and lead to the person.

const MOST_LINKS = 60;
const MOST_NAMES = 14;

/** Where a person stands at a threshold: the winner at the run's own, the best of the staircase at another. */
function standingAt(person, t) {
  const own = { distance: person.distance, product: person.product };
  if (t === run.about.threshold) return { ...own, feasible: person.feasible };
  const { steps } = person;
  let found = null;
  for (let i = 0; i < steps.length && steps[i] > t; i += 2) found = { distance: steps[i], product: steps[i + 1] / steps[i], feasible: true };
  return found ?? { ...own, feasible: false };
}

/** The first place about a point where its name covers neither another name nor a point; where it must have one, any in the plane. */
function placeName(name, x, y, plot, taken, must) {
  const width = 7 * name.length;
  const beside = [4, -8, 16].flatMap((dy) => [[10, dy, "start", 0], [-10, dy, "end", -width]]);
  const places = [...beside.slice(0, 2), [0, -11, "middle", -width / 2], [0, 20, "middle", -width / 2], ...beside.slice(2)];
  const boxes = places.map(([dx, dy, anchor, from]) => ({ dx, dy, anchor, left: x + dx + from, top: y + dy - 11 }));
  const inside = (box) => box.left > plot.left && box.left + width < plot.right && box.top > plot.top - 10;
  const clear = (box) => inside(box) && taken.every((other) => box.left > other.left + other.width || other.left > box.left + width || Math.abs(box.top - other.top) > 12);
  const box = boxes.find(clear) ?? (must ? boxes.find(inside) : null);
  if (!box) return null;
  taken.push({ left: box.left, top: box.top, width });
  return box;
}

/** The figure, and a function that moves its points to another threshold. */
function tradeOff() {
  const people = counted();
  const { thesis, threshold: asked } = run.about;
  const all = people.flatMap((p) => [p, ...[0, 1].filter(() => p.steps.length > 1).map((last) => (last ? { distance: p.steps.at(-2), product: p.steps.at(-1) / p.steps.at(-2) } : { distance: p.steps[0], product: p.steps[1] / p.steps[0] }))]);
  const range = planeRange(all.map((p) => p.distance), all.map((p) => p.product));
  const plot = frame({ ...range, xTitle: "distance, FaceNet scale", yTitle: "detection × IoU", title: "Trade-off: the best set of every person, distance against detection times IoU", beside: BESIDE });
  contours(plot);
  plot.drawing.append(
    s("path", { class: "thesis", d: `M${plot.x.at(thesis.distance)} ${plot.y.at(thesis.product) - 6}l6 6l-6 6l-6 -6z` }),
    s("text", { class: "thesis", x: plot.x.at(thesis.distance) + 10, y: plot.y.at(thesis.product) + 4 }, "random, thesis"),
  );
  const [line, word] = [s("path", { class: "limit" }), s("text", { class: "limit", y: plot.top + 11 })];
  const layer = s("g", {});
  plot.drawing.append(line, word, layer);
  const points = people.map((p) => ({ name: p.id, open: () => (location.hash = personLink(p)) }));
  const linked = people.length <= MOST_LINKS;
  if (linked) plot.drawing.setAttribute("role", "group");
  hover(plot, points);
  const move = (t) => {
    people.forEach((person, i) => Object.assign(points[i], standingAt(person, t)));
    const x = plot.x.at(t);
    const side = x > plot.width * 0.75 ? -1 : 1;
    line.setAttribute("d", asked ? `M${x.toFixed(1)} ${plot.top}V${plot.base}` : "");
    word.setAttribute("x", x + 5 * side);
    word.setAttribute("text-anchor", side > 0 ? "start" : "end");
    word.textContent = asked ? `${plain(t)}: far enough` : "";
    layer.replaceChildren(...(linked ? pointLinks(people, points, plot) : manyDots(points, plot)));
  };
  move(threshold.value ?? asked);
  const drawn = figure(plot.drawing, "One point a person: the best set at the threshold that the slider asks for. Right is harder to recognise, up is easier to detect; pale points have no set that is far enough. A point opens its person. Faint curves are equal utility.");
  return { element: drawn, move };
}

function pointLinks(people, points, plot) {
  const at = points.map((p) => [plot.x.at(p.distance), plot.y.at(p.product)]);
  const taken = at.map(([x, y]) => ({ left: x - 5, top: y - 7, width: 10 }));
  return people.map((person, i) => {
    const [x, y] = at[i];
    const { feasible } = points[i];
    const name = person.id.length > 18 ? `${person.id.slice(0, 17)}…` : person.id;
    const label = `${person.id}: distance ${three(points[i].distance)}, ${feasible ? "feasible" : "not feasible"} here`;
    const mark = s("a", { href: personLink(person), "aria-label": label, class: feasible ? "point yes" : "point no" }, s("circle", { class: "reach", cx: x, cy: y, r: 13 }), s("circle", { cx: x, cy: y, r: 5 }));
    const box = placeName(name, x, y, plot, taken, people.length <= MOST_NAMES);
    if (box) {
      mark.append(s("text", { x: x + box.dx, y: y + box.dy, "text-anchor": box.anchor }, name));
    }
    return mark;
  });
}

function manyDots(points, plot) {
  const size = points.length > 600 ? " small" : "";
  const dots = (chosen) => chosen.map((p) => `M${plot.x.at(p.distance).toFixed(1)} ${plot.y.at(p.product).toFixed(1)}h0`).join("");
  return ["no", "yes"].map((kind) => s("path", { class: `dots ${kind}${size}`, d: dots(points.filter((p) => p.feasible === (kind === "yes"))) }));
}
