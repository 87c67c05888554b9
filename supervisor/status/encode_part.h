/*
 * The parts of a status line, for encode.c.  Each is NULL when memory is out,
 * which json_pack() takes as a failure of the whole.
 */
#ifndef STATUS_ENCODE_PART_H
#define STATUS_ENCODE_PART_H

#include <jansson.h>
#include <stdbool.h>

#include "supervisor/status/encode.h"

/* One view with its verdicts, so that every part says the same. */
struct status_subject {
	const struct status_view *v;
	const struct snapshot *s;
	const struct status_stamp *stamp;
	enum status_doubt doubt;
	struct status_word word;
	bool told;   /* this engine has ever spoken */
	bool engine; /* the engine's claims are fresh */
	bool gate;   /* so is the gate's read-back */
};

/* The engine's claim that F holds, while it may be believed. */
bool status_encode_fact(const struct status_subject *u, enum snap_fact f);

json_t *status_encode_tor(const struct status_subject *u);
json_t *status_encode_control(const struct status_subject *u);
json_t *status_encode_bootstrap(const struct status_subject *u);
json_t *status_encode_circuits(const struct status_subject *u);
json_t *status_encode_consensus(const struct status_subject *u);
json_t *status_encode_clock(const struct status_subject *u);
json_t *status_encode_firewall(const struct status_subject *u);

#endif
