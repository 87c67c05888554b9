/*
 * The gate's main loop.
 */
#ifndef GATE_LOOP_H
#define GATE_LOOP_H

struct gate;

/* Until asked to stop or a last resort; returns the exit code. */
int loop_run(struct gate *g);

#endif
