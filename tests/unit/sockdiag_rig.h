/*
 * Real sockets of two users in a network namespace of its own, and what
 * sockdiag says of them.
 */
#ifndef SOCKDIAG_RIG_H
#define SOCKDIAG_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/engine/addrs.h"
#include "supervisor/engine/sockdiag.h"

#define TOR_UID 4102
#define OTHER_UID 4103
#define RIG_MAX_FDS 400
#define NLISTENERS 14

/* Made by rig_setup(), ended by rig_teardown(). */
extern struct pol_policy rig_policy;
extern struct addrs *rig_addrs;
extern struct sockdiag *rig_diag;
/* What rig_open_as() has opened; closed by rig_teardown(). */
extern int rig_fds[RIG_MAX_FDS];
extern size_t rig_nfds;

/* Our own namespace with loopback up, or no test at all. */
bool rig_enter_namespace(void);

/*
 * 0: SOCKS on 127.0.0.1:9050; 1: DNS there on 5300; 2: SOCKS on ::1; 3: SOCKS
 * on the IPv4 address of eth1.
 */
void rig_setup(void);
void rig_teardown(void);
void rig_add_listener(enum pol_kind kind, const char *addr, uint16_t port);

/* A socket that UID opens; -1 if the address is taken. */
int rig_open_as(uid_t uid, int type, const char *addr, uint16_t port,
    bool v6only);
/* Close the socket that was opened last. */
void rig_close_last(void);

/* What is said of listener I. */
struct proof rig_prove(size_t i);
uint64_t rig_inode_of(int fd);

#endif
