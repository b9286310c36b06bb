// The live dashboard: people appear as they finish, and decisions go back to the run.

const EVERY = 2000;
const live = { revision: -1, busy: "" };

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
  try {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json", "X-Attrsearch": "1" }, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    live.busy = done.finished(JSON.parse(text));
    await refresh();
    redraw();
  } catch (error) {
    place.textContent = error.message;
    place.className = "no";
  }
}

function personActions(person) {
  const grade = (value, word) =>
    h("label", {}, h("input", { type: "radio", name: "grade", id: `grade-${value}`, value, checked: person.grade === value, onchange: () => decide("api/grade", { person: person.id, grade: value }, { waiting: "…", finished: () => `Graded ${word}.` }) }), word);
  const drop = h("button", { type: "button", id: "drop", onclick: () => decide("api/drop", { person: person.id, dropped: !person.dropped }, { waiting: "…", finished: () => (person.dropped ? "Taken back into the results." : "Dropped from the results.") }) }, person.dropped ? "Take back into the results" : "Drop from the results");
  return h(
    "div",
    { class: "actions" },
    h("fieldset", {}, h("legend", {}, "How the winner looks"), grade(0, "bad"), grade(1, "OK"), grade(2, "good")),
    drop,
    h("p", { id: "decision", role: "status" }, live.busy),
  );
}

function winnerButton(person, trial) {
  if (trial === person.winner) return "is the winner";
  const say = (answer) => `Trial ${trial} was measured again: ${answer.feasible ? "feasible" : "not feasible"}, distance ${three(answer.distance)}; it is the winner now.`;
  return h(
    "button",
    { type: "button", class: "quiet", "data-trial": trial, onclick: () => decide("api/winner", { person: person.id, trial }, { waiting: `Measuring trial ${trial} again…`, finished: say }) },
    "Make winner",
  );
}

function downloads() {
  return section(
    "Take away",
    h("ul", {}, [["attributes.json", "attribute sets of everyone who is feasible and not dropped"], ["summary.csv", "a row a person"], ["changes.jsonl", "who decided what, and when"]].map(([name, note]) => h("li", {}, h("a", { href: `download/${name}`, download: name }, name), h("span", { class: "soft" }, ` · ${note}`)))),
  );
}
