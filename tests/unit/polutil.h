/* What the policy tests share. */
#ifndef POLUTIL_H
#define POLUTIL_H

#include <check.h>
#include <stddef.h>

#include "policy/parse.h"

/* A policy in four lines, a section each. */
#define P_TOR "tor { user = 101 control = \"unix:/run/tor/control\" }\n"
#define P_GW "gateway { internal = { \"eth1\" } external = { \"eth0\" } }\n"
#define P_USERS "users { gate = 102 engine = 103 status = 104 }\n"
#define P_SOCKS "listener \"a\" { kind = \"socks\" address = \"10.0.0.1\" "  \
	"port = { \"9050\" } }\n"
#define P_ALL P_TOR P_GW P_USERS P_SOCKS

/* Parse TEXT, which must be right. */
void pu_parse(struct pol_policy *out, const char *text);

/* Parse TEXT, which must be wrong; DIAGS is the caller's to clear. */
void pu_parse_wrong(struct pol_diags *diags, const char *text);

/* TEXT has this one fault: at LINE, and the sentence has WORDS. */
void pu_fault(const char *text, unsigned line, const char *words);

/* Is there a diagnostic at LINE with WORDS? */
bool pu_has_diag(const struct pol_diags *diags, unsigned line,
    const char *words);

/*
 * The N-th allocation from now on that our code makes fails; 0: none does.
 * For programs linked with --wrap of each of them.
 */
void pu_fail_at(unsigned n);

/* Run the suite; the exit code of the program. */
int pu_run(Suite *s);

#endif
