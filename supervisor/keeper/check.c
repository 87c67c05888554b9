#include "supervisor/keeper/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "policy/options.h"
#include "policy/origins.h"
#include "policy/rules.h"
#include "supervisor/gate/route_plan.h"
#include "supervisor/policyfile.h"

enum { EXIT_OK = 0, EXIT_OUTPUT = 1, EXIT_POLICY = 2 };

static void
print_diag(const struct pol_diag *d)
{
	/* When standard error is gone there is nobody left to tell. */
	const char *warning = d->warning ? "warning: " : "";

	if (d->line != 0)
		(void)fprintf(stderr, "%s:%u: %s%s\n", d->file, d->line,
		    warning, d->text);
	else
		(void)fprintf(stderr, "%s: %s%s\n", d->file, warning,
		    d->text);
}

void
check_print_diags(const struct pol_diags *diags)
{
	for (size_t i = 0; i < diags->n; i++)
		print_diag(&diags->list[i]);
	if (diags->more)
		(void)fprintf(stderr, "policy: there is more: correct these "
		    "%d first\n", POL_MAX_DIAGS);
}

/*
 * Users that this machine does not have are no fault of the policy: it may
 * be meant for another one.
 */
static bool
resolve(struct pol_policy *p, const struct pol_origins *from)
{
	struct pol_diags diags = { 0 };
	bool ok = policyfile_resolve_from(p, &diags, from) == 0;

	for (size_t i = 0; i < diags.n; i++)
		diags.list[i].warning = true;
	check_print_diags(&diags);
	pol_diags_clear(&diags);
	return ok;
}

static bool
can_be_run(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

/* The folder of FILE, an absolute path. */
static bool
folder_is_there(char folder[POL_PATH_LEN], const char *file)
{
	struct stat st;

	(void)snprintf(folder, POL_PATH_LEN, "%s", file);
	folder[strrchr(folder, '/') == folder ? 1 :
	    strrchr(folder, '/') - folder] = '\0';
	return stat(folder, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What the policy names and this machine lacks: no fault of the policy. */
static void
warn_absent(const char *path, const struct pol_policy *p)
{
	char folder[POL_PATH_LEN];

	for (size_t i = 0; i < p->ntransports; i++)
		if (!can_be_run(p->transports[i].program))
			(void)fprintf(stderr, "%s: warning: transport \"%s\" "
			    "needs %s, which is not there or cannot be run: "
			    "install it, or correct \"program\"\n", path,
			    p->transports[i].name, p->transports[i].program);
	if (p->tor.torrc[0] == '/' && !folder_is_there(folder, p->tor.torrc))
		(void)fprintf(stderr, "%s: warning: nothing that is applied "
		    "can be kept, as \"torrc\" is in %s, which is not there: "
		    "make it, and let Tor's torrc include it\n", path,
		    folder);
}

static int
print_table(const struct pol_ruleset *rs, enum pol_table_id id,
    const struct pol_policy *p, enum pol_position pos)
{
	char *text = pol_table_print(&rs->tables[id], p, pos);
	int rc;

	if (text == NULL)
		return -1;
	rc = fputs(text, stdout) == EOF ? -1 : 0;
	free(text);
	return rc;
}

/*
 * The boot table for CLOSED: it names no user, so it can be made on any
 * machine, and loaded before any of our programs runs.
 */
static int
print_position(const struct pol_policy *p, enum pol_position pos)
{
	struct pol_ruleset rs;
	int rc;

	if (pol_ruleset_make(&rs, p) == -1)
		return -1;
	if (pos == POL_POS_CLOSED)
		rc = print_table(&rs, POL_T_BOOT, p, pos);
	else if (print_table(&rs, POL_T_GUARD, p, pos) == -1)
		rc = -1;
	else
		rc = print_table(&rs, POL_T_GATE, p, pos);
	pol_ruleset_clear(&rs);
	return rc;
}

/* Without the need of it there is neither a lease nor a rule for it. */
static bool
has_position(const struct pol_policy *p, enum pol_position pos)
{
	return pos != POL_POS_SYNC || p->timesync.required;
}

static int
print_only(const struct pol_policy *p, bool resolved, const char *name)
{
	size_t pos = 0;

	while (pos < POL_NPOS &&
	    strcmp(name, pol_position_name((enum pol_position)pos)) != 0)
		pos++;
	if (pos == POL_NPOS) {
		(void)fprintf(stderr, "portcullisd: there is no position "
		    "\"%s\": write closed, tor-only, time-sync or open\n",
		    name);
		return EXIT_POLICY;
	}
	if (!has_position(p, (enum pol_position)pos)) {
		(void)fprintf(stderr, "portcullisd: this policy has no "
		    "position \"%s\": it does not require time "
		    "synchronisation\n", name);
		return EXIT_POLICY;
	}
	if (pos != POL_POS_CLOSED && !resolved) {
		(void)fprintf(stderr, "portcullisd: these rules need the "
		    "users' numbers: see the warnings\n");
		return EXIT_POLICY;
	}
	return print_position(p, (enum pol_position)pos) == -1 ||
	    fflush(stdout) == EOF ? EXIT_OUTPUT : EXIT_OK;
}

static int
print_option(const struct pol_option *o)
{
	return printf("\t%s=\"%s\"\n", o->name, o->value);
}

/* Listeners whose addresses are known at run time only. */
static int
print_interfaces(const struct pol_policy *p)
{
	char text[POL_LISTENER_TEXT];
	bool first = true;

	for (size_t i = 0; i < p->nlisteners; i++) {
		const struct pol_listener *l = &p->listeners[i];

		if (l->ifaddr == 0)
			continue;
		if (first && printf("# and, as soon as the interface has the "
		    "address:\n") < 0)
			return -1;
		first = false;
		pol_listener_format(text, sizeof text, p, l, NULL);
		if (printf("#\t%s=\"%s%s%s\"\n", pol_kind_option(l->kind),
		    text, l->flags[0] != '\0' ? " " : "", l->flags) < 0)
			return -1;
	}
	return 0;
}

static int
print_setconf(const struct pol_policy *p)
{
	struct pol_options options;
	int rc = 0;

	if (pol_options_make(&options, p, NULL) == -1)
		return -1;
	if (printf("\n# what Tor is told\nSETCONF\n") < 0)
		rc = -1;
	for (size_t i = 0; i < options.n && rc == 0; i++)
		if (print_option(&options.list[i]) < 0)
			rc = -1;
	pol_options_clear(&options);
	return rc == 0 ? print_interfaces(p) : rc;
}

static int
print_rules(const struct pol_policy *p, bool resolved)
{
	for (size_t pos = 0; pos < POL_NPOS; pos++) {
		if (!has_position(p, (enum pol_position)pos))
			continue;
		if (printf("\n# position %s\n",
		    pol_position_name((enum pol_position)pos)) < 0)
			return -1;
		if (pos != POL_POS_CLOSED && !resolved) {
			if (printf("# left out: these rules need the users' "
			    "numbers\n") < 0)
				return -1;
		} else if (print_position(p, (enum pol_position)pos) == -1) {
			return -1;
		}
	}
	return 0;
}

/* Where packet sockets end; the same in every position. */
static int
print_netdev(const struct pol_policy *p)
{
	struct pol_ruleset rs;
	int rc = -1;

	if (pol_ruleset_make(&rs, p) == -1)
		return -1;
	if (printf("\n# in every position\n") >= 0)
		rc = print_table(&rs, POL_T_NETDEV, p, POL_POS_CLOSED);
	pol_ruleset_clear(&rs);
	return rc;
}

/*
 * As commands of ip(8): they are for eyes, and the gate's own messages say the
 * same.
 */
static int
print_routes(const struct pol_policy *p, bool resolved)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	static struct route_rule rules[ROUTES_MOST];
	size_t n = route_plan_make(rules, p);
	char text[ROUTE_PLAN_TEXT];

	if (printf("\n# routing rules, in every position%s\n", n == 0 ?
	    ": none" : "") < 0)
		return -1;
	if (p->firewall.routes == POL_ROUTES_FULL && !resolved)
		return printf("# left out: these rules need the users' "
		    "numbers\n");
	for (size_t f = 0; f < sizeof families; f++)
		for (size_t i = 0; i < n; i++) {
			route_plan_format(text, &rules[i], families[f]);
			if (printf("%s\n", text) < 0)
				return -1;
		}
	return 0;
}

static int
print_everything(const struct pol_policy *p, bool resolved)
{
	char *text = pol_print(p);
	int rc;

	if (text == NULL)
		return -1;
	rc = fputs(text, stdout) == EOF || print_setconf(p) == -1 ||
	    print_rules(p, resolved) == -1 || print_netdev(p) == -1 ||
	    print_routes(p, resolved) < 0 ? -1 : 0;
	free(text);
	return rc;
}

/* "FILE:LINE: tor user, in place of FILE:LINE". */
static int
print_origin(const struct pol_origin *o, const char *comment)
{
	if (o->before_line == 0)
		return printf("%s%s:%u: %s\n", comment, o->file, o->line,
		    o->key);
	return printf("%s%s:%u: %s, in place of %s:%u\n", comment, o->file,
	    o->line, o->key, o->before, o->before_line);
}

/*
 * What other files than the main one have set: nobody who reads that can see
 * it there.
 */
static int
print_origins(const struct pol_origins *from, bool comment)
{
	for (size_t i = 0; i < from->n; i++)
		if (from->list[i].added &&
		    print_origin(&from->list[i], comment ? "# " : "") < 0)
			return -1;
	return 0;
}

/* The last line: what a person looks at. */
static int
print_verdict(const char *path, const struct pol_policy *p, bool resolved,
    bool comment)
{
	return printf("%s%s: OK, %zu listener%s%s\n", comment ? "# " : "",
	    path, p->nlisteners, p->nlisteners == 1 ? "" : "s",
	    resolved ? "" : ", but on this machine portcullisd would not "
	    "start: see the warnings");
}

static int
print_checked(const char *path, const struct pol_policy *p,
    const struct pol_origins *from, bool resolved, bool verbose)
{
	return (verbose && print_everything(p, resolved) == -1) ||
	    print_origins(from, verbose) == -1 ||
	    print_verdict(path, p, resolved, verbose) < 0 ||
	    fflush(stdout) == EOF ? EXIT_OUTPUT : EXIT_OK;
}

int
check_run(const char *path, int verbose, const char *print, bool here)
{
	struct pol_policy p;
	struct pol_diags diags;
	struct pol_origins from = { 0 };
	int rc = policyfile_load_from(&p, &diags, &from, path, false);

	check_print_diags(&diags);
	pol_diags_clear(&diags);
	if (rc == -1) {
		rc = EXIT_POLICY;
	} else {
		bool resolved = resolve(&p, &from);

		if (here)
			warn_absent(path, &p);
		rc = print != NULL ? print_only(&p, resolved, print) :
		    print_checked(path, &p, &from, resolved, verbose > 0);
	}
	pol_origins_clear(&from);
	pol_policy_clear(&p);
	return rc;
}
