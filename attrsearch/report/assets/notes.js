// Tags and notes about a person: kept in decisions.json beside the run, never in the report.

const drafts = new Map(); // what is typed stays while other things change on the page

/** Every tag of the run, in order. */
const allTags = () => [...new Set(run.people.flatMap((person) => person.tags ?? []))].sort();

const splitTags = (text) => text.split(",").map((tag) => tag.trim()).filter(Boolean);

function notesForm(person) {
  const kept = { tags: (person.tags ?? []).join(", "), note: person.note ?? "" };
  const { tags, note } = drafts.get(person.id) ?? kept;
  const draft = () => drafts.set(person.id, { tags: words.value, note: text.value });
  const words = h("input", { id: "tags", type: "text", value: tags, list: "known-tags", placeholder: "ask again, wedding", oninput: draft });
  const text = h("textarea", { id: "note", rows: 2, maxlength: 2000, oninput: draft }, note);
  const keep = (event) => {
    event.preventDefault();
    const done = { waiting: "…", finished: () => (drafts.delete(person.id), "Tags and note are kept.") };
    decide("api/note", { person: person.id, tags: splitTags(words.value), note: text.value }, done);
  };
  return h(
    "form",
    { class: "notes", onsubmit: keep },
    h("label", { for: "tags" }, "Tags, by commas"), words,
    h("label", { for: "note" }, "Note"), text,
    h("button", { type: "submit", id: "keep-note" }, "Keep"),
    h("datalist", { id: "known-tags" }, allTags().map((tag) => h("option", { value: tag }))),
  );
}
