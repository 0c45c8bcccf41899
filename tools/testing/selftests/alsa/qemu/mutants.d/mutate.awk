# SPDX-License-Identifier: GPL-2.0
#
# mutate.awk - make the mutants of those lines of a file that are ours
#
#	awk -f mutate.awk -v file=NAME OPERATORS OURS FILE
#
# OURS has the numbers of the lines. Prints for each mutant, by tabs: NAME, the
# number of the line, what the mutant is called, and the new line. It is called
# by what it does and in which function, not by the line, for lines move.

BEGIN {
	FS = "\t"
}

FNR == 1 {
	part++
}

part == 1 {
	if (/^#/ || !NF)
		next
	operators++
	for (i = 1; i <= 3; i++) {
		gsub(/~/, " ", $i)
		table[operators, i] = $i
	}
	next
}

part == 2 {
	ours[$1] = 1
	next
}

# the code of a line, without its comment
function code_of(line,    at) {
	if (in_comment) {
		at = index(line, "*/")
		if (!at)
			return ""
		in_comment = 0
		line = substr(line, at + 2)
	}
	at = index(line, "/*")
	if (at) {
		in_comment = !index(substr(line, at), "*/")
		line = substr(line, 1, at - 1)
	}
	sub(/[ \t]+$/, "", line)
	return line
}

function words(text) {
	gsub(/[ \t]+/, " ", text)
	gsub(/^ | $/, "", text)
	return text
}

function emit(before, after,    name) {
	if ((FNR, after) in seen)
		return
	seen[FNR, after] = 1
	name = file ": " (scope ? scope ": " : "") words(before) " => " \
	       (words(after) ? words(after) : "(nothing)")
	if (names[name]++)
		name = name " (" names[name] ")"
	printf "%s\t%d\t%s\t%s\n", file, FNR, name, after
}

function mutate(code,    i, at, here, found) {
	for (i = 1; i <= operators; i++) {
		if (table[i, 1] == "S") {
			if (statement) {
				match(code, /^\t*/)
				emit(code, substr(code, 1, RLENGTH) table[i, 3] \
				     substr(code, RLENGTH + 1))
			}
			continue
		}
		for (at = 1; match(substr(code, at), table[i, 1]); at = here + 1) {
			# only where the line begins, not wherever we look from
			if (at > 1 && substr(table[i, 1], 1, 1) == "^")
				break
			here = at + RSTART - 1
			found = substr(code, here, RLENGTH)
			rest = substr(code, here + RLENGTH)
			if (table[i, 2] == "-")
				found = table[i, 3]
			else
				sub(table[i, 2], table[i, 3], found)
			emit(code, substr(code, 1, here - 1) found rest)
		}
	}
}

{
	code = code_of($0)
	if (code == "")
		next
}

# of the preprocessor, only values
code ~ /^#/ {
	scope = ""
	if (FNR in ours && code ~ /^#define [A-Z_]+\t+[^ ]+$/)
		mutate(code)
	next
}

# a function or a table
code ~ /^[a-z].*(\(|=)/ {
	scope = code
	sub(/(\(|\[\] =| =).*/, "", scope)
	sub(/.*[ *]/, "", scope)
	heading = code !~ /;$|=/
}

code ~ /^[{]/ {
	heading = 0
}

# a declaration without values, tracing
code ~ /^\t[a-z_ ]+ [a-z_, *]+;$/ || code ~ /^\ttrace_/ {
	next
}

code ~ /^\t/ && !heading {
	begins = !continued
	# what a guard without braces guards goes with it
	statement = begins && !guarded &&
		code ~ /^\t+\*?[a-zA-Z_][a-zA-Z_0-9>.[\]-]+( [-+*\/|&]?= |\(|\+\+|--)/
	if (FNR in ours && code !~ /^\tEXPORT/)
		mutate(code)
	if (begins)
		guard = code ~ /^\t+(} )?(else )?if \(/
	continued = code !~ /([;{}:)]|else|do)$/
	guarded = guard && code ~ /\)$/
}
