/* One function per keyword of listener and group sections; see fields.c. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/draft.h"
#include "policy/fields.h"

void
pol_set_kind(struct pol_field *f)
{
	struct pol_section *s = f->section;
	const char *names[POL_NKIND];
	size_t which;

	for (size_t i = 0; i < POL_NKIND; i++)
		names[i] = pol_kind_name((enum pol_kind)i);
	which = pol_field_choose(f, f->words[0], names, POL_NKIND);
	if (which == POL_NKIND) {
		s->broken = true;
		return;
	}
	s->kind = (enum pol_kind)which;
	s->has_kind = true;
}

const char *
pol_addr_fault(const struct pol_addr *a)
{
	const uint8_t *b = a->v6.s6_addr;
	uint32_t v4 = a->family == AF_INET ? ntohl(a->v4.s_addr) : 0;

	if (a->family == AF_INET) {
		if (v4 >> 24 == 0)
			return "a wildcard: name the one address to listen on";
		if (IN_MULTICAST(v4) || v4 == INADDR_BROADCAST)
			return "for many receivers: name a single host's";
		if (v4 >> 16 == 0xa9fe) /* 169.254.0.0/16 */
			return "link-local, so it may change: give the "
			       "interface a fixed one";
		return NULL;
	}
	if (IN6_IS_ADDR_UNSPECIFIED(&a->v6))
		return "a wildcard: name the one address to listen on";
	if (IN6_IS_ADDR_MULTICAST(&a->v6))
		return "for many receivers: name a single host's";
	if (IN6_IS_ADDR_V4MAPPED(&a->v6))
		return "an IPv4 address in disguise: write it as IPv4";
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) /* fe80::/10 */
		return "link-local, so it may change: give the interface a "
		       "fixed one";
	return NULL;
}

static bool
add_place(struct pol_field *f, const struct pol_place *place)
{
	struct pol_section *s = f->section;

	if (s->nplaces == POL_MAX_ADDRS) {
		POL_COMPLAIN(f, "there are too many addresses: %d at most in "
		    "one section", POL_MAX_ADDRS);
		return false;
	}
	s->places[s->nplaces++] = *place;
	return true;
}

static bool
add_literal(struct pol_field *f, const char *word)
{
	struct pol_place place;
	char shown[POL_QUOTE_LEN];
	const char *fault;

	memset(&place, 0, sizeof place);
	if (!pol_addr_parse(&place.addr, word)) {
		if (!pol_field_several(f, word))
			POL_COMPLAIN(f, "\"%s\" is not an address: write one "
			    "in numbers, without port and brackets, or "
			    "\"interface:eth1\", or \"unix:/path\"",
			    pol_quote(shown, word));
		return false;
	}
	fault = pol_addr_fault(&place.addr);
	if (fault != NULL) {
		POL_COMPLAIN(f, "address %s is %s", pol_quote(shown, word),
		    fault);
		return false;
	}
	return add_place(f, &place);
}

/* NAME is what stands after "interface:". */
static bool
add_interface(struct pol_field *f, const char *name)
{
	char shown[POL_QUOTE_LEN], ifname[POL_QUOTE_LEN];
	struct pol_place place;
	const char *colon = strchr(name, ':');
	bool v4 = colon == NULL || strcmp(colon, ":ipv4") == 0;
	bool v6 = colon == NULL || strcmp(colon, ":ipv6") == 0;
	size_t n;

	if (!v4 && !v6) {
		POL_COMPLAIN(f, "\"%s\" is not an interface's address: write "
		    "\"interface:eth1\", and \":ipv4\" or \":ipv6\" behind "
		    "it for one family only", pol_quote(shown, name));
		return false;
	}
	/* One that is cut here is too long for an interface all the same. */
	n = colon == NULL ? strlen(name) : (size_t)(colon - name);
	n = n < sizeof ifname ? n : sizeof ifname - 1;
	memcpy(ifname, name, n);
	ifname[n] = '\0';
	if (!pol_field_iface(f, ifname))
		return false;
	memset(&place, 0, sizeof place);
	place.addr.family = v4 ? AF_INET : AF_INET6;
	memcpy(place.ifname, ifname, n + 1); /* that has seen to its length */
	if (!add_place(f, &place))
		return false;
	place.addr.family = AF_INET6;
	return !(v4 && v6) || add_place(f, &place);
}

/* So that no two paths mean one file, short of links. */
static bool
path_is_plain(const char *path)
{
	size_t n = strlen(path);

	return strstr(path, "//") == NULL && strstr(path, "/./") == NULL &&
	    path[n - 1] != '/' && strcmp(path + n - 2, "/.") != 0 &&
	    (n < 3 || strcmp(path + n - 3, "/..") != 0);
}

/* PATH is what stands after "unix:". */
static bool
add_unix(struct pol_field *f, const char *path)
{
	struct pol_place place;
	char shown[POL_QUOTE_LEN];

	if (!pol_field_path(f, path, POL_PATH_LEN - 1))
		return false;
	if (strchr(path, '#') != NULL) {
		POL_COMPLAIN(f, "the path \"%s\" has a \"#\", where a comment "
		    "begins for Tor: choose another",
		    pol_quote(shown, path));
		return false;
	}
	if (!path_is_plain(path)) {
		POL_COMPLAIN(f, "\"%s\" is not the shortest way to write this "
		    "path: leave out doubled slashes, \".\", \"..\" and the "
		    "slash at the end", pol_quote(shown, path));
		return false;
	}
	memset(&place, 0, sizeof place);
	place.addr.family = AF_UNIX;
	return pol_path_add(f->d, path, &place.path) && add_place(f, &place);
}

static bool
add_address(struct pol_field *f, const char *word)
{
	static const char iface[] = "interface:", socket[] = "unix:";

	if (strncmp(word, iface, sizeof iface - 1) == 0)
		return add_interface(f, word + sizeof iface - 1);
	if (strncmp(word, socket, sizeof socket - 1) == 0)
		return add_unix(f, word + sizeof socket - 1);
	return add_literal(f, word);
}

void
pol_set_address(struct pol_field *f)
{
	f->section->has_address = true;
	f->section->address_at = f->at;
	for (size_t i = 0; i < f->n; i++)
		if (!add_address(f, f->words[i]))
			f->section->broken = true;
}

static bool
parse_range(struct pol_ports *out, const char *word)
{
	char first[8]; /* no port has more than five digits */
	size_t n = strcspn(word, "-");
	uint32_t a, b;

	if (n >= sizeof first)
		return false;
	memcpy(first, word, n);
	first[n] = '\0';
	if (!pol_number_parse(&a, first))
		return false;
	if (word[n] == '\0')
		b = a;
	else if (!pol_number_parse(&b, word + n + 1))
		return false;
	if (a == 0 || b < a || b > UINT16_MAX)
		return false;
	*out = (struct pol_ports){ (uint16_t)a, (uint16_t)b };
	return true;
}

bool
pol_field_range(const struct pol_field *f, struct pol_ports *out,
    const char *word)
{
	char shown[POL_QUOTE_LEN], *colon;

	if (parse_range(out, word))
		return true;
	(void)pol_quote(shown, word);
	colon = strchr(shown, ':');
	if (colon != NULL)
		*colon = '-';
	/* As iptables has it. */
	if (colon != NULL && parse_range(out, shown))
		POL_COMPLAIN(f, "ports have a dash between the first and the "
		    "last: write \"%s\"", shown);
	else if (!pol_field_several(f, word))
		POL_COMPLAIN(f, "\"%s\" is not a port: write a number from 1 "
		    "to 65535, or two with a dash between, the smaller one "
		    "first", pol_quote(shown, word));
	return false;
}

void
pol_set_port(struct pol_field *f)
{
	struct pol_section *s = f->section;

	s->has_port = true;
	if (f->n > POL_MAX_RANGES) {
		POL_COMPLAIN(f, "there are too many ports: %d numbers or "
		    "ranges at most in one section", POL_MAX_RANGES);
		s->broken = true;
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		if (pol_field_range(f, &s->ports[s->nports], f->words[i]))
			s->nports++;
		else
			s->broken = true;
	}
}

/*
 * Only noted: which flags there are depends on the kind, which a group may
 * set.  No word has a newline in it.
 */
void
pol_set_flags(struct pol_field *f)
{
	struct pol_section *s = f->section;
	size_t used = 0;

	s->has_flags = true;
	s->flags_at = f->at;
	for (size_t i = 0; i < f->n; i++) {
		size_t n = strlen(f->words[i]);

		if (n >= sizeof s->words - 1 - used) {
			POL_COMPLAIN(f, "there are too many flags: %d letters "
			    "at most", POL_FLAGS_LEN - 1);
			s->flags_bad = true;
			return;
		}
		memcpy(s->words + used, f->words[i], n);
		s->words[used + n] = '\n';
		used += n + 1;
	}
}

static bool
app_ok(const char *text)
{
	size_t n = strlen(text);

	if (n >= POL_NAME_LEN || text[0] == ' ' ||
	    (n != 0 && text[n - 1] == ' '))
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~' ||
		    strchr("\"'\\$", text[i]) != NULL)
			return false;
	return true;
}

void
pol_set_app(struct pol_field *f)
{
	struct pol_section *s = f->section;
	char shown[POL_QUOTE_LEN];

	s->has_app = true;
	if (app_ok(f->words[0]))
		(void)snprintf(s->app, sizeof s->app, "%s", f->words[0]);
	else
		POL_COMPLAIN(f, "\"%s\" is not an application's name: write "
		    "at most %d plain letters without quotes and backslashes, "
		    "no space at either end", pol_quote(shown, f->words[0]),
		    POL_NAME_LEN - 1);
}

void
pol_set_group(struct pol_field *f)
{
	struct pol_section *s = f->section;
	char shown[POL_QUOTE_LEN];

	if (strlen(f->words[0]) < sizeof s->group) {
		(void)snprintf(s->group, sizeof s->group, "%s", f->words[0]);
		s->group_at = f->at;
		return;
	}
	POL_COMPLAIN(f, "\"%s\" is no group's name: it has 1 to %d letters",
	    pol_quote(shown, f->words[0]), POL_NAME_LEN - 1);
	s->broken = true;
}
