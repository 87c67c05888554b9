/*
 * The barriers that are not rules: the kernel does not forward.
 */
#ifndef GATE_BARRIER_H
#define GATE_BARRIER_H

#include <stdint.h>

struct barrier {
	int fd4, fd6; /* -1: cannot be read, -2: the kernel has no IPv6 */
};

/* Before lock-down, which takes the right to open them. */
void barrier_open(struct barrier *b);

/* GATE_BAR_FWD4 and GATE_BAR_FWD6, each if forwarding is surely off. */
uint32_t barrier_read(const struct barrier *b);

#endif
