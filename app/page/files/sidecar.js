"use strict";

// The way of an order through Dapr, where the service has a sidecar: priced, stored, announced, and what carried it. What is
// shared with page.js is used when that has been loaded.

const path = {
  /** What the sidecar says of itself; none where there is no sidecar. */
  sidecar: null,
  /** The order that was saved last: its id, what its service answered, by way of what, the type of its event. */
  saved: null,
  /** The latest events. */
  events: [],
};

const SIDECAR_HINT = "Left empty, it is computed by the pricing service.";

async function loadSidecar() {
  try {
    path.sidecar = (await ask("sidecar")).body;
  } catch (refusal) {
    if (refusal.code !== "not_found") {
      setTimeout(loadSidecar, SOON_MILLISECONDS);
    }
    return;
  }
  const { app_id, version, components } = path.sidecar;
  byId("path").hidden = false;
  byId("path-sidecar").textContent =
    `Sidecar ${app_id}, Dapr ${version}: ${components.map(({ name, type }) => `${name} is ${type}`).join(", ")}.`;
  for (const name of ["shipping", "tax"]) {
    const input = byId(name);
    input.setAttribute("aria-describedby", `${name}-hint ${name}-error`);
    input.after(make("p", { id: `${name}-hint`, className: "quiet" }, SIDECAR_HINT));
  }
}

/** After an order was saved with this answer, and is announced by an event of this type. */
function showPath(id, type, { body, headers }) {
  if (path.sidecar === null) {
    return;
  }
  const known = new Set(path.events.map((event) => event.id));
  // A page with a service of its own says that it has passed the order on.
  const isForwarded = headers.get("via") !== null;
  path.saved = { id, type, price: body?.price ?? null, isForwarded, by: servedBy(headers).instance, known, isAnnounced: false };
  showSteps(null);
}

/** Looks for the event of the order among the latest ones. Those known before it was saved are of earlier changes. */
function showAnnounced(events) {
  path.events = events;
  const { saved } = path;
  if (saved === null || saved.isAnnounced) {
    return;
  }
  const event = events.find(({ subject, type, id }) => subject === saved.id && type === saved.type && !saved.known.has(id));
  if (event !== undefined) {
    saved.isAnnounced = true;
    showSteps(event);
  }
}

function showSteps(event) {
  const { id, price, isForwarded, by } = path.saved;
  const { app_id, components } = path.sidecar;
  const step = (name, text, carrier) =>
    make("li", {}, make("b", {}, name), ` ${text} `, make("span", { className: "quiet" }, carrier));
  const sent = step("Sent:", `to ${app_id}.`, `Carried by the sidecars of page and ${app_id}.`);
  const priced = price === null
    ? step("Not priced:", "shipping and tax were given.", "")
    : step("Priced:", `shipping ${money.format(price.shipping)}, tax ${money.format(price.tax)}, by ${price.by.instance}`
      + `${price.by.region === null ? "" : ` with the rules of ${price.by.region}`}.`,
      `Carried by the sidecars of ${app_id} and pricing.`);
  const stored = step("Stored:", `order ${id} by ${by}.`, "Without a sidecar: straight into MariaDB.");
  const broker = components.find(({ name }) => name === event?.pubsubname)?.type;
  const announced = event === null
    ? step("Announced:", "on its way.", "")
    : step("Announced:", `${event.type}, event ${event.id}.`, event.topic === undefined ? "" :
      `Carried by the sidecars of ${app_id} and events, topic ${event.topic} of ${event.pubsubname} (${broker}).`);
  byId("path-steps").replaceChildren(...(isForwarded ? [sent] : []), priced, stored, announced);
}

addEventListener("DOMContentLoaded", loadSidecar);
