"use strict";

// The page of the orders service. All rules live in the service: the page sends what was typed and
// shows what the service says about each field.

const PAGE_SIZE = 25;
const REFRESH_MILLISECONDS = 5000;

const FIELDS = [
  { name: "order_id", label: "Order", inputMode: "numeric" },
  { name: "product_id", label: "Product", inputMode: "numeric" },
  { name: "quantity", label: "Quantity", inputMode: "numeric" },
  { name: "amount", label: "Amount", inputMode: "decimal", isMoney: true },
  { name: "shipping", label: "Shipping", inputMode: "decimal", isMoney: true },
  { name: "tax", label: "Tax", inputMode: "decimal", isMoney: true },
  { name: "shipping_address", label: "Shipping address", inputMode: "text", isText: true },
];

const byId = (id) => document.getElementById(id);

/** What is shown: the orders, where the page starts and where the next one does. */
const state = { orders: [], after: null, next: null, editing: null, removing: null };

/** Asks the service; the error of a refusal carries what it said. */
async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw { message: "The service cannot be reached." };
  }
  const text = await response.text();
  let body = {};
  try {
    body = text === "" ? {} : JSON.parse(text);
  } catch {
    throw { message: `The service answered with status ${response.status}.` };
  }
  if (!response.ok) {
    throw body.error ?? { message: `The service answered with status ${response.status}.` };
  }
  return { body, link: response.headers.get("link") };
}

function say(message) {
  byId("notice").textContent = message;
}

async function load() {
  const after = state.after === null ? "" : `&after=${state.after}`;
  try {
    const { body, link } = await ask(`orders?limit=${PAGE_SIZE}${after}`);
    state.orders = body;
    state.next = link === null ? null : body[body.length - 1].order_id;
    show();
    if (byId("notice").dataset.failed === "true") {
      say("");
    }
    byId("notice").dataset.failed = "false";
  } catch (error) {
    byId("notice").dataset.failed = "true";
    say(`The orders cannot be shown: ${error.message}`);
  }
}

function show() {
  // Keeps the focus where it was, on the same action of the same order.
  const focused = document.activeElement?.dataset?.action;
  byId("rows").replaceChildren(...state.orders.map(row));
  if (focused !== undefined) {
    document.querySelector(`[data-action="${CSS.escape(focused)}"]`)?.focus();
  }
  byId("empty").hidden = state.orders.length > 0;
  byId("first").disabled = state.after === null;
  byId("next").disabled = state.next === null;
  byId("total-orders").textContent = state.orders.length;
  byId("total-quantity").textContent = sum("quantity");
  for (const { name, isMoney } of FIELDS) {
    if (isMoney) {
      byId(`total-${name}`).textContent = money(sumOfCents(name) / 100);
    }
  }
}

const sum = (name) => state.orders.reduce((total, order) => total + order[name], 0);
const sumOfCents = (name) =>
  state.orders.reduce((total, order) => total + Math.round(order[name] * 100), 0);
const money = (value) => value.toFixed(2);

function row(order) {
  const cells = FIELDS.map(({ name, isMoney }) => {
    const cell = document.createElement("td");
    cell.textContent = isMoney ? money(order[name]) : order[name];
    return cell;
  });
  const actions = document.createElement("td");
  actions.append(
    button(order, "Edit", () => edit(order)),
    button(order, "Delete", () => confirmRemoval(order)),
  );
  const element = document.createElement("tr");
  element.append(...cells, actions);
  return element;
}

function button(order, text, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = text;
  element.ariaLabel = `${text} order ${order.order_id}`;
  element.dataset.action = `${text} ${order.order_id}`;
  element.addEventListener("click", act);
  return element;
}

function makeFields() {
  const fields = FIELDS.map(({ name, label, inputMode }) => {
    const field = document.createElement("div");
    field.className = "field";
    const caption = document.createElement("label");
    caption.htmlFor = name;
    caption.textContent = label;
    const input = document.createElement("input");
    Object.assign(input, { id: name, name, inputMode, autocomplete: "off" });
    input.setAttribute("aria-describedby", `${name}-error`);
    const error = document.createElement("p");
    Object.assign(error, { id: `${name}-error`, className: "error" });
    field.append(caption, input, error);
    return field;
  });
  byId("fields").replaceChildren(...fields);
}

function edit(order) {
  state.editing = order;
  byId("editor-title").textContent = order ? `Edit order ${order.order_id}` : "Add an order";
  for (const { name } of FIELDS) {
    byId(name).value = order ? order[name] : "";
  }
  byId("order_id").readOnly = order !== null;
  showErrors({});
  byId("editor").showModal();
}

/** What was typed, as the service takes it: a wrong number goes as text, and is refused as such. */
function typed() {
  const order = {};
  for (const { name, isText } of FIELDS) {
    const text = byId(name).value;
    const isNumber = /^-?\d+(\.\d+)?$/.test(text.trim());
    if (text !== "") {
      order[name] = !isText && isNumber ? Number(text) : text;
    }
  }
  return order;
}

function showErrors({ message = "", fields = [] }) {
  byId("form-error").textContent = message;
  for (const { name } of FIELDS) {
    const wrong = fields.find(({ field }) => field === name);
    byId(`${name}-error`).textContent = wrong ? wrong.message : "";
    byId(name).setAttribute("aria-invalid", String(wrong !== undefined));
  }
  const first = FIELDS.find(({ name }) => fields.some(({ field }) => field === name));
  if (first) {
    byId(first.name).focus();
  }
}

async function save(event) {
  event.preventDefault();
  const { editing } = state;
  const order = typed();
  const [path, method] = editing ? [`orders/${editing.order_id}`, "PUT"] : ["orders", "POST"];
  const headers = { "content-type": "application/json" };
  try {
    await ask(path, { method, headers, body: JSON.stringify(order) });
  } catch (error) {
    showErrors(error);
    return;
  }
  byId("editor").close();
  await load();
  say(editing ? `Order ${editing.order_id} is changed.` : `Order ${order.order_id} is added.`);
}

function confirmRemoval(order) {
  state.removing = order;
  byId("remover-text").textContent = `Order ${order.order_id}: ${order.shipping_address}`;
  byId("remover").showModal();
}

async function remove() {
  const { order_id: id } = state.removing;
  byId("remover").close();
  try {
    await ask(`orders/${id}`, { method: "DELETE" });
    await load();
    say(`Order ${id} is deleted.`);
  } catch (error) {
    say(`Order ${id} cannot be deleted: ${error.message}`);
  }
}

async function showAbout() {
  try {
    const { body } = await ask("healthz");
    byId("about").textContent = `version ${body.version}, ${body.build}, ${body.mode}`;
  } catch {
    byId("about").textContent = "";
  }
}

function turnTo(after) {
  state.after = after;
  load();
}

makeFields();
byId("add").addEventListener("click", () => edit(null));
byId("form").addEventListener("submit", save);
byId("cancel").addEventListener("click", () => byId("editor").close());
byId("remove").addEventListener("click", remove);
byId("keep").addEventListener("click", () => byId("remover").close());
byId("first").addEventListener("click", () => turnTo(null));
byId("next").addEventListener("click", () => turnTo(state.next));
showAbout();
load();
setInterval(() => document.hidden || load(), REFRESH_MILLISECONDS);
