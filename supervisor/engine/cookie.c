#include "supervisor/engine/cookie.h"

#include <string.h>

#include "policy/policy.h"
#include "supervisor/log.h"
#include "supervisor/torauth/cookiefile.h"

/* Which file; NULL, logged, when there is none to trust. */
static const char *
choose_path(const struct pol_tor *tor, const char *said)
{
	const char *path = tor->cookie_file;
	char esc[128];

	if (path[0] == '\0')
		path = said;
	if (path == NULL || path[0] != '/') {
		log_warn("cookie: Tor names no absolute path, nor does the "
		    "policy");
		return NULL;
	}
	if (said == NULL || strcmp(path, said) == 0)
		return path;
	log_warn("cookie: Tor names %s, the policy %s",
	    log_esc(esc, sizeof esc, said, strlen(said)), path);
	return NULL;
}

int
cookie_read(unsigned char out[CP_COOKIE_LEN], const struct pol_tor *tor,
    const char *said)
{
	const char *path = choose_path(tor, said), *fault;

	if (path == NULL) {
		explicit_bzero(out, CP_COOKIE_LEN);
		return -1;
	}
	fault = cookiefile_read(out, path, tor->user.uid);
	if (fault == NULL)
		return 0;
	log_warn("cookie: %s", fault);
	return -1;
}
