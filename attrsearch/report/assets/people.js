// The table of people: sorted, filtered, a page at a time.

const listing = { text: "", gender: "", status: "", tag: "", sort: null, falling: true, page: 0, size: 50 };

const HOLDS = "holds";
const SEARCHED_ONLY = "holds on searched pictures only";
const NOT_ANONYMISED = "not anonymised";
const VERDICTS = [NOT_ANONYMISED, SEARCHED_ONLY, HOLDS];
const verdict = (person) => (person.dropped ? "dropped" : person.verdict);
const refuted = (person) => Boolean(person.held && !person.held.feasible);
const verdictClass = (person) => {
  if (person.dropped || (person.verdict === SEARCHED_ONLY && !refuted(person))) return "soft";
  return person.verdict === HOLDS ? "yes" : "no";
};
const personLink = (person) => `#/person/${encodeURIComponent(person.id)}`;

// title, value to sort by, text to show, falling first, shown on a phone
const COLUMNS = [
  ["person", (p) => p.id.toLowerCase(), null, false, true],
  ["result", (p) => (p.dropped ? VERDICTS.length : VERDICTS.indexOf(p.verdict)), null, false, true],
  ["utility", (p) => p.utility, (p) => three(p.utility), true, true],
  ["detection", (p) => p.detection, (p) => three(p.detection), false, false],
  ["IoU", (p) => p.iou, (p) => three(p.iou), false, false],
  ["distance", (p) => p.distance, (p) => three(p.distance), false, true],
  ["margin", (p) => p.margin, (p) => signed(p.margin), false, false],
  ["worst", (p) => p.worst, (p) => three(p.worst), false, false],
  ["kept back", (p) => p.held?.distance ?? -1, heldCell, false, true],
  ["its IoU", (p) => p.held?.iou ?? -1, (p) => three(p.held?.iou), false, false],
  ["pictures", (p) => p.faces, (p) => whole(p.faces), true, false],
  ["evaluations", (p) => p.evaluations, (p) => whole(p.evaluations), true, false],
  ["screened", (p) => p.screenedShare, (p) => (p.screened ? percent(p.screenedShare) : "–"), true, false],
  ["gender", (p) => p.gender, (p) => p.gender, false, false],
];

function heldCell(person) {
  if (!person.held) return "–";
  const good = person.held.feasible;
  return h("span", { class: good ? "yes" : "no" }, three(person.held.distance), h("span", { class: "hidden" }, good ? " holds" : " fails"), good ? "" : " ✗");
}

const searched = (person) => [person.id, ...(person.tags ?? []), person.note ?? ""].join(" ").toLowerCase();

/** The people that the filters let through, in the order asked for; failures first where none is. */
function listed() {
  const text = listing.text.trim().toLowerCase();
  const people = run.people.filter(
    (person) =>
      (!text || searched(person).includes(text)) &&
      (!listing.tag || person.tags?.includes(listing.tag)) &&
      (!listing.gender || person.gender === listing.gender) &&
      (!listing.status || listing.status === verdict(person) || (listing.status === "fails" && refuted(person))),
  );
  if (listing.sort === null) return people.sort(failuresFirst);
  const value = COLUMNS[listing.sort][1];
  const sign = listing.falling ? -1 : 1;
  return people.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    return x < y ? -sign : x > y ? sign : a.id < b.id ? -1 : 1;
  });
}

function failuresFirst(a, b) {
  const rank = (p) => [Boolean(p.dropped), VERDICTS.indexOf(p.verdict), !refuted(p), p.distance, p.id];
  const [x, y] = [rank(a), rank(b)];
  const i = x.findIndex((value, place) => value !== y[place]);
  return i < 0 ? 0 : x[i] < y[i] ? -1 : 1;
}

function peopleTable() {
  const body = h("tbody");
  const note = h("p", { class: "soft", role: "status", id: "listed" });
  const pager = h("div", { class: "pager" });
  const heads = h("tr", {}, COLUMNS.map((column, i) => headCell(column, i, () => show())));
  const everything = { all: false };
  const show = () => {
    const found = listed();
    const pages = Math.max(1, Math.ceil(found.length / listing.size));
    listing.page = Math.min(listing.page, pages - 1);
    const start = everything.all ? 0 : listing.page * listing.size;
    const part = everything.all ? found.slice(0, 3000) : found.slice(start, start + listing.size);
    body.replaceChildren(...part.map(row));
    [...heads.children].forEach((cell, i) => markHead(cell, i));
    const range = found.length > part.length ? `, ${whole(start + 1)} to ${whole(start + part.length)} shown` : "";
    note.textContent = `${plural(found.length, "person", "people")}${range}`;
    pager.replaceChildren(...(pages > 1 ? pagerButtons(pages, show) : []));
  };
  const reset = () => ((listing.page = 0), show());
  show();
  const element = h(
    "div",
    { class: "people" },
    filters(reset),
    note,
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of people" },
      h("table", { class: "sortable", id: "people" }, h("caption", { class: "hidden" }, "People, failures first"), h("thead", {}, heads), body),
    ),
    pager,
  );
  const printing = (all) => () => ((everything.all = all), show());
  whenPrinting(printing(true), printing(false));
  return { element, show };
}

function headCell([title, , , falling, phone], index, show) {
  const sort = () => {
    if (listing.sort === index && listing.falling !== falling) [listing.sort, listing.falling] = [null, true];
    else [listing.sort, listing.falling] = [index, listing.sort === index ? !listing.falling : falling];
    listing.page = 0;
    show();
  };
  const button = h("button", { type: "button", onclick: sort }, title, h("span", { class: "arrow", "aria-hidden": "true" }));
  return h("th", { scope: "col", class: phone ? null : "wider" }, explained(button, title));
}

function markHead(cell, index) {
  const sorted = listing.sort === index;
  if (sorted) cell.setAttribute("aria-sort", listing.falling ? "descending" : "ascending");
  else cell.removeAttribute("aria-sort");
  cell.querySelector(".arrow").textContent = sorted ? (listing.falling ? "↓" : "↑") : "";
}

function row(person) {
  const state = h("td", { class: verdictClass(person), title: person.reason }, verdict(person));
  const name = h("th", { scope: "row" }, h("a", { href: personLink(person), class: "who" }, face(person), person.id), ...(person.tags ?? []).map((tag) => h("span", { class: "tag" }, tag)));
  const cells = COLUMNS.slice(2).map(([, , text, , phone]) => h("td", { class: phone ? null : "wider" }, text(person)));
  return h("tr", {}, name, state, ...cells);
}

function face(person) {
  const source = picturesOf(person).best?.[0];
  return source ? h("img", { src: source, alt: "", width: 28, height: 28, loading: "lazy" }) : h("span", { class: "face" });
}

function filters(reset) {
  const choice = (name, label, options) =>
    h(
      "label",
      {},
      label,
      h(
        "select",
        { onchange: (event) => ((listing[name] = event.target.value), reset()), id: `by-${name}` },
        options.map(([value, word]) => h("option", { value, selected: listing[name] === value }, word)),
      ),
    );
  const search = h("input", {
    type: "search", id: "by-name", value: listing.text, placeholder: "name", oninput: (event) => ((listing.text = event.target.value), reset()),
  });
  const results = [...VERDICTS, "fails", ...(run.live ? ["dropped"] : [])];
  const named = { fails: "fails on pictures kept back" };
  return h(
    "form",
    { class: "filters", onsubmit: (event) => event.preventDefault(), role: "search", "aria-label": "Filter people" },
    h("label", {}, "Name", search),
    choice("status", "Result", [["", "all"], ...results.map((value) => [value, named[value] ?? value])]),
    run.live && allTags().length ? choice("tag", "Tag", [["", "all"], ...allTags().map((tag) => [tag, tag])]) : null,
    choice("gender", "Gender", [["", "all"], ["female", "female"], ["male", "male"]]),
  );
}

function pagerButtons(pages, show) {
  const button = (word, page) =>
    h("button", { type: "button", disabled: page < 0 || page >= pages, onclick: () => ((listing.page = page), show()) }, word);
  const sizes = h(
    "select",
    { "aria-label": "People a page", onchange: (event) => ((listing.size = Number(event.target.value)), (listing.page = 0), show()) },
    [25, 50, 100, 500].map((size) => h("option", { value: size, selected: size === listing.size }, `${size} a page`)),
  );
  return [button("← Previous", listing.page - 1), h("span", {}, `Page ${listing.page + 1} of ${whole(pages)}`), button("Next →", listing.page + 1), sizes];
}

const printers = { before: null, after: null };

/** What a page does before and after it is printed. */
function whenPrinting(before, after) {
  printers.before = before;
  printers.after = after;
}

addEventListener("beforeprint", () => printers.before?.());
addEventListener("afterprint", () => printers.after?.());
