/*
 * One function per keyword.  Each complains by itself and leaves the draft
 * as it was, so that one run finds everything.
 */
#include <stdio.h>
#include <string.h>

#include "policy/draft.h"
#include "policy/fields.h"
#include "policy/nearest.h"

/* A control round trip more often than this is a burden, not a proof. */
#define PROBE_MIN_MS 20
/* Room for the names of sockets in the directory. */
#define RUN_DIR_MAX (POL_PATH_LEN - 32)

static bool
printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~' ||
		    strchr("\"'\\$", *text) != NULL)
			return false;
	return true;
}

bool
pol_field_path(const struct pol_field *f, const char *path, size_t max)
{
	char shown[POL_QUOTE_LEN];

	if (path[0] != '/' || !printable(path) ||
	    strstr(path, "/../") != NULL) {
		POL_COMPLAIN(f, "\"%s\" is not usable as a path: write an "
		    "absolute one without spaces, quotes and \"..\"",
		    pol_quote(shown, path));
		return false;
	}
	if (strlen(path) > max) {
		POL_COMPLAIN(f, "the path \"%s\" is too long: %zu letters at "
		    "most", pol_quote(shown, path), max);
		return false;
	}
	return true;
}

/* Room for the longest list of words that a keyword takes, in quotes. */
#define ONE_OF_LEN 96

/* "a", "b" or "c", as DST. */
static const char *
one_of(char dst[ONE_OF_LEN], const char *const *names, size_t n)
{
	size_t used = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < n && used < ONE_OF_LEN; i++) {
		const char *between = i == 0 ? "" : i + 1 == n ? " or " : ", ";
		int len = snprintf(dst + used, ONE_OF_LEN - used, "%s\"%s\"",
		    between, names[i]);

		used += len > 0 ? (size_t)len : 0;
	}
	return dst;
}

size_t
pol_field_choose(const struct pol_field *f, const char *word,
    const char *const *names, size_t n)
{
	char shown[POL_QUOTE_LEN], all[ONE_OF_LEN];
	struct pol_nearest nearest = { .word = word };

	for (size_t i = 0; i < n; i++) {
		if (strcmp(word, names[i]) == 0)
			return i;
		pol_nearest_try(&nearest, names[i]);
	}
	pol_quote(shown, word);
	if (pol_nearest_slip(&nearest))
		POL_COMPLAIN(f, "\"%s\" is not a value of \"%s\": did you "
		    "mean \"%s\"?", shown, f->key, nearest.best);
	else
		POL_COMPLAIN(f, "\"%s\" is not a value of \"%s\": write %s",
		    shown, f->key, one_of(all, names, n));
	return n;
}

bool
pol_field_number(const struct pol_field *f, uint32_t *out, uint32_t min,
    uint32_t max)
{
	char shown[POL_QUOTE_LEN];
	uint32_t number;

	if (!pol_number_parse(&number, f->words[0]) || number < min ||
	    number > max) {
		POL_COMPLAIN(f, "\"%s\" is not a value of \"%s\": "
		    "write a number from %u to %u",
		    pol_quote(shown, f->words[0]), f->key, min, max);
		return false;
	}
	*out = number;
	return true;
}

static bool
name_ok(const char *name, size_t cap)
{
	size_t n = strlen(name);

	if (n == 0 || n >= cap || name[0] == '-' || name[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') ||
		    (name[i] >= 'A' && name[i] <= 'Z') ||
		    (name[i] >= '0' && name[i] <= '9') ||
		    strchr("_-.", name[i]) != NULL))
			return false;
	return true;
}

bool
pol_field_user(const struct pol_field *f, const char *word,
    struct pol_user *user)
{
	char shown[POL_QUOTE_LEN];
	uint32_t uid;

	if (pol_number_parse(&uid, word)) {
		/* The last one is the kernel's "nobody at all". */
		if (uid == 0 || uid == UINT32_MAX) {
			POL_COMPLAIN(f, "user %u cannot be used here: name an "
			    "unprivileged user", uid);
			return false;
		}
		*user = (struct pol_user){ .resolved = true, .uid = uid,
			.gid = uid };
		return true;
	}
	if (!name_ok(word, sizeof user->name) ||
	    (word[0] >= '0' && word[0] <= '9') ||
	    strcmp(word, "root") == 0) {
		POL_COMPLAIN(f, "\"%s\" cannot be used here: name an "
		    "unprivileged user", pol_quote(shown, word));
		return false;
	}
	memset(user, 0, sizeof *user);
	(void)snprintf(user->name, sizeof user->name, "%s", word);
	return true;
}

static void
set_user(struct pol_field *f, struct pol_user *user)
{
	(void)pol_field_user(f, f->words[0], user);
}

static void
set_tor_user(struct pol_field *f)
{
	set_user(f, &f->d->p->tor.user);
}

static void
set_gate(struct pol_field *f)
{
	set_user(f, &f->d->p->gate_user);
}

static void
set_engine(struct pol_field *f)
{
	set_user(f, &f->d->p->engine_user);
}

static void
set_status(struct pol_field *f)
{
	set_user(f, &f->d->p->status_user);
}

static void
set_control(struct pol_field *f)
{
	static const char scheme[] = "unix:";
	struct pol_tor *tor = &f->d->p->tor;
	const char *word = f->words[0];
	const char *path = word + sizeof scheme - 1;
	char shown[POL_QUOTE_LEN];
	struct pol_addr addr;
	uint16_t port;

	if (strncmp(word, scheme, sizeof scheme - 1) == 0) {
		if (!pol_field_path(f, path, sizeof tor->control_path - 1))
			return;
		tor->control_is_unix = true;
		(void)snprintf(tor->control_path, sizeof tor->control_path,
		    "%s", path);
		return;
	}
	if (!pol_addrport_parse(&addr, &port, word)) {
		POL_COMPLAIN(f, "\"%s\" is not a control address: write "
		    "\"unix:/run/tor/control\" or \"127.0.0.1:9051\"",
		    pol_quote(shown, word));
		return;
	}
	if (!pol_addr_loopback(&addr)) {
		POL_COMPLAIN(f, "the control address %s is not on loopback: "
		    "who reads it there controls Tor; use a Unix socket or "
		    "127.0.0.1", pol_quote(shown, word));
		return;
	}
	tor->control_is_unix = false;
	tor->control_addr = addr;
	tor->control_port = port;
}

static void
set_auth(struct pol_field *f)
{
	static const char *const names[] = { "null", "password", "cookie",
		"safecookie" };
	static const unsigned bits[] = { POL_AUTH_NULL, POL_AUTH_PASSWORD,
		POL_AUTH_COOKIE, POL_AUTH_SAFECOOKIE };
	unsigned auth = 0;

	for (size_t i = 0; i < f->n; i++) {
		size_t which = pol_field_choose(f, f->words[i], names,
		    sizeof names / sizeof names[0]);

		if (which == sizeof names / sizeof names[0])
			return;
		auth |= bits[which];
	}
	if (auth == 0)
		POL_COMPLAIN(f, "\"auth\" is empty: name at least one method, "
		    "for instance \"safecookie\"");
	else
		f->d->p->tor.auth = auth;
}

static void
set_path(struct pol_field *f, char dst[POL_PATH_LEN], size_t max)
{
	if (pol_field_path(f, f->words[0], max))
		(void)snprintf(dst, POL_PATH_LEN, "%s", f->words[0]);
}

static void
set_cookie_file(struct pol_field *f)
{
	set_path(f, f->d->p->tor.cookie_file, POL_PATH_LEN - 1);
}

static void
set_password_file(struct pol_field *f)
{
	set_path(f, f->d->p->tor.password_file, POL_PATH_LEN - 1);
}

static void
set_run_dir(struct pol_field *f)
{
	set_path(f, f->d->p->run_dir, RUN_DIR_MAX);
}

bool
pol_field_several(const struct pol_field *f, const char *word)
{
	char shown[POL_QUOTE_LEN];

	if (strpbrk(word, " ,\t") == NULL)
		return false;
	POL_COMPLAIN(f, "\"%s\" is more than one word: put each in quotes of "
	    "its own, with commas between, and all of them in braces",
	    pol_quote(shown, word));
	return true;
}

/* One exact name was wanted, and this stands for several. */
static bool
stands_for_several(const struct pol_field *f, const char *name)
{
	size_t n = strlen(name);
	char shown[POL_QUOTE_LEN];

	if (n == 0 || (name[n - 1] != '*' && name[n - 1] != '+'))
		return pol_field_several(f, name);
	POL_COMPLAIN(f, "\"%s\" stands for several interfaces: here, each has "
	    "to be named exactly", pol_quote(shown, name));
	return true;
}

bool
pol_field_iface(const struct pol_field *f, const char *name)
{
	char shown[POL_QUOTE_LEN];

	if (strcmp(name, "lo") == 0) {
		POL_COMPLAIN(f, "\"lo\" is neither side's: name the network "
		    "interface");
		return false;
	}
	if (name_ok(name, POL_IFNAME_LEN))
		return true;
	if (!stands_for_several(f, name))
		POL_COMPLAIN(f, "\"%s\" is not an interface's name: write it "
		    "exactly (1 to %d letters, digits, dot, dash, underscore)",
		    pol_quote(shown, name), POL_IFNAME_LEN - 1);
	return false;
}

bool
pol_field_pattern(const struct pol_field *f, const char *word)
{
	char head[POL_IFNAME_LEN], shown[POL_QUOTE_LEN];
	size_t n = strlen(word);

	/* As iptables has it; no interface's name ends so. */
	if (n > 1 && n < sizeof head && word[n - 1] == '+') {
		POL_COMPLAIN(f, "\"%s\" is how iptables writes it: write "
		    "\"%.*s*\" here", pol_quote(shown, word), (int)n - 1,
		    shown);
		return false;
	}
	if (n == 0 || word[n - 1] != '*')
		return pol_field_iface(f, word);
	if (n < sizeof head) {
		memcpy(head, word, n - 1);
		head[n - 1] = '\0';
		if (name_ok(head, sizeof head) && !pol_iface_match(word, "lo"))
			return true;
	}
	POL_COMPLAIN(f, "\"%s\" cannot stand for interfaces: write how their "
	    "names begin (letters, digits, dot, dash, underscore; not "
	    "\"lo\"), then *; %d letters in all", pol_quote(shown, word),
	    POL_IFNAME_LEN - 1);
	return false;
}

static void
set_ifaces(struct pol_field *f, char (*list)[POL_IFNAME_LEN], size_t *count)
{
	bool patterns = list == f->d->p->internal;

	if (f->n > POL_MAX_IFACES) {
		f->d->ifaces_bad = true;
		POL_COMPLAIN(f, "\"%s\" names too many interfaces: %d at most",
		    f->key, POL_MAX_IFACES);
		return;
	}
	if (f->n == 0 && list != f->d->p->tor.ifaces)
		POL_COMPLAIN(f, "\"%s\" is empty: name an interface", f->key);
	*count = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (!(patterns ? pol_field_pattern : pol_field_iface)(f,
		    f->words[i])) {
			f->d->ifaces_bad = true;
			continue;
		}
		for (size_t j = 0; j < *count; j++)
			if (strcmp(list[j], f->words[i]) == 0)
				POL_COMPLAIN(f, "interface \"%s\" is named "
				    "twice: remove one", list[j]);
		(void)snprintf(list[(*count)++], POL_IFNAME_LEN, "%s",
		    f->words[i]);
	}
}

static void
set_internal(struct pol_field *f)
{
	set_ifaces(f, f->d->p->internal, &f->d->p->ninternal);
}

static void
set_external(struct pol_field *f)
{
	set_ifaces(f, f->d->p->external, &f->d->p->nexternal);
}

/* Empty: any of the external ones, as if it were not set. */
static void
set_tor_interface(struct pol_field *f)
{
	set_ifaces(f, f->d->p->tor.ifaces, &f->d->p->tor.nifaces);
}

static void
set_tor_egress(struct pol_field *f)
{
	static const char *const names[] = { "any", "strict" };
	size_t which = pol_field_choose(f, f->words[0], names, 2);

	if (which < 2)
		f->d->p->tor.strict_egress = which == 1;
}

static void
set_closed(struct pol_field *f)
{
	static const char *const names[] = {
		[POL_CLOSED_TOR_ALLOWED] = "tor-allowed",
		[POL_CLOSED_STRICT] = "strict",
	};
	size_t which = pol_field_choose(f, f->words[0], names, 2);

	if (which < 2)
		f->d->p->closed = (enum pol_closed)which;
}

static void
set_lease_ms(struct pol_field *f)
{
	(void)pol_field_number(f, &f->d->p->lease_ms, POL_LEASE_MIN_MS,
	    POL_LEASE_MAX_MS);
}

static void
set_probe_ms(struct pol_field *f)
{
	(void)pol_field_number(f, &f->d->p->probe_ms, PROBE_MIN_MS,
	    POL_LEASE_MAX_MS / 2);
}

bool
pol_field_bool(const struct pol_field *f, bool *out)
{
	static const char *const names[] = { "false", "true" };
	size_t which = pol_field_choose(f, f->words[0], names, 2);

	if (which < 2)
		*out = which == 1;
	return which < 2;
}

static void
set_dhcp(struct pol_field *f)
{
	(void)pol_field_bool(f, &f->d->p->dhcp);
}

const struct pol_keyword pol_keywords[POL_NKEYWORDS] = {
	/* clang-format off */
	{ POL_SEC_TOR, "user",		false, set_tor_user },
	{ POL_SEC_TOR, "control",	false, set_control },
	{ POL_SEC_TOR, "auth",		true,  set_auth },
	{ POL_SEC_TOR, "cookie_file",	false, set_cookie_file },
	{ POL_SEC_TOR, "password_file",	false, set_password_file },
	{ POL_SEC_TOR, "egress",	false, set_tor_egress },
	{ POL_SEC_TOR, "interface",	true,  set_tor_interface },
	{ POL_SEC_TOR, "torrc",		false, pol_set_torrc },
	{ POL_SEC_TOR, "enable",	false, pol_set_enable },
	{ POL_SEC_GATEWAY, "internal",	true,  set_internal },
	{ POL_SEC_GATEWAY, "external",	true,  set_external },
	{ POL_SEC_GATEWAY, "closed",	false, set_closed },
	{ POL_SEC_GATEWAY, "lease_ms",	false, set_lease_ms },
	{ POL_SEC_GATEWAY, "probe_ms",	false, set_probe_ms },
	{ POL_SEC_GATEWAY, "dhcp",	false, set_dhcp },
	{ POL_SEC_GATEWAY, "run_dir",	false, set_run_dir },
	{ POL_SEC_USERS, "gate",	false, set_gate },
	{ POL_SEC_USERS, "engine",	false, set_engine },
	{ POL_SEC_USERS, "status",	false, set_status },
	{ POL_SEC_USERS, "resolver",	false, pol_set_resolver_user },
	{ POL_SEC_FIREWALL, "mode",	false, pol_set_mode },
	{ POL_SEC_FIREWALL, "refuse",	false, pol_set_refuse },
	{ POL_SEC_FIREWALL, "routes",	false, pol_set_routes },
	{ POL_SEC_FIREWALL, "icmp",	true,  pol_set_icmp },
	{ POL_SEC_FIREWALL, "transparent", true, pol_set_transparent },
	{ POL_SEC_FIREWALL, "ra",	false, pol_set_ra },
	{ POL_SEC_FIREWALL, "log_per_minute", false, pol_set_log },
	{ POL_SEC_TIMESYNC, "required",	false, pol_set_required },
	{ POL_SEC_TIMESYNC, "directory", false, pol_set_directory },
	{ POL_SEC_TIMESYNC, "users",	true,  pol_set_time_users },
	{ POL_SEC_TIMESYNC, "listeners", true, pol_set_time_listeners },
	{ POL_SEC_TIMESYNC, "workstations", false, pol_set_workstations },
	{ POL_SEC_RESOLVER, "address",	false, pol_set_resolver_address },
	{ POL_SEC_RESOLVER, "port",	false, pol_set_resolver_port },
	{ POL_SEC_RESOLVER, "protocol",	false, pol_set_resolver_protocol },
	{ POL_SEC_RESOLVER, "name",	false, pol_set_resolver_name },
	{ POL_SEC_RESOLVER, "pin",	false, pol_set_resolver_pin },
	{ POL_SEC_RESOLVER, "private",	false, pol_set_resolver_private },
	{ POL_SEC_RESOLVER, "timeout_ms", false, pol_set_resolver_timeout },
	{ POL_SEC_RESOLVER, "stub_port", false, pol_set_stub_port },
	{ POL_SEC_WHONIX, "status_files", false, pol_set_status_files },
	{ POL_SEC_EGRESS, "user",	false, pol_set_pass_user },
	{ POL_SEC_EGRESS, "interface",	false, pol_set_pass_interface },
	{ POL_SEC_EGRESS, "protocol",	false, pol_set_pass_protocol },
	{ POL_SEC_EGRESS, "port",	true,  pol_set_pass_port },
	{ POL_SEC_EGRESS, "network",	true,  pol_set_pass_network },
	{ POL_SEC_SERVICE, "interface",	false, pol_set_pass_interface },
	{ POL_SEC_SERVICE, "protocol",	false, pol_set_pass_protocol },
	{ POL_SEC_SERVICE, "port",	true,  pol_set_pass_port },
	{ POL_SEC_SERVICE, "network",	true,  pol_set_pass_network },
	{ POL_SEC_TRANSPORT, "methods",	true,  pol_set_methods },
	{ POL_SEC_TRANSPORT, "program",	false, pol_set_program },
	{ POL_SEC_TRANSPORT, "arguments", false, pol_set_arguments },
	{ POL_SEC_TRANSPORT, "dns",	false, pol_set_dns },
	{ POL_SEC_TRANSPORT, "udp",	false, pol_set_udp },
	{ POL_SEC_TRANSPORT, "bridge",	true,  pol_set_bridge },
	{ POL_SEC_GROUP, "kind",	false, pol_set_kind },
	{ POL_SEC_GROUP, "address",	true,  pol_set_address },
	{ POL_SEC_GROUP, "port",	true,  pol_set_port },
	{ POL_SEC_GROUP, "flags",	true,  pol_set_flags },
	{ POL_SEC_GROUP, "app",		false, pol_set_app },
	{ POL_SEC_LISTENER, "group",	false, pol_set_group },
	{ POL_SEC_LISTENER, "kind",	false, pol_set_kind },
	{ POL_SEC_LISTENER, "address",	true,  pol_set_address },
	{ POL_SEC_LISTENER, "port",	true,  pol_set_port },
	{ POL_SEC_LISTENER, "flags",	true,  pol_set_flags },
	{ POL_SEC_LISTENER, "app",	false, pol_set_app },
	/* clang-format on */
};

const char *
pol_section_name(enum pol_section_id id)
{
	static const char *const names[POL_NSEC] = {
		[POL_SEC_TOR] = "tor",
		[POL_SEC_GATEWAY] = "gateway",
		[POL_SEC_USERS] = "users",
		[POL_SEC_FIREWALL] = "firewall",
		[POL_SEC_TIMESYNC] = "timesync",
		[POL_SEC_RESOLVER] = "resolver",
		[POL_SEC_WHONIX] = "whonix",
		[POL_SEC_EGRESS] = "egress",
		[POL_SEC_SERVICE] = "service",
		[POL_SEC_TRANSPORT] = "transport",
		[POL_SEC_GROUP] = "group",
		[POL_SEC_LISTENER] = "listener",
	};

	return names[id];
}

bool
pol_section_named(enum pol_section_id id)
{
	return id >= POL_SEC_EGRESS && id < POL_NSEC;
}

size_t
pol_keyword_find(enum pol_section_id section, const char *name)
{
	size_t i = 0;

	while (i < POL_NKEYWORDS && (pol_keywords[i].section != section ||
	    strcmp(pol_keywords[i].name, name) != 0))
		i++;
	return i;
}

struct pol_where
pol_set_at(const struct pol_draft *d, enum pol_section_id section,
    const char *name)
{
	return d->set[pol_keyword_find(section, name)];
}
