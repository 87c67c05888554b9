/*
 * What a policy's table of listeners costs us without Tor and without the
 * gate: "table_time compile FILE ROUNDS" and "table_time prove FILE ROUNDS".
 * One line of JSON: medians in microseconds.
 *
 * prove has to run where Tor has the listeners; it proves as the engine does.
 */
#include "config.h" /* _GNU_SOURCE */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/options.h"
#include "policy/rules.h"
#include "supervisor/engine/addrs.h"
#include "supervisor/engine/sockdiag.h"
#include "supervisor/policyfile.h"

#define MAX_ROUNDS 1000

struct series {
	double us[MAX_ROUNDS];
	unsigned n;
};

static double
now_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1) {
		perror("clock_gettime");
		exit(1);
	}
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Notes the time since *FROM, which becomes now. */
static void
lap(struct series *s, double *from)
{
	double now = now_us();

	s->us[s->n++] = now - *from;
	*from = now;
}

static int
order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(struct series *s)
{
	qsort(s->us, s->n, sizeof s->us[0], order);
	return s->n % 2 != 0 ? s->us[s->n / 2] :
	    (s->us[s->n / 2 - 1] + s->us[s->n / 2]) / 2;
}

static int
load(struct pol_policy *p, const char *path)
{
	struct pol_diags diags = { 0 };
	int rc;

	rc = policyfile_load(p, &diags, path, false);
	if (rc == -1)
		(void)fprintf(stderr, "%s is no policy: %s\n", path,
		    diags.n > 0 ? diags.list[0].text : "?");
	else if (policyfile_resolve(p, &diags) == -1) {
		(void)fprintf(stderr, "%s names unknown users\n", path);
		pol_policy_clear(p);
		rc = -1;
	}
	pol_diags_clear(&diags);
	return rc;
}

/* Text to values, values to rules: what comes before the kernel. */
static int
compile_once(const char *path, struct series *parse, struct series *rules)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	double t = now_us();

	if (load(&p, path) == -1)
		return -1;
	lap(parse, &t);
	if (pol_ruleset_make(&rs, &p) == -1) {
		pol_policy_clear(&p);
		return -1;
	}
	lap(rules, &t);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
	return 0;
}

static int
compile(const char *path, unsigned rounds)
{
	struct series parse = { .n = 0 }, rules = { .n = 0 };
	unsigned i;

	for (i = 0; i < rounds; i++)
		if (compile_once(path, &parse, &rules) == -1)
			return 1;
	printf("{\"parse_us\":%.0f,\"rules_us\":%.0f}\n", median(&parse),
	    median(&rules));
	return 0;
}

static size_t
count_ok(const struct proof *proofs, size_t n)
{
	size_t i, ok = 0;

	for (i = 0; i < n; i++)
		ok += proofs[i].kind == PROOF_OK;
	return ok;
}

static int
prove_rounds(const struct pol_policy *p, const struct addrs *a,
    struct proof *proofs, struct series *pass, unsigned rounds)
{
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
	struct sockdiag *d;
	double t;
	unsigned i;
	int rc = -1;

	addrs_interface(a, ifaddrs);
	d = sockdiag_new(p, a);
	if (d == NULL)
		return -1;
	for (i = 0; i < rounds; i++) {
		t = now_us();
		if (sockdiag_prove(d, proofs, ifaddrs) == -1)
			goto out;
		lap(pass, &t);
	}
	rc = 0;
out:
	sockdiag_free(d);
	return rc;
}

static int
prove(const char *path, unsigned rounds)
{
	struct series pass = { .n = 0 };
	struct pol_policy p;
	struct addrs *a;
	struct proof *proofs;
	int rc = 1;

	if (load(&p, path) == -1)
		return 1;
	a = addrs_new(&p);
	proofs = calloc(p.nlisteners, sizeof *proofs);
	if (a == NULL || proofs == NULL ||
	    prove_rounds(&p, a, proofs, &pass, rounds) == -1)
		goto out;
	printf("{\"prove_us\":%.0f,\"listeners\":%zu,\"proven\":%zu}\n",
	    median(&pass), p.nlisteners, count_ok(proofs, p.nlisteners));
	rc = 0;
out:
	if (rc != 0)
		(void)fprintf(stderr, "prove: %s\n", strerror(errno));
	free(proofs);
	addrs_free(a);
	pol_policy_clear(&p);
	return rc;
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc == 4 ? (unsigned)atoi(argv[3]) : 0;

	if (rounds > 0 && rounds <= MAX_ROUNDS) {
		if (strcmp(argv[1], "compile") == 0)
			return compile(argv[2], rounds);
		if (strcmp(argv[1], "prove") == 0)
			return prove(argv[2], rounds);
	}
	(void)fputs("usage: table_time compile|prove FILE ROUNDS\n", stderr);
	return 2;
}
