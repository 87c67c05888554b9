/*
 * Questions by DNS that are under way when a DNSPort is to be shut: they are
 * ended first.  Tor (0.4.9.11) does not survive that one has its answer, or
 * fails, when the listener that it came in by is gone.  Part of the engine's
 * core.
 *
 * Whom they were for would tell what users ask for: only the numbers of the
 * streams are taken, and those are kept until they are closed.
 */
#ifndef QUESTIONS_H
#define QUESTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_reply;
struct engine;

/*
 * Of one list so many are closed, and there are so many lists: as much as
 * 8192 questions, where Tor has some hundred when clients do their worst.
 */
#define QUESTIONS_MAX 512
#define QUESTIONS_ROUNDS 16
/* Past the lease, in which those who ask are shut out; then it is tried. */
#define QUESTIONS_MS 3000

enum questions_step {
	QUESTIONS_NONE = 0, /* nothing stands in the way of the SETCONF */
	QUESTIONS_WAIT,	    /* not yet, for the gate or a read-back */
	QUESTIONS_ASK	    /* a command is due */
};

struct questions {
	bool open;	   /* a SETCONF waits for their end */
	bool listed;	   /* ... and Tor was asked which there are */
	bool none_left;	   /* ... and that there is none */
	bool given_up;	   /* it waits no more */
	uint64_t ends;	   /* then they are given up */
	uint64_t alone_at; /* when there was first seen to be no gate */
	unsigned rounds;   /* lists that were asked for */
	uint64_t newest;   /* later ones came by other DNSPorts */
	size_t n;
	uint64_t id[QUESTIONS_MAX]; /* still to be closed */
};

/* What is due before the SETCONF for e->plan, which is to be sent. */
enum questions_step questions_step(struct engine *e, uint64_t now);
/* Send what is due. */
void questions_ask(struct engine *e, uint64_t now);
void questions_on_list(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void questions_on_closed(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
/* The SETCONF is sent, or void, or the session is lost. */
void questions_clear(struct engine *e);
uint64_t questions_wake(const struct engine *e, uint64_t now);

#endif
