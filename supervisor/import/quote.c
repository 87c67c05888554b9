#include "supervisor/import/quote.h"

#include <string.h>

bool
import_can_quote(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return false;
	return strstr(text, "${") == NULL;
}

void
import_quote(FILE *out, const char *text)
{
	fputc('"', out);
	if (import_can_quote(text))
		for (; *text != '\0'; text++) {
			if (*text == '"' || *text == '\\')
				fputc('\\', out);
			fputc(*text, out);
		}
	fputc('"', out);
}
