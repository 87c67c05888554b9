/* Whose clocks near_shift.so moves, and how far: one page, shared. */
#ifndef NEAR_SHIFT_H
#define NEAR_SHIFT_H

#include <stdint.h>

enum near_role { NEAR_KEEPER = 0, NEAR_GATE, NEAR_ENGINE, NEAR_STATUS,
	NEAR_RESOLVER, NEAR_NROLE };
enum near_clock { NEAR_REALTIME = 0, NEAR_BOOTTIME, NEAR_NCLOCK };

struct near_page {
	_Atomic int64_t seconds[NEAR_NROLE][NEAR_NCLOCK];
};

#define NEAR_PAGE_VARIABLE "NEAR_SHIFT_PAGE"
#define NEAR_ROLE_VARIABLE "NEAR_SHIFT_ROLE"

#endif
