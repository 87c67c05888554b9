#include "tests/unit/uplinkutil.h"

#include <check.h>
#include <string.h>

#include "tests/unit/polutil.h"

static const char policy_text[] = P_ALL
    "transport obfs4 { methods = { obfs4, meek_lite } dns = true\n"
    "program = \"/usr/bin/obfs4proxy\" bridge = {\n"
    "\"meek_lite 192.0.2.2:2 url=https://m.example/\",\n"
    "\"obfs4 192.0.2.1:1\", \"obfs4 192.0.2.1:2\" } }\n"
    "transport snow { methods = snowflake program = \"/usr/bin/snow\"\n"
    "arguments = \"-max 3\" bridge = \"snowflake 192.0.2.3:80\" }\n"
    "transport bare { program = \"/usr/bin/bare\" }\n"
    "resolver { address = \"192.0.2.53\" }\n";

struct pol_policy uu_policy;

void
uu_set_up(void)
{
	pu_parse(&uu_policy, policy_text);
}

void
uu_tear_down(void)
{
	pol_policy_clear(&uu_policy);
}

size_t
uu_parse(struct pol_uplink *u, char why[POL_UPLINK_WHY], const char *text)
{
	return pol_uplink_parse(u, why, &uu_policy, text, strlen(text));
}

void
uu_must_parse(struct pol_uplink *u, const char *text)
{
	char why[POL_UPLINK_WHY];
	size_t bad = uu_parse(u, why, text);

	ck_assert_msg(bad == 0, "%zu: %s", bad, why);
	ck_assert_msg(pol_uplink_ok(u, why, &uu_policy), "%s", why);
}
