/* portcullisd -n without the rest: polcheck FILE [-v | POSITION]. */
#include <stdio.h>
#include <string.h>

#include "supervisor/keeper/check.h"

int
main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fputs("usage: polcheck FILE [-v | POSITION]\n", stderr);
		return 2;
	}
	if (argc > 2 && strcmp(argv[2], "-v") != 0)
		return check_run(argv[1], 0, argv[2], false);
	return check_run(argv[1], argc > 2, NULL, false);
}
