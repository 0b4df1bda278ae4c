// The table of security-relevant options, from the evidence posture.* that cases keep.
function postureRows(run) {
  const rows = [];
  for (const one of run.cases) {
    const evidence = Object.fromEntries(one.evidence || []);
    const option = evidence["posture.option"];
    if (!option) continue;
    const running = evidence["posture.running"] || "";
    const note = evidence["posture.note"] || "";
    const agree = running.startsWith("unseen") ? ["–", "", "soft"] : note ? ["–", "set at boot", "unsure"]
      : one.verdict === "pass" ? ["✓", "yes", "good"] : ["✗", "no", "bad"];
    rows.push({id: one.suite + "." + one.case, option, configured: evidence["posture.configured"] || "", running, agree, note,
      why: evidence["posture.why"] || ""});
  }
  const rank = (row) => row.agree[2] === "bad" ? 0 : 1;
  return rows.sort((a, b) => rank(a) - rank(b) || (a.option < b.option ? -1 : 1));
}

function postureSection(run) {
  const rows = postureRows(run);
  if (rows.length === 0) return [];
  const count = (state) => rows.filter((row) => row.configured.startsWith(state)).length;
  const wrong = rows.filter((row) => row.agree[2] === "bad").length;
  const cell = (label, attributes, ...content) => h("td", {"data-label": label, ...attributes}, content);
  return [
    h("h2", {id: "posture"}, "Posture"),
    h("p", {}, count("on") + " on, " + count("off") + " off, " + count("gone") + " not in this kernel. ", wrong === 0
      ? "Wherever the running system shows an option, it agrees with the configuration."
      : h("strong", {class: "bad"}, "The running system does not agree with the configuration of " + wrong + ".")),
    h("table", {class: "posture stack"},
      h("thead", {}, h("tr", {}, ["Option", "Configured", "Running", "Agree?", "Why it matters"].map((name) => h("th", {scope: "col"}, name)))),
      h("tbody", {}, rows.map((row) => h("tr", {"data-option": row.option},
        h("th", {scope: "row"}, h("button", {type: "button", class: "mono", "data-open": row.id, on: {click: () => pane.open(row.id)}}, row.option)),
        cell("Configured", {}, row.configured),
        cell("Running", {class: row.running.startsWith("unseen") ? "soft" : undefined}, row.running.replace(/^unseen: /, "")),
        cell("Agree?", {class: row.agree[2]}, row.agree[0] + " " + row.agree[1]),
        cell("Why it matters", {}, row.why, row.note && h("span", {class: "soft"}, " (" + row.note + ")")))))),
  ];
}
