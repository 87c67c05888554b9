/*
 * A stream of stamped datagrams and a sensor for those that the gate let in.
 *
 * The sender thread lives in the workstation's namespace and writes
 * CLOCK_MONOTONIC into each datagram.  The sensor is a table of its own in
 * the gateway's namespace: a chain behind all of Portcullis's that logs (and
 * then drops) what was accepted.  So "the last packet accepted" is the send
 * time of the youngest datagram that any of our chains let through.
 */
#ifndef SENSOR_H
#define SENSOR_H

#include <stdint.h>

#define SENSOR_GROUP 77 /* NFLOG group, the namespace's own */

struct sensor;

/*
 * Send to DST ("10.152.152.10", a literal), UDP port PORT, from the namespace
 * file NETNS, RATE datagrams per second.  NULL after one sentence on stderr.
 */
struct sensor *sensor_start(const char *netns, const char *dst,
    uint16_t port, unsigned rate);
/* Ends what sensor_print() did not; NULL is allowed. */
void sensor_stop(struct sensor *s);

uint64_t sensor_now(void); /* CLOCK_MONOTONIC, ns */

/* Send time of the youngest accepted datagram, 0 for none; reads all. */
uint64_t sensor_last(struct sensor *s);

/*
 * How far the results can be trusted: datagrams sent and accepted, the
 * sender's pauses, datagrams that the sensor had no room for.  Ends the
 * sender.
 */
void sensor_print(struct sensor *s);

/*
 * Wait until nothing sent within the last QUIET_MS has been accepted, at most
 * LIMIT_MS: -1 then, else 0.
 */
int sensor_quiet(struct sensor *s, unsigned quiet_ms, unsigned limit_ms);

/* Wait until a datagram sent after SINCE is accepted; as above. */
int sensor_flowing(struct sensor *s, uint64_t since, unsigned limit_ms);

#endif
