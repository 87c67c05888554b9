/*
 * The table of listeners in a status line (see portcullis(1)).  Pure but for
 * the stream that is written to; as harmless as format.h.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/*
 * The table in LINE, with "open" as the state of those that clients reach:
 * proven, the gate's to open, and the gate is open.  The caller's; NULL when
 * LINE has no table, or memory is out.
 */
json_t *cli_table_new(const json_t *line)
    __attribute__((warn_unused_result));

/* TABLE for people. */
void cli_table_print(FILE *out, const json_t *table);

/*
 * Why listener L, of the table or of the trouble, is not proven, as people
 * say it: a clause, without a full stop.
 */
void cli_table_why(char *dst, size_t cap, const json_t *l);

#endif
