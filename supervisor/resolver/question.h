/*
 * Is it a question that libevent's DNS server may be given?  Pure.
 */
#ifndef RESOLVER_QUESTION_H
#define RESOLVER_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#define QUESTION_HEADER 12
/* libevent reads no longer ones; a name has 255 octets, EDNS a few. */
#define QUESTION_MAX 1500

/*
 * A standard query with one question, whole, its name without pointers; an
 * additional record (EDNS) may follow.
 */
bool question_ok(const unsigned char *msg, size_t n);

#endif
