#include "supervisor/status/places.h"

#include <stdlib.h>

#include "supervisor/log.h"

static struct status_user *
find(const struct status_places *p, uid_t uid, bool staff)
{
	struct status_user *u;

	LIST_FOREACH(u, &p->users, link)
		if (u->uid == uid && u->staff == staff)
			return u;
	return NULL;
}

void
status_places_init(struct status_places *p, size_t most)
{
	p->most = most;
	p->held = p->staff = 0;
	LIST_INIT(&p->users);
}

struct status_user *
status_places_take(struct status_places *p, uid_t uid, bool staff)
{
	struct status_user *u = find(p, uid, staff);

	if (u == NULL) {
		u = xcalloc(1, sizeof *u);
		u->uid = uid;
		u->staff = staff;
		LIST_INSERT_HEAD(&p->users, u, link);
	}
	u->held++;
	p->held++;
	p->staff += staff;
	return u;
}

void
status_places_leave(struct status_places *p, struct status_user *u)
{
	p->held--;
	p->staff -= u->staff;
	if (--u->held > 0)
		return;
	LIST_REMOVE(u, link);
	free(u);
}

bool
status_places_full(const struct status_places *p)
{
	return p->held >= p->most;
}

/* Who has most; of the staff too only if STAFF. */
static struct status_user *
largest(const struct status_places *p, bool staff)
{
	struct status_user *u, *most = NULL;

	LIST_FOREACH(u, &p->users, link)
		if ((staff || !u->staff) &&
		    (most == NULL || u->held > most->held))
			most = u;
	return most;
}

struct status_user *
status_places_yield(const struct status_places *p, uid_t uid, bool staff)
{
	const struct status_user *own = find(p, uid, staff);
	const size_t held = own != NULL ? own->held : 0;
	const bool ample = p->staff > p->most / 2; /* staff have enough */
	struct status_user *u = largest(p, ample);

	if (u == NULL || u == own)
		return NULL;
	if (staff && !ample)
		return u; /* a guest */
	/* One more here is one less there: that must be no fewer than here. */
	return u->held > held + 1 ? u : NULL;
}
