#!/bin/sh
# What bash and zsh offer to complete is what the program itself lists.
# shellcheck source=tests/style/lib.sh
. "$(dirname "$0")/lib.sh"

program=$top_builddir/portcullis
bash_file=supervisor/cli/completion/portcullis.bash
zsh_file=supervisor/cli/completion/_portcullis
[ -x "$program" ] || { echo "not built"; exit "$SKIP"; }
command -v bash >/dev/null || { echo "no bash"; exit "$SKIP"; }

words()
{
	tr -s '[:blank:]' '\n' | sed '/^$/d' | sort
}

# Below the line that ends in $1 of the help of command $2: the first words.
listed()
{
	"$program" help ${2:+"$2"} | sed -n "/$1:\$/,/^\$/s/^  \([^ ]*\).*/\1/p"
}

# offered FILE WORD...: what the last word can become.
offered()
{
	# shellcheck disable=SC2016 # for the other shell
	bash -c '. "$1"; shift; COMP_WORDS=(portcullis "$@")
	    COMP_CWORD=$#; _portcullis
	    printf "%s\n" "${COMPREPLY[@]}"' - "$@" | words
}

# same WHAT HAVE WANT
same()
{
	[ "$2" = "$3" ] && return 0
	echo "$1:"
	echo "$2" >"$tmp/have"
	echo "$3" >"$tmp/want"
	diff "$tmp/want" "$tmp/have"
	return 1
}

# compare FILE: bash's file against the program.
compare()
{
	wrong=0
	commands=$(listed Commands | words)
	[ -n "$commands" ] || { echo "no commands"; return 1; }
	same "commands" "$(offered "$1" '')" "$commands" || wrong=1
	same "options" "$(offered "$1" --)" "$(listed Options | words)" || wrong=1
	for cmd in $commands; do
		same "options of $cmd" "$(offered "$1" "$cmd" --)" \
		    "$(listed Options "$cmd" | words)" || wrong=1
		case $cmd in
		apply | import-whonix) continue ;; # files
		esac
		same "operands of $cmd" "$(offered "$1" "$cmd" '')" \
		    "$(listed 'is one of' "$cmd" | words)" || wrong=1
	done
	for goal in $(offered "$1" wait --for ''); do
		"$program" wait --for "$goal" --timeout 0 \
		    --socket-dir /nonexistent 2>/dev/null
		[ $? = 124 ] || { echo "--for $goal"; wrong=1; }
	done
	same "a goal behind =" "$(offered "$1" wait --for = bo)" \
	    bootstrapped || wrong=1
	same "a command behind an option" \
	    "$(offered "$1" --socket-dir = /tmp exp)" explain || wrong=1
	return $wrong
}

# compare_zsh FILE: the same words, as far as text shows them.
compare_zsh()
{
	wrong=0
	same "commands" "$(sed -n "/^commands=(/,/^)/s/^	['\"]\([a-z-]*\):.*/\1/p" \
	    "$1" | words)" "$(listed Commands | words)" || wrong=1
	same "checks" "$(tr '\n' ' ' <"$1" | sed 's/.*checks=(\([^)]*\)).*/\1/' |
	    words)" "$(listed 'is one of' check | words)" || wrong=1
	for cmd in $(listed Commands); do
		arm=$(sed -n "/^	\(.*|\)*$cmd\(|.*\)*)\$/,/;;/p" "$1")
		arm=$(echo "$arm" | sed "s/\\\$json/--json/")
		same "options of $cmd" \
		    "$(echo "$arm" | grep -o -- '--[a-z-]*\[' | tr -d '[' |
		    { cat; echo "$arm" | grep -o -- '--json' || :; } |
		    sort -u)" \
		    "$(listed Options "$cmd" | grep -v -e --socket-dir \
		    -e --help | words)" || wrong=1
	done
	return $wrong
}

# They must be able to fail: a word less, a word more.
sed 's/ explain / /' "$top_srcdir/$bash_file" >"$tmp/less.bash"
must_fail "a command less" compare "$tmp/less.bash"
sed 's/--dry-run/--dry/' "$top_srcdir/$bash_file" >"$tmp/other.bash"
must_fail "an option of another name" compare "$tmp/other.bash"
sed 's/isolation firewall/isolation/' "$top_srcdir/$zsh_file" >"$tmp/zsh"
must_fail "a check less" compare_zsh "$tmp/zsh"
sed 's/--max-age/--age/' "$top_srcdir/$zsh_file" >"$tmp/zsh"
must_fail "an option of another name" compare_zsh "$tmp/zsh"

bad=0
compare "$top_srcdir/$bash_file" || bad=1
compare_zsh "$top_srcdir/$zsh_file" || bad=1
if command -v zsh >/dev/null; then
	zsh -n "$top_srcdir/$zsh_file" || bad=1
fi
exit $bad
