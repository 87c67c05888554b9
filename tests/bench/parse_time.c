/*
 * How fast libcontrolproto reads what Tor says: parse_time FILE ROUNDS [ns]
 * feeds it the octets of FILE, as an authenticated connection would, and
 * prints what it made of them and the median time of a round, as one line of
 * JSON.  Events are parsed too; with "ns" the router status entries of large
 * answers as well.
 */
#include "config.h" /* _GNU_SOURCE: clock_gettime() */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "controlproto/event.h"
#include "controlproto/ns.h"
#include "controlproto/reader.h"
#include "controlproto/reply.h"

#define MOST_ROUNDS 100000
/* As much as libevent reads at once. */
#define PIECE 16384

/* What all programs have to agree on. */
struct found {
	uint64_t messages, events;
	uint64_t parts;  /* lines with a code */
	uint64_t octets; /* in them, without code and line end */
	uint64_t relays; /* with "ns" */
};

static void
die(const char *what)
{
	(void)fprintf(stderr, "parse_time: %s\n", what);
	exit(1);
}

static uint64_t
now_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		die("no clock");
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void
walk_relays(struct found *f, struct cp_str text)
{
	struct cp_endpoint at;
	struct cp_ns ns;

	cp_ns_init(&ns, text);
	while (cp_ns_next(&ns, &at))
		;
	if (ns.malformed != 0)
		die("entries that are not understood");
	f->relays += ns.entries;
}

static void
take(struct found *f, const struct cp_reply *reply, bool relays)
{
	struct cp_event event;
	struct cp_str data;

	f->messages++;
	if (cp_reply_is_async(reply)) {
		f->events++;
		cp_event_parse(&event, reply);
	}
	for (size_t i = 0; i < cp_reply_nlines(reply); i++) {
		f->parts++;
		f->octets += cp_reply_text(reply, i).n;
		if (!cp_reply_data(reply, i, &data))
			continue;
		f->octets += 1 + data.n; /* the line end between them */
		if (relays)
			walk_relays(f, data);
	}
}

static void
drain(struct found *f, struct cp_reader *r, bool relays)
{
	struct cp_reply *reply;

	for (;;) {
		if (cp_reader_next(r, &reply) != CP_OK)
			die("the reader refuses the recording");
		if (reply == NULL)
			return;
		take(f, reply, relays);
		cp_reply_free(reply);
	}
}

static void
once(struct found *f, int fd, bool relays)
{
	struct cp_reader *r = cp_reader_new();
	char buf[PIECE];
	ssize_t n;

	if (r == NULL || lseek(fd, 0, SEEK_SET) == -1)
		die("cannot begin");
	cp_reader_limits(r, &cp_limits_relays);
	memset(f, 0, sizeof *f);
	while ((n = read(fd, buf, sizeof buf)) > 0) {
		if (cp_reader_feed(r, buf, (size_t)n) != CP_OK)
			die("the reader takes no more");
		drain(f, r, relays);
	}
	if (n == -1)
		die("cannot read the recording");
	cp_reader_free(r);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	bool relays = argc > 3 && strcmp(argv[3], "ns") == 0;
	struct rusage used;
	struct found f;
	uint64_t *us;

	if (fd == -1 || rounds < 1 || rounds > MOST_ROUNDS)
		die("usage: parse_time FILE ROUNDS [ns]");
	us = calloc((size_t)rounds, sizeof *us);
	if (us == NULL)
		die("out of memory");
	for (long i = 0; i < rounds; i++) {
		us[i] = now_us();
		once(&f, fd, relays);
		us[i] = now_us() - us[i];
	}
	qsort(us, (size_t)rounds, sizeof *us, compare);
	if (getrusage(RUSAGE_SELF, &used) == -1)
		die("cannot tell the memory");
	printf("{\"messages\":%llu,\"events\":%llu,\"parts\":%llu,"
	    "\"octets\":%llu,\"relays\":%llu,\"us\":%llu,\"rss_kb\":%ld}\n",
	    (unsigned long long)f.messages, (unsigned long long)f.events,
	    (unsigned long long)f.parts, (unsigned long long)f.octets,
	    (unsigned long long)f.relays,
	    (unsigned long long)us[rounds / 2], used.ru_maxrss);
	free(us);
	(void)close(fd);
	return 0;
}
