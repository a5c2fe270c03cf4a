// Building the page out of nodes.
//
// Everything a message carries reaches the page as text nodes or properties,
// never as markup, so a message cannot put a tag or a script into the page.

/**
 * h builds one element. Keys of props: `class`, `text`, `dataset` (object),
 * `onX` (listener for event x), anything else an attribute; null, undefined
 * and false leave the attribute out, true sets it empty.
 */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") el.className = value;
    else if (key === "text") el.textContent = value;
    else if (key === "dataset") Object.assign(el.dataset, value);
    else if (key.startsWith("on")) el.addEventListener(key.slice(2).toLowerCase(), value);
    else el.setAttribute(key, value === true ? "" : String(value));
  }
  el.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

const SVG = "http://www.w3.org/2000/svg";

/** svg builds one SVG element; children may be nested calls of svg. */
export function svg(tag, attrs = {}, ...children) {
  const el = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attrs)) el.setAttribute(key, value);
  el.append(...children);
  return el;
}

// Stroked shapes on a 24 by 24 grid. A leading "!" marks a filled shape.
const SHAPES = {
  send: ["!M3.2 20.6 21.5 12 3.2 3.4v6.7L15 12 3.2 13.9z"],
  mic: ["M12 14.6a3 3 0 0 0 3-3V6.2a3 3 0 0 0-6 0v5.4a3 3 0 0 0 3 3z", "M5.8 11.6a6.2 6.2 0 0 0 12.4 0", "M12 17.8V21"],
  clip: ["M19.3 11.3l-7.5 7.5a4.7 4.7 0 0 1-6.6-6.6l8-8a3.1 3.1 0 0 1 4.4 4.4l-8 8a1.5 1.5 0 0 1-2.2-2.2l7-7"],
  plus: ["M12 5v14", "M5 12h14"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  back: ["M19 12H5.5", "M11 6l-6 6 6 6"],
  down: ["M6 9l6 6 6-6"],
  trash: ["M5 7h14", "M9.5 7V4.5h5V7", "M7 7l.8 12.5h8.4L17 7"],
  play: ["!M7 4.2v15.6L20 12z"],
  pause: ["!M6.5 4.5h3.8v15H6.5z", "!M13.7 4.5h3.8v15h-3.8z"],
  clock: ["M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z", "M12 8v4.3l2.8 1.7"],
  info: ["M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z", "M12 11v5", "M12 8v.01"],
  pin: ["M12 21s6.5-6 6.5-11a6.5 6.5 0 0 0-13 0c0 5 6.5 11 6.5 11z", "M12 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z"],
  person: ["M12 11.5a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4z", "M4.5 20c.6-4 3.6-6 7.5-6s6.9 2 7.5 6"],
  addperson: ["M10 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z", "M3 20c.5-4 3.3-6 7-6 1.7 0 3.2.4 4.4 1.2", "M18.5 14v6", "M15.5 17h6"],
  doc: ["M6.5 3.5h7l4.5 4.5v12.5H6.5z", "M13.5 3.5V8H18"],
  music: ["M9 18V6l10-2v12", "M6.5 20.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z", "M16.5 18.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"],
  download: ["M12 4v11", "M7.5 11l4.5 4.5L16.5 11", "M5 19.5h14"],
  reply: ["M10 6 4.5 11.5 10 17", "M4.5 11.5H14c3.5 0 5.5 2.2 5.5 6.5"],
  copy: ["M8.5 8.5h11v11h-11z", "M15.5 8.5v-4h-11v11h4"],
  bars: ["M4 6.5h9", "M8 12h9", "M12 17.5h8"],
  alert: ["M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z", "M12 8v5", "M12 16v.01"],
  retry: ["M19 12a7 7 0 1 1-2.2-5.1", "M19.5 4v4.5H15"],
  smile: ["M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z", "M9 10v.01", "M15 10v.01", "M8.5 14a4.2 4.2 0 0 0 7 0"],
  one: ["M8 3.5h8v17H8z"],
  two: ["M4 4.5h6.5v15H4z", "M13.5 4.5H20v15h-6.5z"],
  three: ["M2 5.5h5v13H2z", "M9.5 5.5h5v13h-5z", "M17 5.5h5v13h-5z"],
  store: ["M4.5 10v10h15V10", "M3.5 9.5 5.5 4h13l2 5.5c0 3-4 3-4.2.3-.3 2.7-4 2.7-4.3 0-.3 2.7-4 2.7-4.3 0-.2 2.7-4.2 2.7-4.2-.3z", "M10 20v-5.5h4V20"],
};

/** icon draws a named shape in the current text colour, hidden from screen readers. */
export function icon(name, size = 24) {
  return svg("svg", { viewBox: "0 0 24 24", width: size, height: size, class: "icon", "aria-hidden": "true", focusable: "false" },
    ...SHAPES[name].map((d) => (d.startsWith("!")
      ? svg("path", { d: d.slice(1), class: "fill" })
      : svg("path", { d }))));
}

/** ticks draws one or two check marks, as the state of a sent message. */
export function ticks(count) {
  const paths = count === 1 ? ["M3.5 6.4 6.6 9.6 12.8 2.2"] : ["M.9 6.4 4 9.6 10.2 2.2", "M7.3 8.6l1 1L14.6 2.2"];
  return svg("svg", { viewBox: "0 0 16 12", width: 18, height: 13, class: "icon", "aria-hidden": "true" }, ...paths.map((d) => svg("path", { d })));
}

/** iconButton is a button with a picture and a spoken name. */
export function iconButton(name, label, props = {}) {
  return h("button", { type: "button", "aria-label": label, title: label, ...props, class: `icon-button ${props.class ?? ""}` }, icon(name));
}
