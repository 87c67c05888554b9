/* One function per keyword of egress and service sections; see fields.c. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/draft.h"
#include "policy/fields.h"

void
pol_set_pass_user(struct pol_field *f)
{
	f->pass->has_user = true;
	f->pass->user_at = f->at;
	if (!pol_field_user(f, f->words[0], &f->pass->user))
		f->pass->broken = true;
}

/* Whose side it is on shows in the end: only an internal one has a *. */
void
pol_set_pass_interface(struct pol_field *f)
{
	f->pass->iface_at = f->at;
	if (pol_field_pattern(f, f->words[0]))
		(void)snprintf(f->pass->ifname, sizeof f->pass->ifname, "%s",
		    f->words[0]);
	else
		f->pass->broken = true;
}

void
pol_set_pass_protocol(struct pol_field *f)
{
	static const char *const names[] = { "any", "tcp", "udp" };
	static const uint8_t numbers[] = { 0, IPPROTO_TCP, IPPROTO_UDP };
	size_t which = pol_field_choose(f, f->words[0], names, 3);

	f->pass->has_protocol = true;
	if (which < 3)
		f->pass->traffic.l4proto = numbers[which];
	else
		f->pass->broken = true;
}

/* A list left empty must not come to mean everything. */
static bool
names_any(struct pol_field *f, const char *one)
{
	if (f->n != 0)
		return true;
	POL_COMPLAIN(f, "\"%s\" is empty: name a %s, or leave \"%s\" out "
	    "to mean them all", f->key, one, f->key);
	f->pass->broken = true;
	return false;
}

void
pol_set_pass_port(struct pol_field *f)
{
	struct pol_traffic *t = &f->pass->traffic;

	f->pass->port_at = f->at;
	if (!names_any(f, "port"))
		return;
	if (f->n > POL_MAX_RULE_PORTS) {
		POL_COMPLAIN(f, "there are too many ports: %d numbers or "
		    "ranges at most in one section", POL_MAX_RULE_PORTS);
		f->pass->broken = true;
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		if (pol_field_range(f, &t->ports[t->nports], f->words[i]))
			t->nports++;
		else
			f->pass->broken = true;
}

static void
bad_network(struct pol_field *f, const char *word)
{
	char shown[POL_QUOTE_LEN], right[INET6_ADDRSTRLEN + 4];
	struct pol_net net;

	f->pass->broken = true;
	if (pol_field_several(f, word))
		return;
	if (!pol_net_mask(&net, word)) {
		POL_COMPLAIN(f, "\"%s\" is not a network: write one in "
		    "numbers, for instance \"192.168.1.0/24\" or "
		    "\"fd00::/8\"", pol_quote(shown, word));
		return;
	}
	pol_net_format(right, sizeof right, &net);
	POL_COMPLAIN(f, "\"%s\" has bits behind its prefix: write \"%s\" for "
	    "the network, or the address alone", pol_quote(shown, word),
	    right);
}

static bool
net_inside(const struct pol_net *in, const struct pol_net *out)
{
	const uint8_t *a = in->addr.v6.s6_addr, *b = out->addr.v6.s6_addr;

	if (in->addr.family != out->addr.family || in->prefix < out->prefix)
		return false;
	for (unsigned i = 0; i < out->prefix; i++)
		if (((a[i / 8] ^ b[i / 8]) & (0x80u >> i % 8)) != 0)
			return false;
	return true;
}

/* WORD, one more network: none may lie in another. */
static void
add_network(struct pol_field *f, const char *word)
{
	struct pol_traffic *t = &f->pass->traffic;
	struct pol_net *net = &t->nets[t->nnets];
	char shown[POL_QUOTE_LEN], other[INET6_ADDRSTRLEN + 4];

	if (!pol_net_parse(net, word)) {
		bad_network(f, word);
		return;
	}
	if (net->addr.family == AF_INET6 && net->prefix >= 96 &&
	    IN6_IS_ADDR_V4MAPPED(&net->addr.v6)) {
		POL_COMPLAIN(f, "\"%s\" is an IPv4 network in disguise: write "
		    "it as IPv4", pol_quote(shown, word));
		f->pass->broken = true;
		return;
	}
	for (size_t i = 0; i < t->nnets; i++) {
		if (!net_inside(net, &t->nets[i]) &&
		    !net_inside(&t->nets[i], net))
			continue;
		pol_net_format(other, sizeof other, &t->nets[i]);
		POL_COMPLAIN(f, "network \"%s\" and %s have addresses in "
		    "common: remove the smaller one", pol_quote(shown, word),
		    other);
		f->pass->broken = true;
		return;
	}
	t->nnets++;
}

void
pol_set_pass_network(struct pol_field *f)
{
	if (!names_any(f, "network"))
		return;
	if (f->n > POL_MAX_NETS) {
		POL_COMPLAIN(f, "there are too many networks: %d at most in "
		    "one section", POL_MAX_NETS);
		f->pass->broken = true;
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		add_network(f, f->words[i]);
}
