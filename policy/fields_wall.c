/*
 * One function per keyword of sections firewall, timesync and whonix; see
 * fields.c.
 */
#include <stdio.h>
#include <string.h>

#include "policy/draft.h"
#include "policy/fields.h"

/* More than a hundred lines a second would be a way to fill a disk. */
#define LOG_MAX 6000

/* The word's place in NAMES goes to *OUT, unless it is none of them. */
static bool
choose(struct pol_field *f, size_t *out, const char *const *names, size_t n)
{
	size_t which = pol_field_choose(f, f->words[0], names, n);

	if (which < n)
		*out = which;
	return which < n;
}

void
pol_set_mode(struct pol_field *f)
{
	static const char *const names[] = {
		[POL_MODE_STANDALONE] = "standalone",
		[POL_MODE_VETO] = "veto",
	};
	size_t which;

	if (choose(f, &which, names, 2))
		f->d->p->firewall.mode = (enum pol_mode)which;
}

void
pol_set_refuse(struct pol_field *f)
{
	static const char *const names[] = {
		[POL_REFUSE_REJECT] = "reject",
		[POL_REFUSE_DROP] = "drop",
	};
	size_t which;

	if (choose(f, &which, names, 2))
		f->d->p->firewall.refuse = (enum pol_refuse)which;
}

void
pol_set_routes(struct pol_field *f)
{
	static const char *const names[] = {
		[POL_ROUTES_INTERNAL] = "internal",
		[POL_ROUTES_FULL] = "full",
		[POL_ROUTES_OFF] = "off",
	};
	size_t which;

	if (choose(f, &which, names, 3))
		f->d->p->firewall.routes = (enum pol_routes)which;
}

/* Each word is the bit of its place in NAMES; one wrong changes nothing. */
static void
set_bits(struct pol_field *f, unsigned *out, const char *const *names,
    size_t n)
{
	unsigned bits = 0;

	for (size_t i = 0; i < f->n; i++) {
		size_t which = pol_field_choose(f, f->words[i], names, n);

		if (which == n)
			return;
		bits |= 1u << which;
	}
	*out = bits;
}

void
pol_set_icmp(struct pol_field *f)
{
	static const char *const names[] = { "frag-needed", "unreachable",
		"echo" };
	_Static_assert(POL_ICMP_FRAG_NEEDED == 1 && POL_ICMP_UNREACHABLE == 2 &&
	    POL_ICMP_ECHO == 4, "names[] follows the bits");

	set_bits(f, &f->d->p->firewall.icmp, names, 3);
}

void
pol_set_transparent(struct pol_field *f)
{
	static const char *const names[] = { "tcp", "dns" };
	_Static_assert(POL_TRANSPARENT_TCP == 1 && POL_TRANSPARENT_DNS == 2,
	    "names[] follows the bits");

	set_bits(f, &f->d->p->firewall.transparent, names, 2);
}

void
pol_set_ra(struct pol_field *f)
{
	(void)pol_field_bool(f, &f->d->p->firewall.ra);
}

void
pol_set_log(struct pol_field *f)
{
	(void)pol_field_number(f, &f->d->p->firewall.log_per_minute, 0,
	    LOG_MAX);
}

void
pol_set_required(struct pol_field *f)
{
	(void)pol_field_bool(f, &f->d->p->timesync.required);
}

void
pol_set_workstations(struct pol_field *f)
{
	(void)pol_field_bool(f, &f->d->p->timesync.workstations);
}

/* Room for the names of the files that are looked for in it. */
#define DIRECTORY_MAX (POL_PATH_LEN - 32)

void
pol_set_directory(struct pol_field *f)
{
	char *dst = f->d->p->timesync.directory;

	if (pol_field_path(f, f->words[0], DIRECTORY_MAX))
		(void)snprintf(dst, POL_PATH_LEN, "%s", f->words[0]);
}

void
pol_set_status_files(struct pol_field *f)
{
	char *dst = f->d->p->status_files;

	if (pol_field_path(f, f->words[0], POL_STATUS_FILES_MAX))
		(void)snprintf(dst, POL_PATH_LEN, "%s", f->words[0]);
}

/* WORD, one more user. */
static void
add_time_user(struct pol_field *f, const char *word)
{
	struct pol_timesync *t = &f->d->p->timesync;
	struct pol_user user;
	char shown[POL_QUOTE_LEN];

	if (!pol_field_user(f, word, &user))
		return;
	for (size_t i = 0; i < t->nusers; i++)
		if (pol_same_user(&t->users[i], &user)) {
			POL_COMPLAIN(f, "user \"%s\" is named twice: remove "
			    "one", pol_quote(shown, word));
			return;
		}
	t->users[t->nusers++] = user;
}

void
pol_set_time_users(struct pol_field *f)
{
	struct pol_timesync *t = &f->d->p->timesync;

	if (f->n > POL_MAX_TIME_USERS) {
		POL_COMPLAIN(f, "\"users\" names too many: %d at most",
		    POL_MAX_TIME_USERS);
		return;
	}
	memset(t->users, 0, sizeof t->users);
	t->nusers = 0;
	for (size_t i = 0; i < f->n; i++)
		add_time_user(f, f->words[i]);
}

/* WORD, one more section's name; whether there is one shows in the end. */
static void
add_time_listener(struct pol_field *f, const char *word)
{
	struct pol_draft *d = f->d;
	char shown[POL_QUOTE_LEN];

	if (word[0] == '\0' || strlen(word) >= POL_NAME_LEN) {
		POL_COMPLAIN(f, "\"%s\" is no listener's name: it has 1 to %d "
		    "letters", pol_quote(shown, word), POL_NAME_LEN - 1);
		return;
	}
	for (size_t i = 0; i < d->ntime_listeners; i++)
		if (strcmp(d->time_listeners[i], word) == 0) {
			POL_COMPLAIN(f, "listener \"%s\" is named twice: "
			    "remove one", pol_quote(shown, word));
			return;
		}
	(void)snprintf(d->time_listeners[d->ntime_listeners++], POL_NAME_LEN,
	    "%s", word);
}

void
pol_set_time_listeners(struct pol_field *f)
{
	if (f->n > POL_MAX_TIME_LISTENERS) {
		POL_COMPLAIN(f, "\"listeners\" names too many: %d at most",
		    POL_MAX_TIME_LISTENERS);
		return;
	}
	f->d->ntime_listeners = 0;
	for (size_t i = 0; i < f->n; i++)
		add_time_listener(f, f->words[i]);
}
