/* The control password, from a file that only we and root can read. */
#ifndef PASSWORD_H
#define PASSWORD_H

#include <stddef.h>

/*
 * Its length, or -1, logged, and OUT wiped.  One newline at the end is not
 * part of it.
 */
int password_read(unsigned char *out, size_t cap, const char *path)
    __attribute__((warn_unused_result));

#endif
