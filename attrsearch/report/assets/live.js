// The live dashboard: people appear as they finish, and decisions go back to the run.

const EVERY = 2000;
const live = { revision: -1, busy: "", chosen: null };

/** Ask for what changed; the page is drawn again where something did. */
async function refresh() {
  const state = document.getElementById("state");
  try {
    const answer = JSON.parse(await fetchText(`api/cohort?since=${live.revision}`));
    const changed = answer.revision !== live.revision;
    live.revision = answer.revision;
    Object.assign(run, { about: answer.about, video: answer.video, judges: answer.judges, surrogate: answer.surrogate });
    addPeople(answer.people);
    const { running, people } = answer.state;
    state.textContent = running ? `not finished · ${plural(people, "person", "people")} so far` : `finished · ${plural(people, "person", "people")}`;
    state.dataset.running = running;
    return changed;
  } catch (error) {
    state.textContent = `no answer from the dashboard (${error.message})`;
    return false;
  }
}

async function startLive() {
  await refresh();
  setInterval(async () => (await refresh()) && redraw(), EVERY);
}

async function decide(path, body, done) {
  const place = document.getElementById("decision");
  place.textContent = done.waiting;
  place.className = "";
  live.chosen = null; // what became of the choice before stands there until the next decision
  try {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json", "X-Attrsearch": "1" }, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    live.busy = done.finished(JSON.parse(text));
    await refresh();
    redraw(true); // the change may have come with the last poll, without these words
  } catch (error) {
    place.textContent = error.message;
    place.className = "no";
  }
}

const noting = { open: false };

function personActions(person) {
  const grade = (value, word) =>
    h("label", {}, h("input", { type: "radio", name: "grade", id: `grade-${value}`, value, checked: person.grade === value, onchange: () => decide("api/grade", { person: person.id, grade: value }, { waiting: "…", finished: () => `Graded ${word}.` }) }), word);
  const drop = h("button", { type: "button", id: "drop", onclick: () => decide("api/drop", { person: person.id, dropped: !person.dropped }, { waiting: "…", finished: () => (person.dropped ? "Taken back into the results." : "Dropped from the results.") }) }, person.dropped ? "Take back into the results" : "Drop from the results");
  return h(
    "div",
    { class: "actions" },
    h("fieldset", {}, h("legend", {}, "How the winner looks"), grade(0, "bad"), grade(1, "OK"), grade(2, "good")),
    drop,
    h("details", { class: "noted", open: noting.open || drafts.has(person.id), ontoggle: (event) => (noting.open = event.target.open) }, h("summary", { id: "noted" }, person.tags?.length ? `Tags and note: ${person.tags.join(", ")}` : "Tags and note", person.note ? ` · ${person.note.slice(0, 120)}` : ""), notesForm(person)),
    h("p", { id: "decision", role: "status", class: person.measuring?.error ? "no" : null }, decisionText(person)),
  );
}

/** What became of the last decision about a person. */
function decisionText(person) {
  const { measuring } = person;
  if (measuring?.error) return `Trial ${measuring.trial} is not the winner: ${measuring.error}`;
  if (measuring) return `Trial ${measuring.trial} is measured again, on pictures kept back, too; the files of the run follow. You can go on.`;
  if (live.chosen?.person === person.id) {
    if (live.chosen.trial !== person.winner) return live.busy;
    const held = person.held ? `, ${person.held.feasible ? "and holds" : "but does not hold"} on pictures kept back` : "";
    return `Trial ${person.winner} was measured again: ${person.feasible ? "feasible" : "not feasible"}, distance ${three(person.distance)}${held}; it is the winner now.`;
  }
  return live.busy;
}

function winnerButton(person, trial) {
  if (trial === person.winner) return "is the winner";
  const chosen = () => {
    live.chosen = { person: person.id, trial };
    return "";
  };
  return h(
    "button",
    { type: "button", class: "quiet", "data-trial": trial, disabled: Boolean(person.waiting), onclick: () => decide("api/winner", { person: person.id, trial, background: true }, { waiting: `Trial ${trial} becomes the winner…`, finished: chosen }) },
    "Make winner",
  );
}

function downloads() {
  return section(
    "Take away",
    h("ul", {}, [["attributes.json", "attribute sets of everyone who is feasible and not dropped"], ["summary.csv", "a row a person"], ["changes.jsonl", "who decided what, and when"], ["notes.csv", "tags, notes, grades and choices, a row a person"]].map(([name, note]) => h("li", {}, h("a", { href: `download/${name}`, download: name }, name), h("span", { class: "soft" }, ` · ${note}`)))),
  );
}
