// Drawings: axes, the trade-off plane, lines, bars.  Colours and strokes are in charts.css.

/** A linear axis from data to pixels, with round ticks. */
function axis(low, high, start, end) {
  const at = (value) => start + ((Math.min(Math.max(value, low), high) - low) / (high - low || 1)) * (end - start);
  const ticks = (most = 6) => {
    const raw = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((k) => k * power).find((size) => (high - low) / size <= most + 1e-9);
    const first = Math.ceil(low / step - 1e-9);
    const count = Math.floor(high / step + 1e-9) - first;
    return Array.from({ length: count + 1 }, (_, i) => Number(((first + i) * step).toPrecision(8)));
  };
  return { low, high, at, ticks };
}

const plain = (value) => String(Number(value.toPrecision(6)));

/** A frame with axes; what is drawn into it is added to the returned drawing. */
function frame({ width = 520, height = 330, x, y, xTitle, yTitle, title, yFormat = plain, xFormat = plain, yTicks = 5, margin = 52, beside = 14 }) {
  const [left, right, top, bottom] = [yTitle ? margin : 14, beside, 14, 42];
  const horizontal = axis(x[0], x[1], left, width - right);
  const vertical = y ? axis(y[0], y[1], height - bottom, top) : null;
  const drawing = s("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  const base = height - bottom;
  for (const tick of vertical && yTitle ? vertical.ticks(yTicks) : []) {
    const place = vertical.at(tick).toFixed(1);
    drawing.append(
      s("path", { class: "grid", d: `M${left} ${place}H${width - right}` }),
      s("text", { x: left - 7, y: Number(place) + 4, "text-anchor": "end" }, yFormat(tick)),
    );
  }
  drawing.append(s("path", { class: "axis", d: `M${left} ${base}H${width - right}` }));
  for (const tick of horizontal.ticks()) {
    const place = horizontal.at(tick).toFixed(1);
    drawing.append(
      s("path", { class: "axis", d: `M${place} ${base}v4` }),
      s("text", { x: place, y: base + 17, "text-anchor": Number(place) > width - 24 ? "end" : "middle" }, xFormat(tick)),
    );
  }
  drawing.append(s("text", { class: "name", x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, xTitle));
  if (yTitle) {
    const middle = (top + base) / 2;
    drawing.append(
      s("text", { class: "name", transform: `translate(13 ${middle}) rotate(-90)`, "text-anchor": "middle" }, yTitle),
    );
  }
  return { drawing, x: horizontal, y: vertical, left, right: width - right, top, base, width, height };
}

/** A vertical line with a word at its top. */
function upright(plot, value, word, kind = "limit", level = 0, side = 1) {
  const place = plot.x.at(value);
  plot.drawing.append(
    s("path", { class: kind, d: `M${place.toFixed(1)} ${plot.top}V${plot.base}` }),
    s(
      "text",
      { class: kind, x: place + 5 * side, y: plot.top + 11 + 14 * level, "text-anchor": side > 0 ? "start" : "end" },
      word,
    ),
  );
}

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** A step line through points (x, y): level until the next x. */
function steps(points, end) {
  if (!points.length) return "";
  const parts = points.map(([x, y], i) => (i ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`));
  return `${parts.join("")}H${end.toFixed(1)}`;
}

/** Points that no other beats in both directions, by rising distance. */
function paretoFront(points) {
  const front = [];
  for (const point of [...points].sort((a, b) => b[0] - a[0] || b[1] - a[1]))
    if (!front.length || point[1] > front[front.length - 1][1]) front.push(point);
  return front.reverse();
}

/** Ranges of the trade-off plane that hold nearly all points, the threshold and the thesis's average. */
function planeRange(distances, products) {
  const [d, p] = [rising(distances), rising(products)];
  const { threshold, thesis } = run.about;
  const low = Math.min(thesis.distance - 0.04, quantile(d, d.length > 500 ? 0.005 : 0) || 9);
  const high = Math.max(1.5, threshold + 0.1, (d[d.length - 1] || 0) + 0.02);
  const bottom = Math.min(thesis.product - 0.03, quantile(p, p.length > 500 ? 0.01 : 0) || 9);
  return { x: [Math.max(0.6, Math.floor(low * 20) / 20), Math.ceil(high * 20) / 20], y: [Math.max(0.5, Math.floor(bottom * 20 - 0.2) / 20), 1] };
}

/**
 * Distance against detection × IoU.
 * @param points [{distance, product, feasible, name, open}]
 * @param options {title, winner, marks: [{distance, product, word}], front}
 */
function plane(points, { title, winner = null, front = true, range = null, small = false }) {
  const { x, y } = range ?? planeRange(points.map((p) => p.distance), points.map((p) => p.product));
  const plot = frame({ x, y, xTitle: "distance, FaceNet scale", yTitle: "detection × IoU", title, beside: BESIDE });
  contours(plot);
  const { threshold, thesis } = run.about;
  const side = plot.x.at(threshold) > plot.width * 0.75 ? -1 : 1;
  if (threshold) upright(plot, threshold, `${plain(threshold)}: far enough`, "limit", 0, side);
  const dots = (chosen) => chosen.map((p) => `M${plot.x.at(p.distance).toFixed(1)} ${plot.y.at(p.product).toFixed(1)}h0`).join("");
  const size = small || points.length > 600 ? " small" : "";
  plot.drawing.append(s("path", { class: `dots no${size}`, d: dots(points.filter((p) => !p.feasible)) }));
  plot.drawing.append(s("path", { class: `dots yes${size}`, d: dots(points.filter((p) => p.feasible)) }));
  if (front) {
    const best = paretoFront(points.map((p) => [p.distance, p.product]));
    const drawn = best.map(([d, p]) => [plot.x.at(d), plot.y.at(p)]);
    if (drawn.length > 1) plot.drawing.append(s("path", { class: "front", d: path(drawn) }));
  }
  const [cx, cy] = [plot.x.at(thesis.distance), plot.y.at(thesis.product)];
  plot.drawing.append(
    s("path", { class: "thesis", d: `M${cx} ${cy - 6}l6 6l-6 6l-6 -6z` }),
    s("text", { class: "thesis", x: cx + 10, y: cy + 4 }, "random, thesis"),
  );
  if (winner) plot.drawing.append(s("circle", { class: "winner", cx: plot.x.at(winner.distance), cy: plot.y.at(winner.product), r: 7 }));
  hover(plot, points);
  return plot.drawing;
}

/** Pixels beside the plane for what its curves are called: no point can stand there. */
const BESIDE = 38;

/** Faint lines of equal utility. */
function contours(plot) {
  let named = false;
  for (const utility of [0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]) {
    const points = [];
    for (let i = 0; i <= 40; i += 1) {
      const distance = plot.x.low + ((plot.x.high - plot.x.low) * i) / 40;
      const product = utility / distance;
      if (product <= plot.y.high && product >= plot.y.low) points.push([plot.x.at(distance), plot.y.at(product)]);
    }
    if (points.length < 6) continue;
    plot.drawing.append(s("path", { class: "contour", d: path(points) }));
    const [x, y] = points[points.length - 1];
    if (x < plot.right - 2) continue;
    plot.drawing.append(s("text", { class: "contour", x: plot.right + 5, y: y + 4 }, plain(utility)));
    named = true;
  }
  if (named) plot.drawing.append(s("text", { class: "contour", x: plot.width - 1, y: plot.top - 4, "text-anchor": "end" }, "utility"));
}

/** Names the point under the pointer, and opens it on a click; keyboards have the table. */
function hover(plot, points) {
  const word = s("text", { class: "tip" });
  const ring = s("circle", { class: "ring", r: 6 });
  const mark = s("g", { visibility: "hidden" }, ring, word);
  plot.drawing.append(mark);
  let under = null;
  plot.drawing.addEventListener("pointermove", (event) => {
    const box = plot.drawing.getBoundingClientRect();
    const scale = plot.width / box.width;
    const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    let nearest = 14;
    under = null;
    for (const point of points) {
      const gap = Math.hypot(plot.x.at(point.distance) - x, plot.y.at(point.product) - y);
      if (gap < nearest) [nearest, under] = [gap, point];
    }
    mark.setAttribute("visibility", under ? "visible" : "hidden");
    plot.drawing.classList.toggle("pointing", Boolean(under?.open));
    if (!under) return;
    const [cx, cy] = [plot.x.at(under.distance), plot.y.at(under.product)];
    const left = cx > plot.width * 0.6;
    ring.setAttribute("cx", cx);
    ring.setAttribute("cy", cy);
    word.setAttribute("x", cx + (left ? -10 : 10));
    word.setAttribute("y", cy - 8);
    word.setAttribute("text-anchor", left ? "end" : "start");
    word.textContent = `${under.name} · ${three(under.distance)} · ${three(under.product)}`;
  });
  plot.drawing.addEventListener("pointerleave", () => mark.setAttribute("visibility", "hidden"));
  plot.drawing.addEventListener("click", () => under?.open?.());
}
