// The run as the page knows it: a row a person; trials and pictures are decoded when they are looked at.

const run = { about: null, glossary: [], people: [], byId: new Map(), live: false, video: null, judges: null, surrogate: null };

const DISTANCE_STEPS = 18000;
const SHARE_STEPS = 65535;
const TRIAL_BYTES = 9;
const KEPT_BLOCKS = 6;
const blocks = new Map();

function startData() {
  const data = JSON.parse(document.getElementById("data").textContent);
  Object.assign(run, data, { people: [] });
  addPeople(data.people);
}

/** Add people, or replace those that are known. */
function addPeople(rows) {
  for (const row of rows) {
    const known = run.byId.get(row.id);
    const person = Object.assign(known ?? { key: run.people.length }, row);
    person.margin = person.distance - run.about.threshold;
    person.product = person.detection * person.iou;
    person.screenedShare = person.screened / Math.max(1, person.screened + person.evaluations);
    if (known) continue;
    run.byId.set(person.id, person);
    run.people.push(person);
  }
}

/** The end of the page was read: blocks of trials and pictures stand after the script. */
const pageRead = new Promise((done) => {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", done);
  else done();
});

/** People who count: all but those dropped from the results. */
const counted = () => run.people.filter((person) => !person.dropped);

/** The item of a person in a block of the page; a few blocks are kept decoded. */
function fromBlock(kind, key) {
  const name = `${kind}-${Math.floor(key / run.block)}`;
  if (!blocks.has(name)) {
    const element = document.getElementById(name);
    if (!element) return undefined; // not read yet
    if (blocks.size >= KEPT_BLOCKS) blocks.delete(blocks.keys().next().value);
    blocks.set(name, JSON.parse(element.textContent));
  }
  return blocks.get(name)[key % run.block];
}

/** A person's trials: typed arrays by column, with utility and the product of detection and IoU. */
async function trialsOf(person) {
  await pageRead;
  return unpack(run.live ? await fetchText(`api/trials/${person.key}`) : (fromBlock("trials", person.key) ?? ""));
}

/** What every trial of a person asked of the editor: a list of 13 values a trial, by pass. */
const attributesAsked = async (person) => JSON.parse(await fetchText(`api/attributes/${person.key}`));

function unpack(text) {
  const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const count = Math.floor(data.length / TRIAL_BYTES);
  const view = new DataView(data.buffer);
  const column = (place, steps) =>
    Float64Array.from({ length: count }, (_, i) => view.getUint16(2 * (place * count + i), true) / steps);
  const distance = column(0, DISTANCE_STEPS);
  const worst = column(1, DISTANCE_STEPS);
  const detection = column(2, SHARE_STEPS);
  const iou = column(3, SHARE_STEPS);
  const flags = data.subarray(8 * count, 9 * count);
  const product = detection.map((value, i) => value * iou[i]);
  return {
    count,
    distance,
    worst,
    detection,
    iou,
    product,
    utility: product.map((value, i) => value * distance[i]),
    feasible: Array.from(flags, (flag) => Boolean(flag & 1)),
    evaluated: Array.from(flags, (flag) => Boolean(flag & 2)),
    source: Array.from(flags, (flag) => run.sources[flag >> 2] ?? "sampler"),
  };
}

/** A person's pictures as addresses, by kind: best, runner, random, original. */
function picturesOf(person) {
  if (run.live) return person.shownPictures ?? person.pictures ?? {};
  const found = fromBlock("pictures", person.key) ?? {};
  const address = (text) => (text === "" || text.endsWith(".jpg") ? text : `data:image/jpeg;base64,${text}`);
  return Object.fromEntries(Object.entries(found).map(([kind, list]) => [kind, list.map(address)]));
}

async function fetchText(address) {
  const answer = await fetch(address, { headers: { "X-Attrsearch": "1" } });
  if (!answer.ok) throw new Error((await answer.text()) || answer.statusText);
  return answer.text();
}
