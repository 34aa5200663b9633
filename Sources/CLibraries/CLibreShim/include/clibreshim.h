/* What Swift cannot say about libre by itself: the variadic functions (foreign
 * text always travels as an argument, never as the format) and eventfd. */
#pragma once
#include "../../CLibre/shim.h"

/** Whether the timing wheel of tmr_wheel.c, not libre's sorted list, serves this process. */
bool shim_timing_wheel_in_force(void);

/** Number of timers that run on the calling thread. */
uint32_t shim_timers_running(void);

/** A non-blocking eventfd that is closed on exec, or -1. */
int shim_eventfd(void);

/** Names the calling thread for debuggers and `top`; at most 15 characters. */
void shim_name_thread(const char *name);

/** How many lines libre wanted to write to standard error; they are counted, not written. */
unsigned long shim_complaints(void);
