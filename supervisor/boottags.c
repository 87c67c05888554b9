#include "supervisor/boottags.h"

#include <stddef.h>
#include <string.h>

/*
 * Tor 0.4.0 and later.  The phases before 14 % come once for the first
 * connection, which fetches the directory, and again (ap_) for the one that
 * carries applications.  A Tor need not go through all of them.
 */
/* clang-format off */
static const struct phase {
	int percent;
	const char *tag, *text;
} phases[] = {
	{ 0, "starting", "Tor has started and has not connected yet." },
	{ 1, "conn_pt",
	    "Tor is connecting to its pluggable transport." },
	{ 2, "conn_done_pt",
	    "Tor has reached its pluggable transport, which is connecting to "
	    "the bridge." },
	{ 3, "conn_proxy", "Tor is connecting to its proxy." },
	{ 4, "conn_done_proxy",
	    "Tor has reached its proxy, which is connecting to the relay." },
	{ 5, "conn", "Tor is connecting to its first relay or bridge." },
	{ 10, "conn_done", "Tor is connected to its first relay or bridge." },
	{ 14, "handshake",
	    "Tor and its first relay or bridge are agreeing on encryption." },
	{ 15, "handshake_done",
	    "The connection to the first relay or bridge is encrypted." },
	{ 20, "onehop_create",
	    "Tor is opening an encrypted connection to fetch the directory." },
	{ 25, "requesting_status",
	    "Tor is asking for the list of relays (the consensus)." },
	{ 30, "loading_status",
	    "Tor is loading the list of relays (the consensus)." },
	{ 40, "loading_keys",
	    "Tor is loading the keys that the list of relays is signed "
	    "with." },
	{ 45, "requesting_descriptors",
	    "Tor is asking for the descriptions of relays." },
	{ 50, "loading_descriptors",
	    "Tor is loading the descriptions of relays." },
	{ 75, "enough_dirinfo",
	    "Tor knows enough relays to build circuits." },
	{ 76, "ap_conn_pt",
	    "Tor is connecting to its pluggable transport to build "
	    "circuits." },
	{ 77, "ap_conn_done_pt",
	    "Tor has reached its pluggable transport to build circuits." },
	{ 78, "ap_conn_proxy",
	    "Tor is connecting to its proxy to build circuits." },
	{ 79, "ap_conn_done_proxy",
	    "Tor has reached its proxy to build circuits." },
	{ 80, "ap_conn",
	    "Tor is connecting to a relay or bridge to build circuits." },
	{ 85, "ap_conn_done",
	    "Tor is connected to a relay or bridge to build circuits." },
	{ 89, "ap_handshake",
	    "Tor and the relay or bridge that it builds circuits by are "
	    "agreeing on encryption." },
	{ 90, "ap_handshake_done",
	    "The connection that circuits are built by is encrypted." },
	{ 95, "circuit_create", "Tor is building its first circuit." },
	{ 100, "done", "Tor is connected to its network." },
};
/* clang-format on */

#define NPHASES (sizeof phases / sizeof phases[0])

const char *
boot_tag_text(const char *tag)
{
	for (size_t i = 0; i < NPHASES; i++)
		if (strcmp(phases[i].tag, tag) == 0)
			return phases[i].text;
	return NULL;
}

const char *
boot_tag_name(unsigned i)
{
	return i < NPHASES ? phases[i].tag : NULL;
}

int
boot_tag_percent(unsigned i)
{
	return i < NPHASES ? phases[i].percent : -1;
}
