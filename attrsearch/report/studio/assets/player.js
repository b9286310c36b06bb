// Before and after: exact frames, a wipe between them, and jumps to places worth a look.

import { clock } from "./api.js";
import { filmStrips, frameCache } from "./film.js";

const KINDS = [["filtered", "filtered"], ["unverified", "not compared"], ["audited", "found by the audit"]];
const AHEAD = 6;
const LISTED = 60;

/** The marks under the time slider. */
function marks(view, places) {
  const bar = ({ kind, first, last }) => s("rect", { class: kind, x: (100 * first) / view.count, width: Math.max(0.4, (100 * (last - first + 1)) / view.count), y: KINDS.findIndex(([name]) => name === kind) * 4, height: 3 });
  return s("svg", { class: "marks", viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" }, places.map(bar));
}

/** The player of a job. */
export function player(job, view, told, start = 0) {
  const places = told?.places ?? [];
  const film = view.rate > 0;
  const sides = job.hasResult ? ["before", "after"] : ["before"];
  const cache = frameCache(job, sides, Math.min(1280, Math.ceil(Math.min(innerWidth, 1180) * Math.min(devicePixelRatio, 2))));
  const strips = filmStrips(job, view, sides);
  const state = { at: Math.min(start, view.count - 1), wipe: 0.5, pictures: [], timer: 0, coming: null, hidden: new Set() };

  const frame = h("div", { class: "player" });
  const canvas = h("canvas", { role: "img", tabindex: 0, "aria-label": "Before and after" });
  const time = h("input", { type: "range", id: "time", min: 0, max: view.count - 1, step: 1, value: state.at, "aria-label": film ? "Frame" : "Picture", oninput: () => go(Number(time.value)) });
  const wipe = h("input", { type: "range", id: "wipe", min: 0, max: 100, value: 50, "aria-label": "Wipe between before and after", oninput: () => ((state.wipe = wipe.value / 100), draw()) });
  const first = film ? 0 : 1; // frames are counted from 0, as the ledger does
  const number = h("input", { type: "number", id: "frame", min: first, max: view.count - 1 + first, value: state.at + first, "aria-label": film ? "Frame number" : "Picture number", onchange: () => go(Number(number.value) - first) });
  const where = h("span", { class: "soft" });
  const here = h("p", { class: "here", role: "status" });
  const play = h("button", { type: "button", id: "play", onclick: () => (state.timer ? pause() : begin()) }, "Play");
  const shown = () => places.filter((place) => !state.hidden.has(place.kind));

  async function go(frame) {
    if (!Number.isFinite(frame)) return;
    state.at = Math.max(0, Math.min(view.count - 1, Math.round(frame)));
    time.value = state.at;
    number.value = state.at + first;
    where.textContent = film ? `/ ${whole(view.count - 1)} · ${clock(state.at / view.rate)}` : `of ${whole(view.count)} · ${view.names[state.at]}`;
    if (!state.timer && !cache.has(state.at)) drawSmall();
    state.coming ??= come().finally(() => (state.coming = null));
    await state.coming;
  }

  /** Ask for one frame at a time, always the last one wanted: while the slider is dragged nothing queues up. */
  async function come() {
    for (let at = -1; at !== state.at; ) {
      at = state.at;
      const pictures = await cache.both(at);
      if (at !== state.at) continue;
      state.pictures = pictures;
      draw();
      tellHere();
    }
    const further = state.timer ? AHEAD : 1;
    for (let i = 1; i <= further; i += 1) if (state.at + i < view.count) cache.ahead(state.at + i);
  }

  /** What the strips have of this place, until the exact frames are there. */
  function drawSmall() {
    const parts = sides.map((side) => strips.at(side, state.at));
    if (parts.includes(null) || !state.pictures.length) return;
    const pen = canvas.getContext("2d");
    const split = parts.length > 1 ? state.wipe : 1;
    const sections = [[0, split], [split, 1]];
    parts.forEach(([sheet, x, y, wide, tall], i) => {
      const [from, to] = sections[i];
      const width = canvas.width * (to - from);
      if (width > 0) pen.drawImage(sheet, x + wide * from, y, wide * (to - from), tall, canvas.width * from, 0, width, canvas.height);
    });
    canvas.dataset.small = state.at;
  }

  function draw() {
    const [before, after] = state.pictures;
    const there = [before, after].find((picture) => picture instanceof ImageBitmap);
    canvas.parentElement.hidden = !there; // nothing but a message, where the picture cannot be read
    if (!there) return;
    [canvas.width, canvas.height] = [there.width, there.height];
    frame.style.setProperty("--ratio", there.width / there.height);
    const pen = canvas.getContext("2d");
    const split = after instanceof ImageBitmap ? Math.round(state.wipe * canvas.width) : canvas.width;
    if (after instanceof ImageBitmap) pen.drawImage(after, 0, 0, canvas.width, canvas.height);
    if (before instanceof ImageBitmap && split > 0) pen.drawImage(before, 0, 0, (before.width * split) / canvas.width, before.height, 0, 0, split, canvas.height);
    if (after instanceof ImageBitmap && split > 0 && split < canvas.width) {
      pen.fillStyle = "#fff";
      pen.fillRect(split - 1, 0, 2, canvas.height);
    }
    markFound(pen);
    canvas.dataset.frame = state.at;
  }

  /** Frame what the audit found here. */
  function markFound(pen) {
    pen.strokeStyle = "#ff5a36";
    pen.lineWidth = Math.max(2, canvas.width / 300);
    const scale = canvas.width / view.width;
    for (const { box } of places.filter((place) => place.box && place.first === state.at)) {
      const [left, top, right, bottom] = box.map((value) => value * scale);
      pen.strokeRect(left, top, right - left, bottom - top);
    }
  }

  function tellHere() {
    const problem = state.pictures.find((picture) => picture instanceof Error);
    const now = places.filter((place) => place.first <= state.at && state.at <= place.last);
    const word = ({ person, why, kind }) => `${person ? `${person} ` : ""}${KINDS.find(([name]) => name === kind)[1]}: ${why}`;
    here.textContent = problem ? problem.message : now.map(word).join(" · ");
    here.className = problem ? "here no" : "here";
  }

  /** The next place to look at, or the one before. */
  function jump(step) {
    const starts = [...new Set(shown().map((place) => place.first))].sort((a, b) => a - b);
    const next = step > 0 ? starts.find((frame) => frame > state.at) : starts.findLast((frame) => frame < state.at);
    if (next !== undefined) go(next);
  }

  async function begin() {
    if (state.at >= view.count - 1) await go(0);
    play.textContent = "Pause";
    let due = performance.now();
    const tick = async () => {
      await go(state.at + 1);
      if (!state.timer) return;
      if (state.at >= view.count - 1) return pause();
      due = Math.max(due + 1000 / view.rate, performance.now() - 200);
      state.timer = setTimeout(tick, Math.max(0, due - performance.now()));
    };
    state.timer = setTimeout(tick, 0);
  }

  function pause() {
    clearTimeout(state.timer);
    state.timer = 0;
    play.textContent = "Play";
  }

  const drag = (event) => {
    if (!job.hasResult || !(event.buttons & 1)) return;
    const box = canvas.getBoundingClientRect();
    wipe.value = (100 * (event.clientX - box.left)) / box.width;
    state.wipe = wipe.value / 100;
    draw();
  };
  canvas.addEventListener("pointerdown", (event) => (canvas.setPointerCapture(event.pointerId), drag(event)));
  canvas.addEventListener("pointermove", drag);
  const keys = { ArrowLeft: () => go(state.at - 1), ArrowRight: () => go(state.at + 1), " ": () => film && play.click(), PageUp: () => jump(-1), PageDown: () => jump(1), Home: () => go(0), End: () => go(view.count - 1) };
  canvas.addEventListener("keydown", (event) => {
    const step = event.shiftKey && event.key.startsWith("Arrow") ? () => go(state.at + (event.key === "ArrowLeft" ? -10 : 10)) : keys[event.key];
    if (!step) return;
    event.preventDefault();
    step();
  });

  const step = (by, word, text) => h("button", { type: "button", "aria-label": word, title: word, onclick: () => go(state.at + by) }, text);
  const list = h("ol", { class: "places" });
  const listed = () => {
    const found = shown();
    const item = (place) => h("li", {}, h("button", { type: "button", class: `quiet ${place.kind}`, onclick: () => go(place.first) }, `${film ? `${clock(place.first / view.rate)}, ${place.first === place.last ? `frame ${place.first}` : `frames ${place.first} to ${place.last}`}` : place.first}: ${place.person ? `${place.person}, ` : ""}${place.why}`));
    list.replaceChildren(...found.slice(0, LISTED).map(item), ...(found.length > LISTED ? [h("li", { class: "soft" }, `and ${whole(found.length - LISTED)} more: use “next place”`)] : []));
  };
  const kind = ([name, word]) => {
    const count = places.filter((place) => place.kind === name).length;
    const toggle = (event) => ((event.target.checked ? state.hidden.delete(name) : state.hidden.add(name)), listed());
    return h("label", { class: `tick ${name}` }, h("input", { type: "checkbox", checked: true, disabled: !count, onchange: toggle }), h("i", { class: "swatch", "aria-hidden": "true" }), `${word}: ${whole(count)}`);
  };
  listed();
  const jumps = [h("button", { type: "button", id: "previous-place", onclick: () => jump(-1) }, "← place"), h("button", { type: "button", id: "next-place", onclick: () => jump(1) }, "next place →")];
  const looking = told && film ? h("div", { class: "look" }, h("div", { class: "row" }, places.length ? jumps : null, KINDS.map(kind)), places.length ? h("details", {}, h("summary", {}, `All ${plural(places.length, "place", "places")} worth a look`), list) : null) : null;
  const wiping = job.hasResult ? h("label", { class: "wiping" }, h("span", {}, "before"), wipe, h("span", {}, "after")) : null;
  const controls = h("div", { class: "controls" }, step(-1, film ? "One frame back" : "Picture before", "‹"), film ? play : null, step(1, film ? "One frame on" : "Next picture", "›"), number, where);
  frame.append(h("div", { class: "stage" }, canvas), ...[wiping, h("div", { class: "timing" }, time, film && places.length ? marks(view, places) : null), controls, here, looking].filter(Boolean));
  const body = section(job.hasResult ? "Before and after" : "As it was dropped", frame);
  go(state.at).then(strips.load);
  const show = (frame) => {
    go(frame);
    body.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  return { body, go: show, place: () => state.at, leave: pause };
}
