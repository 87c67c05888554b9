/* Our end of the pair with the gate: requests out, reports in. */
#ifndef GATELINK_H
#define GATELINK_H

struct gate_req;
struct gatelink;
struct shell;

struct gatelink *gatelink_new(struct shell *sh);
void gatelink_free(struct gatelink *g);

/* Takes FD in place of the end that was used so far. */
void gatelink_take(struct gatelink *g, int fd);

/* One datagram, or -1: there is no gate, or it does not read. */
int gatelink_send(struct gatelink *g, const struct gate_req *q)
    __attribute__((warn_unused_result));

#endif
