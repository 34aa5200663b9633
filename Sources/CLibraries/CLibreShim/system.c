#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "clibreshim.h"

int shim_eventfd(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void shim_name_thread(const char *name)
{
	(void)pthread_setname_np(pthread_self(), name);
}

static atomic_ulong complaints;

unsigned long shim_complaints(void)
{
	return atomic_load(&complaints);
}

/* libre writes a line to standard error for each packet that it cannot read, and
 * has no switch for it: a flood of bad packets would flood the log. This stands in
 * the place of its re_fprintf, as tmr_wheel.c does for its timers, and counts. */
int re_fprintf(FILE *stream, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (stream == stderr) {
		atomic_fetch_add(&complaints, 1);
		return 0;
	}
	va_start(ap, fmt);
	n = re_vfprintf(stream, fmt, ap);
	va_end(ap);
	return n;
}
