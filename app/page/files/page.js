"use strict";

// The page of the orders service. All rules live in the service: the page sends what was typed, digit for digit, and
// shows what the service says about each field.

const PAGE_SIZE = 25;
const EVENTS_SHOWN = 10;
const DEAD_LETTERS_SHOWN = 5;
const REFRESH_MILLISECONDS = 5_000;
/** After a change, whose event is on its way, and while the service is away. */
const SOON_MILLISECONDS = 1_000;
/** Longer than the service takes to answer or to say that it cannot. */
const PATIENCE_MILLISECONDS = 15_000;

const FIELDS = [
  { name: "order_id", label: "Order", inputMode: "numeric" },
  { name: "product_id", label: "Product", inputMode: "numeric" },
  { name: "quantity", label: "Quantity", inputMode: "numeric" },
  { name: "amount", label: "Amount", inputMode: "decimal", isMoney: true },
  { name: "shipping", label: "Shipping", inputMode: "decimal", isMoney: true },
  { name: "tax", label: "Tax", inputMode: "decimal", isMoney: true },
  { name: "shipping_address", label: "Shipping address", inputMode: "text", isText: true },
];

/** What cures itself: the same request will do later. */
const OUTAGES = {
  unreachable: "The service cannot be reached.",
  database_unavailable: "The database is away.",
  busy: "The service is busy.",
  timeout: "The database takes too long to answer.",
};

const EVENT_WORDS = { "order.created": "created", "order.updated": "changed", "order.deleted": "deleted" };

const state = {
  /** The orders shown, as read and as the text they came in. */
  orders: [],
  text: "",
  /** The id after which the next page starts, where there is one. */
  next: null,
  /** The order that is being changed; none while one is added. */
  editing: null,
  // What is on its way: a second click is none.
  isSaving: false,
  deleting: new Set(),
  /** The order that Undo puts back, and the row it was in. */
  deleted: null,
  deletedRow: 0,
  isAway: false,
  announcesEvents: true,
  /** Counts the requests for the list: only the answer to the latest is shown. */
  question: 0,
};

const byId = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat("en");
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// --- the service -----------------------------------------------------------------------------------------------------

/** What the service refused, in its own words. */
class Refusal extends Error {
  constructor({ code, message, fields = [] }) {
    super(message);
    this.code = code;
    this.fields = fields;
  }

  get isOutage() {
    return this.code in OUTAGES;
  }
}

async function ask(path, options = {}) {
  let response, text;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    text = await response.text();
  } catch {
    throw new Refusal({ code: "unreachable", message: "the service cannot be reached" });
  }
  let body;
  try {
    body = text === "" ? null : JSON.parse(text);
  } catch {
    body = null;
  }
  if (!response.ok) {
    throw new Refusal(body?.error ?? { message: `the service answered with status ${response.status}` });
  }
  return { body, text, headers: response.headers };
}

const send = (method, path, body) =>
  ask(path, { method, body, headers: body === undefined ? {} : { "content-type": "application/json" } });

// --- the list --------------------------------------------------------------------------------------------------------

// The address says where the shown page starts, and the browser's history how one came there: Back, Forward and
// Reload work as everywhere.
const shownAfter = () => new URLSearchParams(location.search).get("after");
const trail = () => history.state ?? [];

function turnTo(after, newTrail, change = "pushState") {
  history[change](newTrail, "", after === null ? "./" : `?after=${after}`);
  byId("list").scrollIntoView();
  return load();
}

const turnBack = (change) => turnTo(trail().at(-1), trail().slice(0, -1), change);

async function load() {
  const question = ++state.question;
  const after = shownAfter();
  let answer;
  try {
    answer = await ask(`orders?limit=${PAGE_SIZE}${after === null ? "" : `&after=${encodeURIComponent(after)}`}`);
  } catch (refusal) {
    if (question === state.question) {
      showOutage(refusal);
    }
    return;
  }
  if (question !== state.question) {
    return;
  }
  const { body: orders, text, headers } = answer;
  showOutage(null);
  showServedBy(headers);
  // The last order of a later page is gone: there is nothing to see there any more.
  if (orders.length === 0 && trail().length > 0) {
    turnBack("replaceState");
    return;
  }
  state.next = headers.get("link") === null ? null : orders.at(-1).order_id;
  if (text !== state.text) {
    Object.assign(state, { orders, text });
    showOrders();
  }
  showPaging();
}

function showOrders() {
  const { orders } = state;
  // The focus stays on the same button of the same order.
  const focused = document.activeElement?.dataset.action;
  byId("rows").replaceChildren(...orders.map(row));
  if (focused !== undefined) {
    focusAction(focused);
  }
  byId("empty").hidden = orders.length > 0;
  byId("total-orders").textContent = whole.format(orders.length);
  byId("total-quantity").textContent = whole.format(orders.reduce((sum, order) => sum + order.quantity, 0));
  // In cents, because sums of fractions are not exact.
  let all = 0;
  for (const { name } of FIELDS.filter(({ isMoney }) => isMoney)) {
    const cents = orders.reduce((sum, order) => sum + Math.round(order[name] * 100), 0);
    byId(`total-${name}`).textContent = money.format(cents / 100);
    all += cents;
  }
  byId("total-sum").textContent = money.format(all / 100);
}

function showPaging() {
  byId("page-number").textContent = `Page ${trail().length + 1}`;
  // Not `disabled`, which would drop the focus of whoever has just come to the last page.
  byId("first").ariaDisabled = String(shownAfter() === null);
  byId("previous").ariaDisabled = String(trail().length === 0);
  byId("next").ariaDisabled = String(state.next === null);
}

function row(order) {
  const cells = FIELDS.map(({ name, label, isMoney, isText }, index) => {
    const cell = make(index === 0 ? "th" : "td", { role: index === 0 ? "rowheader" : "cell" });
    cell.textContent = isMoney ? money.format(order[name]) : name === "quantity" ? whole.format(order[name]) : order[name];
    cell.dataset.label = label;
    cell.className = isText ? "text" : "number";
    return cell;
  });
  const button = (text, act) => {
    const element = make("button", { type: "button", ariaLabel: `${text} order ${order.order_id}` }, text);
    element.dataset.action = `${text} ${order.order_id}`;
    element.addEventListener("click", act);
    return element;
  };
  const actions = make("td", { role: "cell", className: "buttons" },
    button("Edit", () => edit(order)), button("Delete", () => remove(order)));
  return make("tr", { role: "row" }, ...cells, actions);
}

/** Puts the focus on a button of a row, or where it is gone on the first button of a row near by. */
function focusAction(action, index = 0) {
  const { children: rows } = byId("rows");
  const near = rows[Math.min(index, rows.length - 1)]?.querySelector("button");
  (document.querySelector(`[data-action="${CSS.escape(action)}"]`) ?? near ?? byId("add")).focus();
}

function servedBy(headers) {
  const [instance, ...parts] = (headers.get("x-served-by") ?? "").split(";").map((part) => part.trim());
  return { instance, words: parts.map((part) => part.split("=")[1]).join(", ") };
}

function showServedBy(headers) {
  const { instance, words } = servedBy(headers);
  byId("served-by").textContent = instance === "" ? "" : `Answered by ${instance} (${words})`;
}

function showOutage(refusal) {
  const banner = byId("banner");
  state.isAway = refusal?.isOutage ?? false;
  banner.hidden = refusal === null;
  if (refusal !== null) {
    const text = refusal.isOutage
      ? `${OUTAGES[refusal.code]} What you type is kept, and this page tries again by itself.`
      : `The orders cannot be shown: ${refusal.message}.`;
    // Said once: an alert that is written again is read aloud again.
    if (banner.textContent !== text) {
      banner.textContent = text;
    }
  } else if (byId("form-error").dataset.isOutage === "true") {
    showErrors({ message: "the service is back: save again" });
  }
}

// --- adding and changing ---------------------------------------------------------------------------------------------

function edit(order) {
  state.editing = order;
  byId("editor-title").textContent = order === null ? "Add an order" : `Edit order ${order.order_id}`;
  for (const { name } of FIELDS) {
    byId(name).value = order === null ? "" : order[name];
  }
  byId("order_id").readOnly = order !== null;
  showErrors({});
  byId("editor").showModal();
  byId(order === null ? "order_id" : "product_id").focus();
}

/** What was typed, as JSON. Numbers keep their digits, and what is no number goes as text, to be refused as such. */
function typed() {
  const members = FIELDS.map(({ name, isText }) => [name, isText, byId(name).value])
    .filter(([, , value]) => value !== "")
    .map(([name, isText, value]) => {
      const isNumber = !isText && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(value.trim());
      return `${JSON.stringify(name)}:${isNumber ? value.trim() : JSON.stringify(value)}`;
    });
  return `{${members.join()}}`;
}

function showErrors({ message = "", fields = [], isOutage = false }) {
  // What is wrong with a field stands beside it.
  const text = message === "" || fields.length > 0 ? "" : sentence(message);
  byId("form-error").textContent = isOutage ? `${text} What you typed is kept.` : text;
  byId("form-error").dataset.isOutage = isOutage;
  for (const { name, label } of FIELDS) {
    const wrong = fields.find(({ field }) => field === name);
    byId(`${name}-error`).textContent = wrong === undefined ? "" : `${label} ${wrong.message}.`;
    byId(name).ariaInvalid = String(wrong !== undefined);
  }
  document.querySelector("#fields [aria-invalid=true]")?.focus();
}

async function save(event) {
  event.preventDefault();
  if (state.isSaving) {
    return;
  }
  const { editing } = state;
  const id = byId("order_id").value.trim();
  setSaving(true);
  let answer;
  try {
    answer = await (editing === null ? send("POST", "orders", typed()) : send("PUT", `orders/${editing.order_id}`, typed()));
  } catch (refusal) {
    const isDuplicate = refusal.code === "duplicate_order";
    showErrors(isDuplicate ? { fields: [{ field: "order_id", message: `${id} exists already` }] } : refusal);
    return;
  } finally {
    setSaving(false);
  }
  byId("editor").close();
  const type = editing === null ? "order.created" : "order.updated";
  showPath(id, type, answer);
  say(editing === null ? `Order ${id} is added.` : `Order ${id} is changed.`);
  await loadChange();
}

function setSaving(isSaving) {
  state.isSaving = isSaving;
  byId("save").textContent = isSaving ? "Saving…" : "Save";
  byId("form").ariaBusy = String(isSaving);
}

/** Closes the editor, except while what was typed in it is on its way and may have to be sent again. */
function cancel(event) {
  event.preventDefault();
  if (!state.isSaving) {
    byId("editor").close();
  }
}

// --- deleting, with undo ---------------------------------------------------------------------------------------------

// No question before: it would be answered with yes each time, also the one time it should not. Undo helps after the
// mistake, and costs nothing where there is none.
async function remove(order) {
  const { order_id: id } = order;
  if (state.deleting.has(id)) {
    return;
  }
  state.deleting.add(id);
  // A refresh may replace the orders meanwhile.
  const row = state.orders.findIndex(({ order_id }) => order_id === id);
  const path = `orders/${id}`;
  try {
    // What is deleted is what Undo puts back, and the list may be some seconds old.
    const { body } = await ask(path);
    await send("DELETE", path);
    state.deletedRow = row;
    say(`Order ${id} is deleted.`, body);
  } catch (refusal) {
    say(`Order ${id} cannot be deleted: ${refusal.message}.`);
  }
  await loadChange();
  state.deleting.delete(id);
}

async function undo() {
  const order = state.deleted;
  if (order === null) {
    return;
  }
  state.deleted = null;
  try {
    await send("POST", "orders", JSON.stringify(order));
  } catch (refusal) {
    say(`Order ${order.order_id} cannot be put back: ${refusal.message}.`, order);
    return;
  }
  say(`Order ${order.order_id} is back.`);
  await loadChange();
  focusAction(`Edit ${order.order_id}`, state.deletedRow);
}

/** Tells what happened, until it is dismissed or the next thing happens. With an order, Undo puts it back. */
function say(text, deleted = null) {
  state.deleted = deleted;
  byId("notice").hidden = text === "";
  byId("notice-text").textContent = text;
  byId("undo").hidden = deleted === null;
  if (deleted !== null) {
    byId("undo").focus({ preventScroll: true });
  }
}

function dismiss() {
  const hadFocus = byId("notice").contains(document.activeElement);
  say("");
  if (hadFocus) {
    focusAction("", state.deletedRow);
  }
}

// --- events ----------------------------------------------------------------------------------------------------------

async function loadEvents() {
  let events;
  try {
    events = (await ask(`events?limit=${EVENTS_SHOWN}`)).body;
  } catch (refusal) {
    state.announcesEvents = refusal.code !== "not_found";
    byId("events").hidden = !state.announcesEvents;
    byId("events-away").hidden = false;
    return;
  }
  byId("events").hidden = false;
  byId("events-away").hidden = true;
  const counts = Object.entries(EVENT_WORDS).map(([type, word]) =>
    make("li", {}, make("b", {}, whole.format(events.counts[type] ?? 0)), ` ${word}`));
  byId("event-counts").replaceChildren(...counts);
  const list = events.events.map(({ type, subject, time }) =>
    make("li", {}, `Order ${subject} ${EVENT_WORDS[type] ?? type}`,
      make("time", { dateTime: time }, moment.format(new Date(time)))));
  byId("event-list").replaceChildren(...list);
  showAnnounced(events.events);
  await loadDeadLetters();
}

/** Events that their receiver has refused again and again. */
async function loadDeadLetters() {
  let letters;
  try {
    letters = (await ask("dead_letters")).body.dead_letters;
  } catch {
    // The database is away, which the list of orders tells.
    return;
  }
  byId("dead-letters").hidden = letters.length === 0;
  const list = letters.slice(0, DEAD_LETTERS_SHOWN).map(({ type, order_id, attempts, last_error }) =>
    make("li", {}, `Order ${order_id} ${EVENT_WORDS[type] ?? type}: ${last_error} (${attempts} attempts)`));
  const more = letters.length - list.length;
  byId("dead-letter-list").replaceChildren(...list, ...(more > 0 ? [make("li", {}, `and ${whole.format(more)} more`)] : []));
}

async function sendAgain() {
  try {
    const { changed } = (await ask("dead_letters", { method: "POST" })).body;
    say(`${whole.format(changed)} sent again.`);
  } catch (refusal) {
    say(sentence(refusal.message));
  }
  await loadEvents();
}

// --- keeping up ------------------------------------------------------------------------------------------------------

let timer;
function refreshIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(refresh, milliseconds);
}

async function refresh() {
  if (!document.hidden) {
    await Promise.all([load(), state.announcesEvents && loadEvents()]);
  }
  refreshIn(state.isAway ? SOON_MILLISECONDS : REFRESH_MILLISECONDS);
}

async function loadChange() {
  await load();
  refreshIn(SOON_MILLISECONDS);
}

// --- start -----------------------------------------------------------------------------------------------------------

function makeFields() {
  const fields = FIELDS.map(({ name, label, inputMode }) => {
    const input = make("input", { id: name, name, inputMode, autocomplete: "off" });
    input.setAttribute("aria-describedby", `${name}-error`);
    return make("div", { className: "field" },
      make("label", { htmlFor: name }, label), input, make("p", { id: `${name}-error`, className: "error" }));
  });
  byId("fields").append(...fields);
  const columns = FIELDS.map(({ label, isText }) =>
    make("th", { role: "columnheader", className: isText ? "text" : "number" }, label));
  byId("columns").append(...columns, make("th", { role: "columnheader" }, "Actions"));
}

function onClick(id, act) {
  byId(id).addEventListener("click", ({ currentTarget }) => currentTarget.ariaDisabled === "true" || act());
}

makeFields();
onClick("add", () => edit(null));
onClick("first", () => turnTo(null, []));
onClick("previous", () => turnBack());
onClick("next", () => turnTo(state.next, [...trail(), shownAfter()]));
onClick("undo", undo);
onClick("dismiss", dismiss);
onClick("send-again", sendAgain);
byId("form").addEventListener("submit", save);
byId("cancel").addEventListener("click", cancel);
byId("editor").addEventListener("cancel", cancel);
// The browser has put the focus back before this event, unless a refresh has replaced the button; by now somebody may have gone on.
byId("editor").addEventListener("close", () =>
  state.editing && !byId("rows").contains(document.activeElement) && focusAction(`Edit ${state.editing.order_id}`));
addEventListener("popstate", load);
document.addEventListener("visibilitychange", () => refreshIn(0));
document.addEventListener("keydown", ({ key }) => key === "Escape" && !byId("editor").open && dismiss());
refresh();
