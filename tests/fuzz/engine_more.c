/*
 * The fuzzer's keeper and its people: changes of the uplink, answers to what
 * the engine asks of the keeper, right ones and wrong ones, and whatever else
 * can come from our own side.  Promises: only what somebody asked for, and
 * what the policy allows, is ever given to the keeper to be kept; and while
 * the keeper remembers what is to be put back, the gate is not open.
 */
#include "tests/fuzz/engine_world.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/snapshot.h"
#include "tests/fuzz/fuzz.h"

void
fuzz_more_policy(void)
{
	(void)snprintf(w.policy.tor.torrc, sizeof w.policy.tor.torrc,
	    "/etc/tor/torrc.d/u.conf");
}

int
fuzz_op_look(void *arg, const struct link_look *q)
{
	(void)arg;
	FUZZ_ASSERT(link_look_ok(q));
	w.look = *q;
	return w.now % 7 == 0 ? -1 : 0;
}

/* Bridges, a proxy, both, or what no policy lets through. */
static void
put_uplink(struct pol_uplink *u, uint8_t how)
{
	static const char *const hosts[] = { "198.51.100.7", "proxy.example",
		"198.51.100.7", "not a host" };

	memset(u, 0, sizeof *u);
	u->nbridges = how % 4;
	for (uint32_t i = 0; i < u->nbridges; i++)
		(void)snprintf(u->bridge[i], sizeof u->bridge[i],
		    (how & 128) == 0 ? "meek_lite 192.0.2.%u:80 "
		    "url=https://a.example/" : "192.0.2.%u:443", i + 3);
	if ((how & 16) == 0)
		return;
	u->proxy = 1 + how / 32 % (POL_NPROXY - 1);
	u->port = 8080;
	(void)snprintf(u->host, sizeof u->host, "%s", hosts[how / 4 % 4]);
}

static bool
is_wished(const struct pol_uplink *u)
{
	struct pol_uplink one;

	for (size_t i = 0; i < sizeof w.wished / sizeof w.wished[0]; i++) {
		put_uplink(&one, (uint8_t)i);
		if (w.wished[i] && pol_uplink_same(u, &one))
			return true;
	}
	return false;
}

int
fuzz_op_change(void *arg, const struct link_change *c)
{
	static const struct pol_uplink none;
	char why[POL_UPLINK_WHY];

	(void)arg;
	FUZZ_ASSERT(link_change_ok(c));
	if (c->step != LINK_CHANGE_REMEMBER)
		w.changing = false;
	if (c->step == LINK_CHANGE_FORGET)
		FUZZ_ASSERT(memcmp(&c->uplink, &none, sizeof none) == 0);
	if (c->step == LINK_CHANGE_KEEP)
		FUZZ_ASSERT(pol_uplink_ok(&c->uplink, why, &w.policy) &&
		    is_wished(&c->uplink));
	if (w.now % 7 == 0)
		return -1;
	w.changing |= c->step == LINK_CHANGE_REMEMBER;
	w.change = *c;
	return 0;
}

static void
say_change(struct input *in)
{
	struct snap_change c;
	uint8_t how = fuzz_take(in);

	memset(&c, 0, sizeof c);
	c.magic = SNAP_CHANGE_MAGIC;
	c.id = ++w.change_id;
	c.dry_run = (fuzz_take(in) & 3) == 3;
	put_uplink(&c.uplink, how);
	if (!snap_change_ok(&c))
		return;
	w.wished[how] = true;
	engine_change(w.e, &c, w.now);
}

static void
say_kept(struct input *in)
{
	static const int32_t errors[] = { 0, 0, 0, EEXIST, EIO };
	uint8_t how = fuzz_take(in);
	struct link_kept k = { .magic = LINK_KEPT_MAGIC, .id = w.change.id,
		.error = errors[how % 5] };

	k.id -= how >= 240;
	engine_kept(w.e, &k, w.now);
}

static void
say_seen(struct input *in)
{
	struct link_seen s;
	uint8_t how = fuzz_take(in);

	memset(&s, 0, sizeof s);
	s.magic = LINK_SEEN_MAGIC;
	s.id = w.look.id - (how >= 240);
	s.finding = how % 2 == 0 ? LINK_F_GOOD : how / 2 % LINK_NFINDING;
	s.option = how % POL_NTORRC;
	s.line = how;
	s.kept = how / 4 % 2;
	(void)snprintf(s.file, sizeof s.file, "/etc/tor/torrc");
	if (s.kept == 1)
		put_uplink(&s.uplink, fuzz_take(in));
	FUZZ_ASSERT(link_seen_ok(&s));
	engine_looked(w.e, &s, w.now);
}

static void
say_lost(struct input *in)
{
	int slot = fuzz_take(in) % ISO_SLOTS;

	if (!w.client[slot])
		return;
	w.client[slot] = false;
	engine_client_lost(w.e, slot);
}

static void
say_internal(struct input *in)
{
	struct pol_addr addr[3];
	size_t n = fuzz_take(in) % 4;

	memset(addr, 0, sizeof addr);
	for (size_t i = 0; i < n; i++) {
		addr[i].family = AF_INET;
		addr[i].v4.s_addr = fuzz_take(in);
	}
	engine_internal(w.e, addr, n);
}

void
fuzz_say_more(struct input *in)
{
	switch (fuzz_take(in) % 8) {
	case 0:
	case 1:
		say_change(in);
		break;
	case 2:
	case 3:
		say_kept(in);
		break;
	case 4:
		say_seen(in);
		break;
	case 5:
		say_lost(in);
		break;
	case 6:
		say_internal(in);
		break;
	default:
		if (fuzz_take(in) % 2 == 0)
			engine_status_down(w.e);
		else
			engine_status_up(w.e);
		break;
	}
}

/* Not known. */
int64_t
fuzz_op_wall(void *arg)
{
	(void)arg;
	return 0;
}
