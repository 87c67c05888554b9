#include "supervisor/gate/barrier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "supervisor/gatemsg.h"

#define NO_SUCH_PROTOCOL (-2)

void
barrier_open(struct barrier *b)
{
	b->fd4 = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);
	b->fd6 = open("/proc/sys/net/ipv6/conf/all/forwarding",
	    O_RDONLY | O_CLOEXEC);
	if (b->fd6 == -1 && errno == ENOENT &&
	    access("/proc/sys/net/ipv6", F_OK) == -1)
		b->fd6 = NO_SUCH_PROTOCOL;
}

static bool
is_off(int fd)
{
	char c = '1';

	if (fd == NO_SUCH_PROTOCOL)
		return true;
	return fd != -1 && pread(fd, &c, 1, 0) == 1 && c == '0';
}

uint32_t
barrier_read(const struct barrier *b)
{
	return (is_off(b->fd4) ? GATE_BAR_FWD4 : 0) |
	    (is_off(b->fd6) ? GATE_BAR_FWD6 : 0);
}
