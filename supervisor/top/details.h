/* What "portcullis top" tells of the gate and Tor beside the head.  Pure. */
#ifndef TOP_DETAILS_H
#define TOP_DETAILS_H

#include <jansson.h>
#include <stdio.h>

/* Of LINE; what a line lacks is left out. */
void top_details_print(FILE *out, const json_t *line);

#endif
