#include "supervisor/engine/cookie.h"

#include <stdbool.h>
#include <string.h>

#include "policy/policy.h"
#include "supervisor/log.h"
#include "supervisor/torauth/cookiefile.h"

/* /var/run leads to /run, and is asked for as that by Landlock. */
const char *const cookie_folders[] = { "/run", "/var/run", "/var/lib", NULL };

static bool
is_below(const char *path, const char *folder)
{
	const size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/' &&
	    strstr(path, "/../") == NULL;
}

/* Tor's word, if it is to be believed. */
static const char *
believe(const char *said)
{
	char esc[128];

	for (size_t i = 0; cookie_folders[i] != NULL; i++)
		if (is_below(said, cookie_folders[i]))
			return said;
	log_warn("cookie: Tor names %s: below neither /run nor /var/lib it "
	    "has to be the policy's tor.cookie_file",
	    log_esc(esc, sizeof esc, said, strlen(said)));
	return NULL;
}

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
	if (path == said)
		return believe(said);
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
