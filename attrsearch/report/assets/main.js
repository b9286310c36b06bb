// Which page is shown: the address after "#" says so.

const shown = { page: null };

function pageFor(hash) {
  const [, kind, rest] = /^#\/([a-z]*)\/?(.*)$/.exec(hash) ?? [null, "", ""];
  if (kind === "person") return personPage(decodeURIComponent(rest));
  if (kind === "surrogate" && run.surrogate) return surrogatePage();
  if (kind === "glossary") return glossaryPage(decodeURIComponent(rest));
  if (kind === "video" && run.video) return videoPage();
  return overview();
}

async function go(focus = true) {
  whenPrinting(null, null);
  live.busy = "";
  live.chosen = null;
  hideTip();
  shown.page = pageFor(location.hash);
  draw();
  if (!focus) return;
  scrollTo(0, 0);
  await shown.page.ready;
  const target = shown.page.target?.();
  target?.scrollIntoView();
  (target ?? document.querySelector("main h1"))?.focus({ preventScroll: true });
}

function draw() {
  const { title, body } = shown.page;
  document.title = `${title} · ${run.about.study} · attrsearch`;
  document.getElementById("main").replaceChildren(...body);
  navigation();
}

/** Show what changed without taking away what the reader is doing. */
async function redraw(again = false) {
  const focused = document.activeElement?.id;
  navigation();
  await shown.page.update?.(again);
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function navigation() {
  const pages = [["#/", "People", true], ["#/surrogate", "Surrogate", run.surrogate], ["#/video", "Video", run.video], ["#/glossary", "Glossary", true]].filter(([, , there]) => there);
  const current = location.hash.split("/")[1] || "";
  const link = ([address, word]) => h("a", { href: address, "aria-current": address === `#/${current}` ? "page" : null }, word);
  document.getElementById("nav").replaceChildren(...pages.map(link));
}

async function start() {
  startTheme();
  startTips();
  startData();
  if (run.live) await startLive();
  addEventListener("hashchange", () => go());
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  });
  narrow.addEventListener("change", () => (shown.page.update ? redraw(true) : go(false)));
  await go(false);
  document.documentElement.dataset.ready = String(Math.round(performance.now())); // ms since the page was asked for
}

start();
