#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clibreshim.h"

int shim_eventfd(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

int shim_timer_open(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

void shim_timer_set(int fd, int64_t at)
{
	const struct itimerspec when = {.it_value = {.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000}};

	(void)timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void shim_name_thread(const char *name)
{
	(void)pthread_setname_np(pthread_self(), name);
}

/* A thread's heap grows by a page or two and is given back as soon as it can be,
 * with a system call each: some for each call, and each of them waits for whoever
 * changes the process's memory, as a reload does. Instead it has all of its room
 * (64 MiB, not touched) from the start, and what was used once is kept. */
void shim_keep_memory(void)
{
	(void)mallopt(M_TOP_PAD, 64 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

/* sched_setattr(2) as its first version has it; glibc knows it since 2.41 only. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

enum { RESET_ON_FORK = 1 };

/* A niceness and a slice of so many microseconds for the calling thread. */
static bool schedule(int nice, uint64_t slice, uint64_t flags)
{
	struct scheduling wanted = {.size = sizeof(wanted), .policy = SCHED_OTHER, .flags = flags, .nice = nice, .runtime = slice * 1000};

	return !syscall(SYS_sched_setattr, 0, &wanted, 0);
}

void shim_step_forward(void)
{
	const int now = getpriority(PRIO_PROCESS, 0);

	if (!schedule(now < -5 ? now : -5, 1000, RESET_ON_FORK))
		(void)schedule(now, 1000, RESET_ON_FORK);
}

void shim_stand_back(void)
{
	if (!schedule(19, 100000, 0))
		(void)setpriority(PRIO_PROCESS, 0, 19);
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
