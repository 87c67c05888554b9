#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/parse.h"

static const struct {
	unsigned bit;
	const char *name;
} auths[] = {
	{ POL_AUTH_SAFECOOKIE, "safecookie" },
	{ POL_AUTH_PASSWORD, "password" },
	{ POL_AUTH_COOKIE, "cookie" },
	{ POL_AUTH_NULL, "null" },
};

/* The parser lets no quote or backslash into any value: none is escaped. */
static void
print_text(FILE *f, const char *key, const char *value)
{
	if (value[0] != '\0')
		(void)fprintf(f, "\t%s = \"%s\"\n", key, value);
}

static void
print_user(FILE *f, const char *key, const struct pol_user *user)
{
	if (user->name[0] != '\0')
		print_text(f, key, user->name);
	else
		(void)fprintf(f, "\t%s = %u\n", key, user->uid);
}

static void
print_tor(FILE *f, const struct pol_tor *tor)
{
	char control[sizeof "unix:" + POL_PATH_LEN];
	const char *comma = "";

	(void)fputs("tor {\n", f);
	print_user(f, "user", &tor->user);
	if (tor->control_is_unix) {
		(void)snprintf(control, sizeof control, "unix:%s",
		    tor->control_path);
	} else {
		pol_addrport_format(control, sizeof control,
		    &tor->control_addr, tor->control_port);
	}
	print_text(f, "control", control);
	(void)fputs("\tauth = {", f);
	for (size_t i = 0; i < sizeof auths / sizeof auths[0]; i++) {
		if ((tor->auth & auths[i].bit) == 0)
			continue;
		(void)fprintf(f, "%s \"%s\"", comma, auths[i].name);
		comma = ",";
	}
	(void)fputs(" }\n", f);
	print_text(f, "cookie_file", tor->cookie_file);
	print_text(f, "password_file", tor->password_file);
	(void)fputs("}\n", f);
}

static void
print_ifaces(FILE *f, const char *key, const char (*list)[POL_IFNAME_LEN],
    size_t n)
{
	(void)fprintf(f, "\t%s = {", key);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(f, "%s \"%s\"", i != 0 ? "," : "", list[i]);
	(void)fputs(" }\n", f);
}

static void
print_gateway(FILE *f, const struct pol_policy *p)
{
	(void)fputs("gateway {\n", f);
	print_ifaces(f, "internal", p->internal, p->ninternal);
	print_ifaces(f, "external", p->external, p->nexternal);
	print_text(f, "closed", p->closed == POL_CLOSED_STRICT ?
	    "strict" : "tor-allowed");
	(void)fprintf(f, "\tlease_ms = %u\n\tprobe_ms = %u\n\tdhcp = %s\n",
	    p->lease_ms, p->probe_ms, p->dhcp ? "true" : "false");
	print_text(f, "run_dir", p->run_dir);
	(void)fputs("}\n", f);
}

static void
print_users(FILE *f, const struct pol_policy *p)
{
	(void)fputs("users {\n", f);
	print_user(f, "gate", &p->gate_user);
	print_user(f, "engine", &p->engine_user);
	print_user(f, "status", &p->status_user);
	(void)fputs("}\n", f);
}

/* How many listeners, from L on, are at its place: N at most. */
static size_t
same_place(const struct pol_listener *l, size_t n)
{
	size_t i = 1;

	if (l->addr.family == AF_UNIX)
		return 1; /* without a port it is alone there */
	while (i < n && l[i].ifaddr == l->ifaddr &&
	    pol_addr_equal(&l[i].addr, &l->addr))
		i++;
	return i;
}

static void
print_place(FILE *f, const struct pol_policy *p, const struct pol_listener *l)
{
	char addr[INET6_ADDRSTRLEN];

	if (l->addr.family == AF_UNIX) {
		(void)fprintf(f, "\"unix:%s\"", l->path);
	} else if (l->ifaddr != 0) {
		(void)fprintf(f, "\"interface:%s:%s\"",
		    p->ifaddrs[l->ifaddr - 1].ifname,
		    l->addr.family == AF_INET6 ? "ipv6" : "ipv4");
	} else {
		pol_addr_format(addr, sizeof addr, &l->addr);
		(void)fprintf(f, "\"%s\"", addr);
	}
}

/* Where the section listens. */
static void
print_places(FILE *f, const struct pol_policy *p,
    const struct pol_listener *l, size_t n)
{
	(void)fputs("\taddress = {", f);
	for (size_t i = 0; i < n; i += same_place(&l[i], n - i)) {
		(void)fputs(i != 0 ? ", " : " ", f);
		print_place(f, p, &l[i]);
	}
	(void)fputs(" }\n", f);
}

/* The ports of the N listeners of one section's first place that has any. */
static void
print_ports(FILE *f, const struct pol_listener *l, size_t n)
{
	size_t i = 0;

	while (n != 0 && l->addr.family == AF_UNIX) {
		l++;
		n--;
	}
	if (n == 0)
		return;
	n = same_place(l, n);
	(void)fputs("\tport = {", f);
	while (i < n) {
		size_t first = i;

		while (i + 1 < n && l[i + 1].port == l[i].port + 1)
			i++;
		(void)fprintf(f, "%s \"%u", first != 0 ? "," : "",
		    (unsigned)l[first].port);
		if (i != first)
			(void)fprintf(f, "-%u", (unsigned)l[i].port);
		(void)fputs("\"", f);
		i++;
	}
	(void)fputs(" }\n", f);
}

static void
print_flags(FILE *f, const char *flags)
{
	const char *comma = "";

	if (flags[0] == '\0')
		return;
	(void)fputs("\tflags = {", f);
	while (*flags != '\0') {
		size_t n = strcspn(flags, " ");

		(void)fprintf(f, "%s \"%.*s\"", comma, (int)n, flags);
		comma = ",";
		flags += n;
		flags += strspn(flags, " ");
	}
	(void)fputs(" }\n", f);
}

/* The N listeners of one section, in the order in which parsing made them. */
static void
print_section(FILE *f, const struct pol_policy *p,
    const struct pol_listener *l, size_t n)
{
	(void)fprintf(f, "listener \"%s\" {\n\tkind = \"%s\"\n", l->name,
	    pol_kind_name(l->kind));
	print_text(f, "app", l->app);
	print_places(f, p, l, n);
	print_ports(f, l, n);
	print_flags(f, l->flags);
	(void)fputs("}\n", f);
}

static void
print_listeners(FILE *f, const struct pol_policy *p)
{
	size_t i = 0;

	while (i < p->nlisteners) {
		const struct pol_listener *l = &p->listeners[i];
		size_t n = 1;

		while (i + n < p->nlisteners &&
		    strcmp(l[n].name, l->name) == 0)
			n++;
		print_section(f, p, l, n);
		i += n;
	}
}

char *
pol_print(const struct pol_policy *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool failed;

	if (f == NULL)
		return NULL;
	print_tor(f, &p->tor);
	print_gateway(f, p);
	print_users(f, p);
	print_listeners(f, p);
	failed = ferror(f) != 0;
	if (fclose(f) == EOF || failed) {
		free(text);
		return NULL;
	}
	return text;
}
