// One person in a dialog: every look, another name, gender, who else it is, other candidates.

import { ask, clock, tell } from "./api.js";
import { bestPart, faceOf, verdictOf } from "./people.js";

const MOST_OTHERS = 48;

/** Open the dialog of a person. */
export function personDialog(job, person, decide, changed, go) {
  const before = document.activeElement?.id;
  const note = h("p", { role: "status", id: "person-note" });
  const dialog = h("dialog", { class: "person", "aria-labelledby": "person-name" });
  const close = () => dialog.close();
  const doing = async (change) => {
    try {
      await decide(change);
      close();
    } catch (error) {
      note.textContent = error.message;
      note.className = "no";
    }
  };
  const fixed = job.state === "running";
  dialog.append(
    h("div", { class: "head" }, h("h2", { id: "person-name" }, person.id), h("button", { type: "button", id: "person-close", onclick: close }, "Close")),
    ...[verdictOf(person), whyOf(person)].filter(Boolean),
    looks(job, person, fixed ? null : doing, (frame) => (close(), go(frame))),
    fixed ? h("p", { class: "soft" }, "Decisions can be changed once the job is done or stopped.") : changes(job, person, doing),
    ...(person.search && !fixed ? [candidates(job, person, changed, note)] : []),
    note,
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before) document.getElementById(before)?.focus({ preventScroll: true });
  });
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  document.body.append(dialog);
  dialog.showModal();
}

function whyOf(person) {
  const found = person.search;
  if (!found || person.do !== "anonymise") return null;
  const facts = [`distance ${three(found.distance)}, worst ${three(found.worst)}`, `utility ${three(found.utility)}`, `searched as ${found.gender === "male" ? "a man" : "a woman"}`];
  return h("p", { class: "soft" }, `${found.reason ? `${found.reason}. ` : ""}${facts.join(" · ")}`);
}

/** All looks, part by part; some parts can be somebody else, and a track can be two people. */
function looks(job, person, doing, go) {
  const many = person.parts.length > 1;
  const item = (part, i) => {
    const tick = many && doing ? h("label", { class: "tick" }, h("input", { type: "checkbox", name: "apart", value: part.name }), `this is not ${person.id}`) : null;
    const shots = part.shots?.length ? part.shots : part.shown ? [part.at] : [];
    const picture = (frame, number) => {
      const image = h("img", { src: faceOf(job, part, number), alt: `Look ${number + 1} at ${person.id}`, width: 96, height: 96, loading: "lazy" });
      if (!job.frames) return image;
      return h("button", { type: "button", class: "zoom", "aria-label": `Show frame ${frame}`, onclick: () => go(frame) }, image);
    };
    const where = job.frames ? `${clock(part.first / job.rate)} to ${clock(part.last / job.rate)}, frames ${part.first} to ${part.last}` : part.name;
    return h("li", {}, h("span", { class: "soft" }, where), h("div", { class: "looks" }, shots.map(picture)), tick, job.frames && doing && part.last > part.first ? splitter(person, part, i, doing) : null);
  };
  const apart = () => doing({ kind: "apart", person: person.id, parts: [...list.querySelectorAll("[name=apart]:checked")].map((input) => input.value) });
  const list = h("ul", { class: "parts" }, person.parts.map(item));
  return h("div", {}, list, many && doing ? h("button", { type: "button", id: "apart", onclick: apart }, "Make what is ticked another person") : null);
}

function splitter(person, part, number, doing) {
  const frame = h("input", { type: "number", id: `split-${number}`, min: part.first + 1, max: part.last, value: Math.round((part.first + part.last) / 2) });
  const split = () => doing({ kind: "split", person: person.id, track: Number(part.name), frame: Number(frame.value) });
  return h("details", {}, h("summary", {}, "Two people in here: split it"), h("label", { class: "tick" }, "The second one is there from frame", frame), h("button", { type: "button", onclick: split }, "Split"));
}

function changes(job, person, doing) {
  const name = h("input", { type: "text", id: "person-rename", value: person.id, maxlength: 80 });
  const rename = h("button", { type: "button", onclick: () => doing({ kind: "rename", person: person.id, name: name.value }) }, "Rename");
  const genders = [["", "guess"], ["female", "woman"], ["male", "man"]];
  const gender = h("select", { id: "person-gender", onchange: (event) => doing({ kind: "gender", person: person.id, gender: event.target.value || null }) }, genders.map(([value, word]) => h("option", { value, selected: value === (person.gender ?? "") }, word)));
  return h(
    "div",
    { class: "changes" },
    h("div", { class: "pairing" }, h("label", {}, "Name", name), rename),
    h("label", {}, "Searched as", gender),
    job.people.length > 1 ? merging(job, person, doing) : null,
  );
}

/** Everybody else as faces: who of them is the same person. */
function merging(job, person, doing) {
  const others = job.people.filter((other) => other.id !== person.id);
  const list = h("ul", { class: "others" });
  const item = (other) => {
    const part = bestPart(other);
    const image = part ? h("img", { src: faceOf(job, part), alt: "", width: 72, height: 72, loading: "lazy" }) : h("span", { class: "gone" }, "no look");
    return h("li", {}, h("button", { type: "button", "data-other": other.id, onclick: () => doing({ kind: "merge", person: person.id, other: other.id }) }, image, h("span", {}, other.id)));
  };
  const show = (text = "") => {
    const found = others.filter((other) => other.id.toLowerCase().includes(text.toLowerCase()));
    list.replaceChildren(...found.slice(0, MOST_OTHERS).map(item), ...(found.length > MOST_OTHERS ? [h("li", { class: "soft" }, `and ${whole(found.length - MOST_OTHERS)} more: search for the name`)] : []));
  };
  const search = h("input", { type: "search", id: "other-name", "aria-label": "Name of the other one", placeholder: "name", oninput: () => show(search.value) });
  const opening = (event) => event.target.open && !list.childElementCount && show();
  return h("details", { class: "merging", id: "merging", ontoggle: opening }, h("summary", {}, "Somebody else is the same person: merge"), others.length > 12 ? search : null, list);
}

/** Make the result anew, and go to its progress. */
async function applied(job, changed, note) {
  try {
    await tell(`api/jobs/${job.id}/ask`, { step: "anonymise" });
    note.closest("dialog").close();
    await changed();
    scrollTo(0, 0);
  } catch (error) {
    note.textContent = error.message;
    note.className = "no";
  }
}

/** The best candidates as pictures; another one can win. */
function candidates(job, person, changed, note) {
  const place = h("div", {});
  const choose = async (trial) => {
    note.textContent = `Measuring candidate ${trial} again…`;
    note.className = "";
    try {
      await tell(`run/${job.id}/api/winner`, { person: person.id, trial });
      const apply = h("button", { type: "button", class: "main", id: "apply", onclick: () => applied(job, changed, note) }, "Apply the changes");
      note.replaceChildren(`Candidate ${trial} is the winner now; the result still shows the one before. `, apply);
      await show();
      changed();
    } catch (error) {
      note.textContent = error.message;
      note.className = "no";
    }
  };
  const card = (one) => {
    const image = h("img", { src: one.picture, alt: `Candidate ${one.trial}`, width: 128, height: 128, loading: "lazy" });
    const button = one.winner ? h("b", { class: "yes" }, "is used") : h("button", { type: "button", class: "quiet", "data-trial": one.trial, onclick: () => choose(one.trial) }, "Use this one");
    return h("li", { class: one.winner ? "best" : null }, image, h("span", { class: one.feasible ? "yes" : "soft" }, one.feasible ? "feasible" : "not feasible"), h("span", { class: "soft" }, `distance ${two(one.distance)}`), button);
  };
  const show = async () => {
    try {
      const found = await ask(`api/jobs/${job.id}/candidates?person=${encodeURIComponent(person.id)}`);
      const status = h("p", { class: "soft", role: "status" }, "The pictures are being made; the first takes the longest…");
      const list = h("ul", { class: "candidates" }, found.map(card));
      list.querySelector("img")?.addEventListener("load", () => (status.textContent = "The best by utility; those that are not feasible come last."));
      place.replaceChildren(status, list);
    } catch (error) {
      place.replaceChildren(h("p", { class: "no" }, error.message));
    }
  };
  const button = h("button", { type: "button", id: "candidates", onclick: show }, "Other candidates");
  place.append(button);
  return place;
}
