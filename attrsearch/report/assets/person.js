// The page of one person.

function personPage(id) {
  const person = run.byId.get(id);
  if (!person) return { title: "No such person", body: [h("h1", { tabindex: -1 }, "No such person"), h("p", {}, h("a", { href: "#/" }, "All people"))] };
  const pictures = h("div");
  const rest = h("div", {}, h("p", { class: "soft" }, "Reading the trials…"));
  const head = h("div");
  let drawn = "";
  const show = async (again = true) => {
    const state = JSON.stringify(run.byId.get(id));
    if (!again && state === drawn) return; // somebody else changed: what the reader does here stays
    drawn = state;
    if (!head.childElementCount) head.replaceChildren(...personHead(person));
    const [trials, attributes] = await Promise.all([trialsOf(person), run.live ? attributesAsked(person) : null]);
    const seen = inWaiting(person, trials);
    head.replaceChildren(...personHead(seen));
    pictures.replaceChildren(picturesSection(seen, trials));
    rest.replaceChildren(...personSections(seen, trials, attributes).filter(Boolean));
  };
  const ready = show().catch((error) => rest.replaceChildren(h("p", { class: "notice" }, `The trials cannot be read: ${error.message}`)));
  return { title: person.id, body: [head, pictures, rest], update: show, ready, person };
}

/** A person as a choice makes them: shown at once, while the chosen trial is measured again. */
function inWaiting(person, trials) {
  const { measuring } = person;
  if (!measuring || measuring.error || measuring.trial >= trials.count) return person;
  const i = measuring.trial;
  const values = { detection: trials.detection[i], iou: trials.iou[i], distance: trials.distance[i], worst: trials.worst[i], feasible: trials.feasible[i] };
  const pictures = { ...picturesOf(person), best: [`candidate/${person.key}/${i}`] };
  return { ...person, ...values, winner: i, product: trials.product[i], held: null, waiting: true, chosenBy: null, grade: null, shownPictures: pictures };
}

const GRADES = ["bad", "OK", "good"];

function personHead(person) {
  const people = listed();
  const place = people.indexOf(person);
  const go = (step, word) => (people[place + step] && place >= 0 ? h("a", { href: personLink(people[place + step]) }, word) : h("span", { class: "soft" }, word));
  const certainty = person.certainty < 0.999 ? ` (certainty ${percent(person.certainty)})` : "";
  return [
    h("nav", { class: "row", "aria-label": "People" }, h("a", { href: "#/" }, "All people"), go(-1, "← Previous"), go(1, "Next →")),
    h("h1", { tabindex: -1 }, person.id),
    h(
      "p",
      { class: "lead" },
      ...(person.waiting ? [h("b", {}, `trial ${person.winner} is being measured again`)] : [h("b", { class: verdictClass(person) }, verdict(person)), person.dropped ? "" : ` (${person.reason})`]),
      ` · ${person.gender}${certainty} · ${plural(person.feasibleTrials, "feasible trial", "feasible trials")} of ${whole(person.evaluations)} · ${duration(person.seconds)}`,
      Number.isInteger(person.grade) ? ` · looks ${GRADES[person.grade]}` : "",
      person.chosenBy ? ` · winner chosen by ${person.chosenBy}` : "",
    ),
    measuredTable(person),
    run.live ? personActions(person) : null,
  ].filter(Boolean);
}

function measuredTable(person) {
  const { held } = person;
  const { threshold } = run.about;
  const line = (name, faces, m, good) => [
    name, whole(faces), three(m.detection), three(m.iou), three(m.distance), signed(m.distance - threshold), three(m.worst ?? m.worst_distance),
    three(m.detection * m.iou * m.distance), h("span", { class: good ? "yes" : "no" }, good ? "feasible" : "not feasible"),
  ];
  const waiting = ["pictures kept back", ...Array(7).fill("…"), h("span", { class: "soft" }, "being measured")];
  return table(
    "The winner, measured",
    ["winner measured on", "pictures", "detection", "IoU", "distance", `margin to ${plain(threshold)}`, "worst", "utility", ""],
    [line("pictures searched", person.faces, person, person.feasible), ...(person.waiting ? [waiting] : held ? [line("pictures kept back", held.faces, held, held.feasible)] : [])],
    { class: "compact" },
  );
}

function picturesSection(person, trials) {
  const found = picturesOf(person);
  const terms = (trial) => (trial < trials.count ? `d ${two(trials.distance[trial])} · p×IoU ${two(trials.product[trial])}${trials.feasible[trial] ? "" : " · not feasible"}` : "");
  const shots = [
    ...(found.original ?? []).map((source, i) => ["original", source, `picture ${i + 1}`, i]),
    ...(found.best ?? []).map((source, i) => ["best", source, i === 0 ? terms(person.winner) : `the same set, picture ${i + 1}`, i]),
    ...(found.runner ?? []).map((source, i) => ["runner-up", source, terms(person.runners[i])]),
    ...(found.random ?? []).map((source) => ["random", source, terms(person.random ?? 0)]),
  ];
  if (!shots.length) return h("p", { class: "soft" }, "No pictures are kept of this person.");
  const shot = ([kind, source, note, number]) =>
    h(
      "li",
      { class: kind },
      source ? pictureButton(person, source, `${kind}: ${note}`, number) : h("span", { class: "gone" }, "picture gone"),
      h("b", {}, kind),
      h("span", { class: "soft" }, note),
    );
  return h("ul", { class: "shots" }, shots.map(shot));
}

function personSections(person, trials, attributes) {
  const why = person.waiting ? `Trial ${person.winner} was chosen just now.` : whyWinner(person, trials);
  return [
    section("Why this one won", h("p", {}, why)),
    candidatesSection(person, trials, attributes),
    section("Trade-off", h("div", { class: "pair" }, trialsPlane(person, trials), progressFigure(person, trials))),
    attributesOf(person),
    screenedSection(person, trials),
    trialsSection(person, trials),
  ];
}

function trialsPlane(person, trials) {
  const points = [];
  for (let i = 0; i < trials.count; i += 1)
    if (trials.evaluated[i]) points.push({ distance: trials.distance[i], product: trials.product[i], feasible: trials.feasible[i], name: `trial ${i}` });
  const winner = { distance: person.distance, product: person.product };
  return figure(
    plane(points, { title: `Trials of ${person.id}: distance against detection times IoU`, winner }),
    "Every trial of this person; grey ones are not feasible, the ring is the winner.",
  );
}

/** Best feasible utility so far as [trial, utility] points. */
function bestSoFar(trials) {
  const points = [];
  let best = 0;
  for (let i = 0; i < trials.count; i += 1)
    if (trials.evaluated[i] && trials.feasible[i] && trials.utility[i] > best) points.push([i, (best = trials.utility[i])]);
  return points;
}

/**
 * The median over all orders of the best feasible utility after k of this person's random trials: [k, utility].
 * P(best of k ≤ u) = C(m, k) / C(n, k), m the number of random trials that are infeasible or at most u.
 */
function randomSoFar(trials) {
  const n = Math.min(run.about.random_trials, trials.count);
  const good = rising(Array.from({ length: n }, (_, i) => i).filter((i) => trials.feasible[i]).map((i) => trials.utility[i]));
  const points = [];
  for (let k = 1; k <= n; k += 1) {
    const atMost = (m) => {
      let share = 1;
      for (let j = 0; j < k; j += 1) share *= Math.max(0, m - j) / (n - j);
      return share;
    };
    const place = good.findIndex((_, i) => atMost(n - good.length + i + 1) >= 0.5);
    if (atMost(n - good.length) < 0.5 && place >= 0) points.push([k, good[place]]);
  }
  return points;
}

function progressFigure(person, trials) {
  const found = bestSoFar(trials);
  const chance = randomSoFar(trials);
  const other = [];
  for (let i = 0; i < (person.against?.length ?? 0); i += 2) other.push([person.against[i] + 1, person.against[i + 1]]);
  const all = [...found, ...chance, ...other].map((p) => p[1]);
  if (!all.length) return h("figure", {}, h("p", { class: "empty" }, "No trial of this person was feasible: there is no best so far."), h("figcaption", {}, "Best feasible utility so far."));
  const [low, high] = [Math.floor(Math.min(...all) * 20 - 0.5) / 20, Math.ceil(Math.max(...all) * 20 + 0.2) / 20];
  const plot = frame({ x: [0, trials.count], y: [low, high], xTitle: "trials", yTitle: "best feasible utility", title: `Best feasible utility so far, ${person.id}` });
  const draw = (points, kind, end) => points.length && plot.drawing.append(s("path", { class: kind, d: steps(points.map(([k, u]) => [plot.x.at(k), plot.y.at(u)]), plot.x.at(end)) }));
  draw(chance, "chance", run.about.random_trials);
  draw(other, "other", trials.count);
  draw(found.map(([i, u]) => [i + 1, u]), "line", trials.count);
  const notes = [`Line: the best feasible utility so far (first after ${plural(found.length ? found[0][0] + 1 : NaN, "trial", "trials")}).`];
  if (chance.length) notes.push(`Dashes: random, the median over all orders of this person's ${run.about.random_trials} random trials.`);
  else notes.push(`None of the ${run.about.random_trials} random trials was likely to be feasible.`);
  if (other.length) notes.push(`Dots: the same person in ${run.against}.`);
  return figure(plot.drawing, notes.join(" "));
}
