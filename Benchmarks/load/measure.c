#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void samples_add(struct samples *samples, double value)
{
	if (samples->count == samples->room) {
		samples->room = samples->room ? 2 * samples->room : 4096;
		samples->value = realloc(samples->value, samples->room * sizeof(float));
		if (!samples->value)
			abort();
	}
	samples->value[samples->count++] = (float)value;
}

static int ascending(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

void samples_print(const char *name, struct samples *samples)
{
	const size_t last = samples->count - 1;
	const float *value = samples->value;

	if (!samples->count) {
		printf(" %s_p50=-1 %s_p99=-1 %s_max=-1", name, name, name);
		return;
	}
	qsort(samples->value, samples->count, sizeof(float), ascending);
	printf(" %s_p50=%.3f %s_p99=%.3f %s_max=%.3f", name, value[last / 2], name,
	       value[(size_t)(0.99 * (double)last + 0.5)], name, value[last]);
}

static double seconds_of(clockid_t clock)
{
	struct timespec used;

	if (clock_gettime(clock, &used))
		return 0;
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Idle time is counted exactly; busy time is only sampled at the kernel's ticks. */
static double idle_of(int cpu)
{
	FILE *file = fopen("/proc/stat", "r");
	char line[512];
	double idle = 0;

	while (file && fgets(line, sizeof(line), file)) {
		unsigned long long ticks, waiting;
		int number;

		if (sscanf(line, "cpu%d %*u %*u %*u %llu %llu", &number, &ticks, &waiting) == 3 &&
		    number == cpu)
			idle = (double)(ticks + waiting) / (double)sysconf(_SC_CLK_TCK);
	}
	if (file)
		fclose(file);
	return idle;
}

static int cpu_of(pid_t process)
{
	cpu_set_t set;

	if (sched_getaffinity(process, sizeof(set), &set) || CPU_COUNT(&set) != 1)
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			return cpu;
	return -1;
}

void usage_take(struct usage *usage, pid_t target)
{
	clockid_t clock;

	*usage = (struct usage){.at = clock_now(), .load = seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
	if (target && 0 == clock_getcpuclockid(target, &clock))
		usage->target = seconds_of(clock);
	if (target)
		usage->idle_target = idle_of(cpu_of(target));
	usage->idle_load = idle_of(cpu_of(0));
}

void usage_print(const struct usage *from, const struct usage *to)
{
	const double wall = (double)(to->at - from->at) / 1e9;
	const double target = (to->target - from->target) / wall;
	const double load = (to->load - from->load) / wall;
	const double busy_target = 1 - (to->idle_target - from->idle_target) / wall;
	const double busy_load = 1 - (to->idle_load - from->idle_load) / wall;

	printf(" cpu=%.1f load_cpu=%.1f foreign=%.1f load_foreign=%.1f", 100 * target, 100 * load,
	       100 * (busy_target - target), 100 * (busy_load - load));
}

double process_memory(pid_t process)
{
	char path[64], line[256];
	double kibibytes = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)process);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "Pss:", 4))
			kibibytes = atof(line + 4);
	if (file)
		fclose(file);
	return kibibytes;
}
