// Files in: dropped or chosen; a video is a job of its own, pictures are one together.

import { put, tell } from "./api.js";

const VIDEO = /\.(mp4|m4v|mov|mkv|webm|avi|mts|m2ts|ts|mpe?g|wmv|flv|3gp|ogv|y4m)$/i;
const isVideo = (file) => file.type.startsWith("video/") || VIDEO.test(file.name);
const pathOf = (file) => file.path ?? (file.webkitRelativePath || file.name);

/** Files of a drop, those in folders included, with their paths. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (entry.name.startsWith(".")) return;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    file.path = entry.fullPath.replace(/^\/+/, "");
    found.push(file);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // a reader gives a hundred at a time, and none at the end
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const child of some) await walk(child, found);
  }
}

/** Jobs that files make: [name, [[path, file], …]]. */
export function jobsOf(files) {
  const shown = files.filter((file) => !pathOf(file).split("/").some((part) => part.startsWith(".")));
  const films = shown.filter(isVideo);
  const others = shown.filter((file) => !isVideo(file));
  const jobs = films.map((file) => [file.name, [[file.name, file]]]);
  if (!others.length) return jobs;
  const paths = others.map(pathOf);
  const top = paths[0].split("/")[0];
  // one folder that all lie in is the name of the job, not a person
  const common = paths.every((path) => path.startsWith(`${top}/`));
  const inner = paths.map((path) => (common ? path.slice(top.length + 1) : path));
  const name = common ? top : others.length === 1 ? others[0].name : `${others.length} pictures`;
  return [...jobs, [name, inner.map((path, i) => [path, others[i]])]];
}

async function send(name, items, options, told) {
  const { id } = await tell("api/jobs", { name, options });
  const total = items.reduce((sum, [, file]) => sum + file.size, 0);
  let sent = 0;
  try {
    for (const [path, file] of items) {
      const address = path.split("/").map(encodeURIComponent).join("/");
      await put(`api/upload/${id}/${address}`, file, (bytes) => told((sent + bytes) / Math.max(1, total)));
      sent += file.size;
    }
    await tell(`api/jobs/${id}/do`, { what: "begin" });
  } catch (error) {
    await tell(`api/jobs/${id}/do`, { what: "remove" }).catch(() => {});
    throw error;
  }
  return id;
}

const CHOICES = {
  thorough: [["true", "thorough, 200 tries a person, 60 or more in a video"], ["false", "a quick look, 40 tries a person"]],
  fallback: [["blur", "a blur"], ["pixelate", "pixels"], ["mask", "a mask"]],
};

function choice(name, label) {
  const options = CHOICES[name].map(([value, text]) => h("option", { value }, text));
  return h("label", {}, label, h("select", { id: `option-${name}` }, options));
}

function chosen() {
  const value = (name) => document.getElementById(`option-${name}`);
  return { thorough: value("thorough").value === "true", fallback: value("fallback").value, audit: value("audit").checked };
}

/** The place to drop files on, and what is asked for with them. */
export function dropZone() {
  const note = h("p", { role: "status", id: "drop-note" });
  const bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "Copied" });
  const pick = (attributes) => h("input", { type: "file", class: "hidden", tabindex: -1, "aria-hidden": "true", ...attributes, onchange: (event) => take([...event.target.files]) });
  const files = pick({ id: "files", multiple: true, accept: "video/*,image/*,.mkv,.heic,.avif" });
  const folder = pick({ id: "folder", webkitdirectory: true });

  async function take(given) {
    const jobs = jobsOf(given);
    if (!jobs.length) return void (note.textContent = "There is no video and no picture in this.");
    try {
      let last = "";
      for (const [name, items] of jobs) {
        bar.hidden = false;
        note.className = "";
        note.textContent = `Copying ${name} into the studio's folder…`;
        last = await send(name, items, chosen(), (share) => (bar.value = share));
      }
      location.hash = jobs.length === 1 ? `#/job/${last}` : "#/";
      if (jobs.length > 1) dispatchEvent(new HashChangeEvent("hashchange"));
    } catch (error) {
      note.textContent = error.message;
      note.className = "no";
    } finally {
      bar.hidden = true;
    }
  }

  async function trySample() {
    try {
      const { id } = await tell("api/sample", { options: chosen() });
      location.hash = `#/job/${id}`;
    } catch (error) {
      note.textContent = error.message;
      note.className = "no";
    }
  }

  const zone = h(
    "div",
    { class: "drop", id: "drop" },
    h("p", { class: "big" }, "Drop a video, pictures or folders here"),
    h("p", { class: "soft" }, "A folder with a sub-folder for each person keeps people together; a video finds its people itself."),
    h("p", { class: "row" }, h("button", { type: "button", class: "main", onclick: () => files.click() }, "Choose files…"), h("button", { type: "button", onclick: () => folder.click() }, "Choose a folder…")),
    h("p", { class: "soft" }, "Nothing at hand? ", h("button", { type: "button", class: "quiet", id: "sample", onclick: trySample }, "Try it on the bundled sample"), "(an astronaut and two made-up people)"),
    files,
    folder,
    bar,
    note,
  );
  const over = (event) => {
    event.preventDefault();
    zone.classList.toggle("over", event.type === "dragover");
  };
  zone.addEventListener("dragover", over);
  zone.addEventListener("dragleave", over);
  zone.addEventListener("drop", async (event) => {
    over(event);
    take(await dropped(event.dataTransfer));
  });
  const options = h(
    "div",
    { class: "filters" },
    choice("thorough", "Search"),
    choice("fallback", "What cannot be edited is covered by"),
    h("label", { class: "tick" }, h("input", { type: "checkbox", id: "option-audit", checked: true }), "Audit videos afterwards"),
  );
  return [zone, options];
}
