/* How long the machine itself keeps a program waiting: a real-time thread wakes up each millisecond on the CPU that it is
 * started on, until SIGTERM, and prints by how much it was late. What is late here, nobody on this CPU could have done in
 * time: a host that gives the CPU away, or a kernel without preemption that finishes somebody's system call first.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "measure.h"

static volatile sig_atomic_t is_over;

static void end(int signal)
{
	(void)signal;
	is_over = 1;
}

int main(void)
{
	const int64_t step = 1000000;
	const struct sched_param first = {.sched_priority = 99};
	const bool is_first = !sched_setscheduler(0, SCHED_FIFO, &first);
	int64_t due = clock_now(), longest = 0;
	unsigned long over = 0;

	signal(SIGTERM, end);
	while (!is_over) {
		due += step;
		const struct timespec when = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};

		if (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &when, NULL))
			continue; /* ended, or the loop's condition ends it */
		const int64_t now = clock_now(), late = now - due;

		if (late > longest)
			longest = late;
		if (late > 5 * step)
			over++;
		if (late > step)
			due = now; /* the beats that were missed are not late as well */
	}
	printf("real_time=%d longest_ms=%.2f over_5ms=%lu\n", is_first, (double)longest / 1e6, over);
	return 0;
}
