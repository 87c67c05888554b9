/*
 * What the engine's fuzzer shares among its files: the world around the
 * engine, and the shadow of what that world has shown it.
 */
#ifndef ENGINE_WORLD_H
#define ENGINE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/isolation.h"
#include "supervisor/engine/provision.h"
#include "supervisor/gatemsg.h"
#include "supervisor/links.h"
#include "supervisor/namemsg.h"

#define NLISTENERS 5
#define IFACE 3 /* the listener at an interface's address */
#define SOCKET 4 /* the Unix socket, which the gate never hears of */
#define T0 1000000
#define ALL ((1u << NLISTENERS) - 1)

struct input {
	const uint8_t *p;
	size_t n;
};

/* What was shown of a listener since the last doubt of it. */
struct shadow {
	bool named, line;
	bool doubt;  /* it may have been opened with other flags */
	bool opened; /* an accepted SETCONF had it since it was seen shut */
};

struct fuzz_world {
	struct engine *e;
	struct pol_policy policy;
	uint64_t now, epoch, seq;
	bool linked, genuine, gate_up, gate_told;
	bool client[ISO_SLOTS]; /* of the isolation check: open */
	bool wild; /* Tor has sent octets that the shadow did not read */
	char sent[1024]; /* the last command, if it has no answer */
	char command[1024]; /* the one that is being answered */
	struct proof proofs[NLISTENERS], shown[NLISTENERS];
	struct shadow s[NLISTENERS];
	unsigned doubts, asked_doubts; /* now; as the question was asked */
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
	struct pol_addr last; /* that the interface had, if it has none */
	uint8_t mask; /* the answer's listeners */
	unsigned set; /* those of the last accepted SETCONF; ALL: none yet */
	uint8_t standing[POL_MAX_LISTENERS / 8]; /* the last request's bits */
	unsigned nopen, nsync;
	uint32_t want; /* the last request's */
	enum engine_clock clock; /* as the engine was told, then */
	uint64_t clock_at;
	/* Strict egress: the list that comes in, and the one in force. */
	uint32_t coming, ncoming, generation;
	/* engine_names.c: the resolver process, as far as there is one. */
	bool names; /* the policy has a resolver and a transport */
	uint8_t uplink; /* what Tor has, see fuzz_feed_uplink() */
	bool resolver, serving;
	bool named; /* Tor has said what its uplink is, in this session */
	struct name_list list;
	struct name_want name_want; /* id 0: answered */
	uint32_t want_id, try_id;
	uint32_t permits, told; /* last asked for, and last reported */
	uint32_t reach_seq;
	/* engine_more.c: the last questions to the keeper, and the change. */
	struct link_change change;
	struct link_look look;
	uint64_t change_id;
	bool wished[256]; /* such uplinks have been asked for */
	bool changing; /* what is to be put back is with the keeper */
};
extern struct fuzz_world w;

/* The next octet of the input; 0 at its end. */
uint8_t fuzz_take(struct input *in);

/* Octets from Tor. */
void fuzz_feed(const void *p, size_t n);
void fuzz_feed_text(const char *text);
/* What Tor would say to the last command, with or without flaws. */
void fuzz_answer(struct input *in);
/* What it would say if it were right, and did what it was told last. */
void fuzz_answer_well(void);
/* One of its events. */
void fuzz_say_event(struct input *in);

/* engine_names.c */
void fuzz_names_policy(void);
void fuzz_check_permits(const struct gate_req *q);
int fuzz_op_reach(void *arg, const struct gate_reach *r);
int fuzz_op_resolver(void *arg, const void *p, size_t n);
int fuzz_op_program(void *arg, const char *path);
/* One message of the resolver process, or its coming and going. */
void fuzz_say_name(struct input *in);
/* Tor's answer about its uplink. */
void fuzz_feed_uplink(uint8_t flaw);

/* engine_check.c */
void fuzz_check_bits(const uint8_t *map);
/* For OPEN and SYNC. */
void fuzz_check_up(const struct gate_req *q);
/* The last request was for all there is: SYNC while the clock is not right. */
bool fuzz_is_well(void);

/* engine_more.c */
void fuzz_more_policy(void);
int fuzz_op_change(void *arg, const struct link_change *c);
int fuzz_op_look(void *arg, const struct link_look *q);
int64_t fuzz_op_wall(void *arg);
/* A change that somebody wants, the keeper's answers, and the rest. */
void fuzz_say_more(struct input *in);

/* Nothing counts that was shown of them, or asked for, before. */
void fuzz_shadow_void(unsigned listeners, bool doubt);

#endif
