/* Text from the engine, made fit to be told.  Pure. */
#ifndef STATUS_TEXT_H
#define STATUS_TEXT_H

#include <stddef.h>

/*
 * Printable ASCII up to a NUL that is there, zeros behind it; any other octet
 * becomes "?".  CAP is the array's size and not 0.
 */
void status_text_clean(char *text, size_t cap);

#endif
