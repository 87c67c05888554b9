# shellcheck shell=bash
# What the benchmarks share: how they name the machine, and what is said below
# their tables.  Sourced by each.

# "2 CPUs, AMD EPYC, Linux 6.18"
bench_machine()
{
	printf '%s CPUs, %s, Linux %s' "$(nproc)" \
	    "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo |
	    head -n 1)" "$(uname -r)"
}

# "Tor 0.4.9.11"
bench_tor()
{
	tor --version | sed -n '1s/ version\(.*\)\.$/\1/p'
}

# bench_version PACKAGE
bench_version()
{
	dpkg-query -W -f '${Version}' "$1" 2>/dev/null || printf '(none)'
}

# bench_notes SECTION: what is true whatever the numbers are.
bench_notes()
{
	local notes=${top_srcdir:?}/tests/bench/notes/$1.md
	[ ! -e "$notes" ] || { echo && cat "$notes"; }
}

# bench_without WHAT: this one cannot be made here.
bench_without()
{
	echo "left out, as it is not installed: $*" >&2
	exit 77
}
