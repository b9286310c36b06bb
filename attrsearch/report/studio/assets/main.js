// Which page is shown: the address after "#" says so.

import { jobPage } from "./job.js";
import { jobsPage } from "./jobs.js";

let shown = null;

async function go(focus = true) {
  shown?.leave();
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  const [, id] = /^#\/job\/([0-9a-f]{12})$/.exec(location.hash) ?? [];
  shown = id ? jobPage(id) : jobsPage();
  document.title = `${shown.title} · attrsearch studio`;
  document.getElementById("main").replaceChildren(...shown.body);
  if (id) document.getElementById("home").removeAttribute("aria-current");
  else document.getElementById("home").setAttribute("aria-current", "page");
  if (focus) scrollTo(0, 0);
  await shown.ready;
  if (focus) document.querySelector("main h1")?.focus({ preventScroll: true });
}

startTheme();
addEventListener("hashchange", () => go());
// a file that misses the place to drop it must not replace the page
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
await go(false);
document.documentElement.dataset.ready = String(Math.round(performance.now())); // ms since the page was asked for
