// The grid of candidates: those that the limits keep, in the order asked for; marked ones stand above it.

const CANDIDATES_A_PAGE = 12;
const ORDERS = {
  utility: ["highest utility", (trials, i) => -trials.utility[i]],
  distance: ["largest distance", (trials, i) => -trials.distance[i]],
  look: ["best look (detection × IoU)", (trials, i) => -trials.product[i]],
};

// pictures are made by the run's models, which takes memory and time: only once somebody asks for them
const choosing = { asked: false, order: "utility", all: false };

function candidateCard(person, i, failed) {
  const { trials } = explore;
  const state = i === person.winner ? (person.waiting ? "winner, being measured" : "winner") : trials.feasible[i] ? "feasible" : "not feasible";
  const marked = explore.marked.has(i);
  const point = (trial) => () => pointAt(trial);
  return h(
    "li",
    { class: [i === person.winner ? "best" : "", marked ? "marked" : ""].join(" ").trim() || null, "data-card": i, onpointerenter: point(i), onpointerleave: point(-1) },
    choosing.asked ? pictureButton(person, `candidate/${person.key}/${i}`, `trial ${i}`, 0, () => failed(i)) : null,
    h("b", {}, `trial ${i}`),
    h("span", { class: trials.feasible[i] ? "yes" : "soft" }, state),
    h("span", { class: "soft" }, `u ${two(trials.utility[i])} · d ${two(trials.distance[i])} · p×IoU ${two(trials.product[i])}`),
    h("span", { class: "buttons" },
      h("button", { type: "button", class: "quiet", "aria-pressed": String(marked), onclick: () => toggleMark(i) }, marked ? "Marked" : "Mark"),
      i === person.winner ? null : winnerButton(person, i)),
  );
}

function gridPart(person) {
  const { trials } = explore;
  let count = CANDIDATES_A_PAGE;
  const grid = h("ul", { class: "shots", id: "candidates" });
  const tray = h("ul", { class: "shots", id: "marked" });
  const trayPart = h("div", {}, h("h3", {}, "Marked"), tray);
  const note = h("p", { class: "soft", role: "status", id: "candidates-note" });
  const more = h("button", { type: "button", onclick: () => ((count += CANDIDATES_A_PAGE), show()) }, "More");
  const explain = (i) => fetchText(`candidate/${person.key}/${i}`).catch((error) => (note.textContent = error.message));
  const card = (i) => candidateCard(person, i, explain);
  const show = () => {
    const value = ORDERS[choosing.order][1];
    const all = Array.from({ length: trials.count }, (_, i) => i).filter((i) => trials.evaluated[i] && (choosing.all || trials.feasible[i]));
    const order = all.filter(keptByLimits).sort((a, b) => value(trials, a) - value(trials, b));
    const marked = [...explore.marked].sort((a, b) => value(trials, a) - value(trials, b));
    trayPart.hidden = !marked.length;
    tray.replaceChildren(...marked.map(card));
    grid.replaceChildren(...order.slice(0, count).map(card));
    more.hidden = order.length <= count;
    const shown = `${whole(Math.min(count, order.length))} of ${plural(all.length, "candidate", "candidates")}`;
    const left = all.length - order.length;
    const limited = left ? `; limits leave ${whole(left)} out` : "";
    const none = all.length ? "No candidate passes the limits: let go of one." : "No candidate is feasible: show all of them.";
    note.textContent = order.length ? shown + limited : none;
    if (!choosing.asked || !order.length) return;
    note.textContent = `${shown}${limited}. The pictures are being made; the first takes the longest…`;
    grid.querySelector("img")?.addEventListener("load", () => (note.textContent = shown + limited));
  };
  const sorting = h("select", { id: "candidate-order", onchange: (event) => ((choosing.order = event.target.value), show()) }, Object.entries(ORDERS).map(([name, [text]]) => h("option", { value: name, selected: name === choosing.order }, text)));
  const all = h("input", { type: "checkbox", id: "candidate-all", checked: choosing.all, onchange: (event) => ((choosing.all = event.target.checked), show()) });
  const ask = h("button", { type: "button", id: "candidate-pictures", hidden: choosing.asked, onclick: () => ((choosing.asked = true), (ask.hidden = true), show()) }, "Show their pictures");
  explore.told.push(show);
  show();
  return h(
    "div",
    {},
    h("div", { class: "filters" }, h("label", {}, "First", sorting), h("label", { class: "tick" }, all, "Also those not feasible"), ask),
    note, trayPart, grid, more,
  );
}
