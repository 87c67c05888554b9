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

/* A policy whose only fault stands in the part that is given. */
#define P_IN_TOR(s)                                                          \
	"tor { user = 101 control = \"unix:/c\"\n" s " }\n"                    \
	P_GW P_USERS P_SOCKS
#define P_IN_GW(s) P_TOR "gateway {\n" s " }\n" P_USERS P_SOCKS
#define P_IN_GW2(s) P_IN_GW("internal = eth1 external = eth0\n" s)
#define P_IN_USERS(s) P_TOR P_GW "users {\n" s " }\n" P_SOCKS
#define P_IN_LIST(s) P_TOR P_GW P_USERS "listener \"a\" {\n" s " }\n"
#define P_IN_SOCKS(s)                                                        \
	P_IN_LIST("kind = socks address = \"10.0.0.1\" port = 9050\n" s)
#define P_IN_PORT(s)                                                         \
	P_IN_LIST("kind = socks address = \"10.0.0.1\"\n port = " s)
#define P_IN_ADDR(s)                                                         \
	P_IN_LIST("kind = socks port = 9050\n address = \"" s "\"")
#define P_IN_MORE(s) P_ALL "listener \"b\" { " s " }\n"

/* Parse TEXT, which must be right. */
void pu_parse(struct pol_policy *out, const char *text);

/* Parse TEXT, which must be wrong; DIAGS is the caller's to clear. */
void pu_parse_wrong(struct pol_diags *diags, const char *text);

/* TEXT has this one fault: at LINE, and the sentence has WORDS. */
void pu_fault(const char *text, unsigned line, const char *words);

/* TEXT is right, but has this one warning; NULL: none. */
void pu_warning(const char *text, unsigned line, const char *words);

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
