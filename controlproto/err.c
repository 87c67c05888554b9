#include "controlproto/err.h"

#include <stddef.h>

static const char *const err_texts[CP_NERR] = {
	[CP_OK] = "no error",
	[CP_ERR_NOMEM] = "out of memory",
	[CP_ERR_LIMIT] = "larger than allowed",
	[CP_ERR_SYNTAX] = "not the control protocol's grammar",
	[CP_ERR_NOT_TOR] = "not a Tor control port",
	[CP_ERR_UNSOLICITED] = "a reply to no command",
	[CP_ERR_MIXED] = "mixed status codes in one reply",
	[CP_ERR_ARG] = "an argument that cannot be sent",
	[CP_ERR_BUSY] = "a command is already in flight",
	[CP_ERR_TIMEOUT] = "no reply in time",
	[CP_ERR_REFUSED] = "refused by Tor",
	[CP_ERR_KEY] = "keys other than those asked for",
	[CP_ERR_AUTH] =
	    "authentication failed: no permitted method, or another cookie",
	[CP_ERR_COOKIE] = "not a cookie of 32 octets",
	[CP_ERR_CLOSED] = "closed by the other side",
	[CP_ERR_SYSTEM] = "a system call failed",
};

const char *
cp_strerror(enum cp_err err)
{
	const char *text = NULL;

	if ((unsigned)err < CP_NERR)
		text = err_texts[err];
	return text != NULL ? text : "unknown error";
}
