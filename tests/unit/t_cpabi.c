/*
 * What a program has compiled into it of libcontrolproto's headers.  A change
 * here is another soname: libcontrolproto(3), "Versions".
 */
#include "tests/unit/cputil.h"

#include <stddef.h>

#include "controlproto/auth.h"
#include "controlproto/cmd.h"
#include "controlproto/event.h"
#include "controlproto/login.h"
#include "controlproto/ns.h"
#include "controlproto/session.h"

struct record {
	const char *what;
	size_t is, was;
};

#define SIZE(s, was) { #s, sizeof(struct s), was }
#define AT(s, field, was) { #s "." #field, offsetof(struct s, field), was }
#define NUMBER(name, was) { #name, name, was }

/* clang-format off */
static const struct record records[] = {
	SIZE(cp_str, 16),
	    AT(cp_str, p, 0), AT(cp_str, n, 8),
	SIZE(cp_limits, 24),
	    AT(cp_limits, line, 0), AT(cp_limits, reply, 8),
	    AT(cp_limits, lines, 16),
	SIZE(cp_cmd, 24),
	    AT(cp_cmd, line, 0), AT(cp_cmd, len, 8), AT(cp_cmd, secret, 16),
	SIZE(cp_opt, 16),
	    AT(cp_opt, name, 0), AT(cp_opt, value, 8),
	SIZE(cp_conf, 40),
	    AT(cp_conf, key, 0), AT(cp_conf, value, 16),
	    AT(cp_conf, has_value, 32),
	SIZE(cp_protocolinfo, 4168),
	    AT(cp_protocolinfo, methods, 0),
	    AT(cp_protocolinfo, has_cookiefile, 4),
	    AT(cp_protocolinfo, cookiefile, 5),
	    AT(cp_protocolinfo, version, 4101),
	SIZE(cp_bootstrap, 88),
	    AT(cp_bootstrap, progress, 0), AT(cp_bootstrap, count, 8),
	    AT(cp_bootstrap, severity, 16), AT(cp_bootstrap, warn, 20),
	    AT(cp_bootstrap, cut, 21), AT(cp_bootstrap, tag, 24),
	    AT(cp_bootstrap, summary, 40), AT(cp_bootstrap, warning, 56),
	    AT(cp_bootstrap, reason, 72),
	SIZE(cp_stream, 112),
	    AT(cp_stream, id, 0), AT(cp_stream, circuit, 16),
	    AT(cp_stream, target, 32), AT(cp_stream, source, 48),
	    AT(cp_stream, protocol, 64), AT(cp_stream, group, 80),
	    AT(cp_stream, fields, 96),
	SIZE(cp_event, 240),
	    AT(cp_event, kind, 0), AT(cp_event, severity, 4),
	    AT(cp_event, action, 8), AT(cp_event, text, 24),
	    AT(cp_event, boot, 40), AT(cp_event, stream, 128),
	SIZE(cp_endpoint, 20),
	    AT(cp_endpoint, addr, 0), AT(cp_endpoint, port, 16),
	    AT(cp_endpoint, v6, 18),
	SIZE(cp_ns, 88),
	    AT(cp_ns, rest, 0), AT(cp_ns, held, 16), AT(cp_ns, nheld, 56),
	    AT(cp_ns, in_entry, 64), AT(cp_ns, skipping, 65),
	    AT(cp_ns, entries, 72), AT(cp_ns, malformed, 80),
	SIZE(cp_dirline, 80),
	    AT(cp_dirline, at, 0), AT(cp_dirline, n, 64),
	    AT(cp_dirline, v3, 72),
	SIZE(cp_step, 56),
	    AT(cp_step, kind, 0), AT(cp_step, tag, 4),
	    AT(cp_step, wait_ms, 8), AT(cp_step, bytes, 16),
	    AT(cp_step, path, 32), AT(cp_step, message, 40),
	    AT(cp_step, bootstrap, 48),
};

/* A new one comes last: those that are compiled in keep their meaning. */
static const struct record numbers[] = {
	NUMBER(CP_ERR_NOMEM, 1), NUMBER(CP_ERR_COOKIE, 13),
	NUMBER(CP_ERR_CLOSED, 14), NUMBER(CP_ERR_SYSTEM, 15),
	NUMBER(CP_NERR, 16),
	NUMBER(CP_EV_BOOTSTRAP, 1), NUMBER(CP_EV_STREAM, 14),
	NUMBER(CP_NEVENT, 15), NUMBER(CP_SEV_ERR, 5),
	NUMBER(CP_SIGNAL_ACTIVE, 2), NUMBER(CP_NSIGNAL, 3),
	NUMBER(CP_AUTH_NULL, 1), NUMBER(CP_AUTH_SAFECOOKIE, 8),
	NUMBER(CP_LOGIN_FAILED, 0), NUMBER(CP_LOGIN_DONE, 5),
	NUMBER(CP_STEP_WAIT, 0), NUMBER(CP_STEP_BOOTSTRAP, 7),
	NUMBER(CP_SESSION_ASKS, 8), NUMBER(CP_SECRET_MAX, 1024),
	NUMBER(CP_COOKIE_LEN, 32), NUMBER(CP_NONCE_LEN, 32),
	NUMBER(CP_HASH_LEN, 32), NUMBER(CP_PATH_MAX, 4096),
	NUMBER(CP_LINE_ENDPOINTS, 3), NUMBER(CP_CMD_MAX, 1048576),
};
/* clang-format on */

static void
unchanged(const struct record *r)
{
	ck_assert_msg(r->is == r->was, "%s is %zu, and was %zu", r->what,
	    r->is, r->was);
}

START_TEST(a_struct_is_laid_out_as_it_was)
{
	if (sizeof(long) == 8 && sizeof(void *) == 8)
		unchanged(&records[_i]);
}
END_TEST

START_TEST(a_number_means_what_it_meant)
{
	unchanged(&numbers[_i]);
}
END_TEST

static Suite *
abi_suite(void)
{
	Suite *s = suite_create("abi");
	TCase *tc = tcase_create("abi");

	tcase_add_loop_test(tc, a_struct_is_laid_out_as_it_was, 0,
	    NELEM(records));
	tcase_add_loop_test(tc, a_number_means_what_it_meant, 0,
	    NELEM(numbers));
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(abi_suite());
}
