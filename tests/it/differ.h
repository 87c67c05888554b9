/*
 * One table both ways: as the gate sends it, and as nft text.  For tests, in
 * a network namespace of their own; they need nft(8).
 */
#ifndef DIFFER_H
#define DIFFER_H

#include <stdbool.h>

#include "policy/rules.h"

/* Can this be done here?  Enters a new network namespace. */
bool differ_enter(void);
/* A pair of interfaces, NAME and another one, for netdev chains. */
void differ_interface(const char *name);

/*
 * Send SENT through nft_compile and list it; load TEXT with nft and list
 * that.  Whether both listings are the same but for handles, counters, the
 * order of elements, and the elements that come and go.  What the kernel
 * does not take as messages is not the same; text that nft does not take
 * fails the test.  TELL: print the listings if they differ.
 */
bool differ_same(const struct pol_table *sent, const char *text, bool tell);

/* SENT beside its own text in POS. */
bool differ_same_table(const struct pol_table *sent,
    const struct pol_policy *p, enum pol_position pos);

/* Tables in which each statement, key and set is; the caller's to clear. */
void differ_all_kinds(struct pol_ruleset *out);
/* The table with every length of prefix, both families, both sides. */
void differ_all_prefixes(struct pol_ruleset *out);

#endif
