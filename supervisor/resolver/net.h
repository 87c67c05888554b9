/*
 * Sockets, clocks and what an errno says about who is to blame.
 */
#ifndef RESOLVER_NET_H
#define RESOLVER_NET_H

#include <stdint.h>
#include <sys/socket.h>

#include "supervisor/namemsg.h"

/* Milliseconds that go on while the machine sleeps: a TTL does, too. */
uint64_t net_now_ms(void);

/* Fills SS; its length. */
socklen_t net_sockaddr(struct sockaddr_storage *ss,
    const struct pol_addr *addr, uint16_t port);

/* A socket that never blocks and is not inherited; -1 and errno. */
int net_socket(int family, int type);

/*
 * What ERR, from a socket, means for a lookup.  NAME_BLOCKED: the kernel's
 * firewall answers a forbidden packet with EPERM at once.
 */
enum name_state net_state(int err);
/* The same for a try. */
enum name_verdict net_verdict(int err);

#endif
