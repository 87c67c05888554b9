/*
 * The isolation check's own clients: sockets that are connected, send one
 * prepared message, and are held until they are closed.  What comes back is
 * not read: Tor's control port says what there is to know.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

struct clients;
struct iso_probe;
struct shell;

/* Dies when out of memory. */
struct clients *clients_new(struct shell *sh);
void clients_free(struct clients *c);

/*
 * Start connecting SLOT (below ISO_SLOTS, not open).  SOURCE, which holds
 * ISO_SOURCE_LEN, receives our end: the kernel knows it before the other end
 * can say anything about it.  -1: refused at once; engine_client_lost() may
 * follow later, never from in here.
 */
int clients_open(struct clients *c, char *source, int slot,
    const struct iso_probe *p) __attribute__((warn_unused_result));
/* No callback follows.  Harmless when SLOT is not open. */
void clients_close(struct clients *c, int slot);

#endif
