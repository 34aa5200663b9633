/* Calls a SIP server and measures how it does. One line of key=value pairs comes out.
 *
 *   load setup --rate R    INVITE, 200, ACK, 100 ms, BYE at a steady rate
 *   load media --calls N   N calls that stay up, G.711 each 20 ms, expected back
 *   load idle  --calls N   N answered calls without a packet: what does one cost in memory?
 *
 * Times are the kernel's, so that what waits in this program is not taken for the server's delay.
 * A call that is not answered, or not ended by a 200 to its BYE, has failed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "phone.h"

enum { BURST = 16 };
static const int64_t SECOND = 1000000000;
static const double DRAIN = 3; /* seconds */

static struct phone phone = {.caller = {.own_address = "127.0.0.1",
					.own_port = 18100,
					.media_ports = RTP_SOCKETS,
					.prefix = "1555",
					.numbers = 1000},
			     .expected = 200};
static enum { SETUP, MEDIA, IDLE } mode;
static uint32_t planned;
static double rate, seconds = 5, warm = 1;
static pid_t target;
static double memory_before, memory_after;
static uint64_t answered;

/* The three duties. Each does what is due and lowers `wake` to when it wants to be asked again. */

static void start_calls(int64_t now, bool measured, int64_t *wake)
{
	static int64_t next;

	if (!next)
		next = now;
	for (int i = 0; i < BURST && phone.begun < planned && next <= now; i++) {
		phone_invite(measured);
		next += (int64_t)(1e9 / rate);
	}
	if (phone.begun < planned && next < *wake)
		*wake = next;
}

static void end_calls(int64_t now, int64_t *wake)
{
	static uint32_t held;

	for (; held < phone.answers; held++) {
		const uint32_t number = phone.answer_order[held];

		if (phone.calls[number].ends > now) {
			if (phone.calls[number].ends < *wake)
				*wake = phone.calls[number].ends;
			break;
		}
		phone_hang_up(number);
	}
}

static void send_packets(int64_t now, int64_t *wake)
{
	static int64_t next;
	static uint32_t slot;

	if (!next || now - next > SECOND / 5)
		next = now;
	for (int i = 0; i < 8 && next <= now; i++) {
		media_send(&phone.media, phone.calls, phone.begun, slot++ % RTP_SLOTS);
		next += RTP_SLOT_NS;
	}
	if (next < *wake)
		*wake = next;
}

enum goal { TIME_OVER, ALL_ANSWERED, ALL_ENDED };

/* Runs until a goal is reached, but no longer than some seconds. */
static void run(double limit, enum goal goal, bool calling, bool measured)
{
	int64_t now = clock_now();
	const int64_t until = now + (int64_t)(limit * 1e9);

	phone.media.measuring = measured && mode == MEDIA;
	while (now < until) {
		int64_t wake = until;

		if (calling)
			start_calls(now, measured || mode != SETUP, &wake);
		if (mode == SETUP)
			end_calls(now, &wake);
		if (mode == MEDIA)
			send_packets(now, &wake);
		phone_receive(wake);
		now = clock_now();
		if (goal == ALL_ENDED && !phone.result.open)
			return;
		if (goal == ALL_ANSWERED && phone.begun == planned && phone.result.open == phone.result.up)
			return;
	}
}

static void measure_setup(struct usage *from, struct usage *to)
{
	run(warm, TIME_OVER, true, false);
	usage_take(from, target);
	run(seconds, TIME_OVER, true, true);
	usage_take(to, target);
	run(DRAIN, ALL_ENDED, false, false);
}

static void measure_standing(struct usage *from, struct usage *to)
{
	memory_before = process_memory(target);
	run(planned / rate + 4, ALL_ANSWERED, true, false);
	answered = phone.result.up;
	run(warm, TIME_OVER, false, false);
	memory_after = process_memory(target);

	usage_take(from, target);
	run(seconds, TIME_OVER, false, true);
	usage_take(to, target);
	run(DRAIN / 6, TIME_OVER, false, false); /* what is under way may still come back */

	for (uint32_t i = 0; i < phone.begun; i++) { /* in steps: a burst would overflow the server's socket */
		phone_hang_up(i);
		if (i % BURST == BURST - 1)
			run(0.005, TIME_OVER, false, false);
	}
	run(DRAIN, ALL_ENDED, false, false);
}

static void print(const struct usage *from, const struct usage *to)
{
	const double wall = (double)(to->at - from->at) / 1e9, used = to->target - from->target;
	const uint64_t lost = phone.result.measured - phone.result.completed;

	printf("calls=%llu failed=%llu late=%llu again=%llu", (unsigned long long)phone.result.measured,
	       (unsigned long long)lost, (unsigned long long)phone.result.late,
	       (unsigned long long)phone.result.again);
	samples_print("setup_ms", &phone.result.setup);
	samples_print("bye_ms", &phone.result.bye);
	if (mode == SETUP)
		printf(" rate=%.1f cpu_us_per_call=%.2f", (double)phone.result.measured / wall,
		       1e6 * used / (double)(phone.result.completed ? phone.result.completed : 1));
	if (mode != SETUP)
		printf(" up=%llu kib_per_call=%.2f cpu_us_per_call_second=%.2f",
		       (unsigned long long)answered,
		       (memory_after - memory_before) / (double)(answered ? answered : 1),
		       1e6 * used / wall / (double)(answered ? answered : 1));
	if (mode == MEDIA) {
		printf(" loss_pct=%.4f twice=%llu alien=%llu",
		       100.0 * (double)(phone.media.sent - phone.media.received) / (double)(phone.media.sent ? phone.media.sent : 1),
		       (unsigned long long)phone.media.again, (unsigned long long)phone.media.unknown);
		samples_print("trip_ms", &phone.media.trip);
		samples_print("jitter_ms", &phone.media.jitter);
	}
	printf(" memory_kib=%.0f", process_memory(target));
	usage_print(from, to);
	printf("\n");
}

static void usage(void)
{
	fprintf(stderr, "load setup --rate R | media --calls N | idle --calls N\n"
			"  --to ADDRESS:PORT  --pid TARGET  --rate R  --calls N  --seconds S  --warm S\n"
			"  --expect STATUS  --prefix DIGITS  --numbers N  --port OWN  --verbose\n");
	exit(2);
}

static void parse_server(const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[32];

	if (!colon)
		usage();
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	snprintf(phone.caller.server_text, sizeof(phone.caller.server_text), "%s", text);
	phone.caller.server = (struct sockaddr_in){.sin_family = AF_INET,
					     .sin_port = htons((uint16_t)atoi(colon + 1))};
	if (inet_pton(AF_INET, host, &phone.caller.server.sin_addr) != 1)
		usage();
}

static void parse(int count, char **words)
{
	static const struct option options[] = {
		{"to", 1, 0, 't'},     {"pid", 1, 0, 'p'},    {"rate", 1, 0, 'r'},
		{"calls", 1, 0, 'c'},  {"seconds", 1, 0, 's'}, {"warm", 1, 0, 'w'},
		{"expect", 1, 0, 'e'}, {"prefix", 1, 0, 'x'}, {"numbers", 1, 0, 'n'},
		{"port", 1, 0, 'o'},   {"verbose", 0, 0, 'v'}, {0}};
	int option;

	while ((option = getopt_long(count, words, "", options, NULL)) != -1) {
		switch (option) {
		case 't': parse_server(optarg); break;
		case 'p': target = atoi(optarg); break;
		case 'r': rate = atof(optarg); break;
		case 'c': planned = (uint32_t)atoi(optarg); break;
		case 's': seconds = atof(optarg); break;
		case 'w': warm = atof(optarg); break;
		case 'e': phone.expected = (unsigned)atoi(optarg); break;
		case 'x': phone.caller.prefix = optarg; break;
		case 'n': phone.caller.numbers = (uint32_t)atoi(optarg); break;
		case 'o': phone.caller.own_port = (uint16_t)atoi(optarg); break;
		case 'v': phone.verbose = true; break;
		default: usage();
		}
	}
	if (optind != count - 1 || !phone.caller.server_text[0] || !phone.caller.numbers)
		usage();
	mode = !strcmp(words[optind], "setup") ? SETUP : !strcmp(words[optind], "media") ? MEDIA : IDLE;
	if (mode == SETUP)
		planned = (uint32_t)(rate * (warm + seconds));
	else if (rate <= 0)
		rate = 200;
	if (!planned || rate <= 0 || planned > 1 << 24)
		usage();
}

int main(int count, char **words)
{
	struct usage from, to;

	parse(count, words);
	phone.caller.media_port = (uint16_t)(phone.caller.own_port + 10);
	snprintf(phone.caller.run, sizeof(phone.caller.run), "%x", (unsigned)(clock_now() / 1000000));
	phone.calls = calloc(planned, sizeof(*phone.calls));
	phone.answer_order = calloc(planned, sizeof(*phone.answer_order));
	if (!phone.calls || !phone.answer_order || !phone_open(&phone)) {
		perror("load");
		return 2;
	}
	if (mode == SETUP)
		measure_setup(&from, &to);
	else
		measure_standing(&from, &to);
	print(&from, &to);
	return 0;
}
