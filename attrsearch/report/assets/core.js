"use strict";
// What every page uses: elements, numbers as text, the theme.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; "on…" attributes are listeners, null children are left out. */
function h(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** The same for a drawing. */
function s(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const fixed = (digits) => (value) => (Number.isFinite(value) ? value.toFixed(digits) : "–");
const three = fixed(3);
const two = fixed(2);
const signed = (value) => (Number.isFinite(value) ? (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3) : "–");

/** A share in per cent; what is not all or nothing never reads as 100 or 0. */
function percent(value) {
  if (!Number.isFinite(value)) return "–";
  const near = value > 0 && value < 1 && (value < 0.1 || value > 0.99);
  const text = (100 * value).toFixed(near ? 1 : 0);
  return `${near && text === "100.0" ? "99.9" : near && text === "0.0" ? "0.1" : text} %`;
}

const whole = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString("en") : "–");
const words = (name) => name.replaceAll("_", " ");
const plural = (count, one, many) => `${whole(count)} ${count === 1 ? one : many}`;

function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const mean = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : NaN);

/** A quantile of numbers in rising order. */
function quantile(sorted, share) {
  if (!sorted.length) return NaN;
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

const rising = (values) => Array.from(Float64Array.from(values).sort());

/** A section with a heading of the second level. */
function section(title, ...children) {
  const id = `s-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return h("section", { "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

/** A table from a heading row and rows of cells; cells that are not elements become text. */
function table(caption, heads, rows, attributes = {}) {
  const cell = (value, index) =>
    h(index === 0 ? "th" : "td", index === 0 ? { scope: "row" } : {}, value === null ? "–" : value);
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      attributes,
      h("caption", { class: "hidden" }, caption),
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, termWord(head))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell)))),
    ),
  );
}

/** A chart with its caption, and its numbers as a table behind a fold where they are given. */
function figure(drawing, caption, numbers = null) {
  const fold = numbers && h("details", {}, h("summary", {}, "The numbers"), numbers);
  return h("figure", {}, drawing, h("figcaption", {}, caption), fold);
}

/** Whether the page is as narrow as a phone: drawings are then made narrower, so that their words stay readable. */
const narrow = matchMedia("screen and (max-width: 720px)");

const THEMES = ["auto", "light", "dark"];

function startTheme() {
  const button = document.getElementById("theme");
  const kept = (() => {
    try {
      return localStorage.getItem("attrsearch-theme");
    } catch {
      return null; // pages opened as files may have no storage
    }
  })();
  const show = (theme) => {
    if (theme === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", theme);
    button.textContent = `Theme: ${theme}`;
    button.dataset.theme = theme;
  };
  show(THEMES.includes(kept) ? kept : "auto");
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(button.dataset.theme) + 1) % THEMES.length];
    show(next);
    try {
      localStorage.setItem("attrsearch-theme", next);
    } catch {
      // the choice lasts as long as the page
    }
  });
}
