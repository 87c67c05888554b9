#include "supervisor/engine/sentence.h"

#include <stdarg.h>
#include <stdio.h>

void
sentence(char *dst, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(dst, cap, fmt, ap) < 0)
		dst[0] = '\0';
	va_end(ap);
}
