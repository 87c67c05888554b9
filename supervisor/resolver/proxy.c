#include "supervisor/resolver/proxy.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define SOCKS4_VERSION 4
#define SOCKS5_VERSION 5
#define LOGIN_VERSION 1
#define COMMAND_CONNECT 1
enum { METHOD_NONE = 0, METHOD_PASSWORD = 2, METHOD_REFUSED = 0xff };
enum { ADDR_V4 = 1, ADDR_NAME = 3, ADDR_V6 = 4 };
#define SOCKS5_CODES 8 /* replies above have no meaning */
enum { SOCKS4_OK = 90, SOCKS4_NO = 91, SOCKS4_NO_IDENTD = 92,
	SOCKS4_OTHER_USER = 93 };
/* The first is what tinyproxy says of a wrong password. */
enum { HTTP_AUTH = 401, HTTP_PROXY_AUTH = 407 };

static void
put(struct proxy *p, const void *octets, size_t n)
{
	/* All that is ever put is bounded by the fields of struct ask. */
	if (n > sizeof p->out - p->len)
		return;
	memcpy(p->out + p->len, octets, n);
	p->len += n;
}

static void
put8(struct proxy *p, unsigned value)
{
	unsigned char octet = (unsigned char)value;

	put(p, &octet, 1);
}

static void
put_text(struct proxy *p, const char *text)
{
	put(p, text, strlen(text));
}

/* --- HTTP ----------------------------------------------------------------- */

static void
put_base64(struct proxy *p, const unsigned char *in, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = (uint32_t)in[i] << 16;
		size_t left = n - i;

		if (left > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			bits |= in[i + 2];
		for (unsigned j = 0; j < 4; j++)
			put8(p, j <= left ? (unsigned char)
			    digits[bits >> (18 - 6 * j) & 0x3f] : '=');
	}
}

static void
put_basic(struct proxy *p)
{
	unsigned char both[sizeof p->ask.user + sizeof p->ask.password];
	int n = snprintf((char *)both, sizeof both, "%s:%s", p->ask.user,
	    p->ask.password);

	put_text(p, "Proxy-Authorization: Basic ");
	put_base64(p, both, n > 0 ? (size_t)n : 0);
	put_text(p, "\r\n");
	explicit_bzero(both, sizeof both);
}

/* As Tor does it: no more than has to be said. */
static void
put_http(struct proxy *p)
{
	char line[96], target[64];

	pol_addrport_format(target, sizeof target, &p->ask.target,
	    (uint16_t)p->ask.target_port);
	(void)snprintf(line, sizeof line, "CONNECT %s HTTP/1.0\r\n", target);
	put_text(p, line);
	if (p->ask.has_auth == 1)
		put_basic(p);
	put_text(p, "\r\n");
}

/* "HTTP/1.x NNN"; the rest of the line is for people. */
static enum name_verdict
judge_http(const unsigned char *in, size_t n, size_t *used, uint32_t *code)
{
	static const char version[] = "HTTP/1.";
	const size_t at = sizeof version - 1;
	uint32_t status = 0;

	if (memcmp(in, version, n < at ? n : at) != 0)
		return NAME_V_PROTOCOL;
	if (n < at + 5) /* "1 200" */
		return NAME_V_NONE;
	if (in[at + 1] != ' ')
		return NAME_V_PROTOCOL;
	for (size_t i = at + 2; i < at + 5; i++) {
		if (in[i] < '0' || in[i] > '9')
			return NAME_V_PROTOCOL;
		status = status * 10 + (uint32_t)(in[i] - '0');
	}
	*used = n;
	*code = status;
	if (status >= 200 && status < 300)
		return NAME_V_OK;
	return status == HTTP_AUTH || status == HTTP_PROXY_AUTH ?
	    NAME_V_AUTH : NAME_V_DENIED;
}

/* --- SOCKS ---------------------------------------------------------------- */

static void
put_port(struct proxy *p, uint32_t port)
{
	put8(p, port >> 8);
	put8(p, port & 0xff);
}

static void
put_socks4(struct proxy *p)
{
	put8(p, SOCKS4_VERSION);
	put8(p, COMMAND_CONNECT);
	put_port(p, p->ask.target_port);
	put(p, &p->ask.target.v4, sizeof p->ask.target.v4);
	put(p, p->ask.user, strlen(p->ask.user) + 1);
}

static enum name_verdict
judge_socks4(const unsigned char *in, size_t n, size_t *used, uint32_t *code)
{
	if (in[0] != 0)
		return NAME_V_PROTOCOL;
	if (n < 8)
		return NAME_V_NONE;
	*used = 8;
	*code = in[1];
	switch (in[1]) {
	case SOCKS4_OK:
		return NAME_V_OK;
	case SOCKS4_NO:
		return NAME_V_DENIED;
	case SOCKS4_NO_IDENTD:
	case SOCKS4_OTHER_USER:
		return NAME_V_AUTH;
	default:
		return NAME_V_PROTOCOL;
	}
}

/* As Tor does it: with a password it offers to go without, too. */
static void
put_methods(struct proxy *p)
{
	p->step = PROXY_METHOD;
	put8(p, SOCKS5_VERSION);
	put8(p, p->ask.has_auth == 1 ? 2 : 1);
	put8(p, METHOD_NONE);
	if (p->ask.has_auth == 1)
		put8(p, METHOD_PASSWORD);
}

static void
put_login(struct proxy *p)
{
	p->step = PROXY_LOGIN;
	put8(p, LOGIN_VERSION);
	put8(p, (unsigned)strlen(p->ask.user));
	put_text(p, p->ask.user);
	put8(p, (unsigned)strlen(p->ask.password));
	put_text(p, p->ask.password);
}

static void
put_connect(struct proxy *p)
{
	const bool v4 = p->ask.target.family == AF_INET;

	p->step = PROXY_CONNECT;
	put8(p, SOCKS5_VERSION);
	put8(p, COMMAND_CONNECT);
	put8(p, 0);
	put8(p, v4 ? ADDR_V4 : ADDR_V6);
	put(p, &p->ask.target.v6, v4 ? sizeof p->ask.target.v4 :
	    sizeof p->ask.target.v6);
	put_port(p, p->ask.target_port);
}

static enum name_verdict
judge_method(struct proxy *p, const unsigned char *in, size_t n, size_t *used)
{
	if (in[0] != SOCKS5_VERSION)
		return NAME_V_PROTOCOL;
	if (n < 2)
		return NAME_V_NONE;
	*used = 2;
	if (in[1] == METHOD_NONE)
		put_connect(p);
	else if (in[1] == METHOD_PASSWORD && p->ask.has_auth == 1)
		put_login(p);
	else
		return in[1] == METHOD_REFUSED ? NAME_V_AUTH :
		    NAME_V_PROTOCOL;
	return NAME_V_NONE;
}

static enum name_verdict
judge_login(struct proxy *p, const unsigned char *in, size_t n, size_t *used)
{
	/* Some say their SOCKS version here; the second octet counts. */
	if (in[0] != LOGIN_VERSION && in[0] != SOCKS5_VERSION)
		return NAME_V_PROTOCOL;
	if (n < 2)
		return NAME_V_NONE;
	*used = 2;
	if (in[1] != 0)
		return NAME_V_AUTH;
	put_connect(p);
	return NAME_V_NONE;
}

static enum name_verdict
judge_connect(const unsigned char *in, size_t n, size_t *used, uint32_t *code)
{
	if (in[0] != SOCKS5_VERSION)
		return NAME_V_PROTOCOL;
	/* The address behind it is of no interest. */
	if (n < 4)
		return NAME_V_NONE;
	*used = n;
	if (in[1] > SOCKS5_CODES || in[2] != 0 || (in[3] != ADDR_V4 &&
	    in[3] != ADDR_NAME && in[3] != ADDR_V6))
		return NAME_V_PROTOCOL;
	*code = in[1];
	return in[1] == 0 ? NAME_V_OK : NAME_V_DENIED;
}

/* --- all of them ---------------------------------------------------------- */

enum name_verdict
proxy_start(struct proxy *p, const struct name_tryout *ask)
{
	memset(p, 0, sizeof *p);
	p->ask = *ask;
	switch ((enum name_try)ask->kind) {
	case NAME_TRY_HTTPS:
		p->step = PROXY_HTTP;
		put_http(p);
		return NAME_V_NONE;
	case NAME_TRY_SOCKS4:
		if (ask->target.family != AF_INET)
			return NAME_V_DENIED; /* it knows only IPv4 */
		p->step = PROXY_SOCKS4;
		put_socks4(p);
		return NAME_V_NONE;
	case NAME_TRY_SOCKS5:
		put_methods(p);
		return NAME_V_NONE;
	case NAME_TRY_TCP:
	case NAME_NTRY:
		break;
	}
	return NAME_V_OK; /* the connection was all */
}

enum name_verdict
proxy_in(struct proxy *p, const unsigned char *in, size_t n, size_t *used,
    uint32_t *code)
{
	*used = 0;
	*code = 0;
	explicit_bzero(p->out, sizeof p->out);
	p->len = 0;
	if (n == 0)
		return NAME_V_NONE;
	switch (p->step) {
	case PROXY_HTTP:
		return judge_http(in, n, used, code);
	case PROXY_SOCKS4:
		return judge_socks4(in, n, used, code);
	case PROXY_METHOD:
		return judge_method(p, in, n, used);
	case PROXY_LOGIN:
		return judge_login(p, in, n, used);
	case PROXY_CONNECT:
		return judge_connect(in, n, used, code);
	}
	return NAME_V_PROTOCOL;
}

/* A server need not say that a login fails: RFC 1929 has it hang up. */
enum name_verdict
proxy_eof(const struct proxy *p)
{
	return p->step == PROXY_LOGIN ? NAME_V_AUTH : NAME_V_PROTOCOL;
}

void
proxy_clear(struct proxy *p)
{
	explicit_bzero(p, sizeof *p);
}
