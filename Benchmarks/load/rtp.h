/* G.711 packets whose payload names its call, number and time of sending, in codes that live
 * through a decoder, an encoder, and a shift of the packet borders. */
#pragma once
#include <stdint.h>

#include "measure.h"
#include "sip.h"

enum {
	RTP_SOCKETS = 16,
	RTP_SLOTS = 80, /* a call sends in the slot number % 80 of each 20 ms, so each 250 us */
	RTP_SLOT_NS = 250000
};

struct media {
	int socket[RTP_SOCKETS];
	bool measuring;            /* marks what is sent now */
	uint64_t sent, received;   /* of the marked ones */
	uint64_t again, unknown;   /* received twice; not ours */
	struct samples trip, jitter; /* ms; jitter: the difference of successive trips of a call */
};

/** Binds the sockets for RTP, and those for RTCP beside them, which nobody reads. */
bool media_open(struct media *media, const struct caller *caller);

/** Sends the packets of one slot. */
void media_send(struct media *media, struct call *calls, uint32_t count, uint32_t slot);

/** Reads what has come on one socket. */
void media_receive(struct media *media, int socket, struct call *calls, uint32_t count);
