# One command's help (standard input, read by help.awk) as lines for the completion's two tables. Variable: command.
is_heading { is_heading = 0; next }
part != "items" || item == "" || heading == "POSITIONALS" { next }
{
  count = split(item, column, " ")
  names = column[1]; values = substr(item, length(names) + 2)
  gsub(/,/, " ", names)
  words = words " " names
  if (heading != "OPTIONS" || values == "") next
  if (match(values, /\{[^}]*\}/)) {
    answer = substr(values, RSTART + 1, RLENGTH - 2); gsub(/,/, " ", answer); answer = "echo " answer
  } else if (names ~ /--suite( |$)/) answer = "_kassay_list suites"
  else if (names ~ /--kernel( |$)/) answer = "_kassay_list kernels"
  else answer = ":"
  count = split(names, name, " ")
  for (i = 1; i <= count; ++i) printf "values   \"%s %s\") %s ;;\n", command, name[i], answer
}
END { printf "words   \"%s\") echo \"%s\" ;;\n", command, substr(words, 2) }
