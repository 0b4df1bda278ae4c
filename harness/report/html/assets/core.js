// What all three reports share. Text reaches the page only as text nodes: h() never parses markup.
const data = JSON.parse(document.getElementById("kassay-data").textContent);

function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "on") {
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    } else {
      element.setAttribute(key, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

// How a verdict or a status is shown: never by colour alone.
const SHOWN = {
  pass: ["✓", "passed", "good"],
  fail: ["✗", "fails", "bad"],
  crash: ["✗", "crashes the kernel", "bad"],
  timeout: ["✗", "hangs", "bad"],
  error: ["!", "harness error", "unsure"],
  unmet: ["?", "not run", "unsure"],
  absent: ["–", "absent", "soft"],
  untested: ["·", "not tested", "soft"],
  conformant: ["✓", "conformant", "good"],
  nonconformant: ["✗", "nonconformant", "bad"],
  disabled: ["–", "disabled", "soft"],
  missing: ["✗", "missing", "bad"],
  backported: ["✓", "backported", "good"],
};
const WORST_FIRST = ["crash", "fail", "timeout", "error", "unmet", "pass", "absent", "untested"];

function shown(state) {
  return SHOWN[state] || ["?", String(state), "unsure"];
}

function sign(state) {
  const [mark, word, kind] = shown(state);
  return h("span", {class: "sign " + kind, role: "img", "aria-label": word, title: word}, mark);
}

function plural(count, one, many) {
  return count.toLocaleString("en") + " " + (count === 1 ? one : many || one + "s");
}

function kernelName(kernel) {
  return "Linux " + (kernel.release || kernel.version || kernel.spec || "of unknown version");
}

function packageName(kernel) {
  return [kernel.vendor, kernel.package_version].filter(Boolean).join(" ");
}

function facts(pairs) {
  const list = h("dl", {class: "facts"});
  for (const [name, value, mono] of pairs) {
    if (value === "" || value === undefined || value === null) continue;
    list.append(h("dt", {}, name), h("dd", {class: mono ? "mono" : undefined}, value));
  }
  return list;
}

function kernelFacts(kernel) {
  return [
    ["Kernel", kernel.release],
    ["Package", [kernel.package, kernel.package_version].filter(Boolean).join(" ")],
    ["Asked for as", kernel.spec, true],
    ["Image SHA-256", kernel.image_sha256, true],
    ["Modules SHA-256", kernel.modules_sha256, true],
    ["Config SHA-256", kernel.config_sha256, true],
  ];
}

function noteList(notes) {
  return h("ul", {class: "notes"}, notes.map((note) => h("li", {}, note)));
}

// A block of raw text of the guest, or nothing.
function block(title, text) {
  if (!text || text.length === 0) return [];
  return [h("h3", {}, title), h("pre", {tabindex: "0"}, Array.isArray(text) ? text.join("\n") : text)];
}

let finder = null;

// The search field with its choices; calls changed({needle, choice}) on every change.
function controls(label, choices, changed) {
  const state = {needle: "", choice: choices[0][0]};
  const found = h("output", {class: "found", "aria-live": "polite"});
  const search = h("input", {
    type: "search", id: "search", placeholder: label, "aria-label": label, autocomplete: "off", spellcheck: "false",
    on: {input: () => { state.needle = search.value.trim().toLowerCase(); changed(state); }},
  });
  const buttons = choices.map(([value, text]) => h("button", {
    type: "button", "data-choice": value, "aria-pressed": String(value === state.choice),
    on: {click: () => choose(value)},
  }, text));
  function choose(value) {
    if (!choices.some(([known]) => known === value)) return;
    state.choice = value;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.choice === value));
    changed(state);
  }
  const bar = h("div", {class: "controls", role: "search"}, search,
    choices.length > 1 && h("div", {class: "choices", role: "group", "aria-label": "Show"}, buttons), found);
  function find(text) {
    search.value = text;
    state.needle = text.trim().toLowerCase();
    changed(state);
  }
  finder = {bar, found, state, choose, find};
  return finder;
}

// The pane on the right. `order` gives the ids that Next and Previous walk through.
const pane = {
  dialog: document.getElementById("detail"), current: null, order: () => [], content: () => null,
  open(id) {
    const content = this.content(id);
    if (!content) return;
    this.current = id;
    const tool = (text, action, key) => h("button", {type: "button", class: "tool", title: key, on: {click: action}}, text);
    this.dialog.replaceChildren(h("div", {class: "pane", tabindex: "-1", autofocus: true},
      h("header", {}, tool("Previous", () => this.step(-1), "k"), tool("Next", () => this.step(1), "j"),
        h("span", {class: "spacer"}), tool("Close", () => this.dialog.close(), "Esc")),
      content));
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
    history.replaceState(null, "", "#" + encodeURIComponent(id));
  },
  step(by) {
    const order = this.order();
    const next = order[order.indexOf(this.current) + by];
    if (next !== undefined) this.open(next);
  },
};
pane.dialog.addEventListener("close", () => history.replaceState(null, "", "#"));
pane.dialog.addEventListener("click", (event) => { if (event.target === pane.dialog) pane.dialog.close(); });

function copyable(text) {
  const button = h("button", {type: "button", class: "tool copy screen", on: {click: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
    }
  }}}, "Copy");
  const code = h("pre", {tabindex: "0"}, text);
  return [code, button];
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !typing && !pane.dialog.open) {
    event.preventDefault();
    document.getElementById("search")?.focus();
  } else if (typing) {
    if (event.key === "Escape") event.target.blur();
  } else if (pane.dialog.open && (event.key === "j" || event.key === "ArrowRight")) {
    pane.step(1);
  } else if (pane.dialog.open && (event.key === "k" || event.key === "ArrowLeft")) {
    pane.step(-1);
  } else if (!pane.dialog.open && (event.key === "j" || event.key === "k")) {
    const rows = [...document.querySelectorAll("[data-open]")].filter((row) => row.offsetParent !== null);
    const at = rows.indexOf(document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)))]?.focus();
  }
});

function footer() {
  return h("footer", {},
    h("p", {class: "screen"}, h("kbd", {}, "/"), " search  ", h("kbd", {}, "j"), " ", h("kbd", {}, "k"), " move  ",
      h("kbd", {}, "Enter"), " open  ", h("kbd", {}, "Esc"), " close"),
    h("p", {}, "Made by kassay " + data.kassay_version + ". This file is complete in itself and loads nothing."));
}
