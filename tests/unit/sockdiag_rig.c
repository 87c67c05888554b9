#include "config.h" /* _GNU_SOURCE */

#include "tests/unit/sockdiag_rig.h"

#include <arpa/inet.h>
#include <check.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct pol_policy rig_policy;
struct addrs *rig_addrs;
struct sockdiag *rig_diag;
int rig_fds[RIG_MAX_FDS];
size_t rig_nfds;

void
rig_add_listener(enum pol_kind kind, const char *addr, uint16_t port)
{
	struct pol_listener *l = &rig_policy.listeners[rig_policy.nlisteners++];

	l->kind = kind;
	l->port = port;
	ck_assert(pol_addr_parse(&l->addr, addr));
}

void
rig_setup(void)
{
	pol_policy_init(&rig_policy);
	rig_policy.tor.user.uid = TOR_UID;
	rig_policy.listeners = calloc(NLISTENERS, sizeof *rig_policy.listeners);
	ck_assert_ptr_nonnull(rig_policy.listeners);
	rig_add_listener(POL_SOCKS, "127.0.0.1", 9050);
	rig_add_listener(POL_DNS, "127.0.0.1", 5300);
	rig_add_listener(POL_SOCKS, "::1", 9050);
	rig_add_listener(POL_SOCKS, "0.0.0.0", 9050);
	rig_policy.listeners[3].ifaddr = 1;
	rig_policy.ifaddrs[0] = (struct pol_ifaddr){ "eth1", AF_INET };
	rig_policy.nifaddrs = 1;
	rig_addrs = addrs_new(&rig_policy);
	ck_assert_ptr_nonnull(rig_addrs);
	rig_diag = sockdiag_new(&rig_policy, rig_addrs);
	ck_assert_ptr_nonnull(rig_diag);
}

void
rig_teardown(void)
{
	while (rig_nfds > 0)
		close(rig_fds[--rig_nfds]);
	sockdiag_free(rig_diag);
	addrs_free(rig_addrs);
	pol_policy_clear(&rig_policy);
}

int
rig_open_as(uid_t uid, int type, const char *addr, uint16_t port, bool v6only)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	bool v6 = strchr(addr, ':') != NULL;
	int fd, one = 1, only = v6only, rc;

	ck_assert_int_eq(setresuid(uid, uid, 0), 0);
	fd = socket(v6 ? AF_INET6 : AF_INET, type, 0);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one,
	    sizeof one), 0);
	if (v6)
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
		    &only, sizeof only), 0);
	ck_assert_int_eq(inet_pton(v6 ? AF_INET6 : AF_INET, addr, v6 ?
	    (void *)&sin6.sin6_addr : (void *)&sin.sin_addr), 1);
	rc = v6 ? bind(fd, (struct sockaddr *)&sin6, sizeof sin6) :
	    bind(fd, (struct sockaddr *)&sin, sizeof sin);
	if (rc == 0 && type == SOCK_STREAM)
		rc = listen(fd, 1);
	if (rc == -1) {
		close(fd);
		return -1;
	}
	ck_assert_uint_lt(rig_nfds, RIG_MAX_FDS);
	rig_fds[rig_nfds++] = fd;
	return fd;
}

struct proof
rig_prove(size_t i)
{
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
	struct proof out[NLISTENERS];

	ck_assert_int_ge(addrs_read(rig_addrs), 0);
	addrs_interface(rig_addrs, ifaddrs);
	ck_assert_int_eq(sockdiag_prove(rig_diag, out, ifaddrs), 0);
	return out[i];
}

uint64_t
rig_inode_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

void
rig_close_last(void)
{
	close(rig_fds[--rig_nfds]);
}

bool
rig_enter_namespace(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd, rc;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) == -1)
		return false;
	(void)snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "lo");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	rc = fd == -1 ? -1 : ioctl(fd, SIOCSIFFLAGS, &ifr);
	if (fd != -1)
		close(fd);
	/* In a user namespace with one user there is nobody else to be. */
	if (rc == -1 || setresuid(OTHER_UID, OTHER_UID, 0) == -1)
		return false;
	return setresuid(0, 0, 0) == 0;
}
