#include "tests/it/drv_relays.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/log.h"

#define MOST (2 * POL_MAX_RELAYS)

static struct gate_relay *list;
static uint32_t n;

static void
add(const struct gate_relay *r)
{
	if (n == MOST)
		fatal("too many relays");
	list[n++] = *r;
}

static struct gate_relay
pair(const char *word)
{
	struct gate_relay r = { 0 };
	struct pol_addr a;

	if (!pol_addrport_parse(&a, &r.port, word))
		fatal("ADDRESS:PORT is what a relay looks like");
	r.v6 = a.family == AF_INET6;
	if (r.v6 != 0)
		memcpy(r.addr, &a.v6, sizeof a.v6);
	else
		memcpy(r.addr, &a.v4, sizeof a.v4);
	return r;
}

static void
add_pair(const char *word)
{
	const struct gate_relay r = pair(word);

	add(&r);
}

/* 100.64.0.0/10 and the documentation's second network: nobody is there. */
static void
add_fillers(uint32_t count, uint32_t generation)
{
	for (uint32_t i = 0; i < count; i++) {
		struct gate_relay r4 = { .addr = { 100,
		    (uint8_t)(64 + generation % 64), (uint8_t)(i >> 8),
		    (uint8_t)i }, .port = (uint16_t)(1 + (i >> 16)) };
		struct gate_relay r6 = { .addr = { 0x3f, 0xff,
		    [2] = (uint8_t)generation, [13] = (uint8_t)(i >> 16),
		    [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i },
		    .port = 9001, .v6 = 1 };

		add(&r4);
		add(&r6);
	}
}

static void
send_page(int fd, uint32_t generation, uint32_t first)
{
	static struct gate_relays page;

	memset(&page, 0, sizeof page);
	page.magic = GATE_RELAYS_MAGIC;
	page.generation = generation;
	page.total = n;
	page.first = first;
	page.n = n - first < GATE_RELAYS_PAGE ? n - first : GATE_RELAYS_PAGE;
	memcpy(page.pair, list + first, page.n * sizeof page.pair[0]);
	if (send(fd, &page, sizeof page, MSG_NOSIGNAL) == -1)
		printf("send-failed %s\n", strerror(errno));
}

void
drv_relays_send(int fd, uint32_t generation, char *words, bool cut)
{
	uint32_t first = 0;

	if (list == NULL)
		list = xcalloc(MOST, sizeof *list);
	n = 0;
	for (char *w = strtok(words, " \n"); w != NULL;
	    w = strtok(NULL, " \n")) {
		if (w[0] == '+')
			add_fillers((uint32_t)atoi(w + 1), generation);
		else
			add_pair(w);
	}
	do {
		if (cut && n - first <= GATE_RELAYS_PAGE)
			return;
		send_page(fd, generation, first);
		first += GATE_RELAYS_PAGE;
	} while (first < n);
}

void
drv_reach_send(int fd, uint32_t seq, char *words)
{
	const char *who = strtok(words, " \n"), *ttl = strtok(NULL, " \n");
	struct gate_reach r = { .magic = GATE_REACH_MAGIC, .seq = seq };

	if (ttl == NULL)
		fatal("reach tor|resolver SECONDS ADDRESS:PORT...");
	r.who = strcmp(who, "tor") == 0 ? GATE_REACH_TOR :
	    GATE_REACH_RESOLVER;
	r.ttl_s = (uint32_t)atoi(ttl);
	for (char *w = strtok(NULL, " \n"); w != NULL;
	    w = strtok(NULL, " \n")) {
		if (r.n == GATE_REACH_PAIRS)
			fatal("too many pairs");
		r.pair[r.n++] = pair(w);
	}
	if (send(fd, &r, sizeof r, MSG_NOSIGNAL) == -1)
		printf("send-failed %s\n", strerror(errno));
}
