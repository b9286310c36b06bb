// What the page asks the server, and how often.

const JSON_HEADERS = { "Content-Type": "application/json", "X-Attrsearch": "1" };

/** JSON from the server; a refusal is an error with the server's own line. */
export async function ask(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** A change. */
export async function tell(path, body) {
  const answer = await fetch(path, { method: "POST", headers: JSON_HEADERS, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** Put a file; told how many bytes went. Only XMLHttpRequest tells that. */
export function put(path, file, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-Attrsearch", "1");
    request.upload.addEventListener("progress", (event) => told(event.loaded));
    request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(new Error(request.responseText))));
    request.addEventListener("error", () => reject(new Error("no answer from the studio")));
    request.send(file);
  });
}

/** Call a function now and then until the page is another one; it says after how many ms again. */
export function repeat(look) {
  const state = { timer: 0, over: false, stop: () => ((state.over = true), clearTimeout(state.timer)) };
  const go = async () => {
    if (state.over) return;
    const wait = await look();
    if (!state.over) state.timer = setTimeout(go, wait);
  };
  state.now = () => (clearTimeout(state.timer), go());
  state.ready = go();
  return state;
}

/** Say something in the head of the page. */
export function say(text, running = false) {
  const state = document.getElementById("state");
  state.textContent = text;
  state.dataset.running = running;
}

/** Minutes and seconds, for a place in a video. */
export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}

/** About how long, for something to come. */
export function about(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 5) return "a few seconds";
  if (seconds < 50) return `about ${10 * Math.ceil(seconds / 10)} s`;
  if (seconds < 100) return "about a minute";
  return `about ${duration(seconds)}`;
}
