#include "supervisor/fuzzing.h"

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION

#include <stdio.h>
#include <stdlib.h>

void
fuzzing_refuse(const char *program)
{
	(void)fprintf(stderr, "%s: built for fuzzing (--enable-fuzzing), and "
	    "not to be run\n", program);
	exit(1);
}

#else

void
fuzzing_refuse(const char *program)
{
	(void)program;
}

#endif
