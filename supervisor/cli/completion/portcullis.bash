# bash completion for portcullis(1)                         -*- bash -*-
# A test compares all that it offers with what the program itself lists.

_portcullis_commands='status listeners watch top wait hold release
newnym reprove check explain log metrics names apply
import-whonix help'

# What COMMAND takes.
_portcullis_options()
{
	case $1 in
	status) echo --json --shell --field ;;
	listeners | watch | explain | log) echo --json ;;
	wait) echo --for --timeout ;;
	check) echo --json --max-age ;;
	apply) echo --dry-run ;;
	'') echo --version ;;
	esac
	echo --socket-dir --help
}

_portcullis_operands()
{
	case $1 in
	check)
		echo enabled running control bootstrapped circuit usable \
		    consensus clock config listeners isolation firewall \
		    resolver transports all
		;;
	help) echo "$_portcullis_commands" ;;
	'') echo "$_portcullis_commands" ;;
	esac
}

# The command among the words before the one at the cursor.
_portcullis_command()
{
	local i word
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--socket-dir | --field | --for | --timeout | --max-age)
			[ "${COMP_WORDS[i + 1]}" != = ] || ((i++))
			((i++))
			;;
		-* | =) ;;
		*)
			echo "$word"
			return
			;;
		esac
	done
}

_portcullis()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local cmd
	COMPREPLY=()
	# "--for=open" comes as three words.
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	cmd=$(_portcullis_command)
	case $prev in
	--for)
		mapfile -t COMPREPLY < <(compgen -W 'open closed time-sync
		    bootstrapped usable' -- "$cur")
		return
		;;
	--socket-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--field | --timeout | --max-age) return ;;
	esac
	case $cmd,$cur in
	*,-*)
		mapfile -t COMPREPLY < <(compgen -W \
		    "$(_portcullis_options "$cmd")" -- "$cur")
		;;
	apply,*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	import-whonix,*) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W \
		    "$(_portcullis_operands "$cmd")" -- "$cur")
		;;
	esac
}

complete -o filenames -F _portcullis portcullis
