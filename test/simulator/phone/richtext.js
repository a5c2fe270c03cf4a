// WhatsApp's own marks in text: *bold*, _italic_, ~struck~, ```code``` and links.
// The result is nodes; the text itself is only ever put in as text.

import { h } from "./dom.js";

const MARKS = { "*": "strong", _: "em", "~": "s" };

// One alternative each: fenced code, a link, a pair of marks around words. A
// mark opens only at the start of a word and closes only at its end, so that
// snake_case and 3*4*5 stay as they are.
const PATTERN = /```([^`]+)```|(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)'\]])|(?<![\p{L}\p{N}])([*_~])(?=\S)([^\n]*?\S)\3(?![\p{L}\p{N}])/gu;

const MAX_DEPTH = 3; // bold in italic in struck: there is no fourth mark

/** richText gives the nodes of one message's text. */
export function richText(text, depth = 0) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(PATTERN)) {
    const [whole, code, link, mark, inner] = match;
    if (match.index > end) nodes.push(document.createTextNode(text.slice(end, match.index)));
    if (code !== undefined) nodes.push(h("code", { text: code }));
    else if (link) nodes.push(h("a", { href: link, target: "_blank", rel: "noopener noreferrer", text: link }));
    else nodes.push(h(MARKS[mark], {}, ...(depth < MAX_DEPTH ? richText(inner, depth + 1) : [inner])));
    end = match.index + whole.length;
  }
  if (end < text.length) nodes.push(document.createTextNode(text.slice(end)));
  return nodes;
}
