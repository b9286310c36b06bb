// A job: how far it is, its people and what becomes of them, its result, its commands.

import { about, ask, repeat, say, tell } from "./api.js";
import { stateWords } from "./jobs.js";
import { COVERS, peopleSection } from "./people.js";
import { player } from "./player.js";

const STAGES = { find: "Find people", search: "Search", cover: "Cover", audit: "Audit", apply: "Write pictures" };
const MOST_PROBLEMS = 4;

/** The state of a job in a sentence or two. */
function leadOf(job, covered) {
  const all = job.people.length;
  const faceless = job.frames ? 0 : job.people.filter((person) => !person.parts.some((part) => part.shown)).length;
  if (job.state === "deciding" && all === faceless) return "Nobody was found. If there are faces in it, they are smaller or more turned than the detector knows.";
  const who = plural(all - faceless, "person", "people");
  if (job.state === "deciding") return `${who} found. Everybody is anonymised unless you say otherwise; nothing is searched before you start it.`;
  if (job.state === "failed") return "It ended with an error.";
  if (job.state === "interrupted") return "It was stopped. What is finished is kept, and it goes on from there.";
  if (job.state === "uploading") return "Its files were not copied completely. Remove it, and drop them again.";
  if (job.state === "waiting") return `It waits until ${job.behind ?? "the job before it"} is done.`;
  if (job.state === "done") return job.frames && covered ? coveredSentence(job, covered) : resultSentence(job);
  if (job.kind === "pictures") return job.step === "find" ? "Every picture is searched for faces." : "Another face is searched for each person, then the pictures are written.";
  return job.step === "find" ? "Every frame is searched for faces, and faces are followed." : "Another face is searched for each person, then every face of every frame is covered.";
}

/** What the command warned of, a line each: the first ones. */
function problemLines(job) {
  const lines = job.problems ?? [];
  if (!lines.length || job.state === "waiting") return null;
  const more = lines.length > MOST_PROBLEMS ? h("li", { class: "soft" }, `and ${whole(lines.length - MOST_PROBLEMS)} more, at the end of this page`) : null;
  return h("ul", { class: "problems", "aria-label": "What went wrong" }, lines.slice(0, MOST_PROBLEMS).map((line) => h("li", {}, line)), more);
}

/** What became of the people of a video, by its ledger. */
function coveredSentence(job, covered) {
  const left = job.people.filter((person) => person.do === "leave").length;
  const others = job.people.length - left;
  const found = job.people.filter((person) => person.do !== "leave").map((person) => covered[person.id] ?? { faces: 0, edited: 0 });
  const wholly = found.filter((one) => one.edited && one.edited === one.faces).length;
  const partly = found.filter((one) => one.edited && one.edited < one.faces).length;
  const filter = COVERS[job.options?.fallback] ?? "a filter";
  const ways = [[wholly, "by another face"], [partly, `by another face where it holds and ${filter} elsewhere`], [others - wholly - partly, `by ${filter}`]];
  const listed = ways.filter(([count]) => count).map(([count, how]) => `${whole(count)} ${how}`).join(", ");
  const covers = others ? `${whole(others)} of ${plural(job.people.length, "person", "people")} ${others === 1 ? "is" : "are"} covered wherever they were found: ${listed}.` : "Nobody is covered.";
  return left ? `${covers} ${whole(left)} ${left === 1 ? "is" : "are"} left as they are.` : covers;
}

function resultSentence(job) {
  const counts = job.verdicts ?? { wanted: 0 };
  const holds = counts.holds ?? 0;
  const only = counts["holds on searched pictures only"] ?? 0;
  const rest = counts.wanted - holds - only;
  const words = [`${whole(holds)} of ${plural(counts.wanted, "person", "people")} ${holds === 1 ? "is" : "are"} anonymised by an edit`];
  if (only) words.push(`${whole(only)} ${only === 1 ? "holds" : "hold"} on searched pictures only, and ${only === 1 ? "is" : "are"} filtered where the edit fails`);
  if (rest) words.push(`${whole(rest)} ${rest === 1 ? "has" : "have"} no edit and ${rest === 1 ? "is" : "are"} covered by the filter`);
  const left = job.people.filter((person) => person.do === "leave").length;
  if (left) words.push(`${whole(left)} ${left === 1 ? "is" : "are"} left as they are`);
  return `${words.join("; ")}.`;
}

function progressPanel(job, changed) {
  const now = job.progress ?? {};
  const at = now.stages?.indexOf(now.stage) ?? -1;
  const stages = (now.stages ?? []).map((stage, i) => {
    const share = i < at ? 1 : i === at && now.total ? now.count / now.total : 0;
    const name = STAGES[stage] ?? stage;
    const note = i === at && now.seconds_left ? `${about(now.seconds_left)} left` : i < at ? "done" : "";
    const people = i === at && now.people ? ` ${now.done} of ${plural(now.people, "person", "people")}` : "";
    return h("li", { class: i === at ? "now" : i < at ? "over" : "" }, h("b", {}, name + people), h("progress", { max: 1, value: share, "aria-label": name }), h("span", { class: "soft" }, note));
  });
  const stop = async () => {
    await tell(`api/jobs/${job.id}/do`, { what: "stop" }).catch((error) => say(error.message));
    changed();
  };
  const waits = job.state === "waiting";
  return h("div", { class: "progress" }, stages.length ? h("ol", {}, stages) : null, h("button", { type: "button", id: "stop", onclick: stop }, waits ? "Do not begin" : "Stop"), h("span", { class: "soft" }, waits ? "It keeps everything, and can begin later." : "It can go on later from where it is."));
}

function commandsSection(job) {
  const line = (step, word) => {
    const note = h("span", { class: "soft", role: "status" });
    const copy = async () => {
      await navigator.clipboard.writeText(job.commands[step]).then(() => (note.textContent = "copied"), () => (note.textContent = "select it and copy"));
    };
    return h("div", { class: "command" }, h("b", {}, word), h("pre", { tabindex: 0, "aria-label": `Command: ${word}` }, job.commands[step]), h("button", { type: "button", class: "quiet", onclick: copy }, "Copy"), note);
  };
  const said = job.lines.length ? h("details", { open: job.state === "failed" }, h("summary", {}, "What the command said"), h("pre", { class: "said", tabindex: 0 }, job.lines.join("\n"))) : null;
  return section("The same without the studio", h("p", { class: "soft" }, "What happens here is done by these commands, with the same files; they go on where the studio was, and the other way round."), line("find", "Find the people"), line("anonymise", "Anonymise, as decided"), said);
}

function takeAway(job) {
  const item = ({ what, name, note }) => h("li", {}, h("a", { href: `download/${job.id}/${what}`, download: name, class: what === "result" ? "button main" : null }, name), h("span", { class: "soft" }, ` · ${note}`));
  const board = job.searched ? h("p", {}, h("a", { href: `run/${job.id}/`, target: "_blank" }, "All figures and every candidate"), h("span", { class: "soft" }, " · the dashboard of this search, in a tab of its own")) : null;
  return section("Take away", h("ul", { class: "downloads" }, job.downloads.map(item)), board);
}

function auditSection(places) {
  if (!places?.audit) return null;
  const { judge, faces, judged, threshold, leaks, passing } = places.audit;
  const found = leaks ? h("b", { class: "no" }, `${plural(leaks, "face is", "faces are")} still their person`) : h("b", { class: "yes" }, "no face is still its person");
  const note = passing ? ` ${plural(passing, "place", "places")} seen in a frame or two only are not counted.` : "";
  return section("Audit", h("p", {}, "Another detector and a recogniser that the search never used looked at the result: ", found, "."), h("p", { class: "soft" }, `${whole(faces)} faces found, ${whole(judged)} judged by ${judge} at a distance of ${three(threshold)}.${note}`));
}

/** What is to be done next, always in sight. */
function actionBar(job, changed) {
  if (!["deciding", "done", "interrupted", "failed"].includes(job.state)) return null;
  const note = h("span", { class: "no", role: "status" });
  const go = (step) => async () => {
    try {
      await tell(`api/jobs/${job.id}/ask`, { step });
      await changed();
      scrollTo(0, 0);
    } catch (error) {
      note.textContent = error.message;
    }
  };
  const count = (what) => job.people.filter((person) => person.do === what).length;
  const counts = h("span", {}, `${whole(count("anonymise"))} anonymised · ${whole(count("leave"))} left as they are · ${whole(count("filter"))} filtered`);
  const undo = async () => {
    await tell(`api/jobs/${job.id}/do`, { what: "undo" }).catch((error) => (note.textContent = error.message));
    changed();
  };
  const word = { deciding: "Anonymise", done: "Apply the changes", interrupted: "Go on", failed: "Try again" }[job.state];
  const step = ["deciding", "done"].includes(job.state) ? "anonymise" : (job.step ?? "find");
  const idle = (job.state === "done" && !job.stale) || (step === "anonymise" && !job.people.some((person) => job.frames || person.parts.some((part) => part.shown)));
  return h("div", { class: "next" }, h("div", { class: "wide" }, job.people.length ? counts : null, job.stale ? h("b", {}, "The result does not show the last decisions yet.") : null, note, job.canUndo ? h("button", { type: "button", id: "undo", onclick: undo }, "Undo a decision") : null, idle ? null : h("button", { type: "button", class: "main", id: "go", onclick: go(step) }, word)));
}

export function jobPage(id) {
  const job = { id, people: [], lines: [], downloads: [] };
  const title = h("h1", { tabindex: -1 }, "…");
  const lead = h("p", { class: "lead", id: "lead" });
  const problems = h("div", {});
  const progress = h("div", {});
  const watching = h("div", {});
  const people = h("div", {});
  const rest = h("div", {});
  const next = h("div", {});
  const seen = { player: null, result: "", people: "", rest: "" };
  let places = null;

  const changed = () => watch.now();
  const decide = async (change) => {
    const answer = await tell(`api/jobs/${id}/people`, { change });
    Object.assign(job, answer);
    await show();
  };

  async function showPlayer() {
    const stamp = `${job.hasResult}-${job.resultStamp}`;
    if (seen.result === stamp || job.state === "uploading") return false;
    seen.result = stamp;
    places = job.hasResult ? await ask(`api/jobs/${id}/places`).catch(() => null) : null;
    const view = await ask(`api/jobs/${id}/view`).catch(() => null);
    if (stamp !== seen.result) return false; // a newer result has come since
    if (!view?.count) return true;
    seen.player?.leave();
    seen.player = player(job, view, places, seen.player?.place() ?? 0);
    watching.replaceChildren(seen.player.body);
    return true;
  }

  /** What the audit found belongs into the first sentences. */
  function foundByAudit() {
    if (job.state !== "done" || !places?.audit) return [];
    const { leaks } = places.audit;
    return [" ", leaks ? h("b", { class: "no" }, `The audit found ${plural(leaks, "face that is", "faces that are")} still their person.`) : h("b", { class: "yes" }, "The audit found no face that is still its person.")];
  }

  async function show() {
    title.textContent = job.name;
    document.title = `${job.name} · attrsearch studio`;
    const busy = ["running", "waiting"].includes(job.state);
    say(stateWords(job), busy);
    // who is to be decided about stands first, the result before those it shows
    if (job.hasResult !== (watching.nextSibling === people)) (job.hasResult ? people.before(watching) : people.after(watching));
    if (busy && document.activeElement?.id === "stop") updateProgress();
    else progress.replaceChildren(...(busy ? [progressPanel(job, changed)] : []));
    lead.replaceChildren(leadOf(job, places?.people), ...foundByAudit());
    problems.replaceChildren(...[problemLines(job)].filter(Boolean));
    // a film is opened and searched for places in its own time: people and buttons do not wait for it
    showPlayer().then((is) => is && show());

    const faces = JSON.stringify([job.version, job.state, job.stale, places?.people]);
    if (faces !== seen.people) {
      seen.people = faces;
      const focused = document.activeElement?.id;
      people.replaceChildren(...(job.people.length ? [peopleSection(job, places?.people ?? {}, decide, changed, (frame) => seen.player?.go(frame))] : []));
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    }
    const further = JSON.stringify([job.state, job.commands, job.downloads, job.lines, job.stale, job.canUndo, places?.audit]);
    if (further !== seen.rest || faces !== seen.bar) {
      const [focused, open] = [document.activeElement?.id, rest.querySelector("details")?.open];
      seen.rest = further;
      seen.bar = faces;
      rest.replaceChildren(...[auditSection(places), job.hasResult ? takeAway(job) : null, commandsSection(job)].filter(Boolean));
      if (open) rest.querySelector("details")?.setAttribute("open", "");
      next.replaceChildren(...[actionBar(job, changed)].filter(Boolean));
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  /** New numbers in the bars that are there: who has the focus on Stop keeps it. */
  function updateProgress() {
    const fresh = progressPanel(job, changed);
    const [before, after] = [progress.querySelector("ol"), fresh.querySelector("ol")];
    if (before && after) before.replaceWith(after);
    else progress.querySelector("#stop")?.before(...[after].filter(Boolean));
  }

  const watch = repeat(async () => {
    try {
      Object.assign(job, await ask(`api/jobs/${id}?version=${job.version ?? ""}`));
      await show();
      return ["running", "waiting"].includes(job.state) ? 700 : 2500;
    } catch (error) {
      say(error.message.includes("fetch") ? "no answer from the studio; is it still running?" : error.message);
      return 2000;
    }
  });
  const leave = () => (watch.stop(), seen.player?.leave(), say(""));
  return { title: "Job", body: [title, lead, problems, progress, people, watching, rest, next], ready: watch.ready, leave };
}
