/*
 * systemd's readiness protocol, sd_notify(3), without its library.  The gate
 * says that it stands and how; the keeper feeds the watchdog.
 */
#ifndef GATE_NOTIFY_H
#define GATE_NOTIFY_H

/* Look for NOTIFY_SOCKET; without one notify_send() does nothing. */
void notify_init(void);

/* TEXT as in sd_notify(3): "READY=1".  Never blocks; failure is no matter. */
void notify_send(const char *text);

#endif
