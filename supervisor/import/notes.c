#include "supervisor/import/notes.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_LEN 1024
/* Nobody reads more; and files may be large, and be included often. */
#define MOST_NOTES 2000
#define WIDTH 78

int
import_notes_init(struct import_notes *notes)
{
	memset(notes, 0, sizeof *notes);
	notes->f = open_memstream(&notes->text, &notes->len);
	return notes->f != NULL ? 0 : -1;
}

void
import_notes_clear(struct import_notes *notes)
{
	if (notes->f != NULL)
		(void)fclose(notes->f);
	free(notes->text);
	memset(notes, 0, sizeof *notes);
}

void
import_note(struct import_notes *notes, const char *fmt, ...)
{
	char note[NOTE_LEN];
	va_list ap;

	if (notes->n++ >= MOST_NOTES)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(note, sizeof note, fmt, ap);
	va_end(ap);
	for (char *p = note; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	fprintf(notes->f, "%s\n", note);
}

/* One sentence, folded at its blanks. */
static void
print_folded(FILE *out, const char *p, size_t n)
{
	const char *lead = "# -";
	size_t column = WIDTH, word;

	for (; n > 0; p += word, n -= word) {
		if (*p == ' ') {
			word = 1;
			continue;
		}
		for (word = 0; word < n && p[word] != ' ';)
			word++;
		if (column + 1 + word > WIDTH) {
			fputs(lead, out);
			lead = "\n#  ";
			column = 3;
		}
		fprintf(out, " %.*s", (int)word, p);
		column += 1 + word;
	}
	fputc('\n', out);
}

int
import_notes_print(struct import_notes *notes, FILE *out)
{
	const char *p, *end;

	if (fflush(notes->f) == EOF)
		return -1;
	for (p = notes->text; (end = strchr(p, '\n')) != NULL; p = end + 1)
		print_folded(out, p, (size_t)(end - p));
	if (notes->n > MOST_NOTES)
		fprintf(out, "# - And %zu more.\n", notes->n - MOST_NOTES);
	return ferror(out) || ferror(notes->f) ? -1 : 0;
}
