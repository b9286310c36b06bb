// Choosing with eyes open: every candidate as a picture, enlarged and wiped against the original.

// utilities this close are as good as equal: what looks better is then worth saying
const NEARLY = 0.005;

/** What the winner passes or misses, as half sentences. */
function constraintsOf(person, met) {
  const { threshold: limit, verification, recognisers } = run.about;
  const parts = [];
  if (limit && person.distance > limit === met) parts.push(`its mean distance, ${three(person.distance)}, is ${met ? "above" : "not above"} ${plain(limit)}`);
  if (verification !== null && person.worst > verification === met) parts.push(`${met ? "even " : ""}its worst picture, at ${three(person.worst)}, ${met ? "no longer verifies" : "still verifies"} by ${recognisers.join(" and ")} (${three(verification)})`);
  return parts.join(" and ");
}

/** Why the winner is the winner, in a sentence or two: the constraints, the utility, and the look of what is as good. */
function whyWinner(person, trials) {
  const won = person.winner;
  const feasible = Array.from({ length: trials.count }, (_, i) => i).filter((i) => trials.evaluated[i] && trials.feasible[i]);
  const others = feasible.filter((i) => i !== won).sort((a, b) => trials.utility[b] - trials.utility[a]);
  if (person.chosenBy) {
    const best = others.length && trials.utility[others[0]] > trials.utility[won] ? ` Highest in utility is trial ${others[0]} with ${three(trials.utility[others[0]])}; this one has ${three(trials.utility[won])}.` : "";
    return `Trial ${won} was chosen by ${person.chosenBy}.${best}`;
  }
  const measured = whole(person.evaluations);
  if (!person.feasible) {
    const missed = constraintsOf(person, false);
    return `None of ${measured} measured candidates meets every constraint; trial ${won} comes closest${missed ? `: ${missed}` : ""}.`;
  }
  const met = constraintsOf(person, true);
  const first = `Trial ${won} meets every constraint${met ? `: ${met}` : ""}.`;
  const among = `Of the ${plural(feasible.length, "candidate", "candidates")} that do, among ${measured} measured,`;
  if (run.about.objective !== "utility_product") return `${first} ${among} it is best by the objective ${run.about.objective}.`;
  const better = others.filter((i) => trials.utility[i] > trials.utility[won] + 1e-3);
  const least = others.length ? trials.utility[others[0]] * (1 - run.about.ties) : 0;
  if (better.length && trials.utility[won] >= least) return `${first} ${among} ${plural(better.length, "has", "have")} a utility up to ${percent(run.about.ties)} higher than ${three(trials.utility[won])}, as good as equal, and this one looks best.`;
  if (better.length) return `${first} ${among} ${plural(better.length, "has", "have")} a higher utility on the searched pictures, but did not win after the further checks of the search.`;
  return `${first} ${among} it has the highest utility, ${three(trials.utility[won])}${nextBest(won, others, trials)}.`;
}

/** The next best candidate, and, where it is as good as equal, which of the two looks better. */
function nextBest(won, others, trials) {
  if (!others.length) return "";
  const next = others[0];
  const text = `; next is trial ${next} with ${three(trials.utility[next])}`;
  const more = trials.product[next] - trials.product[won];
  if (trials.utility[won] - trials.utility[next] > NEARLY || Math.abs(more) < 5e-4) return text;
  return `${text}, as good as equal, and ${more > 0 ? "it looks better" : "the winner looks better"} (detection × IoU ${three(Math.max(trials.product[next], trials.product[won]))} against ${three(Math.min(trials.product[next], trials.product[won]))})`;
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

function candidatesSection(person, trials, attributes) {
  if (run.live) return exploreSection(person, trials, attributes);
  return section("Candidates", h("p", { class: "soft" }, "The dashboard shows a picture of every candidate, compares them in charts, and lets another win: attrsearch dashboard RUN."));
}
