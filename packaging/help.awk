# The shape of CLI11's help, for man.awk and completion.awk, which are given this file first:
#   description / Usage: ... / Positionals:, Options:, Subcommands: with items / the footer.
# After each line: part is description, usage, items or footer; in items, heading is the list's name, and item and
# about are the line's columns (item is empty where a description goes on).
function trimmed(text) { sub(/^ +/, "", text); sub(/ +$/, "", text); return text }
BEGIN { part = "description" }
/^Usage: / { part = "usage" }
part != "footer" && /^(Positionals|Options|Subcommands|POSITIONALS|OPTIONS|SUBCOMMANDS):$/ {
  part = "items"; heading = toupper($0); sub(/:$/, "", heading); is_heading = 1; item = about = ""
}
part == "items" && !is_heading && /^[^ ]/ { part = "footer" }
part == "items" && !is_heading {
  item = trimmed(substr($0, 1, 30)); about = trimmed(substr($0, 31))
  # A name longer than its column stands alone; 30 characters may end at a blank in it.
  if (substr($0, 30, 1) != " " || about ~ /^(\.\.\.|REQUIRED|Needs:|Excludes:)/ || item ~ /\[[^]]*$/) { item = trimmed($0); about = "" }
}
