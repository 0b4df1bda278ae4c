# One command's help (standard input, read by help.awk) as a manual page. Variables: page, version, others (pages, by
# blanks).
function shown(text) {
  gsub(/\\/, "\\e", text); gsub(/-/, "\\-", text); gsub(/`/, "\\(ga", text); gsub(/'/, "\\(aq", text)
  return text ~ /^\./ ? "\\\&" text : text
}
function section(title) { body = body close_lines() ".SH " title "\n"; last_section = title }
function close_lines() { if (!verbatim) return ""; verbatim = 0; return ".fi\n" }
function line(text) { # as it stands
  if (!verbatim) { body = body ".nf\n"; verbatim = 1 }
  body = body shown(text) "\n"
}
is_heading { is_heading = 0; section(heading); next }
part == "description" { description = description (description == "" ? "" : " ") $0; next }
part == "usage" { if ($0 != "") usage = usage substr($0, 8); next }
part == "items" && item != "" {
  names = item; values = ""
  if (match(item, / /)) { names = substr(item, 1, RSTART - 1); values = substr(item, RSTART) }
  gsub(/,/, ", ", names)
  body = body ".TP\n\\fB" shown(names) "\\fR" shown(values) "\n"
}
part == "items" { if (about != "") body = body shown(about) "\n"; next }
/^Examples:$/ { section("EXAMPLES"); next }
/^Exit codes:/ { section("EXIT STATUS"); sub(/^Exit codes: */, ""); if ($0 != "") line($0); next }
last_section !~ /^(EXAMPLES|EXIT STATUS|NOTES)$/ { section("NOTES") }
{ line($0) }
END {
  body = body close_lines()
  brief = description; sub(/:.*/, "", brief); sub(/^kassay /, "", brief)
  printf ".TH %s 1 \"\" \"%s\" \"User Commands\"\n", toupper(page), version
  printf ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n", shown(page), shown(brief), shown(usage)
  if (brief != description) printf ".SH DESCRIPTION\n%s\n", shown(description)
  printf "%s", body
  if (others != "") {
    count = split(others, name, " ")
    print ".SH SEE ALSO"
    for (i = 1; i <= count; ++i) printf ".BR %s (1)%s\n", shown(name[i]), (i < count ? "," : "")
  }
}
