({run: showRun, comparison: showComparison, matrix: showMatrix})[data.kind](data);

// An address of the page: #CASE or #REQUIREMENT opens it, #find=TEXT searches, #show=wrong chooses.
function follow(hash) {
  let target = "";
  try {
    target = decodeURIComponent(hash.slice(1));
  } catch {
    return;
  }
  if (target.startsWith("find=")) {
    finder.find(target.slice("find=".length));
  } else if (target.startsWith("show=")) {
    finder.choose(target.slice("show=".length));
  } else if (target) {
    pane.open(target);
  }
}
follow(location.hash);
addEventListener("hashchange", () => follow(location.hash));
