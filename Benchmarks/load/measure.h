/* Clocks, percentiles, and what another process costs. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/** Nanoseconds of the clock that the kernel stamps received packets with. */
int64_t clock_now(void);

struct samples {
	float *value;
	size_t count, room;
};

void samples_add(struct samples *samples, double value);

/** Prints ` NAME_p50=… NAME_p99=… NAME_max=…`; -1 when there are none. */
void samples_print(const char *name, struct samples *samples);

/** What was used up to a moment. */
struct usage {
	int64_t at;
	double target, load;           /* seconds of CPU time, of ended threads too */
	double idle_target, idle_load; /* seconds that their CPUs were idle */
};

void usage_take(struct usage *usage, pid_t target);

/** Prints the CPU shares between two moments, and as `foreign` what neither program used of the
 * target's and the load's CPU: a run that others disturbed shows. */
void usage_print(const struct usage *from, const struct usage *to);

/** Private memory, and the share of what is shared, in KiB; -1 when unknown. */
double process_memory(pid_t process);
