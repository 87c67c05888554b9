/*
 * What the tests of the control-protocol library share.
 */
#ifndef CPUTIL_H
#define CPUTIL_H

#include <stddef.h>
#include <stdint.h>

#include <check.h>

#include "controlproto/err.h"
#include "controlproto/reader.h"
#include "controlproto/reply.h"
#include "controlproto/str.h"

/* A literal with its length: it may hold NULs. */
/* clang-format off */
#define LIT(s) { (s), sizeof(s) - 1 }
/* clang-format on */

#define NELEM(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* Octet for octet, with a message that shows both. */
#define ck_str(s, want) cputil_same(__FILE__, __LINE__, (s), cp_str_of(want))
#define ck_span(s, want) cputil_same(__FILE__, __LINE__, (s), (want))
void cputil_same(
    const char *file, int line, struct cp_str got, struct cp_str want);

/* The one message in WIRE; fails the test when it holds none. */
struct cp_reply *cputil_reply(const char *wire);

/*
 * xorshift64.  The seed is PORTCULLIS_SEED or the time, and is printed; each
 * test starts from it.
 */
uint64_t cputil_random(void);

/*
 * A readable record of messages: "250[text]{data}[text]..." and a line end
 * for each.  The caller frees it.
 */
struct cputil_log {
	char *p;
	size_t n;
};

void cputil_log_reply(struct cputil_log *log, const struct cp_reply *reply);
void cputil_log_clear(struct cputil_log *log);

/* Takes all that R has to give; the first error ends it. */
enum cp_err cputil_drain(struct cputil_log *log, struct cp_reader *r);

enum cputil_cut { WHOLE, OCTETS, RANDOM };

/* Feeds IN in pieces and drains after each; the last verdict. */
enum cp_err cputil_feed(struct cputil_log *log, struct cp_reader *r,
    struct cp_str in, enum cputil_cut how);

/* The N-th allocation from now fails; 0 for none. */
void cputil_fail_alloc(unsigned n);

/* Runs the suite of this program; its exit status. */
int cputil_run(Suite *suite);

#endif
