// The switches: what the simulated WhatsApp shall do wrong, late, or twice.

import { toast } from "./a11y.js";
import * as api from "./api.js";
import { h, icon, iconButton } from "./dom.js";

// [key, label, unit]; a unit of "" is a switch, one in "text" a line of text.
const FIELDS = [
  ["Webhooks to the bot", [
    ["duplicate_percent", "Delivered twice", "%"], ["reorder_percent", "Out of order", "%"], ["bad_signature_percent", "Wrong signature", "%"],
    ["batch_size", "Messages in a batch", "up to"], ["batch_window_ms", "Gather a batch for", "ms"], ["webhook_delay_ms", "Delay", "ms"],
  ]],
  ["Statuses", [
    ["status_delay_ms", "Delay", "ms"], ["late_failure_code", "Voice note fails later with code", "code"], ["status_reorder", "Out of order", ""],
    ["auto_delivered", "Delivered by itself", ""], ["auto_read", "Read by itself", ""], ["auto_played", "Played by itself", ""],
  ]],
  ["Answers to the bot's calls", [
    ["error_percent", "Refused", "%"], ["error_code", "with code", "code"], ["error_http_status", "and HTTP status", "HTTP"],
    ["drop_answer_percent", "Accepted, answer lost", "%"], ["graph_delay_ms", "Delay", "ms"],
    ["pair_rate_limit", "Limit for one person (131056)", ""], ["throughput_limit", "80 messages a second (130429)", ""],
    ["errors_by_status", "Errors come later, as a status", ""], ["typing_refresh_extends", "Typing again extends it", ""],
  ]],
  ["Media", [
    ["media_url_ttl_ms", "Address lives for", "ms"], ["corrupt_media_percent", "Damaged", "%"], ["media_host_redirect", "Redirect to host", "text"],
  ]],
];
const STATUSES = ["sent", "delivered", "read", "played", "failed"];

/** faultsForm gives the closed panel of switches. */
export function faultsForm(store) {
  const inputs = new Map(); // key -> input
  const drops = new Map(); // status -> checkbox
  const count = h("span", { class: "faults-count" });
  const people = h("div", { class: "fault-people" });
  const apply = h("button", { type: "submit", class: "primary", text: "Apply" });
  const form = h("form", { class: "faults-form", onSubmit: save, onInput: () => form.classList.add("dirty") },
    ...FIELDS.map(([title, fields]) => h("fieldset", {}, h("legend", { text: title }), ...fields.map(fault))),
    h("fieldset", {}, h("legend", { text: "Statuses never sent" }), h("div", { class: "checks" }, ...STATUSES.map((status) => {
      const box = h("input", { type: "checkbox" });
      drops.set(status, box);
      return h("label", { class: "check" }, box, h("span", { text: status }));
    }))),
    h("fieldset", {}, h("legend", { text: "Error for one recipient" }), people,
      h("button", { type: "button", class: "link", text: "Add a recipient", onClick: () => { people.append(personRow()); form.classList.add("dirty"); people.lastChild.querySelector("input").focus(); } })),
    h("div", { class: "faults-buttons" }, h("button", { type: "button", class: "quiet", text: "Undo changes", onClick: fill }), apply));
  const root = h("details", { class: "faults", "data-testid": "faults" }, h("summary", {}, h("span", { text: "Switches" }), count, icon("down", 20)), form);

  function fault([key, label, unit]) {
    const input = unit === "" ? h("input", { type: "checkbox" })
      : unit === "text" ? h("input", { type: "text", autocomplete: "off", spellcheck: "false" })
      : h("input", { type: "number", min: key === "batch_size" ? "1" : "0", max: unit === "%" ? "100" : key === "batch_size" ? "1000" : null, step: unit === "%" ? "any" : "1", required: true });
    input.dataset.fault = key;
    inputs.set(key, input);
    if (unit === "") return h("label", { class: "check" }, input, h("span", { text: label }));
    return h("label", { class: "fault" }, h("span", { text: label }), h("span", { class: "fault-input" }, input, unit === "text" ? null : h("small", { text: unit })));
  }

  function personRow(to = "", rule = { code: 131056, http_status: 400, times: 1 }) {
    const number = (name, label, value) => h("label", {}, h("span", { text: label }), h("input", { type: "number", name, min: "0", required: true, value: String(value ?? 0) }));
    const row = h("div", { class: "fault-person" },
      h("label", { class: "wide-label" }, h("span", { text: "Phone or user id" }), h("input", { type: "text", name: "to", required: true, value: to, autocomplete: "off" })),
      number("code", "Code", rule.code), number("http_status", "HTTP", rule.http_status), number("times", "Times", rule.times),
      iconButton("close", "Remove this recipient", { onClick: () => { row.remove(); form.classList.add("dirty"); } }));
    return row;
  }

  function fill() {
    const faults = store.faults ?? {};
    for (const [key, input] of inputs) {
      if (input.type === "checkbox") input.checked = faults[key] === true;
      else input.value = faults[key] ?? (input.type === "number" ? 0 : "");
    }
    for (const [status, box] of drops) box.checked = (faults.drop_statuses ?? []).includes(status);
    people.replaceChildren(...Object.entries(faults.error_by_recipient ?? {}).map(([to, rule]) => personRow(to, rule)));
    form.classList.remove("dirty");
    apply.disabled = !store.faults;
    const on = active(faults);
    count.textContent = on ? `${on} on` : "all quiet";
    count.classList.toggle("some", on > 0);
  }

  async function save(event) {
    event.preventDefault();
    const faults = { ...store.faults }; // a switch this form does not know keeps its value
    for (const [key, input] of inputs) faults[key] = input.type === "checkbox" ? input.checked : input.type === "number" ? Number(input.value) : input.value.trim();
    faults.drop_statuses = STATUSES.filter((status) => drops.get(status).checked);
    faults.error_by_recipient = Object.fromEntries([...people.children].map((row) => {
      const value = (name) => row.querySelector(`[name=${name}]`).value;
      return [value("to").trim().replace(/^\+/, ""), { code: Number(value("code")), http_status: Number(value("http_status")), times: Number(value("times")) }];
    }));
    apply.disabled = true;
    try {
      store.apply("faults", (await api.putFaults(faults)) ?? faults);
      fill();
      toast("Switches applied.", { good: true });
    } catch (err) {
      toast(err.message);
    }
    apply.disabled = false;
  }

  // Somebody's half-written change is not overwritten by an event.
  store.on("faults", () => { if (!form.classList.contains("dirty")) fill(); });
  fill();
  return root;
}

// How many switches make trouble now: what differs from a well-behaved WhatsApp.
function active(faults) {
  const harmless = { batch_size: 1, error_code: true, error_http_status: true, media_url_ttl_ms: 300_000, batch_window_ms: true, auto_delivered: true, auto_read: false, auto_played: false, typing_refresh_extends: true };
  return Object.entries(faults).filter(([key, value]) => {
    if (key in harmless) return harmless[key] !== value && !(harmless[key] === true && typeof value === "number");
    if (value && typeof value === "object") return Object.keys(value).length > 0;
    return Boolean(value);
  }).length;
}
