/*
 * Prints the words that programs tell states apart by, for
 * tests/style/manual_status.sh: "code tor-hung", "tag conn_done".
 */
#include <stdio.h>

#include "supervisor/boottags.h"
#include "supervisor/engine/tell.h"
#include "supervisor/status/encode.h"

int
main(void)
{
	unsigned i;

	for (i = STATUS_SURE + 1; i < STATUS_NDOUBT; i++)
		printf("code %s\n", status_doubt_code((enum status_doubt)i));
	for (i = 0; tell_code(i) != NULL; i++)
		printf("code %s\n", tell_code(i)->code);
	for (i = 0; boot_tag_name(i) != NULL; i++)
		printf("tag %s\n", boot_tag_name(i));
	return fflush(stdout) == 0 ? 0 : 1;
}
