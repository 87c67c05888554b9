/*
 * What Tor is asked about itself: the rig answers by itself, so that only the
 * scenarios that are about it have it in them.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/scenario.h"

#define NKEY 5

static const struct {
	const char *key, *word, *value;
} keys[NKEY] = {
	{ "dormant", "dormant=", "0" },
	{ "consensus/valid-after", "after=", "2025-12-31 23:00:00" },
	{ "consensus/fresh-until", "fresh=", "2026-01-01 00:00:00" },
	{ "consensus/valid-until", "until=", "2026-01-01 02:00:00" },
	{ "uptime", "uptime=", "1000" },
};

void
about_init(void)
{
	memset(&w.about, 0, sizeof w.about);
	for (unsigned i = 0; i < NKEY; i++)
		(void)snprintf(w.about.value[i], sizeof w.about.value[i],
		    "%s", keys[i].value);
	(void)snprintf(w.about.utc, sizeof w.about.utc,
	    "2026-01-01T00:00:00Z");
}

bool
about_take(const char *cmd)
{
	if (w.about.by_hand || strncmp(cmd, "GETINFO ", 8) != 0)
		return false;
	for (unsigned i = 0; i < NKEY; i++) {
		if (strncmp(cmd + 8, keys[i].key, strlen(keys[i].key)) != 0)
			continue;
		ck_assert_str_eq(w.about.cmd, "");
		(void)snprintf(w.about.cmd, sizeof w.about.cmd, "%s ",
		    cmd + 8);
		return true;
	}
	return false;
}

/* Is KEY one of the words of the question? */
static bool
is_asked(const char *key)
{
	char word[64];

	(void)snprintf(word, sizeof word, "%s ", key);
	return strstr(w.about.cmd, word) != NULL;
}

static void
answer(char *text, size_t cap)
{
	size_t n = 0;

	for (unsigned i = 0; i < NKEY; i++)
		if (is_asked(keys[i].key) && (w.about.lacks >> i & 1) != 0)
			n += (size_t)snprintf(text + n, cap - n,
			    "552-Unrecognized key \"%s\"\r\n", keys[i].key);
	if (n > 0) {
		(void)snprintf(text + n, cap - n, "552 OK\r\n");
		return;
	}
	for (unsigned i = 0; i < NKEY; i++)
		if (is_asked(keys[i].key) && (w.about.fails >> i & 1) != 0)
			n += (size_t)snprintf(text, cap, "551 Not now\r\n");
	if (n > 0)
		return;
	for (unsigned i = 0; i < NKEY; i++)
		if (is_asked(keys[i].key))
			n += (size_t)snprintf(text + n, cap - n,
			    "250-%s=%s\r\n", keys[i].key, w.about.value[i]);
	(void)snprintf(text + n, cap - n, "250 OK\r\n");
}

void
about_answer(void)
{
	char text[1024];

	while (w.linked && w.about.cmd[0] != '\0') {
		answer(text, sizeof text);
		w.about.cmd[0] = '\0';
		w.about.asked++;
		engine_tor_bytes(w.e, text, strlen(text), w.now);
		(void)world_settle();
	}
	w.about.cmd[0] = '\0';
}

static unsigned
bit_of(const char *key)
{
	for (unsigned i = 0; i < NKEY; i++)
		if (strncmp(keys[i].word, key, strlen(key)) == 0)
			return 1u << i;
	world_trouble("about", key);
}

static void
set(const char *word)
{
	const char *value = strchr(word, '=');

	if (value == NULL)
		world_trouble("about", word);
	value++;
	if (strncmp(word, "utc=", 4) == 0) {
		(void)snprintf(w.about.utc, sizeof w.about.utc, "%s", value);
		return;
	}
	for (unsigned i = 0; i < SNAP_NTS; i++)
		if (strncmp(word, "sync=", 5) == 0 && i != SNAP_TS_NONE &&
		    strcmp(value, snap_timesync_name(i)) == 0) {
			engine_timesync(w.e, i);
			return;
		}
	for (unsigned i = 0; i < NKEY; i++) {
		if (strncmp(word, keys[i].word, strlen(keys[i].word)) != 0)
			continue;
		(void)snprintf(w.about.value[i], sizeof w.about.value[i],
		    "%s", value);
		for (char *s = w.about.value[i]; *s != '\0'; s++)
			if (*s == '_')
				*s = ' ';
		return;
	}
	world_trouble("about", word);
}

/* "lacks KEY", "fails KEY", "has all", "by hand", or KEY=VALUE ... */
void
script_about(char *arg)
{
	world_flush();
	if (strncmp(arg, "lacks ", 6) == 0)
		w.about.lacks |= bit_of(arg + 6);
	else if (strncmp(arg, "fails ", 6) == 0)
		w.about.fails |= bit_of(arg + 6);
	else if (strcmp(arg, "has all") == 0)
		w.about.lacks = w.about.fails = 0;
	else if (strcmp(arg, "by hand") == 0)
		w.about.by_hand = true;
	else
		for (char *s = strtok(arg, " "); s != NULL;
		    s = strtok(NULL, " "))
			set(s);
	(void)world_settle();
}

/* "t.KEY": of the last snapshot's tor; blanks as _, nothing as -. */
const char *
about_value(const char *key, char *buf, size_t cap)
{
	const struct snap_tor *t = &w.snap.tor;
	const struct {
		const char *key, *text;
	} texts[] = { { "enabled", snap_known_name(t->enabled) },
		{ "dormant", snap_known_name(t->dormant) },
		{ "auth", snap_auth_name(t->auth) },
		{ "since", t->since }, { "lost", t->lost },
		{ "line", t->boot_line }, { "severity", t->boot_severity },
		{ "reason", t->boot_reason },
		{ "recommendation", t->boot_recommendation },
		{ "usable", snap_known_name(t->usable) },
		{ "clock", snap_clock_name(t->clock) },
		{ "built", t->built },
		{ "timesync", snap_timesync_name(t->timesync) } };
	const struct {
		const char *key;
		long long value;
	} numbers[] = { { "restarts", t->restarts },
		{ "count", t->boot_count }, { "id", (long long)t->built_id },
		{ "after", t->valid_after }, { "fresh", t->fresh_until },
		{ "until", t->valid_until }, { "skewed", t->skew_known },
		{ "skew", t->skew_s }, { "asked", w.about.asked } };

	if (strncmp(key, "t.", 2) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (strcmp(key + 2, texts[i].key) != 0)
			continue;
		(void)snprintf(buf, cap, "%s", texts[i].text == NULL ||
		    texts[i].text[0] == '\0' ? "-" : texts[i].text);
		for (char *s = buf; *s != '\0'; s++)
			if (*s == ' ')
				*s = '_';
		return buf;
	}
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (strcmp(key + 2, numbers[i].key) != 0)
			continue;
		(void)snprintf(buf, cap, "%lld", numbers[i].value);
		return buf;
	}
	return NULL;
}
