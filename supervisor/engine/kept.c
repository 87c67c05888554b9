#include "supervisor/engine/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/reply.h"
#include "supervisor/engine/changing.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* The keeper looks at some ten files; it may be writing to a slow disk. */
#define LOOK_MS 10000
/* A Tor that says without end that it reloads is looked at this often. */
#define LOOK_AGAIN_MS 1000
/* Names of its own may have to be looked up first. */
#define SET_MS 30000
/* Of a path so much is shown: its end says more than its beginning. */
#define SHOWN 88

static const char *const keys[] = { "config-file", "config-defaults-file" };
#define NKEYS (sizeof keys / sizeof keys[0])

void
kept_init(struct engine *e)
{
	e->kept = (struct kept){ .finding = LINK_F_GOOD };
}

static void
forget(struct kept *k)
{
	if (k->says != NULL)
		explicit_bzero(k->says, sizeof *k->says);
	free(k->says);
	k->says = NULL;
}

void
kept_clear(struct engine *e)
{
	forget(&e->kept);
}

void
kept_lost(struct engine *e)
{
	forget(&e->kept);
	e->kept = (struct kept){ .look.id = e->kept.look.id };
	kept_doubt(e);
}

void
kept_doubt(struct engine *e)
{
	struct kept *k = &e->kept;

	if (e->policy->tor.torrc[0] == '\0')
		return;
	k->wanted = k->judge = true;
	/* Nor does an answer count that was asked for before. */
	k->asked = k->seen = k->setting = k->open_set = false;
}

void
kept_settled(struct engine *e)
{
	e->kept.judge = e->kept.setting = false;
	e->kept.state = KEPT_GOOD;
	forget(&e->kept);
}

/* --- Tor is asked which files it reads ----------------------------------- */

bool
kept_due(const struct engine *e)
{
	return e->conf_read && e->kept.wanted && !e->kept.named &&
	    !e->kept.open;
}

void
kept_ask(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->kept.open = true;
	session_send(e, CMD_FILES, &cmd, cp_cmd_getinfo(&cmd, keys, NKEYS),
	    now);
}

/* What is no path of ours is none. */
static void
take_path(char dst[LINK_PATH], struct cp_str v)
{
	memset(dst, 0, LINK_PATH);
	if (v.n >= LINK_PATH)
		return;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < ' ' || v.p[i] > '~')
			return;
	memcpy(dst, v.p, v.n);
}

void
kept_on_files(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	struct cp_str v[NKEYS] = { { NULL, 0 } };
	struct kept *k = &e->kept;
	enum cp_err err = cp_reply_getinfo(reply, v, keys, NKEYS);

	k->open = false;
	k->named = true;
	if (err != CP_OK && err != CP_ERR_REFUSED) {
		engine_lose(e, LOSS_BYTES, cp_strerror(err), now);
		return;
	}
	/* A Tor without a torrc refuses: then there are none. */
	take_path(k->look.torrc, err == CP_OK ? v[0] : (struct cp_str){ 0 });
	take_path(k->look.defaults, err == CP_OK ? v[1] :
	    (struct cp_str){ 0 });
}

/* --- the keeper is asked what is in them --------------------------------- */

static void
ask_keeper(struct engine *e, uint64_t now)
{
	struct kept *k = &e->kept;

	k->look.magic = LINK_LOOK_MAGIC;
	k->look.id++;
	k->look.pid = e->tor.pid > 0 ? e->tor.pid : 0;
	k->wanted = false;
	k->ends = now + LOOK_MS;
	k->again = now + LOOK_AGAIN_MS;
	k->asked = e->ops->look(e->arg, &k->look) == 0;
}

void
engine_looked(struct engine *e, const struct link_seen *s, uint64_t now)
{
	struct kept *k = &e->kept;
	char why[POL_UPLINK_WHY];

	(void)now;
	if (!k->asked || s->id != k->look.id)
		return; /* of a question that was given up */
	k->asked = false;
	k->seen = true;
	k->finding = (enum link_finding)s->finding;
	k->option = (enum pol_torrc_option)s->option;
	k->line = s->line;
	memcpy(k->file, s->file, sizeof k->file);
	forget(k);
	k->has = s->kept != 0 && pol_uplink_ok(&s->uplink, why, e->policy);
	if (!k->has || !k->judge)
		return;
	k->says = xmalloc(sizeof *k->says);
	k->says->uplink = s->uplink;
	k->says->addr = s->addr;
}

/* --- what it has found --------------------------------------------------- */

/* %1$s is the file, %2$u the line, %3$s the option, %4$s our own file. */
static void
say_finding(const struct engine *e, char *dst, size_t cap)
{
	const struct kept *k = &e->kept;
	const char *own = e->policy->tor.torrc;
	const char *file = k->file;
	size_t n = strlen(file);

	if (n > SHOWN)
		file += n - SHOWN;
	dst[0] = '\0';
	switch (k->finding) {
	case LINK_F_GOOD:
	case LINK_NFINDING:
		break;
	case LINK_F_NO_FOLDER:
		(void)snprintf(dst, cap, "the folder %s, in which it would be "
		    "kept, is not there: make it, root's alone.", file);
		break;
	case LINK_F_FOLDER:
		(void)snprintf(dst, cap, "others than root may write to %s, "
		    "where it would be kept, or above it: correct that.",
		    file);
		break;
	case LINK_F_NOT_OURS:
		(void)snprintf(dst, cap, "%s was not written by us: move it "
		    "away, or let the policy's torrc name another one.", own);
		break;
	case LINK_F_NO_TORRC:
		(void)snprintf(dst, cap, "it cannot be kept: which torrc Tor "
		    "reads is not known, or it is not there.");
		break;
	case LINK_F_OPTION:
		(void)snprintf(dst, cap, "%s, line %u, has %s: take such "
		    "lines out there, or Tor would have both.", file,
		    (unsigned)k->line, pol_torrc_name(k->option));
		break;
	case LINK_F_UNREACHED:
		(void)snprintf(dst, cap, "Tor does not read the file that is "
		    "kept: add \"%%include %s\" to %s.", own, file);
		break;
	case LINK_F_UNREADABLE:
		(void)snprintf(dst, cap, "Tor's torrc includes %s, which "
		    "cannot be read: correct that.", file);
		break;
	case LINK_F_SPECIAL:
		(void)snprintf(dst, cap, "Tor's torrc includes %s, which is "
		    "neither a file nor a folder: correct that.", file);
		break;
	case LINK_F_UNSAFE:
		(void)snprintf(dst, cap, "others than root and Tor's user may "
		    "write to %s, which Tor reads: correct that.", file);
		break;
	case LINK_F_SYNTAX:
		(void)snprintf(dst, cap, "%s, line %u, is nothing that Tor "
		    "can read: correct it.", file, (unsigned)k->line);
		break;
	case LINK_F_RELATIVE:
		(void)snprintf(dst, cap, "%s, line %u, includes by a relative "
		    "path: let it begin with a slash.", file,
		    (unsigned)k->line);
		break;
	case LINK_F_TOO_MUCH:
		(void)snprintf(dst, cap, "there is too much to look at in %s: "
		    "let Tor's torrc include less.", file);
		break;
	}
}

void
kept_look(struct engine *e)
{
	e->kept.wanted = true;
	e->kept.asked = e->kept.seen = false;
	e->kept.ends = e->kept.again = 0;
}

enum preflight_step
kept_looked(const struct engine *e, char *fault, size_t cap)
{
	const struct kept *k = &e->kept;

	if (k->wanted || k->asked)
		return PREFLIGHT_WAIT;
	if (!k->seen) {
		(void)snprintf(fault, cap, "the keeper does not say whether "
		    "it could be kept; look at the log.");
		return PREFLIGHT_BAD;
	}
	say_finding(e, fault, cap);
	return k->finding == LINK_F_GOOD ? PREFLIGHT_OK : PREFLIGHT_BAD;
}

/* --- what Tor has -------------------------------------------------------- */

/*
 * Tor only ever has the address of a proxy that was given by name; the file
 * remembers the name, and the pin lets it be followed.
 */
static void
take_name(struct engine *e)
{
	const struct link_pending *says = e->kept.says;
	const struct pol_uplink *is = &e->uplink.conf;
	struct uplink_pin *pin = &e->uplink.pin;
	struct pol_addr has;

	pol_uplink_proxy_addr(&has, is);
	if (says->addr.family == 0 || pin->kind != POL_PROXY_NONE ||
	    is->proxy != says->uplink.proxy ||
	    is->port != says->uplink.port ||
	    !pol_addr_equal(&has, &says->addr))
		return;
	uplink_pin_make(pin, &says->uplink, &says->addr);
	names_changed(e);
}

static bool
is_straight(const struct pol_uplink *u)
{
	return u->nbridges == 0 && u->proxy == POL_PROXY_NONE;
}

/* Tor is given what is kept, with the address that the file has. */
static void
begin_set(struct engine *e, uint64_t now)
{
	struct kept *k = &e->kept;

	log_warn("uplink: Tor has started without the bridges or the proxy "
	    "that are kept: it is given them again");
	uplink_pin_make(&e->uplink.old_pin, &k->says->uplink,
	    &k->says->addr);
	k->setting = true;
	k->open_set = false;
	k->ends = now + SET_MS;
}

static void
judge(struct engine *e, uint64_t now)
{
	struct kept *k = &e->kept;
	const struct pol_uplink *is = &e->uplink.conf;

	k->judge = false;
	k->state = KEPT_GOOD;
	if (k->says == NULL)
		return;
	if (e->uplink.fits)
		take_name(e);
	if (changing_in_force(e, &k->says->uplink)) {
		forget(k);
		return;
	}
	k->state = KEPT_OTHER;
	if (e->uplink.fits && is_straight(is) &&
	    !is_straight(&k->says->uplink)) {
		begin_set(e, now);
		return;
	}
	log_warn("uplink: Tor has other bridges or another proxy than those "
	    "that are kept");
	forget(k);
}

static void
end_set(struct kept *k, enum kept_state state)
{
	k->setting = false;
	k->state = state;
	forget(k);
}

static void
setting(struct engine *e, uint64_t now)
{
	struct kept *k = &e->kept;

	if (!k->open_set) {
		k->open_set = uplink_set(e, &k->says->uplink, now) == 0;
		if (!k->open_set && now >= k->ends)
			end_set(k, KEPT_REFUSED);
		return;
	}
	switch (uplink_state(e)) {
	case UPLINK_SET_WAITING:
		break;
	case UPLINK_SET_OK:
		end_set(k, KEPT_AGAIN);
		break;
	case UPLINK_SET_REFUSED:
	case UPLINK_SET_NONE:
	case UPLINK_SET_LOST:
		end_set(k, KEPT_REFUSED);
		break;
	}
}

bool
kept_busy(const struct engine *e)
{
	return e->kept.setting;
}

void
kept_tick(struct engine *e, uint64_t now)
{
	struct kept *k = &e->kept;

	if (!session_up(e))
		return;
	if (k->wanted && k->named && !k->asked && now >= k->again)
		ask_keeper(e, now);
	if (k->asked && now >= k->ends)
		k->asked = false; /* no answer is one, too */
	if (k->judge && k->seen && e->uplink.known && e->conf_read &&
	    !changing_under_way(&e->apply))
		judge(e, now);
	if (k->setting)
		setting(e, now);
}

uint64_t
kept_wake(const struct engine *e, uint64_t now)
{
	const struct kept *k = &e->kept;

	if (k->wanted && k->named && k->again > now)
		return k->again;
	return (k->asked || k->setting) && k->ends > now ? k->ends :
	    UINT64_MAX;
}

/* --- what is told -------------------------------------------------------- */

static const char *const states[] = {
	[KEPT_GOOD] = "When Tor starts anew it will lack what is kept",
	[KEPT_AGAIN] = "Tor started without what is kept, and was given it "
	    "again",
	[KEPT_REFUSED] = "Tor started without what is kept, and could not be "
	    "given it",
	[KEPT_OTHER] = "Tor has other bridges or another proxy than are kept",
};

void
kept_tell(struct engine *e)
{
	const struct kept *k = &e->kept;
	char why[SNAP_TEXT];

	if (e->advice[0] != '\0' || !k->has || !k->seen ||
	    (k->state == KEPT_GOOD && k->finding == LINK_F_GOOD))
		return;
	say_finding(e, why, sizeof why);
	(void)snprintf(e->advice, sizeof e->advice, "%s: %.*s",
	    states[k->state], SNAP_TEXT - 64, why[0] != '\0' ? why :
	    k->state == KEPT_OTHER ? "apply those that are meant." :
	    "look at Tor's log, and at its torrc.");
}
