/* What "portcullis apply" sends, from a file of JSON or of torrc lines. */
#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include <jansson.h>
#include <stdbool.h>

/* As long as a request may be; see supervisor/status/request.h. */
#define CLI_CHANGE_MAX 49152

/*
 * PATH, or standard input for "-": an object that becomes the request itself,
 * anything else the text of its "torrc".  NULL: why not has been said.
 */
json_t *cli_change_load(const char *path, bool dry_run)
    __attribute__((warn_unused_result));

#endif
