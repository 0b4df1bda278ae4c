// The report of one run: verdict, what is wrong, then feature by requirement.
const CHOICES = {
  all: () => true,
  wrong: (item) => ["crash", "fail", "timeout", "error"].includes(item.state),
  holds: (item) => item.state === "pass",
  untold: (item) => ["unmet", "error", "untested"].includes(item.state),
  absent: (item) => item.state === "absent",
};
const FIRST_ROWS = 200;

function worstOf(cases) {
  let worst = WORST_FIRST.length - 1;
  for (const one of cases) worst = Math.min(worst, WORST_FIRST.indexOf(one.verdict));
  return WORST_FIRST[worst];
}

function requirementsOf(run) {
  const byId = new Map();
  for (const requirement of run.requirements) byId.set(requirement.id, {...requirement, cases: []});
  for (const one of run.cases) {
    one.id = one.suite + "." + one.case;
    const cited = one.requirements && one.requirements.length ? one.requirements : ["(no requirement)"];
    for (const id of cited) {
      if (!byId.has(id)) byId.set(id, {id, text: "", source: "", feature: "", suite: one.suite, cases: []});
      byId.get(id).cases.push(one);
    }
  }
  for (const requirement of byId.values()) {
    requirement.state = worstOf(requirement.cases);
    requirement.haystack = [requirement.id, requirement.text, requirement.feature, requirement.suite,
      ...requirement.cases.map((one) => one.id + " " + (one.reason || ""))].join("\n").toLowerCase();
  }
  return byId;
}

function groupsOf(run, requirements) {
  const groups = new Map();
  for (const feature of run.features) groups.set(feature.suite + "/" + feature.feature, {feature, requirements: []});
  for (const requirement of requirements.values()) {
    const key = requirement.suite + "/" + requirement.feature;
    if (!groups.has(key)) {
      const name = requirement.feature || requirement.suite;
      groups.set(key, {feature: {feature: name, suite: requirement.suite, title: "", status: "untested"}, requirements: []});
    }
    groups.get(key).requirements.push(requirement);
  }
  return [...groups.values()];
}

function known(one) {
  if (!one.erratum || (one.reason || "").startsWith("known")) return "";
  return one.erratum.fixed ? "known bug, fixed in " + one.erratum.fixed : "known bug, not fixed yet";
}

function pairs(title, list) {
  return (list || []).length > 0 && [h("h3", {}, title), h("table", {}, h("tbody", {}, list.map(([key, value]) =>
    h("tr", {}, h("th", {scope: "row"}, key), h("td", {class: "mono"}, value)))))];
}

function caseDetail(one, requirements) {
  const [, word, kind] = shown(one.verdict);
  const cited = (one.requirements || []).map((id) => requirements.get(id)).filter(Boolean);
  return [
    h("h2", {}, one.id),
    // What an assertion said stands below in full.
    h("p", {class: "state " + kind}, word, (one.failures || []).length > 0
      ? one.erratum && ": " + (known({...one, reason: ""})) : one.reason && ": " + one.reason),
    one.waiver && h("p", {class: "unsure"}, "Waived by " + one.waiver + "."),
    one.attempts > 1 && h("p", {}, one.passes + " of " + one.attempts + " attempts passed."),
    cited.map((requirement) => h("blockquote", {},
      h("p", {}, h("strong", {class: "mono"}, requirement.id), " ", requirement.text),
      requirement.source && h("p", {class: "soft mono"}, requirement.source))),
    one.erratum && [h("h3", {}, "Known bug"), h("p", {}, one.erratum.text, " ",
      one.erratum.fixed ? "Fixed in " + one.erratum.fixed + "." : "Not fixed yet."),
      h("p", {class: "soft mono"}, one.erratum.source)],
    (one.failures || []).length > 0 && [h("h3", {}, "What failed"), one.failures.map((failure) =>
      h("div", {}, h("p", {class: "soft mono"}, failure.file + ":" + failure.line), h("pre", {}, failure.message)))],
    pairs("Evidence", one.evidence),
    pairs("Measured, differs from run to run", one.measures),
    block("Kernel log", one.kernel_log),
    block("Serial console", one.console),
    h("h3", {}, "Run it again"), copyable(one.command),
    h("p", {class: "soft"}, "Profile " + one.profile + ", " + (one.duration_ms / 1000).toFixed(1) + " s."),
  ];
}

function wrongItem(one, requirements) {
  const cited = (one.requirements || []).map((id) => requirements.get(id)).filter(Boolean);
  const also = [known(one), one.waiver && "waived by " + one.waiver].filter(Boolean).join(", ");
  return h("li", {}, h("button", {type: "button", "data-open": one.id, on: {click: () => pane.open(one.id)}},
    sign(one.verdict),
    h("span", {},
      h("strong", {}, cited.length && cited[0].text ? cited[0].text : one.id),
      h("span", {class: "soft"}, [(one.requirements || []).join(", "), one.id].filter(Boolean).join("  ·  ")),
      h("span", {class: shown(one.verdict)[2]}, shown(one.verdict)[1] + (one.reason ? ": " + one.reason : "")),
      also && h("span", {}, also))),
    h("div", {class: "paper"}, (one.failures || []).map((failure) => h("pre", {}, failure.message)),
      h("pre", {}, one.command)));
}

function requirementItem(requirement) {
  const unasked = requirement.cases.length === 0 && !requirement.untested;
  return h("li", {class: "requirement" + (unasked ? " unasked" : ""), "data-requirement": requirement.id},
    h("p", {}, h("span", {class: "id"}, requirement.id), requirement.text),
    requirement.cases.length === 0 && h("p", {class: "soft"}, requirement.untested || "no case of it was part of this run"),
    h("ul", {class: "cases"}, requirement.cases.map((one) => h("li", {}, h("button",
      {type: "button", class: "row", "data-open": one.id, on: {click: () => pane.open(one.id)}}, sign(one.verdict),
      h("span", {}, h("span", {class: "mono"}, one.case),
        one.reason && h("span", {class: shown(one.verdict)[2]}, "  " + one.reason),
        known(one) && h("span", {class: "soft"}, "  " + known(one))))))));
}

class Explorer {
  constructor(groups, onlyOpen) {
    this.total = groups.reduce((sum, group) => sum + group.requirements.length, 0);
    this.controls = controls("Search requirements and cases",
      [["all", "All"], ["wrong", "Failed"], ["holds", "Passed"], ["untold", "Not run"], ["absent", "Absent"]], () => this.apply());
    this.list = h("div", {});
    this.views = groups.map((group) => this.view(group, onlyOpen));
    this.none = h("p", {class: "empty"}, "Nothing matches. Clear the search or choose All.");
    this.element = h("section", {"aria-label": "Requirements"}, this.controls.bar, this.list, this.none);
    append(this.list, this.views.map((view) => view.element));
    this.apply();
  }

  view(group, onlyOpen) {
    const {feature} = group;
    const [, word, kind] = shown(feature.status);
    const holding = group.requirements.filter((requirement) => requirement.state === "pass").length;
    const rows = h("ul", {});
    const element = h("details", {class: "group", "data-feature": feature.feature},
      h("summary", {}, sign(feature.status), h("span", {class: "name"}, feature.title || feature.feature),
        h("span", {class: "count"}, holding + " of " + group.requirements.length + " passed"),
        h("small", {}, h("span", {class: kind}, word, feature.reason ? ": " + feature.reason : ""),
          "  ·  " + feature.suite + " / " + feature.feature + (feature.since ? "  ·  since " + feature.since : ""))),
      rows);
    const view = {group, element, rows, matching: [], filled: false};
    element.addEventListener("toggle", () => { if (element.open) this.fill(view, FIRST_ROWS); });
    element.open = Boolean(onlyOpen && onlyOpen(group));
    return view;
  }

  fill(view, limit) {
    if (view.filled) return;
    view.filled = true;
    view.rows.replaceChildren(...view.matching.slice(0, limit).map(requirementItem));
    const left = view.matching.length - limit;
    if (left > 0) {
      view.rows.append(h("li", {}, h("button", {type: "button", class: "showmore", on: {click: () => {
        view.filled = false;
        this.fill(view, Infinity);
      }}}, "Show " + left.toLocaleString("en") + " more")));
    }
  }

  apply() {
    const {needle, choice} = this.controls.state;
    const narrowed = needle !== "" || choice !== "all";
    let count = 0;
    for (const view of this.views) {
      view.matching = view.group.requirements.filter((requirement) =>
        CHOICES[choice](requirement) && (needle === "" || requirement.haystack.includes(needle)));
      view.filled = false;
      count += view.matching.length;
      view.element.hidden = narrowed && view.matching.length === 0;
      if (narrowed) view.element.open = view.matching.length > 0;
      if (view.element.open) this.fill(view, FIRST_ROWS);
    }
    this.none.hidden = count > 0;
    this.controls.found.textContent = narrowed
      ? count.toLocaleString("en") + " of " + plural(this.total, "requirement") : plural(this.total, "requirement");
  }

  openAll() {
    for (const view of this.views) {
      view.element.open = true;
      this.fill(view, Infinity);
    }
  }
}

function verdictWords(run, wrong, count) {
  const broken = wrong.filter((one) => one.verdict !== "error" && !one.waiver);
  const hurt = new Set(broken.flatMap((one) => one.requirements || [])).size;
  const waived = wrong.filter((one) => one.waiver).length;
  const knownOnes = broken.filter((one) => one.erratum).length;
  const cases = plural(broken.length, "case fails", "cases fail") + (knownOnes === 0 ? "" : broken.length === 1 ? ", by a known bug"
    : ", " + (knownOnes === broken.length ? "all" : knownOnes) + " by known bugs") + (waived ? "; " + waived + " more " + (waived === 1 ? "is" : "are") + " waived" : "") + ".";
  switch (run.verdict) {
    case "conformant":
      return ["Conforms", "good", "Every requirement that was tested passed" + (count.untold ? "; " + count.untold + " could not be tested" : "") + (waived ? "; " + plural(waived, "failing case is", "failing cases are") + " waived." : ".")];
    case "nonconformant":
      return ["Does not conform", "bad", broken.length === 0
        ? "A feature that this kernel must have is missing."
        : plural(hurt, "requirement does", "requirements do") + " not hold: " + cases];
    case "regressed":
      return ["Worse than the baseline", "bad", cases];
    case "not worse":
      return ["Not worse than the baseline", "good", cases + " So it was in the baseline."];
    case "known bugs only":
      return ["Fails by known bugs only", "unsure", cases];
    case "interrupted":
      return ["Interrupted", "unsure", "The run was stopped; what had finished until then is below."];
    default:
      return ["Could not test", "unsure", "The harness could not test everything; nothing is said about the kernel."];
  }
}

function showRun(run) {
  const requirements = requirementsOf(run);
  const groups = groupsOf(run, requirements);
  const all = [...requirements.values()];
  const count = Object.fromEntries(Object.entries(CHOICES).map(([name, test]) => [name, all.filter(test).length]));
  const wrong = run.cases.filter((one) => ["crash", "fail", "timeout", "error"].includes(one.verdict));
  const missing = run.features.filter((feature) => feature.status === "missing");
  const byId = new Map(run.cases.map((one) => [one.id, one]));
  const explorer = new Explorer(groups, null);
  const [headline, kind, lead] = verdictWords(run, wrong, count);
  const tally = (number, text, choice) => h("button", {type: "button", on: {click: () => {
    explorer.controls.choose(choice);
    explorer.element.scrollIntoView();
  }}}, h("b", {}, number.toLocaleString("en")), text);

  pane.content = (id) => byId.has(id) ? caseDetail(byId.get(id), requirements) : null;
  pane.order = () => [...new Set([...document.querySelectorAll("[data-open]")].map((row) => row.dataset.open))];

  append(document.getElementById("main"), [
    h("p", {class: "eyebrow"}, "kassay: conformance of the security features of Linux 7.0"),
    h("h1", {}, kernelName(run.kernel), h("span", {class: "soft"}, "  " + packageName(run.kernel))),
    h("p", {class: "soft"}, plural(run.cases.length, "case") + " of " + run.suites.join(", ") + (run.filter ? ", only " + run.filter : "")),
    h("p", {class: "verdict " + kind, id: "verdict"}, headline),
    h("p", {class: "lead"}, lead),
    h("div", {class: "tally"}, tally(count.holds, "passed", "holds"), tally(count.wrong, "failed", "wrong"),
      tally(count.untold, "not run", "untold"), tally(count.absent, "absent", "absent")),
    h("h2", {}, "What failed"),
    wrong.length + missing.length === 0 ? h("p", {class: "soft"}, "Nothing.") : h("ol", {class: "wrong"},
      missing.map((feature) => h("li", {}, h("div", {class: "row"}, sign("missing"), h("span", {}, h("strong", {}, feature.title || feature.feature),
        h("span", {}, "missing: " + (feature.reason || "version and configuration say that it is there, the probe says no")),
        feature.probe && h("span", {class: "soft mono"}, feature.probe))))),
      wrong.slice(0, FIRST_ROWS).map((one) => wrongItem(one, requirements))),
    wrong.length > FIRST_ROWS && h("p", {class: "soft"}, "And " + plural(wrong.length - FIRST_ROWS, "more case") + ": choose Failed below."),
    run.findings.length > 0 && [h("h2", {}, "Level, waivers and baseline"), noteList(run.findings)],
    h("h2", {}, "What was tested"),
    facts([...kernelFacts(run.kernel), ["Suites", run.suites.join(", ")], ["Only cases", run.filter, true], ["Run", [run.started_at, run.finished_at].filter(Boolean).join(" to ")]]),
    h("details", {class: "more"}, h("summary", {}, "How it was tested"), facts([
      ["kassay", run.environment.kassay_version], ...Object.entries(run.environment.suites_sha256 || {}).map(([name, sha]) => ["Suite SHA-256, " + name, sha, true]),
      ["QEMU", run.environment.qemu_version + ", " + run.environment.accelerator], ["CPU model", run.environment.cpu], ["Boot", run.environment.boot],
      ["A fresh kernel for each", run.environment.isolation],
      ...Object.entries(run.environment.command_lines).map(([name, line]) => ["Command line, " + name, line, true]),
      ...(run.environment.firmware || []).map((uefi) => ["UEFI, " + uefi.profile,
        uefi.file + " (" + uefi.sha256.slice(0, 12) + "), Secure Boot " + (uefi.secure_boot ? "on" : "off") + "; " +
        uefi.enrolled.map((key) => key.variable + ": " + key.what).join(", ")])])),
    run.notes.length > 0 && noteList(run.notes),
    postureSection(run),
    h("h2", {}, "Feature by requirement"),
    explorer.element,
    footer(),
  ]);
  addEventListener("beforeprint", () => {
    for (const more of document.querySelectorAll("details.more")) more.open = true;
    explorer.openAll();
  });
}
