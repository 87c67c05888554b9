/*
 * Promises: a refusal has a line of the text and a reason, and leaves nothing
 * behind; what is taken is what pol_uplink_ok() lets through; as a file it is
 * one option a line, of those that there are, with no program but the
 * policy's, and read again it is the same.  The input as struct pol_uplink:
 * what is let through is made of the same text.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "policy/parse.h"
#include "policy/uplink.h"

static const char policy_text[] =
    "tor { user = 101 control = \"unix:/c\" }\n"
    "gateway { internal = eth1 external = eth0 }\n"
    "users { gate = 102 engine = 103 status = 104 }\n"
    "listener a { kind = socks address = \"10.0.0.1\" port = 9050 }\n"
    "transport obfs4 { methods = { obfs4, meek_lite } program = \"/o\"\n"
    "bridge = \"obfs4 192.0.2.1:1\" }\n"
    "transport snowflake { program = \"/s\" arguments = \"-max 3\" }\n";

static const struct pol_policy *
policy(void)
{
	static struct pol_policy p;
	struct pol_source src = { "fuzz", policy_text, sizeof policy_text - 1 };
	struct pol_diags diags;

	if (p.nlisteners == 0)
		FUZZ_ASSERT(pol_parse(&p, &diags, &src, 1) == 0);
	return &p;
}

static bool
is_clean(const char *value)
{
	for (; *value != '\0'; value++)
		if (*value < ' ' || *value > '~')
			return false;
	return true;
}

static bool
on_option(void *arg, const char *option, const char *value)
{
	static const char *const options[] = { "UseBridges", "Bridge",
		"ClientTransportPlugin", "HTTPSProxy",
		"HTTPSProxyAuthenticator", "Socks4Proxy", "Socks5Proxy",
		"Socks5ProxyUsername", "Socks5ProxyPassword" };
	size_t *n = arg, i = 0;

	while (i < sizeof options / sizeof options[0] &&
	    strcmp(options[i], option) != 0)
		i++;
	FUZZ_ASSERT(i < sizeof options / sizeof options[0]);
	if (value == NULL)
		return true;
	++*n;
	FUZZ_ASSERT(is_clean(value));
	/* The rest is in quotes. */
	FUZZ_ASSERT(i == 4 || i > 6 || strpbrk(value, "\"\\#'") == NULL);
	FUZZ_ASSERT(i != 2 ||
	    strcmp(value, "obfs4,meek_lite exec /o") == 0 ||
	    strcmp(value, "snowflake exec /s -max 3") == 0);
	return true;
}

/* As many lines as there are options and comments of ours. */
static void
check_text(const struct pol_uplink *u, const char *text, size_t options)
{
	struct pol_addr own;
	size_t lines = 0;

	for (const char *p = text; *p != '\0'; p++) {
		FUZZ_ASSERT(*p == '\n' || (*p >= ' ' && *p <= '~'));
		lines += *p == '\n';
	}
	pol_uplink_proxy_addr(&own, u);
	options += 1 + (u->proxy != POL_PROXY_NONE && own.family == 0);
	FUZZ_ASSERT(lines == options);
}

static void
check_good(const struct pol_uplink *u)
{
	char why[POL_UPLINK_WHY];
	struct pol_uplink again;
	struct pol_addr addr;
	size_t n = 0;
	char *text;

	FUZZ_ASSERT(pol_uplink_ok(u, why, policy()));
	FUZZ_ASSERT(pol_addr_parse(&addr, "198.51.100.1"));
	FUZZ_ASSERT(pol_uplink_options(u, policy(), &addr, on_option, &n));
	text = pol_uplink_print(u, policy(), &addr);
	FUZZ_ASSERT(text != NULL);
	check_text(u, text, n);
	FUZZ_ASSERT(pol_uplink_parse(&again, why, policy(), text,
	    strlen(text)) == 0);
	FUZZ_ASSERT(pol_uplink_same(u, &again));
	free(text);
}

static size_t
count_lines(const uint8_t *data, size_t size)
{
	size_t n = size == 0 || data[size - 1] != '\n';

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

/* One bridge line by itself. */
static void
check_bridge(const uint8_t *data, size_t size)
{
	char line[POL_BRIDGE_LEN + 8], text[POL_BRIDGE_LEN];
	char again[POL_BRIDGE_LEN], why[POL_UPLINK_WHY];
	struct pol_bridge b;

	if (size >= sizeof line)
		return;
	if (size != 0)
		memcpy(line, data, size);
	line[size] = '\0';
	if (!pol_bridge_parse(&b, why, line)) {
		FUZZ_ASSERT(why[0] != '\0');
		return;
	}
	FUZZ_ASSERT(b.args >= line && b.args <= line + strlen(line));
	FUZZ_ASSERT(b.port != 0 && b.addr.family != 0);
	pol_bridge_format(text, &b);
	if (strcmp(b.transport, "Bridge") == 0)
		return;
	FUZZ_ASSERT(pol_bridge_parse(&b, why, text));
	pol_bridge_format(again, &b);
	FUZZ_ASSERT(strcmp(text, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pol_uplink nothing;
	static struct pol_uplink u;
	char why[POL_UPLINK_WHY];
	size_t bad;

	bad = pol_uplink_parse(&u, why, policy(), (const char *)data, size);
	if (bad != 0) {
		FUZZ_ASSERT(why[0] != '\0' && bad <= count_lines(data, size));
		FUZZ_ASSERT(memcmp(&u, &nothing, sizeof u) == 0);
	} else {
		check_good(&u);
	}
	check_bridge(data, size);
	memset(&u, 0, sizeof u);
	if (size != 0)
		memcpy(&u, data, size < sizeof u ? size : sizeof u);
	if (pol_uplink_ok(&u, why, policy()))
		check_good(&u);
	return 0;
}
