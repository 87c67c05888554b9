/* A build for fuzzing is no build to rely on. */
#ifndef FUZZING_H
#define FUZZING_H

/*
 * In a build for fuzzing: say so in PROGRAM's name and end with code 1, with
 * nothing done.  The gate says it before it has closed anything, too: what
 * stands in the kernel then is what a gate that did not start leaves.  In
 * every other build it does nothing.
 */
void fuzzing_refuse(const char *program);

#endif
