/*
 * The tags of Tor's bootstrap phases, in words for people.
 */
#ifndef BOOTTAGS_H
#define BOOTTAGS_H

/*
 * One sentence about what Tor is doing while TAG is its phase: "conn_proxy".
 * NULL: no phase that Tor is known to have.
 */
const char *boot_tag_text(const char *tag);

/* The phases in order, from 0 on: the tag; NULL beyond the last. */
const char *boot_tag_name(unsigned i);
/* The percentage at which phase I begins; -1 beyond the last. */
int boot_tag_percent(unsigned i);

#endif
