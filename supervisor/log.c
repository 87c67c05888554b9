#include "config.h" /* _GNU_SOURCE */

#include "supervisor/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One write(2) per line, so that lines of several processes do not mix. */
#define LINE_CAP 1024

static const char *log_tag = "";
static enum log_level log_level = LOG_LV_INFO;
static int log_prefix;

/* syslog's numbers, as sd-daemon(3) wants them before a line. */
static const char level_digit[] = { '3', '4', '6', '7' };

void
log_init(const char *tag, enum log_level level)
{
	log_tag = tag;
	log_level = getenv(LOG_DEBUG_VARIABLE) != NULL ? LOG_LV_DEBUG : level;
	log_prefix = getenv("JOURNAL_STREAM") != NULL;
}

void
log_unblock(void)
{
	struct stat st;
	int fd, flags;

	/* It never blocks; and two ideas of where it ends lose lines. */
	if (fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		return;
	fd = open("/proc/self/fd/2",
	    O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd != -1) {
		if (dup2(fd, STDERR_FILENO) == -1)
			log_warn("cannot replace standard error: %s",
			    strerror(errno));
		(void)close(fd);
		return;
	}
	/* Sockets cannot be opened again: set it on what we share. */
	flags = fcntl(STDERR_FILENO, F_GETFL);
	if (flags != -1)
		(void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
}

static void log_line(enum log_level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
log_line(enum log_level level, const char *fmt, va_list ap)
{
	char line[LINE_CAP];
	int saved = errno, n, m;

	if (level > log_level)
		return;
	n = snprintf(line, sizeof line, "%s%c%sportcullisd[%s]: ",
	    log_prefix ? "<" : "", log_prefix ? level_digit[level] : ' ',
	    log_prefix ? ">" : "", log_tag);
	if (n < 0 || (size_t)n >= sizeof line)
		goto out;
	m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	if (m < 0)
		goto out;
	n += m;
	if ((size_t)n > sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	if (!log_prefix) {
		memmove(line, line + 1, (size_t)n - 1);
		n--;
	}
	/* Nobody can be told that a log line was lost. */
	if (write(STDERR_FILENO, line, (size_t)n) == -1)
		goto out;
out:
	errno = saved;
}

#define LOG_AT(level)                   \
	do {                            \
		va_list ap;             \
		va_start(ap, fmt);      \
		log_line(level, fmt, ap); \
		va_end(ap);             \
	} while (0)

void
log_err(const char *fmt, ...)
{
	LOG_AT(LOG_LV_ERR);
}

void
log_warn(const char *fmt, ...)
{
	LOG_AT(LOG_LV_WARN);
}

void
log_info(const char *fmt, ...)
{
	LOG_AT(LOG_LV_INFO);
}

void
log_debug(const char *fmt, ...)
{
	LOG_AT(LOG_LV_DEBUG);
}

const char *
log_errno(int err)
{
#ifdef __GLIBC__
	static char number[32];
	const char *text = strerrordesc_np(err);

	if (text == NULL) {
		(void)snprintf(number, sizeof number, "error %d", err);
		text = number;
	}
	return text;
#else
	return strerror(err);
#endif
}

void
fatal(const char *fmt, ...)
{
	LOG_AT(LOG_LV_ERR);
	exit(1);
}

char *
log_esc(char *dst, size_t cap, const void *src, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = src;
	size_t i, o = 0;

	for (i = 0; i < n; i++) {
		if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\') {
			if (cap - o < 2)
				break;
			dst[o++] = (char)s[i];
			continue;
		}
		if (cap - o < 5)
			break;
		dst[o++] = '\\';
		dst[o++] = 'x';
		dst[o++] = hex[s[i] >> 4];
		dst[o++] = hex[s[i] & 15];
	}
	dst[o] = '\0';
	return dst;
}

void *
xmalloc(size_t n)
{
	void *p = malloc(n);

	if (p == NULL)
		fatal("out of memory (%zu octets)", n);
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		fatal("out of memory (%zu times %zu octets)", n, size);
	return p;
}

char *
xstrdup(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		fatal("out of memory");
	return p;
}
