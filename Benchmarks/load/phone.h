/* One telephone that holds many calls: what it says, and what it makes of the answers.
 *
 * Nothing is sent again: an answer that takes longer than SIP's T1 (500 ms) would have been asked
 * for again by a real caller, and counts as late.
 */
#pragma once
#include "rtp.h"

struct phone {
	struct caller caller;
	struct media media;
	struct call *calls;
	uint32_t begun;
	uint32_t *answer_order, answers; /* calls are hung up in the order of their answers */
	unsigned expected;               /* the final status that is a success */
	bool verbose;
	struct {
		uint64_t measured, completed, late, again; /* of the calls that were begun as measured */
		uint64_t open, up;
		struct samples setup, bye; /* ms from a request to its final answer */
	} result;
};

/** Opens the sockets; false, with errno, when one is taken. There is one phone in a program. */
bool phone_open(struct phone *phone);

/** Begins the next call. */
void phone_invite(bool measured);

/** Ends a call that was answered; any other it leaves alone. */
void phone_hang_up(uint32_t number);

/** Waits for packets and takes them, but not beyond a moment of clock_now(). */
void phone_receive(int64_t until);
