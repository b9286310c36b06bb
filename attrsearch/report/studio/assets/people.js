// The gallery: who was found, where, and what becomes of each.

import { clock } from "./api.js";
import { personDialog } from "./person.js";

const SHOWN = 48;
export const DOS = [["anonymise", "Anonymise"], ["leave", "Leave"], ["filter", "Filter"]];
export const COVERS = { blur: "a blur", pixelate: "coarse pixels", mask: "a mask" };
const SHORT = { holds: "the edit holds", "not anonymised": "no edit found: filtered" };
const kept = { count: SHOWN, wanted: "", text: "" };

/** A look at a part. */
export const faceOf = (job, part, number = 0) => `api/jobs/${job.id}/face?part=${encodeURIComponent(part.name)}&number=${number}`;

/** The best look at a person: of the part that has one and is seen longest. */
export function bestPart(person) {
  const parts = person.parts.filter((part) => part.shown);
  const value = (part) => (part.shots?.length ? 1e6 : 0) + (part.width ?? 0);
  return parts.sort((a, b) => value(b) - value(a))[0] ?? null;
}

function seenWords(job, person) {
  const frames = person.parts.reduce((sum, part) => sum + (part.frames ?? 1), 0);
  if (!job.frames) return plural(person.parts.length, "picture", "pictures");
  const time = frames >= job.rate ? `${(frames / (job.rate || frames)).toFixed(1)} s` : plural(frames, "frame", "frames");
  return person.parts.length > 1 ? `${time} in ${person.parts.length} stretches` : time;
}

/** Where in the video somebody is seen. */
function timeline(job, person) {
  if (!job.frames) return null;
  const bars = person.parts.map((part) => s("rect", { x: (100 * part.first) / job.frames, width: Math.max(0.7, (100 * (part.last - part.first + 1)) / job.frames), y: 0, height: 6 }));
  return s("svg", { class: "when", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect", { class: "all", width: 100, height: 6 }), bars);
}

/** What the search came to for somebody, in words. */
export function verdictOf(person) {
  if (person.do !== "anonymise") return null;
  if (!person.search) return null;
  const word = person.search.verdict;
  return h("span", { class: word === "holds" ? "yes" : word === "not anonymised" ? "no" : "soft" }, SHORT[word] ?? word);
}

/** How far the edit of somebody goes in a video, or why there will be none of their own; null where nothing is to be said. */
function coverWords(job, person, covered) {
  if (job.frames && person.do === "filter" && covered && !job.stale) return `filtered in all ${plural(covered.faces, "frame", "frames")}: as decided`;
  if (!job.frames || person.do !== "anonymise") return null;
  if (covered) {
    const { faces, edited, why } = covered;
    const because = why ? `: ${why}` : "";
    if (!edited) return `filtered in all ${plural(faces, "frame", "frames")}${because}`;
    if (edited === faces) return `edited in all ${plural(faces, "frame", "frames")}`;
    return `edited in ${whole(edited)} of ${plural(faces, "frame", "frames")}, else filtered${because}`;
  }
  if (person.search || person.parts.some((part) => part.shots?.length)) return null;
  return "too small for a search: the edits of others are tried, else filtered";
}

function doButtons(person, decide) {
  const option = ([value, word]) => {
    const id = `do-${person.id}-${value}`;
    const input = h("input", { type: "radio", name: `do-${person.id}`, id, value, checked: person.do === value, onchange: () => decide({ kind: "do", people: [person.id], do: value }) });
    return h("label", {}, input, h("span", {}, word));
  };
  return h("fieldset", { class: "do" }, h("legend", { class: "hidden" }, `What becomes of ${person.id}`), DOS.map(option));
}

/** Somebody as the result shows them; as the search does where the result is older than the decisions. */
function afterOf(job, person, covered) {
  const edited = person.do === "anonymise" ? person.search?.pictures?.best?.[0] : null;
  if (!covered || person.do === "leave" || (job.stale && (edited || person.do === "filter"))) return edited;
  const [left, top, right, bottom] = covered.box;
  return `api/jobs/${job.id}/result-face/${covered.frame}?${new URLSearchParams({ left, top, right, bottom, of: job.resultStamp })}`;
}

function card(job, person, covered, decide, changed, go) {
  const part = bestPart(person);
  const open = () => personDialog(job, person, decide, changed, go);
  const image = part ? h("img", { src: faceOf(job, part), alt: "", width: 192, height: 192, loading: "lazy" }) : h("span", { class: "gone" }, job.frames ? "no look at this face" : "no face found");
  const cover = coverWords(job, person, covered);
  const shown = afterOf(job, person, covered);
  const words = { leave: "left as is", filter: "filtered", anonymise: job.hasResult ? "filtered" : "not yet" };
  const after = shown ? h("img", { src: shown, alt: "", width: 192, height: 192, loading: "lazy" }) : job.searched ? h("span", { class: "gone" }, words[person.do]) : null;
  const first = Math.min(...person.parts.map((one) => one.first ?? 0));
  const when = job.frames ? h("button", { type: "button", class: "quiet", onclick: () => go(first), "aria-label": `Show where ${person.id} is seen first` }, `from ${job.rate ? clock(first / job.rate) : `frame ${first}`}`) : null;
  return h(
    "li",
    { class: `card ${person.do}`, "data-person": person.id },
    h("button", { type: "button", class: "faces", id: `open-${person.id}`, "aria-label": `More about ${person.id}`, onclick: open }, image, after),
    h("b", {}, person.id),
    h("span", { class: "soft row" }, seenWords(job, person), when),
    timeline(job, person),
    verdictOf(person),
    cover && h("span", { class: "soft" }, cover),
    job.state === "running" ? null : doButtons(person, decide),
  );
}

/** What one can choose between, in words. */
function choices(job) {
  const meanings = [["Anonymise", "an edit gives them another face."], ["Leave", "they are shown as they are. Choose it for what is no face, too."], ["Filter", `${COVERS[job.options?.fallback] ?? "a blur"} covers them.`]];
  return h("dl", { class: "choices" }, meanings.map(([word, meaning]) => h("div", {}, h("dt", {}, word), h("dd", {}, meaning))));
}

/** The section of all people; `covered` says how far each is edited, where there is a result. */
export function peopleSection(job, covered, decide, changed, go) {
  const list = h("ul", { class: "gallery" });
  const more = h("button", { type: "button", onclick: () => ((kept.count += SHOWN), show()) }, "More");
  const note = h("p", { class: "soft", role: "status" });
  const isKind = { "": () => true, unsafe: (person) => person.do === "leave" || (person.do === "anonymise" && person.search?.verdict !== "holds"), holds: (person) => person.do === "anonymise" && person.search?.verdict === "holds" };
  const passes = (person) => (isKind[kept.wanted]?.(person) ?? person.do === kept.wanted) && person.id.toLowerCase().includes(kept.text.toLowerCase());
  const show = () => {
    const found = job.people.filter(passes);
    list.replaceChildren(...found.slice(0, kept.count).map((person) => card(job, person, covered[person.id], decide, changed, go)));
    more.hidden = found.length <= kept.count;
    note.textContent = found.length === job.people.length ? "" : `${plural(found.length, "person", "people")} of ${whole(job.people.length)}`;
  };
  const kinds = [["", "everybody"], ...DOS.map(([value, word]) => [value, word.toLowerCase()]), ...(job.searched ? [["holds", "their edit holds"], ["unsafe", "left, or without an edit that holds"]] : [])];
  const filter = h("select", { id: "people-kind", onchange: (event) => ((kept.wanted = event.target.value), show()) }, kinds.map(([value, word]) => h("option", { value, selected: value === kept.wanted }, word)));
  const search = h("input", { type: "search", id: "people-name", value: kept.text, oninput: (event) => ((kept.text = event.target.value), show()) });
  const all = (what, word) => h("button", { type: "button", onclick: () => decide({ kind: "do", people: "everybody", do: what }) }, word);
  const tools = h("div", { class: "filters" }, job.people.length > 6 ? [h("label", {}, "Show", filter), h("label", {}, "Name", search)] : null, job.state === "running" ? null : [all("anonymise", "Anonymise everybody"), all("filter", "Filter everybody")]);
  show();
  return section("People", job.hasResult || job.state === "running" ? null : choices(job), tools, note, list, more);
}
