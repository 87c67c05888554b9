#include "config.h" /* _GNU_SOURCE */

#include "supervisor/resolver/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "supervisor/log.h"

uint64_t
net_now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) == -1)
		fatal("clock: %s", strerror(errno));
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

socklen_t
net_sockaddr(struct sockaddr_storage *ss, const struct pol_addr *addr,
    uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	ss->ss_family = (sa_family_t)addr->family;
	if (addr->family == AF_INET) {
		in->sin_addr = addr->v4;
		in->sin_port = htons(port);
		return sizeof *in;
	}
	in6->sin6_addr = addr->v6;
	in6->sin6_port = htons(port);
	return sizeof *in6;
}

int
net_socket(int family, int type)
{
	return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

enum name_state
net_state(int err)
{
	if (err == EPERM || err == EACCES)
		return NAME_BLOCKED;
	return err == ETIMEDOUT ? NAME_TIMEOUT : NAME_UNREACHABLE;
}

enum name_verdict
net_verdict(int err)
{
	if (err == EPERM || err == EACCES)
		return NAME_V_BLOCKED;
	if (err == ECONNREFUSED)
		return NAME_V_REFUSED;
	return err == ETIMEDOUT ? NAME_V_TIMEOUT : NAME_V_UNREACHABLE;
}
