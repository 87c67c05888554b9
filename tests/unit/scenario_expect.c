/*
 * What a scenario may expect, by its key.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/engine/isolation.h"
#include "tests/unit/scenario.h"

void
world_trouble(const char *what, const char *detail)
{
	ck_abort_msg("%s:%u: %s: %s (state %s, gate %s, reason %s: %s)",
	    w.file, w.line, what, detail, sm_name(engine_state(w.e)),
	    gate_position_name(engine_asked(w.e)), engine_reason_code(w.e),
	    w.snap.reason);
}

/* What KEY of the table's line I is, if it is one of those. */
static const char *
table_value(const char *key, char *buf, size_t cap)
{
	const struct snap_listener *l;
	unsigned i;
	int n = 0;

	if (sscanf(key, "%*[a-z]%u%n", &i, &n) != 1 || n == 0 || i >= 64)
		return NULL;
	l = &w.table[i];
	if (strncmp(key, "why", 3) == 0)
		return snap_listener_why_name(l->why);
	if (strncmp(key, "is", 2) == 0)
		return snap_listener_state_name(l->state);
	if (strncmp(key, "at", 2) == 0)
		return l->address;
	if (strncmp(key, "sure", 4) == 0)
		(void)snprintf(buf, cap, "%u", l->flags_sure);
	else if (strncmp(key, "uid", 3) == 0)
		(void)snprintf(buf, cap, "%u", l->uid);
	else if (strncmp(key, "pid", 3) == 0)
		(void)snprintf(buf, cap, "%d", (int)l->pid);
	else if (strncmp(key, "ifaddr", 6) == 0 && i < POL_MAX_IFADDRS &&
	    w.gate.ifaddr[i].family != 0)
		pol_addr_format(buf, cap, &w.gate.ifaddr[i]);
	else
		return NULL;
	return buf;
}

/* The bits of the last request, for as many listeners as there are. */
static const char *
gate_bits(char *buf, size_t cap)
{
	size_t n = w.policy.nlisteners;

	ck_assert_uint_lt(n, cap);
	for (unsigned i = 0; i < n; i++)
		buf[i] = gate_map_get(w.gate.proven, i) ? '1' : '0';
	buf[n] = '\0';
	return buf;
}

/* May Tor reach TEXT, "192.0.2.1:443", by the list in force? */
static const char *
reaches(const char *text)
{
	struct gate_relay want = { .reserved = 0 };
	struct pol_addr addr;

	ck_assert(pol_addrport_parse(&addr, &want.port, text));
	want.v6 = addr.family == AF_INET6;
	if (want.v6)
		memcpy(want.addr, &addr.v6, sizeof addr.v6);
	else
		memcpy(want.addr, &addr.v4, sizeof addr.v4);
	for (uint32_t i = 0; i < w.gate.nrelays; i++)
		if (memcmp(&w.gate.relay[i], &want, sizeof want) == 0)
			return "yes";
	return "no";
}

static unsigned
nclients(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < ISO_SLOTS; i++)
		n += w.client[i];
	return n;
}

static const char *
value_of(const char *key, char *buf, size_t cap)
{
	const struct {
		const char *key;
		unsigned value;
	} numbers[] = { { "proven", engine_facts(w.e)->nproven },
		{ "asked", w.gate.nproven }, { "clients", nclients() },
		{ "uid", w.snap.trouble[0].uid },
		{ "pid", (unsigned)w.snap.trouble[0].pid },
		{ "withheld", w.snap.nwithheld }, { "extra", w.snap.nextra },
		{ "alarm", w.snap.nalarm },
		{ "trouble", w.snap.ntrouble },
		{ "lines", w.nlines }, { "marks", w.nmarks },
		{ "owners", w.nowner }, { "snaps", w.nsnaps },
		{ "refused", w.result.refused },
		{ "looks", w.looks }, { "sent", w.nsent },
		{ "relays", w.gate.nrelays }, { "listed", w.snap.nrelays },
		{ "generation", w.gate.generation },
		{ "repairs", (unsigned)w.snap.repairs } };

	if (strcmp(key, "state") == 0)
		return sm_name(engine_state(w.e));
	if (strcmp(key, "gate") == 0)
		return gate_position_name(engine_asked(w.e));
	if (strcmp(key, "reason") == 0)
		return engine_reason_code(w.e);
	if (strcmp(key, "bits") == 0)
		return gate_bits(buf, cap);
	if (strcmp(key, "result") == 0)
		return w.result.magic == 0 ? "none" : w.result.ok ? "ok" :
		    "no";
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (strcmp(key, numbers[i].key) != 0)
			continue;
		(void)snprintf(buf, cap, "%u", numbers[i].value);
		return buf;
	}
	if (about_value(key, buf, cap) != NULL)
		return buf;
	if (apply_value(key, buf, cap) != NULL)
		return apply_value(key, buf, cap);
	return names_value(key, buf, cap) != NULL ?
	    names_value(key, buf, cap) : table_value(key, buf, cap);
}

/* Is WORDS, with _ for each space, in what people are told? */
static bool
is_told(const char *words)
{
	char text[SNAP_TEXT];

	(void)snprintf(text, sizeof text, "%s", words);
	for (char *s = text; *s != '\0'; s++)
		if (*s == '_')
			*s = ' ';
	return strstr(w.snap.reason, text) != NULL ||
	    (text[0] != '\0' && strstr(w.snap.advice, text) != NULL) ||
	    strcmp(w.snap.boot_warning, text) == 0 ||
	    (text[0] != '\0' && strstr(w.snap.relays_fault, text) != NULL) ||
	    (text[0] != '\0' && strstr(w.snap.apply_text, text) != NULL) ||
	    strcmp(w.snap.extra[0].address, text) == 0;
}

void
world_expect(const char *word)
{
	const char *value = strchr(word, '='), *is;
	char key[32], buf[SNAP_BOOT_LINE];

	if (value == NULL || (size_t)(value - word) >= sizeof key)
		world_trouble("not key=value", word);
	(void)snprintf(key, sizeof key, "%.*s", (int)(value - word), word);
	if (strcmp(key, "told") == 0) {
		if (!is_told(value + 1))
			world_trouble(word, "it is not told");
		return;
	}
	if (strcmp(key, "tor") == 0 || strcmp(key, "try") == 0) {
		if (!names_reached(key[1] == 'o' ? GATE_REACH_TOR :
		    GATE_REACH_RESOLVER, value + 1))
			world_trouble(word, "it cannot be reached");
		return;
	}
	if (strcmp(key, "reach") == 0 || strcmp(key, "refuse") == 0) {
		if ((reaches(value + 1)[0] == 'y') != (key[2] == 'a'))
			world_trouble(word, "it is the other way round");
		return;
	}
	is = value_of(key, buf, sizeof buf);
	if (is == NULL || strcmp(is, value + 1) != 0)
		world_trouble(word, is != NULL ? is : "nothing");
}
