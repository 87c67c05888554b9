/* What the supervisor could not tell, from Tor itself. */
#ifndef APPLETS_ASKTOR_H
#define APPLETS_ASKTOR_H

struct question;
struct torctl;
struct torsay;

/*
 * Over T, and by its deadline: the least that answers Q.  What Tor does not
 * say stays unknown.  For APPLET_BUILT a circuit is asked for, of Tor's own
 * choice, and waited for.
 */
void asktor(struct torsay *say, struct torctl *t, const struct question *q);

#endif
