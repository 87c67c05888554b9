#include "config.h" /* accept4() */

#include "tests/unit/peerutil.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/cputil.h"

char peer_dir[] = "/tmp/t_link.XXXXXX", peer_where[64];
unsigned char peer_cookie[CP_COOKIE_LEN];
int peer = -1;
static int listener = -1;

const char *
peer_path(const char *name)
{
	static char path[64];

	(void)snprintf(path, sizeof path, "%s/%s", peer_dir, name);
	return path;
}

void
peer_file(const char *name, const void *p, size_t n)
{
	FILE *f = fopen(peer_path(name), "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(p, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

void
peer_setup(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	memset(peer_cookie, 'c', sizeof peer_cookie);
	memcpy(strrchr(peer_dir, '.'), ".XXXXXX", sizeof ".XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(peer_dir));
	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s/s", peer_dir);
	(void)snprintf(peer_where, sizeof peer_where, "unix:%s/s", peer_dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&un, sizeof un), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	peer = -1;
}

void
peer_teardown(void)
{
	static const char *const names[] = { "s", "cookie" };
	int i;

	peer_unlisten();
	peer_close();
	for (i = 0; i < NELEM(names); i++)
		(void)unlink(peer_path(names[i]));
	(void)rmdir(peer_dir);
}

void
peer_accept(void)
{
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ne(peer, -1);
}

void
peer_close(void)
{
	if (peer != -1)
		(void)close(peer);
	peer = -1;
}

void
peer_unlisten(void)
{
	if (listener != -1)
		(void)close(listener);
	listener = -1;
}

unsigned
peer_listen(int family)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&in :
	    (struct sockaddr *)&in6;
	socklen_t len = family == AF_INET ? sizeof in : sizeof in6;

	peer_unlisten();
	listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener == -1 || bind(listener, sa, len) == -1)
		return 0;
	ck_assert_int_eq(listen(listener, 4), 0);
	ck_assert_int_eq(getsockname(listener, sa, &len), 0);
	return ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
}
void
peer_say(const char *text)
{
	ck_assert_int_eq(send(peer, text, strlen(text), MSG_NOSIGNAL),
	    (int)strlen(text));
}

const char *
peer_hears(const char *want)
{
	static char line[512];
	ssize_t n = recv(peer, line, sizeof line - 1, 0);

	ck_assert_int_gt(n, 2);
	line[n] = '\0';
	ck_assert_msg(strncmp(line, want, strlen(want)) == 0, "%s", line);
	ck_assert_ptr_eq(strchr(line, '\n'), line + n - 1);
	return line;
}

void
peer_hears_nothing(void)
{
	char c;

	ck_assert_int_eq(recv(peer, &c, 1, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

void
peer_prove(const char *line)
{
	static const char key[] =
	    "Tor safe cookie authentication server-to-controller hash";
	unsigned char in[3 * 32], hash[32];
	char hex[2][65], text[256];

	memcpy(in, peer_cookie, 32);
	ck_assert_int_eq(cp_hex_decode(in + 32, 32, (struct cp_str){
	    line + strlen("AUTHCHALLENGE SAFECOOKIE "), 64 }), CP_OK);
	memset(in + 64, 's', 32);
	ck_assert_ptr_nonnull(HMAC(EVP_sha256(), key, sizeof key - 1, in,
	    sizeof in, hash, NULL));
	cp_hex_encode(hex[0], hash, 32);
	cp_hex_encode(hex[1], in + 64, 32);
	(void)snprintf(text, sizeof text, "250 AUTHCHALLENGE SERVERHASH=%s "
	    "SERVERNONCE=%s\r\n", hex[0], hex[1]);
	peer_say(text);
}
