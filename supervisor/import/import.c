#include "supervisor/import/import.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/portline.h"
#include "supervisor/import/files.h"
#include "supervisor/import/knobs.h"
#include "supervisor/import/notes.h"
#include "supervisor/import/quote.h"
#include "supervisor/import/table.h"
#include "supervisor/import/torrc.h"

/* A list of ports in quotes, with commas. */
#define PORTS_CAP (POL_MAX_RULE_PORTS * (IMPORT_NAME_LEN + 4))

struct import {
	int root;
	struct import_knobs knobs;
	struct import_torrc torrc;
	struct import_notes notes;
	bool any; /* a drop-in was read */
};

/* The folders of drop-ins, in the order in which the firewall reads them. */
static const char *const folders[] = { "/etc/whonix_firewall.d",
	"/usr/local/etc/whonix_firewall.d" };

static void
read_dropin(struct import *im, const char *path)
{
	size_t len;
	char *text = import_read(im->root, path, &len);

	if (text == NULL) {
		import_note(&im->notes, "%s is not read: %s.", path,
		    errno == EINVAL ? "no regular file" : strerror(errno));
		return;
	}
	im->any = true;
	import_knobs_read(&im->knobs, text, len, path, &im->notes);
	free(text);
}

static void
read_dropins(struct import *im, const char *folder)
{
	struct import_names names;
	char path[IMPORT_PATH_LEN];

	if (import_list(im->root, folder, "*.conf", &names) == -1) {
		if (errno != ENOENT)
			import_note(&im->notes, "%s is not read: %s.",
			    folder, strerror(errno));
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder,
		    names.name[i]);
		read_dropin(im, path);
	}
	import_names_clear(&names);
}

static bool
is_on(const struct import *im, enum import_knob knob)
{
	return import_knob_on(&im->knobs, knob);
}

static bool
is_vpn(const struct import *im)
{
	return is_on(im, KNOB_VPN_FIREWALL) ||
	    is_on(im, KNOB_TUNNEL_FIREWALL);
}

static bool
is_timesync(const struct import *im)
{
	return strcmp(import_knob(&im->knobs, KNOB_MODE),
	    "timesync-fail-closed") == 0;
}

/* Is there such an account?  Without a list of them we cannot tell. */
static bool
has_user(const struct import *im, const char *user)
{
	size_t len, n = strlen(user);
	char *text = import_read(im->root, "/etc/passwd", &len);
	const char *p = text;
	bool found = false;

	while (p != NULL && !found) {
		found = strncmp(p, user, n) == 0 && p[n] == ':';
		p = strchr(p, '\n');
		p = p == NULL ? NULL : p + 1;
	}
	free(text);
	return found;
}

/* KEYWORD and a value of somebody's. */
static void
print_setting(FILE *out, const char *keyword, const char *scheme,
    const char *value)
{
	char text[POL_PATH_LEN + 16];

	(void)snprintf(text, sizeof text, "%s%s", scheme, value);
	fprintf(out, "\t%s = ", keyword);
	import_quote(out, text);
	fputc('\n', out);
}

/* A list of the words of A and of B, if that is not KNOB_N. */
static void
print_words(FILE *out, const struct import *im, enum import_knob a,
    enum import_knob b)
{
	const enum import_knob knobs[] = { a, b };
	char word[IMPORT_NAME_LEN];
	bool some = false;

	fputs("{", out);
	for (size_t i = 0; i < 2 && knobs[i] != KNOB_N; i++)
		for (size_t at = 0; import_knob_word(&im->knobs, knobs[i],
		     &at, word); some = true) {
			fputs(some ? ", " : " ", out);
			import_quote(out, word);
		}
	fputs(" }", out);
}

static void
print_tor(FILE *out, const struct import *im)
{
	const struct import_torrc *t = &im->torrc;

	fputs("tor {\n", out);
	print_setting(out, "user", "", t->user[0] != '\0' ? t->user :
	    "debian-tor");
	if (t->control[0] == '\0' && t->control_port != 0)
		fprintf(out, "\tcontrol = \"127.0.0.1:%u\"\n",
		    t->control_port);
	else
		print_setting(out, "control", "unix:", t->control[0] != '\0' ?
		    t->control : "/run/tor/control");
	fputs("\tauth = { \"safecookie\" }\n", out);
	print_setting(out, "cookie_file", "", t->cookie[0] != '\0' ?
	    t->cookie : "/run/tor/control.authcookie");
	if (is_vpn(im)) {
		fputs("\tinterface = ", out);
		print_words(out, im, KNOB_VPN_INTERFACE, KNOB_N);
		fputc('\n', out);
	}
	fputs("}\n\n", out);
}

static void
print_gateway(FILE *out, const struct import *im)
{
	fputs("gateway { internal = ", out);
	print_words(out, im, KNOB_INT_IF, KNOB_N);
	fputs(" external = ", out);
	print_words(out, im, KNOB_EXT_IF, is_vpn(im) ? KNOB_VPN_INTERFACE :
	    KNOB_N);
	fputs(" }\n\n", out);
}

static void
print_firewall(FILE *out, const struct import *im)
{
	const bool frag = is_on(im, KNOB_IN_FRAG_NEEDED);
	const bool echo = is_on(im, KNOB_IN_ICMP);
	const bool tcp = is_on(im, KNOB_GW_TCP), dns = is_on(im, KNOB_GW_DNS);

	fprintf(out, "firewall {\n\ticmp = {%s%s%s }\n",
	    frag ? " \"frag-needed\"" : "", frag && echo ? "," : "",
	    echo ? " \"echo\"" : "");
	if (tcp || dns)
		fprintf(out, "\ttransparent = {%s%s%s }\n",
		    tcp ? " \"tcp\"" : "", tcp && dns ? "," : "",
		    dns ? " \"dns\"" : "");
	fputs("}\n\nwhonix { status_files = \"/run\" }\n\n", out);
}

/* Who has no Tor before the clock is right, and by what: sdwdate's port. */
static void
print_timesync(FILE *out, const struct import *im)
{
	const struct import_torrc *t = &im->torrc;
	struct pol_line line;

	if (!is_timesync(im))
		return;
	for (size_t i = 0; i < t->nports; i++)
		if (t->port[i].kind == POL_SOCKS &&
		    pol_line_parse(&line, t->port[i].value) &&
		    line.port == IMPORT_SDWDATE_PORT) {
			fprintf(out, "timesync { required = true\n"
			    "\tusers = { \"sdwdate\", \"systemcheck\" }\n"
			    "\tlisteners = { \"socks-%d\" } }\n\n",
			    IMPORT_SDWDATE_PORT);
			return;
		}
	fputs("# timesync-fail-closed is asked for, and there is no listener "
	    "at sdwdate's\n# port 9108: name another one.\n"
	    "# timesync { required = true users = { \"sdwdate\" } "
	    "listeners = { ... } }\n\n", out);
}

/* A user of a policy has to exist; the firewall skips one who does not. */
static void
print_egress(FILE *out, struct import *im)
{
	static const char *const users[] = { "clearnet", "tunnel", "user" };
	const bool wanted[] = { true, true, is_on(im, KNOB_USER_USER) };

	for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
		if (wanted[i] && has_user(im, users[i]))
			fprintf(out, "egress \"%s\" { user = \"%s\" }\n",
			    users[i], users[i]);
	if (is_on(im, KNOB_USER_USER) && !has_user(im, "user"))
		import_note(&im->notes, "ALLOW_GATEWAY_USER_USER is set, and "
		    "/etc/passwd has no account \"user\": it has no egress "
		    "section.");
	if (is_vpn(im) && !has_user(im, "tunnel"))
		import_note(&im->notes, "/etc/passwd has no account "
		    "\"tunnel\": the user as whom the VPN program runs needs "
		    "an egress section, or it reaches no server.");
	fputc('\n', out);
}

/* A port or a range of them is digits and a dash; nothing else is printed. */
static bool
is_port(const char *word)
{
	return word[0] != '\0' && word[strspn(word, "0123456789-")] == '\0';
}

/* Ports of the gateway's own, on each interface of SIDE. */
static void
print_service(FILE *out, const struct import *im, enum import_knob side,
    const char *name, const char *what)
{
	char word[IMPORT_NAME_LEN], full[2 * IMPORT_NAME_LEN];
	size_t at = 0, n = 0;

	while (import_knob_word(&im->knobs, side, &at, word)) {
		(void)snprintf(full, sizeof full, n > 0 ? "%s-%s" : "%s",
		    name, word);
		n++;
		fputs("service ", out);
		import_quote(out, full);
		fputs(" { interface = ", out);
		import_quote(out, word);
		fprintf(out, " %s }\n", what);
	}
}

static void
note_port(struct import *im, enum import_knob ports, const char *word)
{
	import_note(&im->notes, "\"%s\" in %s is no port that can be taken "
	    "over; it is left out.", word, import_knob_name(ports));
}

/* The next words of PORTS as a list of one section; false: none is left. */
static bool
list_ports(char list[PORTS_CAP], struct import *im, enum import_knob ports,
    size_t *at)
{
	char word[IMPORT_NAME_LEN];
	size_t n = 0, many = 0;

	while (many < POL_MAX_RULE_PORTS &&
	    import_knob_word(&im->knobs, ports, at, word)) {
		for (char *p = word; *p != '\0'; p++)
			if (*p == ':')
				*p = '-'; /* a range, by iptables */
		if (is_port(word))
			n += (size_t)snprintf(list + n, PORTS_CAP - n,
			    "%s \"%s\"", many++ > 0 ? "," : "", word);
		else
			note_port(im, ports, word);
	}
	return many > 0;
}

static void
print_open(FILE *out, struct import *im, enum import_knob ports,
    const char *name, const char *protocol)
{
	char list[PORTS_CAP], what[PORTS_CAP + 64], full[64];
	size_t at = 0;

	for (unsigned n = 1; list_ports(list, im, ports, &at); n++) {
		(void)snprintf(what, sizeof what, "protocol = \"%s\" port = "
		    "{%s }", protocol, list);
		(void)snprintf(full, sizeof full, n > 1 ? "%s-%u" : "%s",
		    name, n);
		print_service(out, im, KNOB_EXT_IF, full, what);
	}
}

/* Does Tor listen at PORT, by TCP, where workstations are? */
static bool
has_listener(const struct import *im, uint32_t port)
{
	struct pol_line line;

	for (size_t i = 0; i < im->torrc.nports; i++)
		if (pol_kind_l4proto(im->torrc.port[i].kind) == IPPROTO_TCP &&
		    pol_line_parse(&line, im->torrc.port[i].value) &&
		    line.port == port && !line.off)
			return true;
	return false;
}

/* What workstations may call and is not Tor's: a service of the gateway's. */
static void
print_inside(FILE *out, struct import *im)
{
	char word[IMPORT_NAME_LEN], name[IMPORT_NAME_LEN + 16];
	char what[IMPORT_NAME_LEN + 32];
	size_t at = 0;
	uint32_t port;

	if (!import_knob_set(&im->knobs, KNOB_OPEN_INSIDE))
		return;
	while (import_knob_word(&im->knobs, KNOB_OPEN_INSIDE, &at, word)) {
		if (!pol_number_parse(&port, word) || port == 0 ||
		    port > UINT16_MAX) {
			note_port(im, KNOB_OPEN_INSIDE, word);
			continue;
		}
		if (has_listener(im, port))
			continue;
		(void)snprintf(name, sizeof name, "internal-%s", word);
		(void)snprintf(what, sizeof what,
		    "protocol = \"tcp\" port = %s", word);
		print_service(out, im, KNOB_INT_IF, name, what);
	}
}

static void
print_services(FILE *out, struct import *im)
{
	static const struct {
		enum import_knob on, port;
		const char *name;
		enum import_knob side;
	} services[] = {
		{ KNOB_FILTER, KNOB_FILTER_PORT, "control-port-filter-proxy",
		    KNOB_INT_IF },
		{ KNOB_IN_FLASHPROXY, KNOB_FLASHPROXY_PORT, "flashproxy",
		    KNOB_EXT_IF },
		{ KNOB_IN_DIR, KNOB_DIR_PORT, "dir-port", KNOB_EXT_IF },
		{ KNOB_IN_OR, KNOB_OR_PORT, "or-port", KNOB_EXT_IF },
	};
	char what[IMPORT_VALUE_LEN + 32];
	const char *port;

	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
		port = import_knob(&im->knobs, services[i].port);
		if (!is_on(im, services[i].on))
			continue;
		if (!is_port(port)) {
			note_port(im, services[i].port, port);
			continue;
		}
		(void)snprintf(what, sizeof what, "protocol = \"tcp\" port = "
		    "%s", port);
		print_service(out, im, services[i].side, services[i].name,
		    what);
	}
	if (is_on(im, KNOB_IN_SSH))
		print_service(out, im, KNOB_EXT_IF, "ssh",
		    "protocol = \"tcp\" port = 22");
	print_open(out, im, KNOB_OPEN_TCP, "external-tcp", "tcp");
	print_open(out, im, KNOB_OPEN_UDP, "external-udp", "udp");
	if (is_on(im, KNOB_OPEN_ALL))
		print_service(out, im, KNOB_EXT_IF, "external-all",
		    "protocol = \"any\"");
	print_inside(out, im);
	fputc('\n', out);
}

/* "METHODS exec PROGRAM ARGUMENTS": the three, cut out of LINE; or false. */
static bool
cut_plugin(char *line, char *part[3])
{
	char *rest = NULL, *word;

	for (char *p = line; *p != '\0'; p++)
		if (*p == '\t')
			*p = ' ';
	/* What Tor does with the rest no policy says of a transport. */
	if (!import_can_quote(line) || strpbrk(line, "\"\\") != NULL)
		return false;
	part[0] = strtok_r(line, " ", &rest);
	word = strtok_r(NULL, " ", &rest);
	part[1] = strtok_r(NULL, " ", &rest);
	part[2] = rest;
	return part[0] != NULL && part[0][strspn(part[0], ",")] != '\0' &&
	    word != NULL && part[1] != NULL && strcmp(word, "exec") == 0 &&
	    part[1][0] == '/';
}

static void
print_transport(FILE *out, char *part[3])
{
	char *rest = NULL, *m = strtok_r(part[0], ",", &rest);
	bool dns = false, udp = false;

	fputs("transport ", out);
	import_quote(out, m);
	for (const char *mark = " { methods = { "; m != NULL;
	     m = strtok_r(NULL, ",", &rest), mark = ", ") {
		fputs(mark, out);
		import_quote(out, m);
		udp |= strcmp(m, "snowflake") == 0;
		dns |= udp || strncmp(m, "meek", 4) == 0 ||
		    strcmp(m, "webtunnel") == 0;
	}
	fputs(" }\n\tprogram = ", out);
	import_quote(out, part[1]);
	if (part[2] != NULL && part[2][0] != '\0') {
		fputs("\n\targuments = ", out);
		import_quote(out, part[2]);
	}
	if (dns)
		fputs("\n\t# It looks up names: with a section resolver, "
		    "add\n\t# dns = true", out);
	fprintf(out, "%s\n}\n", udp ? "\n\tudp = true" : "");
}

static void
print_transports(FILE *out, struct import *im)
{
	char *part[3];

	for (size_t i = 0; i < im->torrc.nplugins; i++)
		if (cut_plugin(im->torrc.plugin[i], part))
			print_transport(out, part);
		else
			import_note(&im->notes, "ClientTransportPlugin line "
			    "%zu has no equivalent: a transport is a program "
			    "that Tor runs, without quotes.", i + 1);
	if (im->torrc.nplugins > 0)
		fputc('\n', out);
}

static void
note_rest(struct import *im)
{
	const struct import_torrc *t = &im->torrc;

	import_knobs_note(&im->knobs, &im->notes);
	if (t->nbridges + t->nproxies > 0)
		import_note(&im->notes, "bridges (%zu) and proxies (%zu) stay "
		    "in Tor's own files and in force; to have them checked and "
		    "changed as a whole, take them out of there and use "
		    "\"portcullis apply\".", t->nbridges, t->nproxies);
	if (!is_vpn(im))
		import_note(&im->notes, "whonix_firewall lets every account "
		    "reach the local networks of NON_TOR_GATEWAY in the "
		    "clear; this policy does not. An egress section opens "
		    "one to one user.");
}

static int
print_policy(FILE *out, struct import *im)
{
	print_tor(out, im);
	print_gateway(out, im);
	print_firewall(out, im);
	print_timesync(out, im);
	print_egress(out, im);
	print_services(out, im);
	print_transports(out, im);
	return import_table_print(out, &im->torrc, &im->knobs, &im->notes);
}

/* The policy first goes to memory: its notes are to stand before it. */
static enum import_result
print_all(FILE *out, struct import *im)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	bool failed;

	if (f == NULL)
		return IMPORT_FAILED;
	failed = print_policy(f, im) == -1;
	note_rest(im);
	failed |= fclose(f) == EOF;
	if (!failed) {
		fputs("# Made from the settings of a Whonix-Gateway; see "
		    "portcullis.conf(5).\n# Check it with \"portcullisd -n "
		    "-v -f FILE\".\n#\n# What has no equivalent, or asks for "
		    "a look:\n", out);
		failed = import_notes_print(&im->notes, out) == -1;
		fputc('\n', out);
		fputs(text, out);
	}
	free(text);
	return failed ? IMPORT_FAILED : IMPORT_DONE;
}

static enum import_result
read_all(struct import *im)
{
	import_knobs_init(&im->knobs);
	if (import_notes_init(&im->notes) == -1)
		return IMPORT_FAILED;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		read_dropins(im, folders[i]);
	if (import_torrc_read(&im->torrc, im->root, &im->notes) == -1)
		return IMPORT_FAILED;
	return im->any || im->torrc.any ? IMPORT_DONE : IMPORT_NOTHING;
}

enum import_result
import_whonix(FILE *out, const char *root)
{
	struct import *im = calloc(1, sizeof *im);
	enum import_result rc = IMPORT_FAILED;

	if (im == NULL)
		return rc;
	im->root = import_root(root);
	if (im->root != -1) {
		rc = read_all(im);
		if (rc == IMPORT_DONE)
			rc = print_all(out, im);
		import_torrc_clear(&im->torrc);
		import_notes_clear(&im->notes);
		(void)close(im->root);
	}
	free(im);
	return rc;
}
