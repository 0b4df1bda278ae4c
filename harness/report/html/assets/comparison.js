// The report of two runs beside each other: what got worse, what got better, under which conditions.
function sideText(side) {
  if (!side) return "no result";
  const known = side.erratum && !(side.reason || "").startsWith("known") ? (side.fixed ? " (known: fixed in " + side.fixed + ")" : " (known, not fixed yet)") : "";
  return shown(side.verdict)[1] + (side.reason ? ": " + side.reason : "") + known;
}

function sideDetail(title, side) {
  return h("div", {}, h("h3", {}, title),
    h("p", {class: side ? shown(side.verdict)[2] : "soft"}, sideText(side)),
    side && side.attempts > 1 && h("p", {}, side.passes + " of " + side.attempts + " attempts passed"),
    side && side.waiver && h("p", {class: "unsure"}, "waived by " + side.waiver),
    side && Object.keys(side.evidence).length > 0 && h("table", {}, h("tbody", {},
      Object.entries(side.evidence).map(([key, value]) => h("tr", {}, h("th", {scope: "row"}, key), h("td", {class: "mono"}, value))))));
}

function changeDetail(change, texts) {
  return [
    h("h2", {}, change.case),
    h("p", {class: "state " + (change.worse ? "bad" : "")}, change.change),
    change.note && h("p", {}, change.note),
    change.requirements.map((id) => texts.get(id)).filter(Boolean).map((requirement) => h("blockquote", {},
      h("p", {}, h("strong", {class: "mono"}, requirement.id), " ", requirement.text),
      requirement.source && h("p", {class: "soft mono"}, requirement.source))),
    h("div", {class: "sides"}, sideDetail("Before: " + kernelName(data.before), change.before),
      sideDetail("After: " + kernelName(data.after), change.after)),
  ];
}

function changeItem(change, texts) {
  const first = texts.get(change.requirements[0]);
  return h("li", {}, h("button", {type: "button", "data-open": change.case, on: {click: () => pane.open(change.case)}},
    sign(change.after ? change.after.verdict : "untested"),
    h("span", {},
      h("strong", {}, first && first.text ? first.text : change.case),
      h("span", {class: "soft"}, change.requirements.join(", ") + "  ·  " + change.case),
      h("span", {class: change.worse ? "bad" : ""}, change.change),
      change.before && h("span", {}, "before: " + sideText(change.before)),
      change.after && h("span", {}, "after: " + sideText(change.after)),
      change.note && h("span", {class: "soft"}, change.note))));
}

function featureState(side) {
  return side ? [sign(side.status), " ", shown(side.status)[1], side.reason ? ": " + side.reason : ""] : "no result";
}

function showComparison(comparison) {
  const texts = new Map(comparison.requirements.map((requirement) => [requirement.id, requirement]));
  const byId = new Map(comparison.cases.map((change) => [change.case, change]));
  const kinds = [["Worse", (c) => c.worse], ["Better", (c) => !c.worse && ["fixed", "now holds"].includes(c.change)],
    ["Other changes", (c) => !c.worse && !["fixed", "now holds"].includes(c.change)]];
  const list = h("div", {});
  const bar = controls("Search cases and requirements", [["all", "All"], ["worse", "Worse"], ["better", "Better"], ["other", "Other"]], apply);
  function apply() {
    const {needle, choice} = bar.state;
    let count = 0;
    const sections = kinds.map(([title, test], index) => {
      if (choice !== "all" && choice !== ["worse", "better", "other"][index]) return null;
      const matching = comparison.cases.filter((change) => test(change) && (needle === "" ||
        [change.case, change.change, ...change.requirements, ...change.requirements.map((id) => texts.get(id)?.text || "")]
          .join("\n").toLowerCase().includes(needle)));
      count += matching.length;
      return matching.length === 0 ? null : [h("h2", {}, title, h("span", {class: "soft"}, "  " + matching.length)),
        h("ol", {class: "wrong"}, matching.map((change) => changeItem(change, texts)))];
    });
    list.replaceChildren();
    append(list, sections);
    if (count === 0) list.append(h("p", {class: "empty"}, comparison.cases.length === 0 ? "No case changed." : "Nothing matches."));
    bar.found.textContent = plural(count, "change");
  }
  pane.content = (id) => byId.has(id) ? changeDetail(byId.get(id), texts) : null;
  pane.order = () => [...document.querySelectorAll("[data-open]")].map((row) => row.dataset.open);

  const worse = comparison.cases.filter((change) => change.worse).length + comparison.features.filter((feature) => feature.worse).length;
  apply();
  append(document.getElementById("main"), [
    h("p", {class: "eyebrow"}, "kassay: two kernels beside each other"),
    h("h1", {}, kernelName(comparison.before), h("span", {class: "soft"}, "  →  "), kernelName(comparison.after)),
    h("p", {class: "verdict " + (comparison.worse ? "bad" : "good"), id: "verdict"}, comparison.worse ? "Worse" : "Not worse"),
    h("p", {class: "lead"}, comparison.worse ? plural(worse, "thing") + " that passed before no longer does, or was not run." :
      "Everything that passed before still passes."),
    h("p", {class: "soft"}, comparison.summary),
    comparison.refused && h("p", {class: "lead bad"}, "Not only the kernel differs: read this comparison with care."),
    comparison.differences.length > 0 ? h("table", {}, h("thead", {}, h("tr", {}, ["Condition", "Before", "After"].map((name) => h("th", {scope: "col"}, name)))),
      h("tbody", {}, comparison.differences.map((difference) => h("tr", {}, h("td", {}, difference.what),
        h("td", {class: "mono"}, difference.before), h("td", {class: "mono"}, difference.after))))) : h("p", {}, "Only the kernel differs."),
    h("h2", {}, "Cases"), bar.bar, list,
    comparison.features.length > 0 && [h("h2", {}, "Features"), h("table", {class: "stack"},
      h("thead", {}, h("tr", {}, ["Feature", "Before", "After"].map((name) => h("th", {scope: "col"}, name)))),
      h("tbody", {}, comparison.features.map((feature) => h("tr", {},
        h("th", {scope: "row"}, feature.feature, h("span", {class: "soft"}, "  " + feature.suite)),
        h("td", {"data-label": "Before"}, featureState(feature.before)),
        h("td", {"data-label": "After", class: feature.worse ? "bad" : ""}, featureState(feature.after))))))],
    h("h2", {}, "What was compared"),
    h("div", {class: "sides"}, h("div", {}, h("h3", {}, "Before"), facts(kernelFacts(comparison.before))),
      h("div", {}, h("h3", {}, "After"), facts(kernelFacts(comparison.after)))),
    footer(),
  ]);
}
