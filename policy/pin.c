#include "policy/pin.h"

#include <string.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define NDIGITS (POL_PIN_TEXT - 2) /* without the '=' and the NUL */

/* The six bits that digit I stands for; past the end of PIN are zeroes. */
static unsigned
sextet(const uint8_t pin[POL_PIN_LEN], size_t i)
{
	size_t octet = i * 6 / 8;
	unsigned two = (unsigned)pin[octet] << 8;

	if (octet + 1 < POL_PIN_LEN)
		two |= pin[octet + 1];
	return two >> (10 - i * 6 % 8) & 63;
}

void
pol_pin_format(char dst[POL_PIN_TEXT], const uint8_t pin[POL_PIN_LEN])
{
	for (size_t i = 0; i < NDIGITS; i++)
		dst[i] = digits[sextet(pin, i)];
	memcpy(dst + NDIGITS, "=", 2);
}

bool
pol_pin_parse(uint8_t out[POL_PIN_LEN], const char *text)
{
	char again[POL_PIN_TEXT];
	unsigned bits = 0;
	size_t n = 0;

	if (strlen(text) != POL_PIN_TEXT - 1)
		return false;
	for (size_t i = 0; i < NDIGITS; i++) {
		const char *digit = strchr(digits, text[i]);

		if (digit == NULL)
			return false;
		bits = (bits << 6 | (unsigned)(digit - digits)) & 0xffff;
		if (i % 4 != 0)
			out[n++] = (uint8_t)(bits >> (6 - i % 4 * 2) & 0xff);
	}
	/* Bits left over, or no '=': two texts would mean one pin. */
	pol_pin_format(again, out);
	return strcmp(again, text) == 0;
}
