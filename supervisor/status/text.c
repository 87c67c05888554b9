#include "config.h" /* _GNU_SOURCE */

#include "supervisor/status/text.h"

#include <string.h>

#define FINGERPRINT_LEN 40 /* a relay's, in hexadecimal digits */

void
status_text_clean(char *text, size_t cap)
{
	size_t i;

	for (i = 0; i < cap - 1 && text[i] != '\0'; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			text[i] = '?';
	memset(text + i, 0, cap - i);
}

/* TEXT begins with four numbers and three dots between them. */
static bool
is_dotted_quad(const char *text)
{
	unsigned part;
	size_t n;

	for (part = 0; part < 4; part++) {
		n = strspn(text, "0123456789");
		if (n == 0 || (part < 3 && text[n] != '.'))
			return false;
		text += n + 1;
	}
	return true;
}

/* TEXT begins with what could be an IPv6 address: two colons at least. */
static bool
is_colon_hex(const char *text)
{
	const char *end = text + strspn(text, "0123456789abcdefABCDEF:");
	unsigned colons = 0;

	for (; text < end; text++)
		colons += *text == ':';
	return colons >= 2;
}

bool
status_text_names_host(const char *text)
{
	const char *p;

	if (strcasestr(text, "HOSTID") != NULL ||
	    strcasestr(text, "HOSTADDR") != NULL)
		return true;
	for (p = text; *p != '\0'; p++)
		if (strspn(p, "0123456789abcdefABCDEF") >= FINGERPRINT_LEN ||
		    is_dotted_quad(p) || is_colon_hex(p))
			return true;
	return false;
}
