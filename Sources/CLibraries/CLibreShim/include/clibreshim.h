/* What Swift cannot say about libre by itself: the variadic functions (foreign
 * text always travels as an argument, never as the format) and eventfd. */
#pragma once
#include "../../CLibre/shim.h"

/** Whether the timing wheel of tmr_wheel.c, not libre's sorted list, serves this process. */
bool shim_timing_wheel_in_force(void);

/** Number of timers that run on the calling thread. */
uint32_t shim_timers_running(void);

/** For tests: what the calling thread's timers take for the clock, in milliseconds; 0 is the real one again.
 * It may go back only while no timer runs. */
void shim_timers_set_clock(uint64_t now);

/** A non-blocking eventfd that is closed on exec, or -1. */
int shim_eventfd(void);

/** Names the calling thread for debuggers and `top`; at most 15 characters. */
void shim_name_thread(const char *name);

/** How many lines libre wanted to write to standard error; they are counted, not written. */
unsigned long shim_complaints(void);

/** Hashes of OpenSSL; a digest has at most 32 bytes. */
enum shim_hash { SHIM_MD5, SHIM_SHA1, SHIM_SHA256 };

/** Writes a digest and returns its length, 0 when OpenSSL refuses. */
unsigned shim_digest(enum shim_hash hash, const uint8_t *bytes, size_t count, uint8_t *digest);

/** Writes a keyed digest (RFC 2104) and returns its length, 0 when OpenSSL refuses. */
unsigned shim_hmac(enum shim_hash hash, const uint8_t *key, size_t key_count, const uint8_t *bytes,
		   size_t count, uint8_t *digest);
