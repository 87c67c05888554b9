/*
 * What the policy library thinks of flags and port lines, for flags.py to
 * compare with Tor's opinion.  A line of input is one of
 *
 * policy KIND ADDRESS FLAG...	-> "no", or "yes" and what Tor would be told
 * line VALUE			-> "local" or "reachable", and where it listens
 *
 * ADDRESS "unix:/path" goes without port, all others have port PORT.  VALUE
 * is in hex, for it may have any octet in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/options.h"
#include "policy/parse.h"
#include "policy/portline.h"

#define PORT 20001
#define TEXT_LEN 4096

static const char head[] =
    "tor { user = 101 control = \"unix:/run/tor/control\" }\n"
    "gateway { internal = eth1 external = eth0 }\n"
    "users { gate = 102 engine = 103 status = 104 }\n";

static void
write_policy(FILE *f, char *args)
{
	const char *kind = strtok(args, " ");
	const char *address = strtok(NULL, " ");
	const char *flag, *comma = "";

	if (kind == NULL || address == NULL)
		exit(2);
	(void)fprintf(f, "%slistener l { kind = %s address = \"%s\"\n", head,
	    kind, address);
	if (strncmp(address, "unix:", 5) != 0)
		(void)fprintf(f, "port = %d\n", PORT);
	(void)fputs("flags = {", f);
	while ((flag = strtok(NULL, " ")) != NULL) {
		(void)fprintf(f, "%s \"%s\"", comma, flag);
		comma = ",";
	}
	(void)fputs(" } }\n", f);
}

static void
answer_policy(char *args)
{
	char text[TEXT_LEN] = "";
	FILE *f = fmemopen(text, sizeof text, "w");
	struct pol_source src = { "asked", text, 0 };
	struct pol_diags diags;
	struct pol_options o;
	struct pol_policy p;

	if (f == NULL)
		exit(1);
	write_policy(f, args);
	if (fclose(f) == EOF)
		exit(1);
	src.len = strlen(text);
	if (pol_parse(&p, &diags, &src, 1) == -1) {
		(void)puts("no");
		pol_diags_clear(&diags);
		return;
	}
	if (pol_options_make(&o, &p, NULL) == -1)
		exit(1);
	(void)printf("yes %s\n", o.list[0].value);
	pol_options_clear(&o);
	pol_policy_clear(&p);
}

static void
print_place(const struct pol_line *l)
{
	char text[POL_LISTENER_TEXT];

	if (l->off) {
		(void)puts("off");
	} else if (l->addr.family == AF_UNIX) {
		(void)printf("unix:%s\n", l->path);
	} else if (l->by_name) {
		(void)printf("?:%u\n", (unsigned)l->port);
	} else {
		pol_addrport_format(text, sizeof text, &l->addr, l->port);
		(void)puts(text);
	}
}

static void
answer_line(const char *hex)
{
	char value[TEXT_LEN] = "";
	struct pol_line line;
	unsigned octet;

	for (size_t i = 0; i < sizeof value - 1 &&
	    sscanf(hex + 2 * i, "%2x", &octet) == 1; i++)
		value[i] = (char)octet;
	(void)fputs(pol_line_reachable(value) ? "reachable " : "local ",
	    stdout);
	if (pol_line_parse(&line, value))
		print_place(&line);
	else
		(void)puts("unknown");
}

int
main(void)
{
	static char in[2 * TEXT_LEN];

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(in, sizeof in, stdin) != NULL) {
		in[strcspn(in, "\n")] = '\0';
		if (strncmp(in, "policy ", 7) == 0)
			answer_policy(in + 7);
		else if (strncmp(in, "line ", 5) == 0)
			answer_line(in + 5);
		else
			return 2;
	}
	return 0;
}
