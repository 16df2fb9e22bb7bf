"use strict";
const find = (id) => document.getElementById(id);
const main = document.querySelector("main");
const rows = [...main.children].map((row) => {
  const { n, q, name, s, c } = row.dataset;
  const candidates = JSON.parse(c);
  return {
    row, candidates, n: Number(n), q: q === "" ? null : Number(q), name: name.toLowerCase(), source: s,
    all: [name, ...candidates.map((one) => one[0])].join("\n").toLowerCase(),
  };
});
const empty = document.querySelector(".empty");
const orders = {
  n: (a, b) => a.n - b.n,
  best: (a, b) => (b.q ?? -2) - (a.q ?? -2) || a.n - b.n,
  worst: (a, b) => (a.q ?? 2) - (b.q ?? 2) || a.n - b.n,
  name: (a, b) => (a.name === "") - (b.name === "") || a.name.localeCompare(b.name) || (b.q ?? 0) - (a.q ?? 0),
};
let shown = rows;
let sorted = "n";

function fits(one, words, show, inAll) {
  if (show === "named" ? !one.name : show === "none" ? one.name : show && one.source !== show) return false;
  const text = inAll ? one.all : one.name;
  return words.every((word) => text.includes(word) || (/^\d+$/.test(word) && one.n === Number(word)));
}

function sortBy(order) {
  if (order === sorted) return;
  sorted = order;
  rows.sort(orders[order]);
  /* Rows that are laid out take seconds to move, those that are not take none. */
  main.hidden = true;
  void main.offsetHeight;
  main.append(...rows.map((one) => one.row));
  main.hidden = false;
}

function update() {
  const words = find("q").value.toLowerCase().split(/\s+/).filter(Boolean);
  const show = find("show").value;
  const inAll = find("all").checked;
  sortBy(find("sort").value);
  shown = rows.filter((one) => (one.row.hidden = !fits(one, words, show, inAll)) === false);
  empty.hidden = shown.length > 0;
  const total = rows.length.toLocaleString("en");
  find("count").textContent =
    shown.length === rows.length ? `${total} neurons` : `${shown.length.toLocaleString("en")} of ${total} neurons`;
}

function reset() {
  find("q").value = "";
  find("show").value = "";
  update();
}

const decimal = (digits) => (value) => (value === null ? "–" : value.toFixed(digits).replace("-", "−"));
const percent = (value) => (value === null ? "–" : `${Math.round(100 * value)} %`);
const chance = (value) => (value === null ? "–" : value < 0.001 ? "< .001" : value.toFixed(3));
const columns = [
  ["Candidate", String], ["Source", String], ["r, proposing", decimal(2)], ["r, picking", decimal(2)],
  ["r, held-out", decimal(2)],
  ["Pictures", String], ["AUC", decimal(2)], ["IoU", decimal(2)], ["Beats", percent], ["p", chance],
];

function line(cell, values) {
  const row = document.createElement("tr");
  row.append(...values.map((value) => Object.assign(document.createElement(cell), { textContent: value })));
  return row;
}

/* The table of candidates is made when it is first asked for: a thousand of them would slow the page down. */
function toggled(event) {
  const article = event.target.closest("article");
  const there = article && article.querySelector(".candidates");
  if (!article || there) {
    if (there) there.hidden = !event.target.open;
    return;
  }
  const table = document.createElement("table");
  const head = table.createTHead();
  head.append(line("th", columns.map(([title]) => title)));
  const body = table.createTBody();
  for (const one of rows.find((each) => each.row === article).candidates)
    body.append(line("td", columns.map(([, format], at) => format(one[at]))));
  const box = Object.assign(document.createElement("div"), { className: "candidates" });
  box.append(table);
  article.append(box);
}

function go(step) {
  const here = document.activeElement.closest("article");
  const at = shown.findIndex((one) => one.row === here);
  const next = shown[at < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, at + step))];
  if (!next) return;
  next.row.querySelector(".at").focus({ preventScroll: true });
  next.row.scrollIntoView({ block: "start" });
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input[type=search], select");
  if (event.key === "Escape" && event.target === find("q")) return reset();
  if (typing) return;
  const details = document.activeElement.closest("article")?.querySelector("details");
  const keys = { "/": () => find("q").focus(), j: () => go(1), k: () => go(-1), o: () => details && (details.open = !details.open) };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
}

/* A link to a neuron that the filter hides shows it again. */
function linked() {
  const target = /^#n\d+$/.test(location.hash) && document.querySelector(location.hash);
  if (!target) return;
  if (target.hidden) reset();
  target.scrollIntoView({ block: "start" });
}

document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["q", "show", "sort", "all"]) find(id).addEventListener("input", update);
for (const size of document.getElementsByName("size"))
  size.addEventListener("input", () => (document.body.className = size.value));
empty.querySelector("button").addEventListener("click", reset);
main.addEventListener("toggle", toggled, true);
document.addEventListener("keydown", pressed);
window.addEventListener("hashchange", linked);
/* A browser that comes back to the page keeps what was typed and chosen. */
const size = document.querySelector("[name=size]:checked");
document.body.className = size ? size.value : "m";
update();
linked();
