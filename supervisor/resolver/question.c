#include "supervisor/resolver/question.h"

#define LABEL_MAX 63
#define NAME_OCTETS 255
#define TYPE_AND_CLASS 4
/* In the third octet: an answer, and any but a standard query. */
#define QR_AND_OPCODE 0xf8
#define ADDITIONAL_MAX 2 /* EDNS, and a signature */

static unsigned
be16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

bool
question_ok(const unsigned char *msg, size_t n)
{
	size_t at = QUESTION_HEADER;

	if (n <= QUESTION_HEADER || n > QUESTION_MAX ||
	    (msg[2] & QR_AND_OPCODE) != 0)
		return false;
	if (be16(msg + 4) != 1 || be16(msg + 6) != 0 || be16(msg + 8) != 0 ||
	    be16(msg + 10) > ADDITIONAL_MAX)
		return false;
	while (at < n && msg[at] != 0) {
		if (msg[at] > LABEL_MAX)
			return false;
		at += 1 + (size_t)msg[at];
	}
	/* AT is the root's octet, the last one of the name. */
	return at < n && at - QUESTION_HEADER < NAME_OCTETS &&
	    n - at > TYPE_AND_CLASS;
}
