# shellcheck shell=bash disable=SC2034,SC2154 # what is storm.sh's
# The faults of the storm.  Each is a function fault_NAME that does one thing
# to the gateway and returns; what it takes away for a while it gives back by
# a job of its own, so that others fall into that time.  Sourced by storm.sh.

STORM_ALL=(flush delete accept reload lockdown forget forward
	kill_gate kill_engine kill_status kill_all double
	stop_gate stop_engine stop_status
	kill_tor stop_tor hup_tor
	restart second outside_down inside_down address)

# later SECONDS CMD...: after that time, beside everything else.
later()
{
	local seconds=$1
	shift
	(sleep "$seconds"; "$@") >/dev/null 2>&1 &
	storm_jobs+=($!)
}

# pick WORD...: one of them, in storm_word; no subshell, which would draw
# from a generator of its own.
pick()
{
	shift $((RANDOM % $#))
	storm_word=$1
}

# draw LEAST MOST: hundredths of a second, as seconds in storm_time.
draw()
{
	local n=$(($1 + RANDOM % ($2 - $1 + 1)))
	storm_time=$((n / 100)).$(printf '%02d' $((n % 100)))
}

# --- other firewalls and other administrators ------------------------------

# A keeper that runs may not have claimed its tables yet: see tables.py.  No
# process more than needed: that is the moment to meet.
fault_flush()
{
	local keeper="=alive"
	net_dead portcullisd && keeper="=nobody"
	echo "$storm_now $keeper" >>"$DIR/storm.log"
	net_in gateway nft flush ruleset
}

fault_delete()
{
	pick "inet portcullis_boot" "inet portcullis_guard" \
	    "inet portcullis" "netdev portcullis_egress"
	# shellcheck disable=SC2086
	net_in gateway nft delete table $storm_word
}

# Somebody accepts everything everywhere, before us and after us.
fault_accept()
{
	net_in gateway nft -f - <<-'END'
	table inet storm
	delete table inet storm
	table inet storm {
		chain a { type filter hook prerouting priority -500; accept; }
		chain b { type filter hook forward priority -500; accept; }
		chain c { type filter hook forward priority 500; accept; }
		chain d { type filter hook output priority -500; accept; }
		chain e { type filter hook output priority 500; accept; }
		chain f { type filter hook input priority 500; accept; }
	}
	END
}

# As whonix_firewall does: everything of its own away and anew, in one go.
fault_reload() { shape_ruleset | net_in gateway nft -f -; }

storm_shape()
{
	net_in gateway bash -c '. "$0"; "$@"' \
	    "$top_srcdir/tests/it/whonix_shape.bash" "$@"
}

# And what it does when that fails: a process for each step.  It drops what
# is on loopback, too, our heartbeat with it, until it is taken away.
fault_lockdown()
{
	storm_shape shape_lockdown
	draw 5 100
	later "$storm_time" storm_shape shape_delete
}

fault_forget() { net_in gateway conntrack -F; }

# A kernel that routes for anybody, for a while, or for good.
fault_forward()
{
	net_forward on
	draw 10 100
	[ $((RANDOM % 2)) = 0 ] || later "$storm_time" net_forward off
}

# --- our own programs ------------------------------------------------------

storm_signal() # SIGNAL gate|engine|status
{
	local pid
	pid=$(storm_pid "$2") && kill "-$1" "$pid"
}

fault_kill_gate() { storm_signal KILL gate; }
fault_kill_engine() { storm_signal KILL engine; }
fault_kill_status() { storm_signal KILL status; }

# Nobody holds a table from here on, until the next one claims them.
storm_start()
{
	storm_note "=dead"
	it_start
}

# The keeper, and with it all the others.
fault_kill_all()
{
	local pid
	pid=$(net_pid portcullisd) && kill -KILL "$pid"
	net_wait 5 net_dead portcullisd
	storm_start
}

storm_stop() # gate|engine|status
{
	local pid
	pid=$(storm_pid "$1") || return 1
	kill -STOP "$pid"
	draw 5 250
	later "$storm_time" kill -CONT "$pid"
}

# Both at once, so that nobody can say that it was not tried: a flush while
# nobody is there, or as the next one comes.  It is over when the flush is: none
# may fall into the next killing, before it is known that somebody is dead.
fault_double()
{
	local pid
	pid=$(net_pid portcullisd) && kill -KILL "$pid"
	net_wait 5 net_dead portcullisd
	draw 0 6
	storm_note "=dead" # before it can be taken
	later "$storm_time" net_in gateway nft flush ruleset
	it_start
	wait "${storm_jobs[-1]}"
	unset 'storm_jobs[-1]'
}

fault_stop_gate() { storm_stop gate; }
fault_stop_engine() { storm_stop engine; }
fault_stop_status() { storm_stop status; }

fault_restart()
{
	it_stop
	storm_start
}

# It has to see that there is a first one, and go.
fault_second()
{
	net_in gateway timeout 5 "$it_build/portcullisd" \
	    --libexec-dir "$it_build" -f "$DIR/portcullis.conf"
}

# --- Tor -------------------------------------------------------------------

storm_tor_again()
{
	rm -f "$DIR/pids/tor"
	net_tor_start --no-wait
}

fault_kill_tor()
{
	local pid
	pid=$(net_pid tor) || { storm_tor_again; return; }
	kill -KILL "$pid"
	net_wait 5 net_dead tor
	storm_tor_again
}

fault_stop_tor()
{
	local pid
	pid=$(net_pid tor) || return 1
	kill -STOP "$pid"
	draw 5 250
	later "$storm_time" kill -CONT "$pid"
}

fault_hup_tor() { kill -HUP "$(net_pid tor)"; }

# --- links and addresses ---------------------------------------------------

storm_outside_up()
{
	net_in gateway ip link set eth0 up
	net_in gateway ip addr replace 2001:db8:2::15/64 dev eth0 nodad
	net_in gateway ip route replace default via 10.0.2.2
	net_in gateway ip -6 route replace default via 2001:db8:2::2
}

fault_outside_down()
{
	net_in gateway ip link set eth0 down
	draw 5 50
	later "$storm_time" storm_outside_up
}

storm_inside_up()
{
	net_in gateway ip link set eth1 up
	net_in gateway ip addr replace "$NET_GW4/18" dev eth1
	net_in gateway ip addr replace "$NET_GW6/96" dev eth1 nodad
}

fault_inside_down()
{
	net_in gateway ip link set eth1 down
	draw 5 50
	later "$storm_time" storm_inside_up
}

fault_address()
{
	net_in gateway ip addr del "$NET_GW4/18" dev eth1
	draw 5 50
	later "$storm_time" storm_inside_up
}
