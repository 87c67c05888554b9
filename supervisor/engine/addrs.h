/*
 * The addresses that this machine has now, by rtnetlink; needs no privilege.
 *
 * The kernel's messages only say "look again": what is known is always one
 * complete list, in the kernel's order (that of "ip address"), never a list
 * that was patched message by message.
 */
#ifndef ADDRS_H
#define ADDRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/*
 * A gateway has a dozen.  What is beyond this is as good as not here, and
 * the log says so once.
 */
#define ADDRS_MAX 1024

struct addrs_entry {
	struct pol_addr addr;
	uint32_t ifindex;
	uint32_t flags; /* IFA_F_* */
	uint8_t prefixlen;
	uint8_t scope; /* RT_SCOPE_* */
};

struct addrs_table {
	size_t n;
	struct addrs_entry entry[ADDRS_MAX];
};

/*
 * Pure: can a socket be bound to ADDR, by T?  Not while the kernel still
 * looks whether another machine has it, or has found one.  On the loopback
 * interface the whole IPv4 network of an address is local.  Local routes
 * without an address (AnyIP) do not count.
 */
bool addrs_table_here(const struct addrs_table *t,
    const struct pol_addr *addr);

/*
 * Pure: which address of interface IFINDEX and FAMILY is *the* address?
 * IPv4: the first one that is neither secondary nor of less than global
 * scope; else the first that is not link-local.  IPv6: the first permanent
 * one of global scope (unique local ones are) that is neither tentative nor
 * refused, deprecated or temporary.  OUT->family is 0 if there is none.
 */
void addrs_table_pick(struct pol_addr *out, const struct addrs_table *t,
    uint32_t ifindex, int family);

struct addrs;

/* POLICY is borrowed.  Has looked once.  NULL and errno on failure. */
struct addrs *addrs_new(const struct pol_policy *policy);
void addrs_free(struct addrs *a);

/* Readable when there is reason to look again. */
int addrs_fd(const struct addrs *a);

/*
 * Look again if there is reason to; never waits for one.  1: an address came
 * or went, or an interface's address is another.  0: all is as before.  -1:
 * the kernel gave no complete list; nothing is here, and the next call looks
 * again.
 */
int addrs_read(struct addrs *a) __attribute__((warn_unused_result));

bool addrs_here(const struct addrs *a, const struct pol_addr *addr);

/* POL_MAX_IFADDRS of them, in the order of the policy's ifaddrs. */
void addrs_interface(const struct addrs *a, struct pol_addr *out);

/* All addresses of the policy's internal interfaces, at most CAP; how many. */
size_t addrs_internal(const struct addrs *a, struct pol_addr *out,
    size_t cap);

/* Another number after each change. */
uint64_t addrs_generation(const struct addrs *a);

#endif
