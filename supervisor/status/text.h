/* Text from the engine, made fit to be told.  Pure. */
#ifndef STATUS_TEXT_H
#define STATUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Printable ASCII up to a NUL that is there, zeros behind it; any other octet
 * becomes "?".  CAP is the array's size and not 0.
 */
void status_text_clean(char *text, size_t cap);

/*
 * Does TEXT look as if it said who somebody is: an address, a relay's
 * fingerprint, or one of Tor's keywords for them?  A version ("0.4.9.11")
 * looks like an address: ask only where none belongs.
 */
bool status_text_names_host(const char *text);

#endif
