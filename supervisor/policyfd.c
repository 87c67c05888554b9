#include "config.h" /* _GNU_SOURCE */

#include "supervisor/policyfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/parse.h"
#include "supervisor/links.h"
#include "supervisor/log.h"

/* Thrice the longest text of a policy with POL_MAX_LISTENERS. */
#define POLICY_MAX (4 * 1024 * 1024)

/* xmalloc()'d. */
static char *
read_text(size_t *len)
{
	const int want = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(LINK_POLICY_FD, F_GET_SEALS);
	struct stat st;
	char *text;

	if (seals == -1 || (seals & want) != want)
		fatal("the policy is not sealed");
	if (fstat(LINK_POLICY_FD, &st) == -1 || st.st_size < 0 ||
	    st.st_size > POLICY_MAX)
		fatal("the policy's size is not right");
	*len = (size_t)st.st_size;
	text = xmalloc(*len + 1);
	/* The offset is shared with our neighbours: not moved. */
	if (pread(LINK_POLICY_FD, text, *len, 0) != (ssize_t)*len)
		fatal("the policy cannot be read: %s", strerror(errno));
	text[*len] = '\0';
	return text;
}

void
policyfd_read(struct pol_policy *policy)
{
	struct pol_source src = { .name = "policy" };
	struct pol_diags diags = { 0 };
	char *text = read_text(&src.len);

	src.text = text;
	if (pol_parse(policy, &diags, &src, 1) == -1)
		fatal("line %u of the policy: %s",
		    diags.n > 0 ? diags.list[0].line : 0,
		    diags.n > 0 ? diags.list[0].text : "not valid");
	pol_diags_clear(&diags);
	free(text);
}
