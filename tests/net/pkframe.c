/*
 * Frames by hand: what no socket would send, a leak test must.
 */
#include "config.h"

#include "tests/net/pk.h"

#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#define UDP_LEN 8
#define ICMP_LEN 8
#define IP4_LEN 20
#define IP6_LEN 40
#define EXT6_LEN 8 /* both extension headers that we use */
#define TTL 64
#define VLAN_ID 7
#define MORE_FRAGMENTS 0x2000
#define PROTO_UNASSIGNED 253 /* for experiments: RFC 3692 */
#define ETHERTYPE_EXPERIMENT 0x88b5 /* IEEE 802: for experiments */

void
pk_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)(v & 0xff);
}

void
pk_put32(uint8_t *p, uint32_t v)
{
	pk_put16(p, (uint16_t)(v >> 16));
	pk_put16(p + 2, (uint16_t)(v & 0xffff));
}

static void
put64(uint8_t *p, uint64_t v)
{
	pk_put32(p, (uint32_t)(v >> 32));
	pk_put32(p + 4, (uint32_t)(v & 0xffffffffu));
}

uint64_t
pk_get64(const uint8_t *p)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

void
pk_payload_make(uint8_t *out, const uint8_t *token, uint64_t seq)
{
	memcpy(out, token, PK_TOKEN_LEN);
	put64(out + PK_TOKEN_LEN, seq);
	put64(out + PK_TOKEN_LEN + 8, pk_now_ns());
}

/* --- checksums --- */

static uint32_t
sum_add(uint32_t sum, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (i < len)
		sum += (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t
sum_end(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(~sum & 0xffff);
}

uint16_t
pk_sum_l4(const struct pk_addr *src, const struct pk_addr *dst, uint8_t proto,
    const uint8_t *l4, size_t len)
{
	uint32_t sum = 0;

	sum = sum_add(sum, src->octets, src->len);
	sum = sum_add(sum, dst->octets, dst->len);
	sum += proto + (uint32_t)len;
	return sum_end(sum_add(sum, l4, len));
}

/* --- layer 4: each writes a whole segment, and returns its length --- */

void
pk_tcp_make(uint8_t *l4, const struct pk_opts *o, uint8_t flags, uint32_t seq,
    size_t n)
{
	memset(l4, 0, PK_TCP_LEN);
	pk_put16(l4, o->sport);
	pk_put16(l4 + 2, o->dport);
	pk_put32(l4 + 4, seq);
	if ((flags & PK_TCP_ACK) != 0)
		pk_put32(l4 + 8, 1);
	l4[12] = (PK_TCP_LEN / 4) << 4;
	l4[13] = flags;
	pk_put16(l4 + 14, 0xffff);
	pk_put16(l4 + 16,
	    pk_sum_l4(&o->src, &o->dst, IPPROTO_TCP, l4, PK_TCP_LEN + n));
}

static size_t
make_syn(uint8_t *l4, const struct pk_opts *o)
{
	pk_payload_make(l4 + PK_TCP_LEN, o->token, 0);
	pk_tcp_make(l4, o, PK_TCP_SYN, 1, PK_PAYLOAD_LEN);
	return PK_TCP_LEN + PK_PAYLOAD_LEN;
}

static size_t
make_ack(uint8_t *l4, const struct pk_opts *o)
{
	pk_payload_make(l4 + PK_TCP_LEN, o->token, 0);
	pk_tcp_make(l4, o, PK_TCP_ACK, 1, PK_PAYLOAD_LEN);
	return PK_TCP_LEN + PK_PAYLOAD_LEN;
}

/* Two payloads, so that each of two fragments has the token. */
static size_t
make_udp(uint8_t *l4, const struct pk_opts *o)
{
	size_t len = UDP_LEN + 2 * PK_PAYLOAD_LEN;

	memset(l4, 0, UDP_LEN);
	pk_put16(l4, o->sport);
	pk_put16(l4 + 2, o->dport);
	pk_put16(l4 + 4, (uint16_t)len);
	pk_payload_make(l4 + UDP_LEN, o->token, 0);
	pk_payload_make(l4 + UDP_LEN + PK_PAYLOAD_LEN, o->token, 1);
	pk_put16(l4 + 6, pk_sum_l4(&o->src, &o->dst, IPPROTO_UDP, l4, len));
	return len;
}

static size_t
make_icmp(uint8_t *l4, const struct pk_opts *o)
{
	size_t len = ICMP_LEN + PK_PAYLOAD_LEN;

	memset(l4, 0, ICMP_LEN);
	pk_put16(l4 + 4, o->sport);
	pk_put16(l4 + 6, 1);
	pk_payload_make(l4 + ICMP_LEN, o->token, 0);
	if (o->dst.family == AF_INET) {
		l4[0] = ICMP_ECHO;
		pk_put16(l4 + 2, sum_end(sum_add(0, l4, len)));
		return len;
	}
	l4[0] = ICMP6_ECHO_REQUEST;
	pk_put16(l4 + 2,
	    pk_sum_l4(&o->src, &o->dst, IPPROTO_ICMPV6, l4, len));
	return len;
}

static size_t
make_raw(uint8_t *l4, const struct pk_opts *o)
{
	pk_payload_make(l4, o->token, 0);
	return PK_PAYLOAD_LEN;
}

/* --- kinds --- */

enum shape { PLAIN = 0, FRAGMENTS, OPTIONS, VLAN, NOT_IP };

struct kind {
	const char *name;
	uint8_t proto4, proto6;
	size_t (*make)(uint8_t *l4, const struct pk_opts *o);
	enum shape shape;
};

/* clang-format off */
static const struct kind kinds[] = {
	{ "udp",     IPPROTO_UDP,  IPPROTO_UDP,    make_udp,  PLAIN },
	{ "icmp",    IPPROTO_ICMP, IPPROTO_ICMPV6, make_icmp, PLAIN },
	{ "syn",     IPPROTO_TCP,  IPPROTO_TCP,    make_syn,  PLAIN },
	{ "ack",     IPPROTO_TCP,  IPPROTO_TCP,    make_ack,  PLAIN },
	{ "frag",    IPPROTO_UDP,  IPPROTO_UDP,    make_udp,  FRAGMENTS },
	{ "options", IPPROTO_UDP,  IPPROTO_UDP,    make_udp,  OPTIONS },
	{ "gre",     IPPROTO_GRE,  IPPROTO_GRE,    make_raw,  PLAIN },
	{ "esp",     IPPROTO_ESP,  IPPROTO_ESP,    make_raw,  PLAIN },
	{ "sctp",    IPPROTO_SCTP, IPPROTO_SCTP,   make_raw,  PLAIN },
	{ "proto",   PROTO_UNASSIGNED, PROTO_UNASSIGNED, make_raw, PLAIN },
	{ "vlan",    IPPROTO_UDP,  IPPROTO_UDP,    make_udp,  VLAN },
	{ "ether",   0,            0,              make_raw,  NOT_IP },
};
/* clang-format on */

#define NKINDS (sizeof kinds / sizeof kinds[0])

const char *
pk_kind_name(size_t i)
{
	return i < NKINDS ? kinds[i].name : NULL;
}

static const struct kind *
kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < NKINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/* --- layers 2 and 3 --- */

/* A part of an IP packet, and where in it. */
struct part {
	const uint8_t *octets;
	size_t len, offset;
	bool more;
};

static void
add(struct pk_frame *f, const void *p, size_t n)
{
	/* The largest of our packets is far below PK_FRAME_MAX. */
	memcpy(f->octets + f->len, p, n);
	f->len += n;
}

static void
add16(struct pk_frame *f, uint16_t v)
{
	pk_put16(f->octets + f->len, v);
	f->len += 2;
}

static void
add_ether(struct pk_frame *f, const struct pk_opts *o, const uint8_t *smac,
    enum shape shape)
{
	f->len = 0;
	add(f, o->mac, sizeof o->mac);
	add(f, smac, sizeof o->mac);
	if (shape == NOT_IP) {
		add16(f, ETHERTYPE_EXPERIMENT);
		return;
	}
	if (shape == VLAN) {
		add16(f, ETH_P_8021Q);
		add16(f, VLAN_ID);
	}
	add16(f, o->dst.family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
}

static void
add_ip4(struct pk_frame *f, const struct pk_opts *o, const struct kind *k,
    const struct part *part)
{
	static const uint8_t router_alert[] = { 0x94, 4, 0, 0 };
	uint8_t h[IP4_LEN + sizeof router_alert] = { 0 };
	size_t hlen = IP4_LEN, offset = part->offset / 8;

	if (k->shape == OPTIONS) {
		memcpy(h + IP4_LEN, router_alert, sizeof router_alert);
		hlen += sizeof router_alert;
	}
	h[0] = (uint8_t)(0x40 | hlen / 4);
	pk_put16(h + 2, (uint16_t)(hlen + part->len));
	pk_put16(h + 4, o->sport); /* identification: any, the same in all */
	pk_put16(h + 6, (uint16_t)(offset | (part->more ? MORE_FRAGMENTS : 0)));
	h[8] = TTL;
	h[9] = k->proto4;
	memcpy(h + 12, o->src.octets, 4);
	memcpy(h + 16, o->dst.octets, 4);
	pk_put16(h + 10, sum_end(sum_add(0, h, hlen)));
	add(f, h, hlen);
}

static void
add_ip6(struct pk_frame *f, const struct pk_opts *o, const struct kind *k,
    const struct part *part)
{
	/* Hop-by-hop: router alert, and two octets of padding. */
	uint8_t ext[EXT6_LEN] = { k->proto6, 0, 5, 2, 0, 0, 1, 0 };
	uint8_t h[IP6_LEN] = { 0x60 };
	size_t elen = 0;

	h[6] = k->proto6;
	if (k->shape == OPTIONS) {
		h[6] = IPPROTO_HOPOPTS;
		elen = EXT6_LEN;
	} else if (k->shape == FRAGMENTS) {
		h[6] = IPPROTO_FRAGMENT;
		elen = EXT6_LEN;
		ext[1] = 0;
		pk_put16(ext + 2,
		    (uint16_t)(part->offset | (part->more ? 1 : 0)));
		pk_put32(ext + 4, o->sport);
	}
	pk_put16(h + 4, (uint16_t)(elen + part->len));
	h[7] = TTL;
	memcpy(h + 8, o->src.octets, 16);
	memcpy(h + 24, o->dst.octets, 16);
	add(f, h, sizeof h);
	add(f, ext, elen);
}

static void
frame_make(struct pk_frame *f, const struct pk_opts *o, const uint8_t *smac,
    const struct kind *k, const struct part *part)
{
	add_ether(f, o, smac, k->shape);
	if (k->shape == NOT_IP) {
		add(f, part->octets, part->len);
		return;
	}
	if (o->dst.family == AF_INET)
		add_ip4(f, o, k, part);
	else
		add_ip6(f, o, k, part);
	add(f, part->octets, part->len);
}

size_t
pk_frames_make(struct pk_frame out[PK_MAX_FRAMES], const char *kind,
    const struct pk_opts *o, const uint8_t *smac)
{
	const struct kind *k = kind_find(kind);
	uint8_t l4[PK_FRAME_MAX / 2];
	struct part part = { .octets = l4 };
	size_t cut = UDP_LEN + PK_PAYLOAD_LEN; /* a multiple of 8 */

	if (k == NULL)
		return 0;
	part.len = k->make(l4, o);
	if (k->shape != FRAGMENTS) {
		frame_make(&out[0], o, smac, k, &part);
		return 1;
	}
	part.more = true;
	part.len = cut;
	frame_make(&out[0], o, smac, k, &part);
	part.more = false;
	part.octets = l4 + cut;
	part.offset = cut;
	part.len = PK_PAYLOAD_LEN;
	frame_make(&out[1], o, smac, k, &part);
	return 2;
}
