/* Texts for people, of which a part is better than none. */
#ifndef SENTENCE_H
#define SENTENCE_H

#include <stddef.h>

/* As snprintf(3); what does not fit is cut, and what fails is empty. */
void sentence(char *dst, size_t cap, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
