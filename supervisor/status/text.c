#include "supervisor/status/text.h"

#include <string.h>

void
status_text_clean(char *text, size_t cap)
{
	size_t i;

	for (i = 0; i < cap - 1 && text[i] != '\0'; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			text[i] = '?';
	memset(text + i, 0, cap - i);
}
