/*
 * portcullisd(8): options, and which of its jobs to do.
 */
#include "config.h" /* _GNU_SOURCE */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/origins.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "supervisor/fuzzing.h"
#include "supervisor/gate/anchor.h"
#include "supervisor/gate/gate.h"
#include "supervisor/keeper/check.h"
#include "supervisor/keeper/keeper.h"
#include "supervisor/log.h"
#include "supervisor/policyfile.h"

#define DEFAULT_POLICY PKG_SYSCONFDIR "/portcullis.conf"

struct options {
	const char *policy;
	const char *print;
	const char *libexec_dir;
	int verbose;
	bool check;
	bool remove_rules;
};

enum { OPT_PRINT = 256, OPT_REMOVE_RULES, OPT_LIBEXEC_DIR, OPT_VERSION };

static const struct option long_options[] = {
	{ "policy", required_argument, NULL, 'f' },
	{ "check", no_argument, NULL, 'n' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "print", required_argument, NULL, OPT_PRINT },
	{ "remove-rules", no_argument, NULL, OPT_REMOVE_RULES },
	{ "libexec-dir", required_argument, NULL, OPT_LIBEXEC_DIR },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
"usage: portcullisd [-v] [-f FILE] [--libexec-dir DIR]\n"
"       portcullisd -n [-v] [-f FILE]\n"
"                   [--print closed|tor-only|time-sync|open]\n"
"       portcullisd --remove-rules\n"
"\n"
"  -f, --policy FILE   policy file (default " DEFAULT_POLICY ")\n"
"  -n, --check         check the policy and touch nothing; as any user\n"
"  -v, --verbose       with -n: print policy, SETCONF lines and rules;\n"
"                      without: log more\n"
"  --print POSITION    with -n: print that position's rules as nft text;\n"
"                      \"closed\" is the static ruleset to load at boot\n"
"  --remove-rules      remove our firewall tables; this OPENS the gateway\n"
"  --libexec-dir DIR   where portcullis-engine, portcullis-status and\n"
"                      portcullis-resolver are\n"
"  --version, -h, --help\n"
"\n"
"portcullisd stays in the foreground.  Stopping it leaves the gate closed.\n";

static int
usage(void)
{
	(void)fputs(usage_text, stderr);
	return 2;
}

/* -1: go on; else the exit code. */
static int
take_option(struct options *o, int c)
{
	switch (c) {
	case 'f':
		o->policy = optarg;
		return -1;
	case 'n':
		o->check = true;
		return -1;
	case 'v':
		o->verbose++;
		return -1;
	case 'h':
		return fputs(usage_text, stdout) == EOF ? 1 : 0;
	case OPT_PRINT:
		o->print = optarg;
		return -1;
	case OPT_REMOVE_RULES:
		o->remove_rules = true;
		return -1;
	case OPT_LIBEXEC_DIR:
		o->libexec_dir = optarg;
		return -1;
	case OPT_VERSION:
		return puts("portcullisd " PACKAGE_VERSION) == EOF ? 1 : 0;
	default:
		return usage();
	}
}

/* What does not go together; NULL: all is well. */
static const char *
options_fault(const struct options *o)
{
	if (o->print != NULL && !o->check)
		return "--print goes with -n only";
	if (o->remove_rules && o->check)
		return "-n touches nothing, so it does not go with "
		       "--remove-rules";
	return NULL;
}

/*
 * By a process of its own, which takes with it whatever a name service has
 * loaded: ours lives on in the gate, all of it locked in memory.  False: not
 * everybody was found.
 */
static bool
resolve_apart(struct pol_policy *policy)
{
	struct pol_policy *copy = mmap(NULL, sizeof *copy,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct pol_diags diags = { 0 };
	int status = -1;
	pid_t pid;

	if (copy == MAP_FAILED)
		return false;
	*copy = *policy;
	pid = fork();
	if (pid == 0)
		_exit(policyfile_resolve(copy, &diags) == 0 ? 0 : 1);
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		status = -1;
	if (status == 0)
		*policy = *copy;
	(void)munmap(copy, sizeof *copy);
	return status == 0;
}

/* 0, or the exit code after saying everything that is wrong. */
static int
load_policy(struct pol_policy *policy, const char *path)
{
	struct pol_diags diags = { 0 };
	struct pol_origins from = { 0 };
	int rc = 0;

	/* Who was not found is looked for here, where it can be told. */
	if (policyfile_load_from(policy, &diags, &from, path, true) == -1 ||
	    (!resolve_apart(policy) &&
	    policyfile_resolve_from(policy, &diags, &from) == -1))
		rc = 2;
	pol_origins_clear(&from);
	check_print_diags(&diags);
	pol_diags_clear(&diags);
	return rc;
}

/*
 * What whoever started us has left open or closed must not reach our
 * processes: 0 to 2 are there, nothing else is, and nothing is read.
 */
static int
clean_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd == -1 || dup2(fd, STDIN_FILENO) == -1)
		return -1;
	return close_range(STDERR_FILENO + 1, ~0U, 0);
}

static int
run(const struct options *o)
{
	struct pol_policy policy;
	int rc;

	if (geteuid() != 0) {
		(void)fputs("portcullisd: must be started as root: it gives "
		    "its privileges up by itself (use -n to check a policy)\n",
		    stderr);
		return 1;
	}
	if (clean_descriptors() == -1) {
		log_err("standard descriptors: %s", strerror(errno));
		return 1;
	}
	anchor_claim();
	log_unblock();
	/* Anybody may come to status.sock, whatever our starter's umask. */
	(void)umask(022);
	pol_policy_init(&policy);
	rc = load_policy(&policy, o->policy);
	if (rc == 0)
		rc = keeper_run(&policy, o->libexec_dir);
	pol_policy_clear(&policy);
	return rc;
}

int
main(int argc, char **argv)
{
	struct options o = { .policy = DEFAULT_POLICY,
		.libexec_dir = PKG_LIBEXECDIR };
	const char *fault;
	int c, rc;

	while ((c = getopt_long(argc, argv, "f:nvh", long_options, NULL)) !=
	    -1) {
		rc = take_option(&o, c);
		if (rc != -1)
			return rc;
	}
	fault = optind != argc ? "there are no arguments but options" :
	    options_fault(&o);
	if (fault != NULL) {
		(void)fprintf(stderr, "portcullisd: %s\n", fault);
		return usage();
	}
	if (o.check)
		return check_run(o.policy, o.verbose, o.print, true);
	fuzzing_refuse("portcullisd");
	if (o.verbose > 0 && setenv(LOG_DEBUG_VARIABLE, "1", 1) == -1)
		return 1;
	log_init("keeper", LOG_LV_INFO);
	if (o.remove_rules)
		return gate_remove_rules();
	return run(&o);
}
