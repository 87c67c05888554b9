#include "supervisor/import/knobs.h"

#include <stdio.h>
#include <string.h>

/* What holds on a Whonix-Gateway that is not on Qubes. */
static const struct {
	const char *name, *value;
	const char *none; /* why it has no equivalent; NULL: it has one */
} knobs[KNOB_N] = {
	[KNOB_EXT_IF] = { "EXT_IF", "eth0", NULL },
	[KNOB_INT_IF] = { "INT_IF", "eth1", NULL },
	[KNOB_VPN_FIREWALL] = { "VPN_FIREWALL", "0", NULL },
	[KNOB_VPN_INTERFACE] = { "VPN_INTERFACE", "tun0", NULL },
	[KNOB_TUNNEL_FIREWALL] = { "TUNNEL_FIREWALL_ENABLE", "0", NULL },
	[KNOB_FILTER] = { "CONTROL_PORT_FILTER_PROXY_ENABLE", "1", NULL },
	[KNOB_FILTER_PORT] = { "CONTROL_PORT_FILTER_PROXY_PORT", "9051",
	    NULL },
	[KNOB_IN_SSH] = { "GATEWAY_ALLOW_INCOMING_SSH", "0", NULL },
	[KNOB_IN_FLASHPROXY] = { "GATEWAY_ALLOW_INCOMING_FLASHPROXY", "0",
	    NULL },
	[KNOB_FLASHPROXY_PORT] = { "FLASHPROXY_PORT", "9000", NULL },
	[KNOB_IN_DIR] = { "GATEWAY_ALLOW_INCOMING_DIR_PORT", "0", NULL },
	[KNOB_DIR_PORT] = { "DIR_PORT", "80", NULL },
	[KNOB_IN_OR] = { "GATEWAY_ALLOW_INCOMING_OR_PORT", "0", NULL },
	[KNOB_OR_PORT] = { "OR_PORT", "443", NULL },
	[KNOB_IN_ICMP] = { "GATEWAY_ALLOW_INCOMING_ICMP", "0", NULL },
	[KNOB_IN_FRAG_NEEDED] = {
	    "GATEWAY_ALLOW_INCOMING_ICMP_FRAG_NEEDED", "1", NULL },
	[KNOB_OPEN_TCP] = { "EXTERNAL_OPEN_PORTS", "", NULL },
	[KNOB_OPEN_UDP] = { "EXTERNAL_UDP_OPEN_PORTS", "", NULL },
	[KNOB_OPEN_ALL] = { "EXTERNAL_OPEN_ALL", "0", NULL },
	[KNOB_OPEN_INSIDE] = { "INTERNAL_OPEN_PORTS",
	    "9050 9100 9101 9102 9103 9104 9105 9106 9107 9108 9109 9110 "
	    "9111 9114 9115 9117 9118 9122 9123 9124 9125 9150", NULL },
	[KNOB_WS_SOCKS] = { "WORKSTATION_ALLOW_SOCKSIFIED", "1", NULL },
	[KNOB_WS_TCP] = { "WORKSTATION_TRANSPARENT_TCP", "1", NULL },
	[KNOB_WS_DNS] = { "WORKSTATION_TRANSPARENT_DNS", "1", NULL },
	[KNOB_WS_TCP_PORT] = { "TRANS_PORT_WORKSTATION", "9040", NULL },
	[KNOB_WS_DNS_PORT] = { "DNS_PORT_WORKSTATION", "5300", NULL },
	[KNOB_GW_TCP] = { "GATEWAY_TRANSPARENT_TCP", "0", NULL },
	[KNOB_GW_DNS] = { "GATEWAY_TRANSPARENT_DNS", "0", NULL },
	[KNOB_USER_USER] = { "ALLOW_GATEWAY_USER_USER", "0", NULL },
	[KNOB_MODE] = { "firewall_mode", "full", NULL },
	[KNOB_INT_TIF] = { "INT_TIF", "eth1", "what is redirected and what "
	    "is let in come by the same interfaces here: those of "
	    "gateway.internal" },
	[KNOB_RELATED] = { "GATEWAY_ALLOW_INCOMING_RELATED_STATE", "0",
	    "no packet passes for being related to another; of ICMP, see "
	    "firewall.icmp" },
	[KNOB_GW_UDP] = { "GATEWAY_TRANSPARENT_UDP", "0",
	    "Tor carries no UDP, so it is never redirected" },
	[KNOB_WS_UDP] = { "WORKSTATION_TRANSPARENT_UDP", "0",
	    "Tor carries no UDP, so it is never redirected" },
	[KNOB_GW_TCP_PORT] = { "TRANS_PORT_GATEWAY", "9041",
	    "the \"trans\" listener on loopback says it" },
	[KNOB_GW_DNS_PORT] = { "DNS_PORT_GATEWAY", "5400",
	    "the \"dns\" listener on loopback says it" },
	[KNOB_NO_NAT_USERS] = { "NO_NAT_USERS", "", "each user who may go "
	    "past Tor needs an egress section of his own" },
	[KNOB_NO_REJECT] = { "NO_REJECT_INVALID_OUTGOING_PACKAGES", "0",
	    "an invalid packet never passes" },
	[KNOB_NON_TOR] = { "NON_TOR_GATEWAY", "", "no network is open to "
	    "every account; an egress section opens one to one user" },
	[KNOB_NON_TOR6] = { "NON_TOR_GATEWAY_IPV6", "", "no network is open "
	    "to every account; an egress section opens one to one user" },
	[KNOB_LOCAL_NET] = { "LOCAL_NET", "", "no network is open to every "
	    "account; an egress section opens one to one user" },
	[KNOB_SOCKS_DEST] = { "WORKSTATION_DEST_SOCKSIFIED", "",
	    "the addresses of the listeners say it" },
	[KNOB_SOCKS_DEST6] = { "WORKSTATION_DEST_SOCKSIFIED_IPV6", "",
	    "the addresses of the listeners say it" },
	[KNOB_ROOT_USER] = { "ALLOW_GATEWAY_ROOT_USER", "0", "root's traffic "
	    "never goes past Tor; run the program as a user of its own, who "
	    "has an egress section" },
};

void
import_knobs_init(struct import_knobs *k)
{
	memset(k, 0, sizeof *k);
	for (unsigned i = 0; i < KNOB_N; i++)
		(void)snprintf(k->knob[i].value, IMPORT_VALUE_LEN, "%s",
		    knobs[i].value);
}

static unsigned
find(const char *name)
{
	unsigned i = 0;

	while (i < KNOB_N && strcmp(knobs[i].name, name) != 0)
		i++;
	return i;
}

static bool
is_same(const char *value, const char *other)
{
	return strcmp(value, other) == 0;
}

static void
take(struct import_knobs *k, unsigned i, const struct import_assign *a,
    const char *file)
{
	char *value = k->knob[i].value;
	size_t have = a->append ? strlen(value) : 0;

	(void)snprintf(value + have, IMPORT_VALUE_LEN - have, "%s", a->value);
	(void)snprintf(k->knob[i].file, sizeof k->knob[i].file, "%s", file);
	k->knob[i].line = a->line;
	k->knob[i].set = true;
}

void
import_knobs_read(struct import_knobs *k, const char *text, size_t len,
    const char *file, struct import_notes *notes)
{
	struct import_text t;
	struct import_assign a;
	enum import_found found;
	unsigned i;

	import_text_init(&t, text, len);
	while ((found = import_assign_next(&t, &a)) != IMPORT_END) {
		i = find(a.name);
		if (found == IMPORT_SHELL && a.inner && a.name[0] == '\0')
			continue; /* told with what is round it */
		if (found == IMPORT_SHELL)
			import_note(notes, "%s:%zu: only a shell can tell "
			    "what this line does%s%s; look at it yourself.",
			    file, a.line, a.name[0] != '\0' ? " to " : "",
			    a.name);
		else if (i == KNOB_N)
			import_note(notes, "%s:%zu: %s is no setting of "
			    "whonix_firewall that is known here; it is left "
			    "out.", file, a.line, a.name);
		else if (a.append && strlen(k->knob[i].value) +
		    strlen(a.value) >= IMPORT_VALUE_LEN)
			import_note(notes, "%s:%zu: the value of %s is too "
			    "long; this part is left out.", file, a.line,
			    a.name);
		else
			take(k, i, &a, file);
	}
}

void
import_knobs_note(const struct import_knobs *k, struct import_notes *notes)
{
	for (unsigned i = KNOB_NHANDLED; i < KNOB_N; i++)
		if (k->knob[i].set &&
		    !is_same(k->knob[i].value, knobs[i].value))
			import_note(notes, "%s:%zu: %s has no equivalent: "
			    "%s.", k->knob[i].file, k->knob[i].line,
			    knobs[i].name, knobs[i].none);
}

const char *
import_knob_name(enum import_knob knob)
{
	return knobs[knob].name;
}

const char *
import_knob(const struct import_knobs *k, enum import_knob knob)
{
	return k->knob[knob].value;
}

bool
import_knob_set(const struct import_knobs *k, enum import_knob knob)
{
	return k->knob[knob].set;
}

bool
import_knob_on(const struct import_knobs *k, enum import_knob knob)
{
	return is_same(k->knob[knob].value, "1") ||
	    is_same(k->knob[knob].value, "true");
}

bool
import_knob_word(const struct import_knobs *k, enum import_knob knob,
    size_t *start, char word[IMPORT_NAME_LEN])
{
	const char *p = k->knob[knob].value + *start;
	size_t n;

	p += strspn(p, " ");
	n = strcspn(p, " ");
	*start = (size_t)(p - k->knob[knob].value) + n;
	if (n == 0)
		return false;
	/* Cut it is still longer than any name or number may be. */
	n = n < IMPORT_NAME_LEN ? n : IMPORT_NAME_LEN - 1;
	memcpy(word, p, n);
	word[n] = '\0';
	return true;
}
