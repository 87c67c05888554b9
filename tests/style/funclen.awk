# Measures C files in KNF: a function's name starts a line, its body lies
# between a "{" and a "}" in the first column.  Prints what is over a limit;
# the exit status says whether anything was.

function complain(line, text)
{
	print FILENAME ":" line ": " text
	bad = 1
}

function file_end()
{
	limit = file ~ /\.h$/ ? 250 : 600
	if (lines > limit) {
		print file ": " lines " lines, at most " limit
		bad = 1
	}
}

# Parameters of the signature: commas outside inner parentheses.
function parameters(text,    i, c, depth, n)
{
	n = 1
	depth = 0
	for (i = index(text, "("); i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "(")
			depth++
		else if (c == ")" && --depth == 0)
			break
		else if (c == "," && depth == 1)
			n++
	}
	return n
}

FNR == 1 {
	if (NR > 1)
		file_end()
	file = FILENAME
	inside = 0
	foreign = -2
	signature = ""
}

{ lines = FNR }

# A comment right above a callback that a library calls.
/\(foreign signature\) \*\/$/ { foreign = FNR }

!inside && /^[A-Za-z_].*\(/ { signature = ""; started = FNR }

!inside && started && !/^{/ { signature = signature $0 }

!inside && /^}|;[ \t]*$/ { started = 0 }

!inside && /^{/ && started {
	inside = 1
	first = FNR
	if (parameters(signature) > 5 && foreign != started - 2)
		complain(started, "more than 5 parameters")
}

# The body is one tab deep; a fourth nested block would be four.
inside && /^\t\t\t\t+(if|for|while|switch|do)([ (]|$)/ {
	complain(FNR, "nested more than 3 deep")
}

inside && /^}/ {
	if (FNR - first + 1 > 100)
		complain(first, "function of " (FNR - first + 1) \
		    " lines, at most 100")
	inside = 0
	started = 0
}

END {
	file_end()
	exit bad
}
