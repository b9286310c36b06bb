// What a term means: beside it while it is pointed at or focused, and on a page of its own.

// words of tables and figures that the glossary has under another name
const TERM_OF = {
  result: "Verdict",
  hold: "Verdict",
  holds: "Verdict",
  "searched only": "Verdict",
  "not anonymised": "Verdict",
  detection: "Detection probability",
  worst: "Worst distance",
  "its IoU": "IoU",
  pictures: "Picture",
  evaluations: "Evaluation",
  screened: "Screening",
  attribute: "Attribute",
  "winner measured on": "Held out",
};

/** A word's entry in the glossary as [term, meaning]; undefined where it has none. */
function entryOf(word) {
  const wanted = (TERM_OF[word] ?? word).toLowerCase();
  return run.glossary.find(([term]) => term.toLowerCase().split(", ").includes(wanted));
}

const glossaryLink = (term) => `#/glossary/${encodeURIComponent(term)}`;

const tip = { box: h("div", { id: "tip", role: "tooltip", hidden: true }), of: null };

function hideTip() {
  tip.of?.removeAttribute("aria-describedby");
  tip.of = null;
  tip.box.hidden = true;
}

function showTip(element, text) {
  hideTip();
  tip.of = element;
  tip.box.textContent = text;
  tip.box.hidden = false;
  element.setAttribute("aria-describedby", "tip");
  placeTip();
}

/** Under its word, wherever that was scrolled to: focus scrolls, too. */
function placeTip() {
  if (!tip.of) return;
  const place = tip.of.getBoundingClientRect();
  const room = document.documentElement.clientWidth - tip.box.offsetWidth - 8;
  tip.box.style.left = `${Math.max(8, Math.min(place.left, room))}px`;
  tip.box.style.top = `${place.bottom + 6}px`;
}

/** Give an element the tooltip of a word; without an entry it stays as it is. */
function explained(element, word) {
  const entry = entryOf(word);
  if (!entry) return element;
  const show = () => showTip(element, entry[1]);
  for (const name of ["pointerenter", "focus"]) element.addEventListener(name, show);
  for (const name of ["pointerleave", "blur"]) element.addEventListener(name, hideTip);
  return element;
}

/** A word that leads to its entry, with the entry as its tooltip; plain text where it has none. */
function termWord(word) {
  const entry = entryOf(word);
  return entry ? explained(h("a", { class: "term", href: glossaryLink(entry[0]) }, word), word) : word;
}

function glossaryPage(chosen) {
  const entries = run.glossary.map(([term, meaning]) => [
    h("dt", { id: `term-${term}`, tabindex: -1, class: term === chosen ? "chosen" : null }, term),
    h("dd", {}, meaning),
  ]);
  return {
    title: "Glossary",
    body: [h("h1", { tabindex: -1 }, "Glossary"), h("p", { class: "lead" }, "What the words on these pages mean."), h("dl", { class: "glossary" }, entries.flat())],
    target: () => document.getElementById(`term-${chosen}`),
  };
}

function startTips() {
  document.body.append(tip.box);
  addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  addEventListener("scroll", placeTip, { passive: true, capture: true });
}
