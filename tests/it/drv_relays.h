/*
 * Lists of relays from a line of words, and the pages that the gate gets.
 */
#ifndef DRV_RELAYS_H
#define DRV_RELAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/gatemsg.h"

/*
 * WORDS, which is written to: ADDRESS:PORT, or +N for N pairs of each family
 * that are nobody's, others in each GENERATION.  The list is sent to FD
 * whole, blocking; but if CUT without its last page.
 */
void drv_relays_send(int fd, uint32_t generation, char *words, bool cut);

/* WORDS: "tor" or "resolver", seconds, ADDRESS:PORT...; which is sent. */
void drv_reach_send(int fd, uint32_t seq, char *words);

#endif
