/*
 * A torrc as Tor reads it, line by line: the options that uplink.h is about,
 * and what includes other files.  Pure; nothing is opened.
 */
#ifndef POL_TORRC_H
#define POL_TORRC_H

#include <stdbool.h>
#include <stddef.h>

enum pol_torrc_option { POL_TORRC_USE = 0, POL_TORRC_BRIDGE,
	POL_TORRC_PLUGIN, POL_TORRC_HTTPS, POL_TORRC_HTTPS_AUTH,
	POL_TORRC_SOCKS4, POL_TORRC_SOCKS5, POL_TORRC_SOCKS5_USER,
	POL_TORRC_SOCKS5_PASSWORD,
	POL_TORRC_NUPLINK, /* those above are the uplink's */
	POL_TORRC_INCLUDE = POL_TORRC_NUPLINK,
	POL_TORRC_OTHER, /* any other option, or none at all */
	POL_NTORRC };

/* "UseBridges"; "%include"; "" for OTHER and beyond. */
const char *pol_torrc_name(enum pol_torrc_option option);

/* The option that the N letters of WORD are, in any case of letters. */
enum pol_torrc_option pol_torrc_find(const char *word, size_t n);

/* The longest path that an include may name, with the NUL. */
#define POL_TORRC_PATH 512

struct pol_torrc {
	const char *p, *end;
	size_t line; /* number of the line at P, from 1 */
};

struct pol_torrc_line {
	size_t line; /* where it begins */
	enum pol_torrc_option option;
	const char *word, *rest; /* borrowed: the name, and what follows it */
	size_t nword, nrest; /* without the blanks between, with comments */
	char path[POL_TORRC_PATH]; /* of INCLUDE only; else empty */
};

/* TEXT is borrowed; like Tor we stop at the first NUL. */
void pol_torrc_init(struct pol_torrc *t, const char *text, size_t len);

/*
 * The next option.  Like Tor we take the beginning of an option's name for
 * the whole of it, and + or / before it; what stands behind a backslash at
 * the end of a line belongs to that line.  1; 0: no more; -1: Tor would not
 * take it, or an include names no path of ours, and OUT has its line.
 */
int pol_torrc_next(struct pol_torrc *t, struct pol_torrc_line *out)
    __attribute__((warn_unused_result));

#endif
