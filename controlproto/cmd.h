/*
 * Typed command builders (control-spec 3).  Only these write to the wire; each
 * refuses, with CP_ERR_ARG, whatever Tor could not read back as meant, and any
 * CR or LF.  OUT is overwritten, so clear it before it is used again; on an
 * error it is empty.
 */
#ifndef CP_CMD_H
#define CP_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Commands longer than this are refused by Tor ("500 Line too long."). */
#define CP_CMD_MAX (1024 * 1024)

/*
 * A finished command line: LEN octets with its CRLF, and no NUL behind it.
 * cp_cmd_clear() wipes and frees it; a zeroed struct is empty and may be
 * cleared.
 */
struct cp_cmd {
	char *line;
	size_t len;
	bool secret; /* an AUTHENTICATE: never log the arguments */
};

void cp_cmd_clear(struct cp_cmd *cmd);

/* One option of SETCONF; VALUE NULL sends the bare name (0, NULL or empty). */
struct cp_opt {
	const char *name;
	const char *value;
};

/* Signals that a supervisor may send; control-spec 3.7. */
enum cp_signal {
	CP_SIGNAL_NEWNYM = 0,
	CP_SIGNAL_CLEARDNSCACHE,
	CP_SIGNAL_ACTIVE,
	CP_NSIGNAL
};

enum cp_err cp_cmd_protocolinfo(struct cp_cmd *out)
    __attribute__((warn_unused_result));
/* Client nonce: exactly 32 octets from a good random source. */
enum cp_err cp_cmd_authchallenge(struct cp_cmd *out,
    const unsigned char nonce[32]) __attribute__((warn_unused_result));
/* The credential as hex; N may be 0 (NULL method: no argument). */
enum cp_err cp_cmd_authenticate(struct cp_cmd *out, const unsigned char *cred,
    size_t n) __attribute__((warn_unused_result));
/* Keys and names: one or more, [A-Za-z0-9_/.*-]+ and [A-Za-z_][A-Za-z0-9_]*. */
enum cp_err cp_cmd_getinfo(struct cp_cmd *out, const char *const *keys,
    size_t n) __attribute__((warn_unused_result));
enum cp_err cp_cmd_getconf(struct cp_cmd *out, const char *const *names,
    size_t n) __attribute__((warn_unused_result));
enum cp_err cp_cmd_setconf(struct cp_cmd *out, const struct cp_opt *opts,
    size_t n) __attribute__((warn_unused_result));
/* N may be 0: no events. */
enum cp_err cp_cmd_setevents(struct cp_cmd *out, const char *const *names,
    size_t n) __attribute__((warn_unused_result));
enum cp_err cp_cmd_signal(struct cp_cmd *out, enum cp_signal sig)
    __attribute__((warn_unused_result));
/* EXTENDCIRCUIT 0 purpose=general: ask for one fresh circuit, as evidence. */
enum cp_err cp_cmd_newcircuit(struct cp_cmd *out)
    __attribute__((warn_unused_result));
/*
 * CLOSESTREAM ID 1: end that stream, for no reason that is told (MISC).  One
 * that has ended by itself is no error of anybody's: Tor answers 552.
 */
enum cp_err cp_cmd_closestream(struct cp_cmd *out, uint64_t id)
    __attribute__((warn_unused_result));
enum cp_err cp_cmd_quit(struct cp_cmd *out) __attribute__((warn_unused_result));

#ifdef __cplusplus
}
#endif

#endif
