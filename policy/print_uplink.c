/* Sections resolver and transport as text; see print.c. */
#include <stdio.h>

#include "policy/pin.h"
#include "policy/print.h"

static void
print_truth(FILE *f, const char *key, bool value)
{
	(void)fprintf(f, "\t%s = %s\n", key, value ? "true" : "false");
}

void
pol_print_resolver(FILE *f, const struct pol_resolver *r)
{
	char addr[INET6_ADDRSTRLEN], pin[POL_PIN_TEXT];

	if (r->addr.family == 0)
		return;
	pol_addr_format(addr, sizeof addr, &r->addr);
	(void)fprintf(f, "resolver {\n\taddress = \"%s\"\n\tport = %u\n"
	    "\tprotocol = \"%s\"\n", addr, (unsigned)r->port,
	    r->protocol == POL_DNS_TLS ? "tls" : "dns");
	if (r->host[0] != '\0')
		(void)fprintf(f, "\tname = \"%s\"\n", r->host);
	if (r->pinned) {
		pol_pin_format(pin, r->pin);
		(void)fprintf(f, "\tpin = \"%s\"\n", pin);
	}
	print_truth(f, "private", r->allow_private);
	(void)fprintf(f, "\ttimeout_ms = %u\n\tstub_port = %u\n}\n",
	    r->timeout_ms, (unsigned)r->stub_port);
}

/* The lines of transport number T. */
static void
print_bridges(FILE *f, const struct pol_policy *p, size_t t)
{
	const char *before = "\tbridge = {\n\t\t\"";

	for (size_t i = 0; i < p->nbridges; i++) {
		if (p->bridges[i].transport != t)
			continue;
		(void)fprintf(f, "%s%s\"", before, p->bridges[i].text);
		before = ",\n\t\t\"";
	}
	if (before[0] == ',')
		(void)fputs("\n\t}\n", f);
}

void
pol_print_transports(FILE *f, const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ntransports; i++) {
		const struct pol_transport *t = &p->transports[i];

		(void)fprintf(f, "transport \"%s\" {\n\tmethods = {", t->name);
		for (size_t j = 0; j < t->nmethods; j++)
			(void)fprintf(f, "%s \"%s\"", j != 0 ? "," : "",
			    t->methods[j]);
		(void)fprintf(f, " }\n\tprogram = \"%s\"\n", t->program);
		if (t->arguments[0] != '\0')
			(void)fprintf(f, "\targuments = \"%s\"\n",
			    t->arguments);
		print_truth(f, "dns", t->dns);
		print_truth(f, "udp", t->udp);
		print_bridges(f, p, i);
		(void)fputs("}\n", f);
	}
}
