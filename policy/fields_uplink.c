/* One function per keyword of resolver and transport; see fields.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fields.h"
#include "policy/host.h"
#include "policy/pin.h"
#include "policy/uplink.h"

/* A lookup has to have time for one lost packet, and an end. */
#define TIMEOUT_MIN_MS 500
#define TIMEOUT_MAX_MS 30000
#define UNPRIVILEGED_PORT 1024
/* Room for the name of the file that becomes this one. */
#define TORRC_MAX (POL_PATH_LEN - 16)

void
pol_set_torrc(struct pol_field *f)
{
	const char *path = f->words[0];

	if (!pol_field_path(f, path, TORRC_MAX))
		return;
	if (path[strlen(path) - 1] == '/')
		POL_COMPLAIN(f, "\"torrc\" is a folder: name a file in it, "
		    "which is to be ours alone");
	else
		(void)snprintf(f->d->p->tor.torrc, POL_PATH_LEN, "%s", path);
}

void
pol_set_enable(struct pol_field *f)
{
	(void)pol_field_bool(f, &f->d->p->tor.enable);
}

void
pol_set_resolver_user(struct pol_field *f)
{
	(void)pol_field_user(f, f->words[0], &f->d->p->resolver_user);
}

void
pol_set_resolver_address(struct pol_field *f)
{
	char shown[POL_QUOTE_LEN];
	struct pol_addr addr;

	if (pol_addr_parse(&addr, f->words[0]))
		f->d->p->resolver.addr = addr;
	else
		POL_COMPLAIN(f, "\"%s\" is not an address: write the "
		    "resolver's in numbers, without port and brackets",
		    pol_quote(shown, f->words[0]));
}

static void
set_port(struct pol_field *f, uint16_t *port, uint32_t least)
{
	uint32_t number;

	if (pol_field_number(f, &number, least, UINT16_MAX))
		*port = (uint16_t)number;
}

void
pol_set_resolver_port(struct pol_field *f)
{
	set_port(f, &f->d->p->resolver.port, 1);
}

void
pol_set_stub_port(struct pol_field *f)
{
	set_port(f, &f->d->p->resolver.stub_port, UNPRIVILEGED_PORT);
}

void
pol_set_resolver_protocol(struct pol_field *f)
{
	static const char *const names[] = {
		[POL_DNS_PLAIN] = "dns",
		[POL_DNS_TLS] = "tls",
	};
	size_t which = pol_field_choose(f, f->words[0], names, 2);

	if (which < 2)
		f->d->p->resolver.protocol = (enum pol_dns)which;
}

void
pol_set_resolver_name(struct pol_field *f)
{
	char shown[POL_QUOTE_LEN];
	struct pol_host host;

	if (pol_host_only(&host, f->words[0]) && host.addr.family == 0)
		memcpy(f->d->p->resolver.host, host.name, sizeof host.name);
	else
		POL_COMPLAIN(f, "\"%s\" is not a host's name: write the one "
		    "that the resolver's certificate is for",
		    pol_quote(shown, f->words[0]));
}

void
pol_set_resolver_pin(struct pol_field *f)
{
	struct pol_resolver *r = &f->d->p->resolver;
	uint8_t pin[POL_PIN_LEN];

	if (!pol_pin_parse(pin, f->words[0])) {
		POL_COMPLAIN(f, "\"pin\" is not the SHA-256 of a key: write "
		    "its 32 octets in base64, 44 letters with the = at the "
		    "end");
		return;
	}
	memcpy(r->pin, pin, sizeof r->pin);
	r->pinned = true;
}

void
pol_set_resolver_private(struct pol_field *f)
{
	(void)pol_field_bool(f, &f->d->p->resolver.allow_private);
}

void
pol_set_resolver_timeout(struct pol_field *f)
{
	(void)pol_field_number(f, &f->d->p->resolver.timeout_ms,
	    TIMEOUT_MIN_MS, TIMEOUT_MAX_MS);
}

/* WORD, one more method. */
static void
add_method(struct pol_field *f, const char *word)
{
	struct pol_transport *t = &f->carrier->transport;
	char shown[POL_QUOTE_LEN];

	if (!pol_method_ok(word, strlen(word))) {
		POL_COMPLAIN(f, "\"%s\" cannot be a transport's method: Tor "
		    "takes letters, digits and underscores, no digit first, "
		    "%d at most", pol_quote(shown, word), POL_NAME_LEN - 1);
		f->carrier->broken = true;
		return;
	}
	for (size_t i = 0; i < t->nmethods; i++)
		if (strcmp(t->methods[i], word) == 0) {
			POL_COMPLAIN(f, "method \"%s\" is named twice: remove "
			    "one", word);
			f->carrier->broken = true;
			return;
		}
	(void)snprintf(t->methods[t->nmethods++], POL_NAME_LEN, "%s", word);
}

void
pol_set_methods(struct pol_field *f)
{
	f->carrier->methods_at = f->at;
	if (f->n == 0 || f->n > POL_MAX_METHODS) {
		POL_COMPLAIN(f, "\"methods\" names %zu: name 1 to %d", f->n,
		    POL_MAX_METHODS);
		f->carrier->broken = true;
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		add_method(f, f->words[i]);
}

void
pol_set_program(struct pol_field *f)
{
	struct pol_carrier *c = f->carrier;
	const char *path = f->words[0];

	c->has_program = true;
	if (!pol_field_path(f, path, POL_PATH_LEN - 1)) {
		c->broken = true;
	} else if (strchr(path, '#') != NULL) {
		POL_COMPLAIN(f, "\"program\" has a #, where a comment begins "
		    "for Tor: rename the program");
		c->broken = true;
	} else {
		(void)snprintf(c->transport.program, POL_PATH_LEN, "%s",
		    path);
	}
}

/* What would end the line in a torrc, or mean something else there. */
static bool
arguments_ok(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~' ||
		    strchr("\"'\\#", *text) != NULL)
			return false;
	return true;
}

/* With single spaces, as Tor hands them on. */
void
pol_set_arguments(struct pol_field *f)
{
	char *dst = f->carrier->transport.arguments;
	const char *p = f->words[0];
	size_t used = 0;

	if (!arguments_ok(p) || strlen(p) >= POL_ARGS_LEN) {
		POL_COMPLAIN(f, "\"arguments\" cannot stand in a torrc: write "
		    "at most %d ASCII letters without quotes, backslash "
		    "and #", POL_ARGS_LEN - 1);
		f->carrier->broken = true;
		return;
	}
	for (p += strspn(p, " "); *p != '\0'; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (used != 0)
			dst[used++] = ' ';
		memcpy(dst + used, p, n);
		used += n;
		p += n;
	}
}

void
pol_set_dns(struct pol_field *f)
{
	f->carrier->dns_at = f->at;
	(void)pol_field_bool(f, &f->carrier->transport.dns);
}

void
pol_set_udp(struct pol_field *f)
{
	(void)pol_field_bool(f, &f->carrier->transport.udp);
}

/* Line number I, in its canonical form. */
static void
add_bridge(struct pol_field *f, size_t i)
{
	struct pol_carrier *c = f->carrier;
	char why[POL_UPLINK_WHY];
	struct pol_bridge b;

	if (!pol_bridge_parse(&b, why, f->words[i])) {
		POL_COMPLAIN(f, "bridge %zu of this list is none: %s", i + 1,
		    why);
		c->broken = true;
	} else {
		pol_bridge_format(c->bridges[c->nbridges++], &b);
	}
}

void
pol_set_bridge(struct pol_field *f)
{
	struct pol_carrier *c = f->carrier;

	c->bridge_at = f->at;
	if (f->n > POL_MAX_BRIDGES) {
		POL_COMPLAIN(f, "there are too many bridges: %d at most",
		    POL_MAX_BRIDGES);
		c->broken = true;
		return;
	}
	c->bridges = calloc(f->n + 1, sizeof *c->bridges);
	if (c->bridges == NULL) {
		f->d->nomem = true;
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		add_bridge(f, i);
}
