#include "supervisor/gate/nft_read.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/nft_compile.h"

/* The kernel never dumps more than 32 KiB in one datagram. */
#define DUMP_BUF 65536
/* A commit by anybody interrupts a dump; more often means trouble. */
#define DUMP_TRIES 8
#define MAX_ATTR 32
/* Datagrams of a dump that was given up; our largest has fewer. */
#define SKIP_MOST 256
/* NFTA_SET_COUNT, which older kernels and headers do not have. */
#define ATTR_SET_COUNT 20u
/* A question: table name, set name, header. */
#define ASK_BUF 256

/* The attributes of one message or nest by type; NULL where absent. */
struct attrs {
	const struct nlattr *of[MAX_ATTR];
};

typedef void (*on_msg)(void *arg, const struct attrs *a);

/* Answers are read one at a time, by one thread, into this. */
static _Alignas(struct nlmsghdr) uint8_t dump_buf[DUMP_BUF];

static void
parse_msg(struct attrs *a, const struct nlmsghdr *h)
{
	const struct nlattr *at;

	memset(a, 0, sizeof *a);
	NFT_ATTR_EACH_IN(at, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(at) < MAX_ATTR)
			a->of[mnl_attr_get_type(at)] = at;
}

static void
parse_nest(struct attrs *a, const struct nlattr *nest)
{
	const struct nlattr *at;

	memset(a, 0, sizeof *a);
	NFT_ATTR_EACH_NESTED(at, nest)
		if (mnl_attr_get_type(at) < MAX_ATTR)
			a->of[mnl_attr_get_type(at)] = at;
}

static uint32_t
get_u32(const struct attrs *a, unsigned type)
{
	const struct nlattr *at = a->of[type];

	return at != NULL && mnl_attr_get_payload_len(at) >= 4 ?
	    ntohl(mnl_attr_get_u32(at)) : 0;
}

static uint64_t
get_u64(const struct attrs *a, unsigned type)
{
	const struct nlattr *at = a->of[type];

	return at != NULL && mnl_attr_get_payload_len(at) >= 8 ?
	    be64toh(mnl_attr_get_u64(at)) : 0;
}

static bool
is_string(const struct attrs *a, unsigned type, const char *want)
{
	const struct nlattr *at = a->of[type];
	size_t n = strlen(want) + 1;

	return at != NULL && mnl_attr_get_payload_len(at) == n &&
	    memcmp(mnl_attr_get_payload(at), want, n) == 0;
}

static struct nlmsghdr *
ask_begin(void *buf, uint16_t type, uint8_t family, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return h;
}

/* An answer while it comes in. */
struct answer {
	on_msg cb;
	void *arg;
	bool torn; /* somebody committed meanwhile: ask again */
};

/* A dump that failed on its way says so at its end: it was not all. */
static int
done_error(const struct nlmsghdr *h)
{
	int error;

	if (mnl_nlmsg_get_payload_len(h) < sizeof error)
		return -EPROTO;
	memcpy(&error, mnl_nlmsg_get_payload(h), sizeof error);
	return error < 0 ? error : 0;
}

/* One message of an answer.  1: go on, 0: that was all, or an error. */
static int
take_msg(const struct nft_sock *s, const struct nlmsghdr *h,
    struct answer *ans)
{
	const struct nlmsgerr *e;
	struct attrs a;

	if (!mnl_nlmsg_portid_ok(h, s->portid) || h->nlmsg_seq != s->seq)
		return 1; /* the rest of an answer that was given up */
	if ((h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		ans->torn = true;
	if (h->nlmsg_type == NLMSG_ERROR) {
		e = mnl_nlmsg_get_payload(h);
		return mnl_nlmsg_get_payload_len(h) >= sizeof *e ? e->error :
		    -EPROTO;
	}
	if (h->nlmsg_type == NLMSG_DONE)
		return ans->torn ? -EINTR : done_error(h);
	if (h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
		return -EPROTO;
	parse_msg(&a, h);
	ans->cb(ans->arg, &a);
	return 1;
}

bool
nft_skip(const struct nft_sock *s)
{
	return nft_recv(s, dump_buf, sizeof dump_buf) != -EAGAIN;
}

/*
 * An answer that was given up (an error on the way) is still being sent, and
 * the kernel takes no second question before its end.
 */
static void
skip_rest(const struct nft_sock *s)
{
	for (int i = 0; i < SKIP_MOST; i++)
		if (!nft_skip(s))
			return;
}

static int
send_ask(struct nft_sock *s, struct nlmsghdr *h)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	h->nlmsg_seq = ++s->seq;
	s->rest = true;
	if (sendto(s->fd, h, h->nlmsg_len, MSG_DONTWAIT,
	    (struct sockaddr *)&kernel, sizeof kernel) == -1)
		return -errno;
	return 0;
}

/* One datagram of an answer; as take_msg(). */
static int
take_datagram(const struct nft_sock *s, struct answer *ans)
{
	const ssize_t n = nft_recv(s, dump_buf, sizeof dump_buf);
	const struct nlmsghdr *in;
	int left, rc;

	if (n < 0)
		return n == -EAGAIN ? -EPROTO : (int)n;
	left = (int)n;
	for (in = (void *)dump_buf; mnl_nlmsg_ok(in, left);
	    in = mnl_nlmsg_next(in, &left)) {
		rc = take_msg(s, in, ans);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

/* Send one question and take the answers, until the kernel says: all. */
static int
ask(struct nft_sock *s, struct nlmsghdr *h, on_msg cb, void *arg)
{
	struct answer ans = { .cb = cb, .arg = arg };
	int rc;

	if (s->rest)
		skip_rest(s);
	rc = send_ask(s, h);
	if (rc != 0)
		return rc;
	do
		rc = take_datagram(s, &ans);
	while (rc == 1);
	if (rc == 0)
		s->rest = false;
	return rc;
}

static void
on_table(void *arg, const struct attrs *a)
{
	struct nft_table_info *out = arg;

	out->present = true;
	out->flags = get_u32(a, NFTA_TABLE_FLAGS);
	out->owner = get_u32(a, NFTA_TABLE_OWNER);
	out->handle = get_u64(a, NFTA_TABLE_HANDLE);
}

int
nft_read_table(struct nft_sock *s, struct nft_table_info *out,
    enum pol_table_id id)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ASK_BUF];
	struct nlmsghdr *h;
	int rc;

	memset(out, 0, sizeof *out);
	h = ask_begin(buf, NFT_MSG_GETTABLE, nft_table_family(id), NLM_F_ACK);
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, pol_table_name(id));
	rc = ask(s, h, on_table, out);
	return rc == -ENOENT ? 0 : rc;
}

static void
on_generation(void *arg, const struct attrs *a)
{
	*(uint32_t *)arg = get_u32(a, NFTA_GEN_ID);
}

int
nft_read_generation(struct nft_sock *s, uint32_t *out)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ASK_BUF];
	struct nlmsghdr *h;

	*out = 0;
	h = ask_begin(buf, NFT_MSG_GETGEN, AF_UNSPEC, NLM_F_ACK);
	return ask(s, h, on_generation, out);
}

/* Elements of a set of the gate table. */

struct elem {
	struct nft_key key, data;
	bool expires;
	uint32_t left_ms;
};

struct elem_walk {
	void (*each)(struct elem_walk *w, const struct elem *e);
	void *arg;
	nft_seen seen;
	struct nft_lease_info *lease;
	bool bad; /* an element that could not be understood */
};

static bool
parse_value(struct nft_key *out, const struct nlattr *nest)
{
	const struct nlattr *value;
	struct attrs a;
	size_t n;

	parse_nest(&a, nest);
	value = a.of[NFTA_DATA_VALUE];
	if (value == NULL)
		return false;
	n = mnl_attr_get_payload_len(value);
	if (n > sizeof out->oct)
		return false;
	memcpy(out->oct, mnl_attr_get_payload(value), n);
	out->len = (uint8_t)n;
	return true;
}

static bool
parse_elem(struct elem *e, const struct nlattr *nest)
{
	struct attrs a;

	memset(e, 0, sizeof *e);
	parse_nest(&a, nest);
	if (a.of[NFTA_SET_ELEM_KEY] == NULL ||
	    !parse_value(&e->key, a.of[NFTA_SET_ELEM_KEY]))
		return false;
	if (a.of[NFTA_SET_ELEM_DATA] != NULL &&
	    !parse_value(&e->data, a.of[NFTA_SET_ELEM_DATA]))
		return false;
	e->expires = a.of[NFTA_SET_ELEM_EXPIRATION] != NULL;
	e->left_ms = (uint32_t)get_u64(&a, NFTA_SET_ELEM_EXPIRATION);
	return true;
}

static void
on_elems(void *arg, const struct attrs *a)
{
	const struct nlattr *list = a->of[NFTA_SET_ELEM_LIST_ELEMENTS], *at;
	struct elem_walk *w = arg;
	struct elem e;

	if (list == NULL)
		return;
	NFT_ATTR_EACH_NESTED(at, list) {
		if (parse_elem(&e, at))
			w->each(w, &e);
		else
			w->bad = true;
	}
}

/* BUF holds ASK_BUF octets. */
static struct nlmsghdr *
elems_question(void *buf, enum pol_set_id set)
{
	struct nlmsghdr *h;

	h = ask_begin(buf, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE,
	    pol_table_name(POL_T_GATE));
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, pol_set_name(set));
	return h;
}

static int
walk(struct nft_sock *s, enum pol_set_id set, struct elem_walk *w)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ASK_BUF];
	int rc = ask(s, elems_question(buf, set), on_elems, w);

	if (rc == 0 && w->bad)
		return -EPROTO;
	return rc;
}

static void
each_lease(struct elem_walk *w, const struct elem *e)
{
	struct nft_lease_info *out = w->lease;
	struct nft_key v4, v6;

	nft_key_family(&v4, AF_INET);
	nft_key_family(&v6, AF_INET6);
	if (!e->expires) {
		out->wrong = true;
	} else if (nft_key_equal(&e->key, &v4)) {
		out->live4 = true;
		out->left4_ms = e->left_ms;
	} else if (nft_key_equal(&e->key, &v6)) {
		out->live6 = true;
		out->left6_ms = e->left_ms;
	} else {
		out->wrong = true;
	}
}

int
nft_read_lease(struct nft_sock *s, struct nft_lease_info *out,
    enum pol_set_id set)
{
	struct elem_walk w = { .each = each_lease, .lease = out };
	int rc = -EINTR;

	for (int i = 0; i < DUMP_TRIES && rc == -EINTR; i++) {
		memset(out, 0, sizeof *out);
		w.bad = false;
		rc = walk(s, set, &w);
	}
	return rc;
}

bool
nft_lease_any(const struct nft_lease_info *l)
{
	return l->live4 || l->live6 || l->wrong;
}

static void
each_key(struct elem_walk *w, const struct elem *e)
{
	w->seen(w->arg, &e->key, &e->data);
}

/* No second try: SEEN has been called already; the caller knows how. */
int
nft_read_keys(struct nft_sock *s, enum pol_set_id set, nft_seen seen,
    void *arg)
{
	struct elem_walk w = { .each = each_key, .arg = arg, .seen = seen };

	return walk(s, set, &w);
}

/* What a set says of itself. */
struct set_info {
	bool counts;
	uint32_t n;
};

static void
on_set(void *arg, const struct attrs *a)
{
	struct set_info *info = arg;

	info->counts = a->of[ATTR_SET_COUNT] != NULL;
	info->n = get_u32(a, ATTR_SET_COUNT);
}

int
nft_read_count(struct nft_sock *s, uint32_t *out, enum pol_set_id set)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ASK_BUF];
	struct set_info info = { 0 };
	struct nlmsghdr *h;
	int rc;

	h = ask_begin(buf, NFT_MSG_GETSET, NFPROTO_INET, NLM_F_ACK);
	mnl_attr_put_strz(h, NFTA_SET_TABLE, pol_table_name(POL_T_GATE));
	mnl_attr_put_strz(h, NFTA_SET_NAME, pol_set_name(set));
	rc = ask(s, h, on_set, &info);
	*out = info.n;
	if (rc == 0 && !info.counts)
		return -EOPNOTSUPP;
	return rc;
}

static void
each_count(struct elem_walk *w, const struct elem *e)
{
	(void)e;
	++*(uint32_t *)w->arg;
}

int
nft_count_ask(struct nft_sock *s, struct nft_count *c, enum pol_set_id set)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ASK_BUF];

	memset(c, 0, sizeof *c);
	return send_ask(s, elems_question(buf, set));
}

int
nft_count_step(const struct nft_sock *s, struct nft_count *c)
{
	struct elem_walk w = { .each = each_count, .arg = &c->n };
	struct answer ans = { .cb = on_elems, .arg = &w, .torn = c->torn };
	const int rc = take_datagram(s, &ans);

	c->torn = ans.torn;
	return rc >= 0 && w.bad ? -EPROTO : rc;
}

/* The fingerprint. */

struct print_walk {
	struct nft_print *out;
	const char *table;
	unsigned table_attr, name_attr, handle_attr, extra_attr;
	uint32_t *count;
	/* Is this object, named by its attribute NAME, of the moving part? */
	bool (*moves)(const struct attrs *a, unsigned name);
};

/* FNV-1a: only differences by accident or by rule change are looked for. */
static uint64_t
mix(uint64_t hash, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t
mix_attr(uint64_t hash, const struct attrs *a, unsigned type)
{
	const struct nlattr *at = a->of[type];

	if (at == NULL)
		return hash;
	return mix(hash, mnl_attr_get_payload(at),
	    mnl_attr_get_payload_len(at));
}

static void
on_object(void *arg, const struct attrs *a)
{
	struct print_walk *w = arg;
	uint64_t *h = &w->out->hash;

	if (!is_string(a, w->table_attr, w->table))
		return; /* the kernel lists chains of all tables */
	if (w->moves(a, w->name_attr))
		h = &w->out->moving;
	*h = mix_attr(*h, a, w->name_attr);
	*h = mix_attr(*h, a, w->handle_attr);
	*h = mix_attr(*h, a, w->extra_attr);
	(*w->count)++;
}

static bool
stays(const struct attrs *a, unsigned name)
{
	(void)a;
	(void)name;
	return false;
}

static bool
is_relay_set(const struct attrs *a, unsigned name)
{
	for (unsigned id = POL_S_RELAYS4_A; id <= POL_S_RELAYS6_B; id++)
		if (is_string(a, name, pol_set_name((enum pol_set_id)id)))
			return true;
	return false;
}

static bool
is_relay_rule(const struct attrs *a, unsigned name)
{
	return is_string(a, name, POL_RELAYS_CHAIN);
}

static int
print_part(struct nft_sock *s, uint16_t type, uint8_t family,
    struct print_walk *w)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ASK_BUF];
	struct nlmsghdr *h;

	h = ask_begin(buf, type, family, NLM_F_DUMP);
	/* The kernel's dump of chains takes no table. */
	if (type != NFT_MSG_GETCHAIN)
		mnl_attr_put_strz(h, (uint16_t)w->table_attr, w->table);
	return ask(s, h, on_object, w);
}

static int
print_once(struct nft_sock *s, struct nft_print *out, enum pol_table_id id)
{
	const uint8_t family = nft_table_family(id);
	const char *table = pol_table_name(id);
	struct print_walk chains = { out, table, NFTA_CHAIN_TABLE,
		NFTA_CHAIN_NAME, NFTA_CHAIN_HANDLE, NFTA_CHAIN_POLICY,
		&out->chains, stays };
	struct print_walk sets = { out, table, NFTA_SET_TABLE, NFTA_SET_NAME,
		NFTA_SET_HANDLE, NFTA_SET_FLAGS, &out->sets,
		is_relay_set };
	struct print_walk rules = { out, table, NFTA_RULE_TABLE,
		NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_POSITION,
		&out->rules, is_relay_rule };
	int rc;

	memset(out, 0, sizeof *out);
	rc = print_part(s, NFT_MSG_GETCHAIN, family, &chains);
	if (rc == 0)
		rc = print_part(s, NFT_MSG_GETSET, family, &sets);
	if (rc == 0)
		rc = print_part(s, NFT_MSG_GETRULE, family, &rules);
	return rc;
}

int
nft_read_print(struct nft_sock *s, struct nft_print *out, enum pol_table_id id)
{
	int rc = -EINTR;

	for (int i = 0; i < DUMP_TRIES && rc == -EINTR; i++)
		rc = print_once(s, out, id);
	return rc;
}
