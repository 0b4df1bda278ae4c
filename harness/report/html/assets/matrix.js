// Kernels against features; a feature opens into its requirements.
function cellText(cell) {
  if (!cell) return h("td", {class: "soft"}, "·");
  const [, word, kind] = shown(cell.state);
  const gone = cell.state === "absent" || cell.state === "disabled";
  const total = cell.total && !gone ? cell.holds + " of " + cell.total : "";
  return h("td", {}, sign(cell.state), " ", h("span", {class: kind}, total || word),
    total && cell.state !== "conformant" && cell.state !== "pass" && h("small", {}, word), cell.reason && h("small", {}, cell.reason));
}

function cellDetail(row, texts) {
  const requirement = texts.get(row.id);
  return [
    h("h2", {}, row.id),
    h("p", {class: "state"}, row.title || (requirement ? requirement.text : "")),
    requirement && requirement.source && h("p", {class: "soft mono"}, requirement.source),
    h("table", {}, h("tbody", {}, data.kernels.map((kernel, index) => {
      const cell = row.cells[index];
      return h("tr", {}, h("th", {scope: "row"}, kernel.name), h("td", {}, cell
        ? [sign(cell.state), " ", shown(cell.state)[1], cell.reason ? ": " + cell.reason : "",
          (cell.cases || []).map((one) => h("p", {class: "soft mono"}, one))]
        : "not run"));
    }))),
  ];
}

function showMatrix(matrix) {
  const texts = new Map(matrix.requirements.map((requirement) => [requirement.id, requirement]));
  const rows = new Map();
  for (const feature of matrix.features) {
    rows.set(feature.id, feature);
    for (const row of feature.requirements) rows.set(row.id, row);
  }
  const differs = (row) => new Set(row.cells.map((cell) => cell ? cell.state : "")).size > 1;
  const body = h("tbody", {});
  const opened = new Set();
  const bar = controls("Search features and requirements", [["all", "All"], ["differ", "Where kernels differ"], ["wrong", "Failed"]], apply);
  const wanted = (row, needle, choice) => (choice === "all" || (choice === "differ" && differs(row)) ||
      (choice === "wrong" && row.cells.some((cell) => cell && ["nonconformant", "missing", "fail", "crash", "timeout", "error"].includes(cell.state)))) &&
    (needle === "" || (row.id + "\n" + (row.title || "") + "\n" + (texts.get(row.id)?.text || "")).toLowerCase().includes(needle));
  const rowOf = (row, kind, label, action) => h("tr", {class: kind, "data-row": row.id},
    h("th", {scope: "row"}, h("button", {type: "button", "data-open": row.id, on: {click: action}}, label)), row.cells.map(cellText));
  function apply() {
    const {needle, choice} = bar.state;
    body.replaceChildren();
    let count = 0;
    for (const feature of matrix.features) {
      const inner = feature.requirements.filter((row) => wanted(row, needle, choice));
      const open = needle !== "" ? inner.length > 0 && !wanted(feature, needle, choice) : opened.has(feature.id);
      if (!wanted(feature, needle, choice) && inner.length === 0) continue;
      ++count;
      body.append(rowOf(feature, "featurerow", [feature.requirements.length ? (open ? "▾ " : "▸ ") : "", feature.title || feature.id], () => {
        if (feature.requirements.length === 0) return pane.open(feature.id);
        if (!opened.delete(feature.id)) opened.add(feature.id);
        apply();
        [...body.querySelectorAll("[data-open]")].find((button) => button.dataset.open === feature.id)?.focus();
      }));
      if (!open) continue;
      for (const row of inner) {
        const text = texts.get(row.id)?.text;
        body.append(rowOf(row, "requirementrow", [h("span", {class: "mono"}, row.id), text ? "  " + text : ""], () => pane.open(row.id)));
      }
    }
    bar.found.textContent = plural(count, "feature");
  }
  pane.content = (id) => rows.has(id) ? cellDetail(rows.get(id), texts) : null;
  pane.order = () => [...body.querySelectorAll("[data-open]")].map((row) => row.dataset.open);

  apply();
  const bad = matrix.kernels.filter((kernel) => kernel.verdict !== "conformant").length;
  append(document.getElementById("main"), [
    h("p", {class: "eyebrow"}, "kassay: kernels against features"),
    h("h1", {}, plural(matrix.kernels.length, "kernel") + ", " + plural(matrix.features.length, "feature")),
    h("p", {class: "verdict " + (bad ? "bad" : "good"), id: "verdict"}, bad ? bad + " of " + plural(matrix.kernels.length, "kernel") + " not conformant" : "All conform"),
    bar.bar,
    h("div", {class: "scroll"}, h("table", {class: "matrix"}, h("thead", {}, h("tr", {}, h("th", {}, "Feature"),
      matrix.kernels.map((kernel) => h("th", {scope: "col"}, kernel.name, h("br", {}), h("span", {class: kernel.verdict === "conformant" ? "good" : "bad"}, kernel.verdict))))), body)),
    h("h2", {}, "What was tested"),
    matrix.kernels.map((kernel) => h("details", {class: "more"}, h("summary", {}, kernel.name), facts(kernelFacts(kernel.identity)))),
    footer(),
  ]);
  addEventListener("beforeprint", () => { for (const feature of matrix.features) if (differs(feature)) opened.add(feature.id); apply(); });
}
