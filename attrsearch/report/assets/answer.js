// The first screen: the answer in one sentence, the verdicts, and faces.

const FACES_FIRST = 6;
const PROPER = { facenet: "FaceNet", sface: "SFace" };
const EDITS = ["edited", "warped"];

/** What may be said of the run, in one sentence. */
function answerSentence(holding, all) {
  const { recognisers, threshold: limit, verification } = run.about;
  const head = `${whole(holding)} of ${plural(all, "person", "people")} ${holding === 1 ? "is" : "are"} anonymised`;
  if (!holding) return `${head}.`;
  const who = recognisers.map((name) => PROPER[name] ?? name).join(" and ");
  const unseen = "including pictures the search never saw";
  if (verification === null) return `${head}: to ${who}, their edited faces are farther than ${plain(limit)} from their own, ${unseen}.`;
  return `${head}: ${who} no longer ${recognisers.length > 1 ? "recognise" : "recognises"} them in any edited picture, ${unseen}.`;
}

/** What became of the faces of a video, in one sentence: a search is of those who are seen well, and most of a video's faces are not. */
function videoSentence({ cover, coverCounts }) {
  const faces = coverCounts.reduce((sum, count) => sum + count, 0);
  const edited = EDITS.reduce((sum, word) => sum + (coverCounts[cover.indexOf(word)] ?? 0), 0);
  const rest = faces - edited;
  const others = rest ? `; the other ${whole(rest)} ${rest === 1 ? "is" : "are"} covered by a filter` : "";
  return `In the video, ${whole(edited)} of ${plural(faces, "face that was covered shows", "faces that were covered show")} somebody else (${percent(edited / faces)})${others}.`;
}

/** How many people have which verdict: a bar, and the numbers. */
function verdictsFigure(people, failed) {
  const all = people.length + failed;
  const having = (word) => people.filter((p) => p.verdict === word).length;
  const items = [
    ["holds", having(HOLDS), "on pictures kept from the search, too"],
    ["searched only", having(SEARCHED_ONLY), "hold on searched pictures only"],
    ["not anonymised", having(NOT_ANONYMISED), failed ? `and ${whole(failed)} failed` : "no set meets the constraints"],
  ];
  const part = ([name, count]) => {
    const piece = h("span", { class: name.split(" ")[0] });
    piece.style.flexGrow = count;
    return piece;
  };
  const number = ([name, count, note]) =>
    h("div", { class: count ? name.split(" ")[0] : "none" }, h("dt", {}, termWord(name)), h("dd", {}, whole(count)), h("dd", { class: "soft" }, `of ${whole(all)}: ${note}`));
  return h("div", { class: "verdicts" }, h("div", { class: "share", "aria-hidden": "true" }, items.filter((item) => item[1]).map(part)), h("dl", {}, items.map(number)));
}

/** Some people of each verdict, in turn, those with the best utility first. */
function peopleShown(people) {
  const groups = [HOLDS, SEARCHED_ONLY, NOT_ANONYMISED].map((word) => people.filter((p) => p.verdict === word).sort((a, b) => b.utility - a.utility));
  const found = [];
  for (let i = 0; found.length < FACES_FIRST && groups.some((group) => group[i]); i += 1) found.push(...groups.map((group) => group[i]).filter(Boolean));
  const most = found.slice(0, FACES_FIRST);
  return most.sort((a, b) => VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict));
}

function faceCard(person) {
  const { original = [], best = [] } = picturesOf(person);
  if (!best[0]) return null;
  const shot = (source, word) => h("span", { class: "shot" }, h("img", { src: source, alt: "", width: 160, height: 160 }), h("span", { class: "word" }, word));
  const pair = [original[0] ? shot(original[0], "before") : null, shot(best[0], original[0] ? "after" : "edited")];
  return h("li", {}, h("a", { href: personLink(person) }, h("span", { class: "shotpair" }, pair), h("b", {}, person.id), h("span", { class: verdictClass(person) }, verdict(person))));
}

/** Pairs of faces; those in blocks that the browser has not read yet come when it has. */
function facesFirst(people) {
  const place = h("div", { class: "facesfirst" });
  const chosen = peopleShown(people);
  const show = () => {
    const cards = chosen.map(faceCard).filter(Boolean);
    if (!cards.length) return place.replaceChildren();
    const rest = people.length > cards.length ? `${whole(cards.length)} of ${whole(people.length)} people, taken from each verdict in turn. ` : "";
    const before = chosen.some((p) => picturesOf(p).original?.[0]);
    const note = before ? "" : "Edits only: originals are shown where they were asked for (--include-originals).";
    place.replaceChildren(...[h("ul", { class: cards.length > 3 ? "many" : null }, cards), rest + note ? h("p", { class: "soft" }, rest + note) : null].filter(Boolean));
  };
  show();
  pageRead.then(show);
  return place;
}
