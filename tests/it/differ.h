/*
 * One table both ways: as the gate sends it, and as nft text.  For tests, in
 * a network namespace of their own; they need nft(8).
 */
#ifndef DIFFER_H
#define DIFFER_H

#include <stdbool.h>

#include "policy/rules.h"

struct differ_listing;

/* Can this be done here?  Enters a new network namespace. */
bool differ_enter(void);
/* A pair of interfaces, NAME and another one, for netdev chains. */
void differ_interface(const char *name);

/*
 * T's text in POS, loaded into the kernel by nft and listed by it; text that
 * nft does not take fails the test.  The caller frees it.
 */
struct differ_listing *differ_load(const struct pol_table *t,
    const struct pol_policy *p, enum pol_position pos);
void differ_free(struct differ_listing *l);

/*
 * Send T through nft_compile, in the place of what is there.  Whether it is
 * listed as OF_TEXT, as JSON and for people, but for handles, counters, the
 * order of elements, and the elements that come and go.  What the kernel or
 * nft do not take is not the same.  TELL: print both if they differ.
 */
bool differ_same(const struct pol_table *t,
    const struct differ_listing *of_text, bool tell);

/*
 * T is in the kernel: load what L lists of it, its elements aside.  Whether
 * that is listed as L again.
 */
bool differ_reloads(const struct pol_table *t,
    const struct differ_listing *l);

/* Tables in which each statement, key and set is; the caller's to clear. */
void differ_all_kinds(struct pol_ruleset *out);
/* The table with every length of prefix, both families, both sides. */
void differ_all_prefixes(struct pol_ruleset *out);

#endif
