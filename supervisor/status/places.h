/*
 * Whose the places at status.sock are.  Pure.
 *
 * Nobody is kept from taking what nobody else wants.  Once all are taken, one
 * user gives way to another who has fewer, so that no user can keep the rest
 * out; and everybody gives way to the staff (root, our own user, the group of
 * control.sock), until they have half of all.
 */
#ifndef STATUS_PLACES_H
#define STATUS_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

/* A user with at least one place. */
struct status_user {
	LIST_ENTRY(status_user) link;
	uid_t uid;
	bool staff;
	size_t held;
};

struct status_places {
	size_t most, held, staff; /* places: in all, taken, taken by staff */
	LIST_HEAD(, status_user) users;
};

void status_places_init(struct status_places *p, size_t most);

/* One place more for UID.  Ends the process when memory is out. */
struct status_user *status_places_take(struct status_places *p, uid_t uid,
    bool staff);

/* One place less for U, which is gone with its last one. */
void status_places_leave(struct status_places *p, struct status_user *u);

bool status_places_full(const struct status_places *p);

/*
 * All are taken, and UID comes: who is to give up a place for it.  NULL:
 * nobody.
 */
struct status_user *status_places_yield(const struct status_places *p,
    uid_t uid, bool staff);

#endif
