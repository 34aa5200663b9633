/* A hierarchical timing wheel behind libre's timer interface.
 *
 * libre 1.1.0 keeps its timers in one sorted list on the wall clock: starting a
 * timer walks that list, so a few hundred calls a second spend nearly all their
 * time in it, and a step of the wall clock moves every SIP timer. These
 * functions have the names and the contract of libre's own. The executable's
 * definitions are found before the library's by the dynamic linker, and libre
 * calls them through its PLT, so libre's timers run here too.
 * (docs/decisions/0002-timing-wheel.md)
 *
 * Eleven levels of 64 slots, one millisecond a slot at the lowest, cover every
 * 64-bit millisecond: starting and cancelling a timer takes constant time. One
 * wheel for each thread, as libre has one list for each thread. A timer never
 * fires early.
 */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clibreshim.h"

enum { LEVELS = 11, BITS = 6, SLOTS = 1 << BITS, MASK = SLOTS - 1 };
static const uint64_t MAX_DELAY = (uint64_t)1 << 48; /* nine thousand years: no sum wraps */

struct wheel {
	uint64_t now;                     /* the last millisecond that was served */
	uint32_t running;
	uint64_t used[LEVELS];            /* one bit for each slot that is not empty */
	struct list slot[LEVELS][SLOTS];
	struct list due;                  /* expired, about to be called */
};

static __thread struct wheel *local;
static __thread uint64_t test_clock; /* 0: the real one */
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void wheel_free(void *wheel)
{
	free(wheel);
	local = NULL; /* another destructor of this thread may still cancel a timer */
}

static void make_key(void)
{
	(void)pthread_key_create(&key, wheel_free);
}

static struct wheel *wheel_get(void)
{
	if (!local) {
		(void)pthread_once(&once, make_key);
		local = calloc(1, sizeof(*local));
		if (!local)
			abort();
		local->now = tmr_jiffies();
		(void)pthread_setspecific(key, local);
	}
	return local;
}

/* Files a timer under the level at which its expiry first differs from now. */
static void file(struct wheel *w, struct tmr *tmr)
{
	uint64_t at = tmr->jfs;
	unsigned level, slot;

	if (at <= w->now) {
		list_append(&w->due, &tmr->le, tmr);
		return;
	}

	level = (63 - (unsigned)__builtin_clzll(at ^ w->now)) / BITS;
	slot = (unsigned)(at >> (BITS * level)) & MASK;
	list_append(&w->slot[level][slot], &tmr->le, tmr);
	w->used[level] |= (uint64_t)1 << slot;
}

/* The next millisecond, after now, at which a slot has to be looked at. Timers of a
 * level share all higher digits with now, so the lowest level has the earliest. */
static bool next_event(const struct wheel *w, uint64_t *at)
{
	for (unsigned level = 0; level < LEVELS; level++) {
		unsigned shift = BITS * level, cur = (unsigned)(w->now >> shift) & MASK;
		uint64_t ahead = w->used[level] & ~(((uint64_t)2 << cur) - 1);

		if (!ahead)
			continue;
		*at = ((w->now >> shift) - cur + (unsigned)__builtin_ctzll(ahead)) << shift;
		return true;
	}
	return false;
}

/* Moves the wheel to a millisecond that next_event named and files its slots anew. */
static void turn_to(struct wheel *w, uint64_t at)
{
	w->now = at;
	for (int level = LEVELS - 1; level >= 0; level--) {
		unsigned shift = BITS * (unsigned)level, slot = (unsigned)(at >> shift) & MASK;
		struct list moved;

		if (at & (((uint64_t)1 << shift) - 1))
			continue;
		if (!(w->used[level] & ((uint64_t)1 << slot)))
			continue;

		w->used[level] &= ~((uint64_t)1 << slot);
		moved = w->slot[level][slot];
		list_init(&w->slot[level][slot]);
		for (struct le *le = moved.head; le;) {
			struct le *next = le->next;
			struct tmr *tmr = le->data;
			le->list = NULL;
			file(w, tmr);
			le = next;
		}
	}
}

static void unfile(struct wheel *w, struct tmr *tmr)
{
	struct list *list = tmr->le.list;

	if (!list)
		return;
	list_unlink(&tmr->le);
	if (!list->head && list >= &w->slot[0][0] && list <= &w->slot[LEVELS - 1][MASK]) {
		size_t i = (size_t)(list - &w->slot[0][0]);
		w->used[i / SLOTS] &= ~((uint64_t)1 << (i % SLOTS));
	}
}

uint64_t tmr_jiffies(void)
{
	struct timespec ts;

	if (test_clock)
		return test_clock;
	/* Monotonic: a step of the wall clock must not move a SIP timer. */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void tmr_init(struct tmr *tmr)
{
	if (tmr)
		memset(tmr, 0, sizeof(*tmr));
}

void tmr_start(struct tmr *tmr, uint64_t delay, tmr_h *th, void *arg)
{
	struct wheel *w = wheel_get();

	if (!tmr)
		return;
	if (tmr->th) {
		unfile(w, tmr);
		--w->running;
	}
	tmr->th = th;
	tmr->arg = arg;
	if (!th)
		return;

	if (delay > MAX_DELAY)
		delay = MAX_DELAY;
	/* An empty wheel may have slept for long: bring it up to date for free. */
	if (!w->running && !w->due.head)
		w->now = tmr_jiffies();
	/* tmr_jiffies() cuts the fraction off: one more than the delay is never early. */
	tmr->jfs = tmr_jiffies() + delay + (delay ? 1 : 0);
	++w->running;
	file(w, tmr);
}

void tmr_cancel(struct tmr *tmr)
{
	tmr_start(tmr, 0, NULL, NULL);
}

uint64_t tmr_get_expire(const struct tmr *tmr)
{
	uint64_t now;

	if (!tmr || !tmr->th)
		return 0;
	now = tmr_jiffies();
	return tmr->jfs > now ? tmr->jfs - now : 0;
}

void tmr_poll(struct list *unused)
{
	struct wheel *w = wheel_get();
	const uint64_t now = tmr_jiffies();
	struct list batch;
	struct le *le;
	uint64_t at;

	(void)unused;

	while (next_event(w, &at) && at <= now)
		turn_to(w, at);
	if (w->now < now)
		w->now = now;

	/* What a handler starts with no delay waits for the next round: I/O gets its turn. */
	batch = w->due;
	list_init(&w->due);
	for (le = batch.head; le; le = le->next)
		le->list = &batch;

	while ((le = batch.head)) {
		struct tmr *tmr = le->data;
		tmr_h *th = tmr->th;

		list_unlink(le);
		tmr->th = NULL;
		--w->running;
		if (th)
			th(tmr->arg);
	}
}

uint64_t tmr_next_timeout(struct list *unused)
{
	struct wheel *w = wheel_get();
	uint64_t at, now;

	(void)unused;

	if (w->due.head)
		return 1; /* libre reads 0 as "no timer" */
	if (!next_event(w, &at))
		return 0;
	now = tmr_jiffies();
	if (at <= now)
		return 1;
	/* libre hands it to epoll_wait as an int, and there a negative one is "for ever". */
	return at - now < INT_MAX ? at - now : INT_MAX;
}

int tmr_status(struct re_printf *pf, void *unused)
{
	(void)unused;
	return re_hprintf(pf, "Timers: %u\n", wheel_get()->running);
}

void tmr_debug(void)
{
}

void shim_timers_set_clock(uint64_t now)
{
	test_clock = now;
}

uint32_t shim_timers_running(void)
{
	return wheel_get()->running;
}

/* The proof has to go through libre: a function of its own starts a timer, and
 * the timer has to turn up in the wheel. */
bool shim_timing_wheel_in_force(void)
{
	const uint32_t before = shim_timers_running();
	struct stun_keepalive *keepalive = NULL;
	struct udp_sock *socket = NULL;
	bool ours = false;
	struct sa address;

	(void)sa_set_str(&address, "127.0.0.1", 0);
	if (udp_listen(&socket, &address, NULL, NULL))
		return false;
	sa_set_port(&address, 9);
	if (0 == stun_keepalive_alloc(&keepalive, IPPROTO_UDP, socket, 0, &address, NULL, NULL,
				      NULL)) {
		stun_keepalive_enable(keepalive, 3600);
		ours = shim_timers_running() == before + 1;
	}
	mem_deref(keepalive);
	mem_deref(socket);
	return ours;
}
