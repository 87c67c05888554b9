#include "supervisor/cli/change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/wipe.h"

static const char *
shown(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* All of F as text, to be wiped; NULL: why not has been said. */
static char *
read_all(FILE *f, const char *path, size_t *len)
{
	char *text = calloc(1, CLI_CHANGE_MAX + 2);

	if (text == NULL) {
		fprintf(stderr, "portcullis: There is not enough memory.\n");
		return NULL;
	}
	/* Its own buffer would keep a password. */
	(void)setvbuf(f, NULL, _IONBF, 0);
	*len = fread(text, 1, CLI_CHANGE_MAX + 1, f);
	if (ferror(f) != 0)
		fprintf(stderr, "portcullis: %s cannot be read: %s\n",
		    shown(path), strerror(errno));
	else if (*len > CLI_CHANGE_MAX)
		fprintf(stderr, "portcullis: %s is longer than %d octets: "
		    "bridges and proxy take less\n", shown(path),
		    CLI_CHANGE_MAX);
	else if (memchr(text, '\0', *len) != NULL)
		fprintf(stderr, "portcullis: %s is not text: it has a NUL "
		    "octet\n", shown(path));
	else
		return text;
	wipe_free(text);
	return NULL;
}

static char *
load(const char *path, size_t *len)
{
	FILE *f = stdin;
	char *text;

	if (strcmp(path, "-") != 0)
		f = fopen(path, "re");
	if (f == NULL) {
		fprintf(stderr, "portcullis: %s cannot be opened: %s\n", path,
		    strerror(errno));
		return NULL;
	}
	text = read_all(f, path, len);
	if (f != stdin)
		(void)fclose(f); /* it was only read */
	return text;
}

/* The object in TEXT; NULL: why not has been said. */
static json_t *
parse(const char *text, size_t len, const char *path)
{
	json_error_t error;
	json_t *obj = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	/* Jansson's own words could quote a password. */
	if (obj == NULL)
		fprintf(stderr, "portcullis: %s, line %d, column %d: this is "
		    "not valid JSON\n", shown(path), error.line,
		    error.column);
	else if (json_object_get(obj, "cmd") != NULL ||
	    json_object_get(obj, "dry_run") != NULL)
		fprintf(stderr, "portcullis: %s has \"cmd\" or \"dry_run\", "
		    "which are not for a file to say\n", shown(path));
	else
		return obj;
	json_decref(obj);
	return NULL;
}

json_t *
cli_change_load(const char *path, bool dry_run)
{
	size_t len;
	char *text = load(path, &len);
	json_t *obj;

	if (text == NULL)
		return NULL;
	if (text[strspn(text, " \t\r\n")] == '{')
		obj = parse(text, len, path);
	else if ((obj = json_pack("{s:s%}", "torrc", text, len)) == NULL)
		fprintf(stderr, "portcullis: %s is not text in UTF-8\n",
		    shown(path));
	wipe_free(text);
	if (obj != NULL && (json_object_set_new(obj, "cmd",
	    json_string("apply")) == -1 || json_object_set_new(obj, "dry_run",
	    json_boolean(dry_run)) == -1)) {
		json_decref(obj);
		obj = NULL;
		fprintf(stderr, "portcullis: There is not enough memory.\n");
	}
	return obj;
}
