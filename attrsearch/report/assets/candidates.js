// Choosing with eyes open: every candidate as a picture, enlarged and wiped against the original.

const CANDIDATES_A_PAGE = 12;
const ORDERS = {
  utility: ["highest utility", (trials, i) => -trials.utility[i]],
  distance: ["largest distance", (trials, i) => -trials.distance[i]],
  look: ["best detection × IoU", (trials, i) => -trials.product[i]],
};

/** Why the winner is the winner, in a sentence or two. */
function whyWinner(person, trials) {
  const won = person.winner;
  if (person.chosenBy) return `Trial ${won} was chosen by ${person.chosenBy}.`;
  const feasible = Array.from({ length: trials.count }, (_, i) => i).filter((i) => trials.evaluated[i] && trials.feasible[i]);
  if (!person.feasible) return `No trial meets every constraint; trial ${won} came out best of those that miss one.`;
  const among = `of ${plural(feasible.length, "feasible trial", "feasible trials")} among ${whole(person.evaluations)} measured`;
  if (run.about.objective !== "utility_product") return `Trial ${won} won: ${among}, it is best by the objective ${run.about.objective}.`;
  const others = feasible.filter((i) => i !== won).sort((a, b) => trials.utility[b] - trials.utility[a]);
  const better = others.filter((i) => trials.utility[i] > trials.utility[won] + 1e-3);
  if (better.length) return `Trial ${won} won: ${among}, ${plural(better.length, "has", "have")} a higher utility on the searched pictures, but did not win after the further checks of the search.`;
  const next = others.length ? `; next is trial ${others[0]} with ${three(trials.utility[others[0]])}` : "";
  return `Trial ${won} won: ${among}, it has the highest utility, ${three(trials.utility[won])}${next}.`;
}

/** A picture in the middle of the page; where there is another to compare it with, a slider wipes between them. */
function enlarge(source, name, other = null) {
  const before = document.activeElement;
  const above = h("img", { src: source, alt: name, width: 384, height: 384 });
  const stack = h("div", { class: "wipe" }, other ? h("img", { src: other.source, alt: other.name, width: 384, height: 384 }) : null, above);
  const slider = other && h("input", { type: "range", id: "wipe", min: 0, max: 100, value: 50, oninput: () => show() });
  const show = () => (above.style.clipPath = `inset(0 0 0 ${slider.value}%)`);
  if (slider) show();
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
  const label = slider && h("label", { for: "wipe" }, h("span", {}, `← ${other.name}`), h("span", {}, `${name} →`));
  const dialog = h("dialog", { class: "enlarged", "aria-label": name }, stack, label ?? h("p", {}, name), slider, close);
  dialog.addEventListener("close", () => (dialog.remove(), before?.focus({ preventScroll: true })));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

/** What a picture is compared with: the original of the same picture where it may be shown, else the winner's edit. */
function comparedWith(person, source, number = 0) {
  const { original = [], best = [] } = picturesOf(person);
  if (original[number] && original[number] !== source) return { source: original[number], name: "original" };
  if (best[number] && best[number] !== source) return { source: best[number], name: "winner" };
  return null;
}

/** A button that shows a picture and enlarges it. */
function pictureButton(person, source, name, number = 0, failed = null) {
  const image = h("img", { src: source, alt: name, width: 128, height: 128, loading: "lazy" });
  const button = h("button", { type: "button", class: "zoom", "aria-label": `Enlarge ${name}`, onclick: () => enlarge(source, name, comparedWith(person, source, number)) }, image);
  image.addEventListener("error", () => (button.replaceWith(h("span", { class: "gone" }, "no picture")), failed?.()));
  return button;
}

// pictures are made by the run's models, which takes memory and time: only once somebody asks for them
const choosing = { asked: false, order: "utility", all: false };

function candidatesSection(person, trials) {
  if (!run.live) return section("Candidates", h("p", { class: "soft" }, "The dashboard shows a picture of every candidate, and lets another win: attrsearch dashboard RUN."));
  if (!choosing.asked) {
    const ask = (event) => ((choosing.asked = true), event.target.closest("section").replaceWith(candidatesSection(person, trials)));
    return section("Candidates", h("p", {}, "Every candidate has a picture; the models of the run make it when it is asked for."), h("button", { type: "button", id: "candidate-pictures", onclick: ask }, "Show their pictures"));
  }
  let count = CANDIDATES_A_PAGE;
  const [grid, note] = [h("ul", { class: "shots", id: "candidates" }), h("p", { class: "soft", role: "status" })];
  const more = h("button", { type: "button", onclick: () => ((count += CANDIDATES_A_PAGE), show()) }, "More");
  const explain = (i) => fetchText(`candidate/${person.key}/${i}`).catch((error) => (note.textContent = error.message));
  const card = (i) => {
    const state = i === person.winner ? "winner" : trials.feasible[i] ? "feasible" : "not feasible";
    return h(
      "li",
      { class: i === person.winner ? "best" : null },
      pictureButton(person, `candidate/${person.key}/${i}`, `trial ${i}`, 0, () => explain(i)),
      h("b", {}, `trial ${i}`),
      h("span", { class: trials.feasible[i] ? "yes" : "soft" }, state),
      h("span", { class: "soft" }, `u ${two(trials.utility[i])} · d ${two(trials.distance[i])} · p×IoU ${two(trials.product[i])}`),
      i === person.winner ? null : winnerButton(person, i),
    );
  };
  const show = () => {
    const value = ORDERS[choosing.order][1];
    const order = Array.from({ length: trials.count }, (_, i) => i).filter((i) => trials.evaluated[i] && (choosing.all || trials.feasible[i]));
    order.sort((a, b) => value(trials, a) - value(trials, b));
    grid.replaceChildren(...order.slice(0, count).map(card));
    const shown = `${whole(Math.min(count, order.length))} of ${plural(order.length, "candidate", "candidates")}`;
    note.textContent = order.length ? `${shown}. The pictures are being made; the first takes the longest…` : "No candidate is feasible: show all of them.";
    grid.querySelector("img")?.addEventListener("load", () => (note.textContent = shown));
    more.hidden = order.length <= count;
  };
  const sorting = h("select", { id: "candidate-order", onchange: (event) => ((choosing.order = event.target.value), show()) }, Object.entries(ORDERS).map(([name, [text]]) => h("option", { value: name, selected: name === choosing.order }, text)));
  const all = h("input", { type: "checkbox", id: "candidate-all", checked: choosing.all, onchange: (event) => ((choosing.all = event.target.checked), show()) });
  show();
  return section("Candidates", h("div", { class: "filters" }, h("label", {}, "First", sorting), h("label", { class: "tick" }, all, "Also those not feasible")), note, grid, more);
}
