/*
 * Beside near_shift.so.  As near_env PAGE ROLE|all real|boot SECONDS: how far
 * a clock is moved from now on.  Under a program's name, in a folder with the
 * real ones in "real", near_shift.so and "page": starts that program with its
 * clocks moved, in spite of the environment that portcullisd empties.
 */
#include "config.h" /* _GNU_SOURCE */

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/hostile/near_shift.h"

static const char *const roles[NEAR_NROLE] = { "keeper", "gate", "engine",
	"status", "resolver" };

static int
move(char **argv)
{
	enum near_clock clock = strcmp(argv[3], "boot") == 0 ? NEAR_BOOTTIME :
	    NEAR_REALTIME;
	struct near_page *page;
	int fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd == -1 || ftruncate(fd, sizeof *page) == -1) {
		perror(argv[1]);
		return 1;
	}
	page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (page == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (int i = 0; i < NEAR_NROLE; i++)
		if (strcmp(argv[2], "all") == 0 ||
		    strcmp(argv[2], roles[i]) == 0)
			page->seconds[i][clock] = atoll(argv[4]);
	return 0;
}

/* DIR/NAME under VARIABLE. */
static void
put(const char *variable, const char *dir, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	if (setenv(variable, path, 1) == -1)
		abort();
}

static int
start(char **argv)
{
	char copy[2][PATH_MAX], path[PATH_MAX], number[12];
	const char *dir, *name;
	int fd;

	for (int i = 0; i < 2; i++)
		(void)snprintf(copy[i], sizeof copy[i], "%s", argv[0]);
	dir = dirname(copy[0]);
	name = basename(copy[1]);
	for (int i = 0; i < NEAR_NROLE; i++) {
		if (strcmp(name + strlen("portcullis-"), roles[i]) != 0)
			continue;
		(void)snprintf(number, sizeof number, "%d", i);
		if (setenv(NEAR_ROLE_VARIABLE, number, 1) == -1)
			abort();
	}
	put(NEAR_PAGE_VARIABLE, dir, "page");
	put("LD_PRELOAD", dir, "near_shift.so");
	if (snprintf(path, sizeof path, "%s/real/%s", dir, name) >=
	    (int)sizeof path)
		return 1;
	/* By descriptor: no other way is left to a child of the keeper's. */
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd != -1)
		(void)execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	perror(path);
	return 1;
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (slash != NULL && strncmp(slash, "/portcullis-", 12) == 0)
		return start(argv);
	if (argc != 5)
		return 2;
	return move(argv);
}
