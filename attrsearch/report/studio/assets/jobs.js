// The first page: drop something, and all jobs.

import { about, ask, repeat, say, tell } from "./api.js";
import { dropZone } from "./drop.js";

export const STATES = {
  uploading: "not copied completely",
  waiting: "waiting for its turn",
  deciding: "people found: decide",
  done: "done",
  failed: "failed",
  interrupted: "stopped",
};
const STAGE_WORDS = { find: "finding people", search: "searching", cover: "covering faces", audit: "auditing", apply: "writing pictures" };

/** What a job is doing, in words. */
export function stateWords(job) {
  if (job.state !== "running") return job.stale ? "done; decisions changed since" : STATES[job.state];
  const { stage, count, total, seconds_left: left } = job.progress ?? {};
  if (!stage) return "starting: loading models";
  const share = total ? `, ${percent(count / total)}` : "";
  return `${STAGE_WORDS[stage] ?? stage}${share}${left ? `, ${about(left)} left` : ""}`;
}

function row(job, changed) {
  const remove = async () => {
    if (!confirm(`Remove ${job.name}, its result and everything that was found?`)) return;
    await tell(`api/jobs/${job.id}/do`, { what: "remove" }).catch((error) => say(error.message));
    changed();
  };
  const busy = job.state === "running";
  return h(
    "li",
    {},
    h("a", { href: `#/job/${job.id}` }, job.name),
    h("span", { class: `state ${job.state === "failed" ? "no" : busy || job.state === "done" ? "yes" : "soft"}` }, stateWords(job)),
    h("span", { class: "soft wider" }, new Date(job.created).toLocaleString()),
    busy ? null : h("button", { type: "button", class: "quiet", "aria-label": `Remove ${job.name}`, onclick: remove }, "Remove"),
  );
}

export function jobsPage() {
  const list = h("ul", { class: "jobs" });
  const folder = h("p", { class: "soft" });
  let before = "";
  const watch = repeat(async () => {
    try {
      const told = await ask("api/jobs");
      const text = JSON.stringify(told);
      const busy = told.jobs.some((job) => ["running", "waiting"].includes(job.state));
      say(busy ? "a job is running" : "", busy);
      if (text !== before) {
        before = text;
        const focused = document.activeElement?.getAttribute("href");
        list.replaceChildren(...told.jobs.map((job) => row(job, () => watch.now())));
        if (focused) list.querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
        const sealed = told.encrypted ? " Untouched faces and ledgers of new jobs are encrypted; what you drop and the results are not." : "";
        folder.textContent = `${told.jobs.length ? "Everything is" : "No jobs yet. Everything will be"} kept in ${told.folder}.${sealed}`;
      }
      return busy ? 1000 : 3000;
    } catch (error) {
      say(`no answer from the studio (${error.message})`);
      return 2000;
    }
  });
  return {
    title: "All jobs",
    body: [
      h("h1", {}, "Anonymise a video or pictures"),
      h("p", { class: "lead" }, "Drop them, see who is in them, decide what becomes of each person, compare before and after, and take the result away."),
      ...dropZone(),
      section("Jobs", list, folder),
    ],
    ready: watch.ready,
    leave: watch.stop,
  };
}
