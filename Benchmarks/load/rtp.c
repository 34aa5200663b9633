#define _GNU_SOURCE
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtp.h"

enum { HEADER = 12, PAYLOAD = 160, BATCH = 64, MARK = 25, REPEAT = 80 };
static const uint8_t magic[4] = {0x91, 0xa2, 0x93, 0xa4};

static int bound(const struct caller *caller, uint16_t port, int room)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1;

	(void)inet_pton(AF_INET, caller->own_address, &own.sin_addr);
	(void)setsockopt(s, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	/* More than the usual limit needs root; without it the usual limit stays. */
	if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		(void)setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (0 == bind(s, (const struct sockaddr *)&own, sizeof(own)))
		return s;
	close(s);
	return -1;
}

bool media_open(struct media *media, const struct caller *caller)
{
	for (int i = 0; i < RTP_SOCKETS; i++) {
		const uint16_t port = (uint16_t)(caller->media_port + 2 * i);

		media->socket[i] = bound(caller, port, 8 << 20);
		if (media->socket[i] < 0 || bound(caller, (uint16_t)(port + 1), 4096) < 0)
			return false;
	}
	return true;
}

static void write_nibbles(uint8_t *at, unsigned count, uint64_t value)
{
	/* Every code from 0x80 to 0x8f stands for a sample of its own. */
	for (unsigned i = 0; i < count; i++)
		at[i] = (uint8_t)(0x80 | ((value >> (4 * i)) & 15));
}

static uint64_t read_nibbles(const uint8_t *at, unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++)
		value |= (uint64_t)(at[i] & 15) << (4 * i);
	return value;
}

static void write_packet(uint8_t *packet, const struct call *call, bool measured, int64_t now)
{
	const uint32_t time = htonl(call->sent * PAYLOAD), source = htonl(0x10000000u + call->number);
	uint8_t *payload = packet + HEADER;

	packet[0] = 0x80;
	packet[1] = call->sent ? 0 : 0x80;
	packet[2] = (uint8_t)(call->sent >> 8);
	packet[3] = (uint8_t)call->sent;
	memcpy(packet + 4, &time, 4);
	memcpy(packet + 8, &source, 4);

	memset(payload, 0xd5, PAYLOAD);
	memcpy(payload, magic, 4);
	write_nibbles(payload + 4, 1, measured);
	write_nibbles(payload + 5, 6, call->number);
	write_nibbles(payload + 11, 6, call->sent);
	write_nibbles(payload + 17, 8, (uint64_t)(now / 1000));
	memcpy(payload + REPEAT, payload, MARK);
}

void media_send(struct media *media, struct call *calls, uint32_t count, uint32_t slot)
{
	static uint8_t packet[BATCH][HEADER + PAYLOAD];
	static struct iovec piece[BATCH];
	static struct mmsghdr message[BATCH];
	/* 80 is a multiple of 16: a slot's calls share one socket. */
	const int s = media->socket[slot % RTP_SOCKETS];
	uint32_t number = slot;

	while (number < count) {
		const int64_t now = clock_now();
		unsigned filled = 0;

		for (; number < count && filled < BATCH; number += RTP_SLOTS) {
			struct call *call = &calls[number];

			if (call->state != CALL_UP || !call->to.sin_port)
				continue;
			write_packet(packet[filled], call, media->measuring, now);
			call->sent++;
			media->sent += media->measuring;
			piece[filled] = (struct iovec){packet[filled], HEADER + PAYLOAD};
			message[filled].msg_hdr = (struct msghdr){.msg_name = &call->to,
								  .msg_namelen = sizeof(call->to),
								  .msg_iov = &piece[filled],
								  .msg_iovlen = 1};
			filled++;
		}
		/* What cannot be sent counts as lost, as on a network. */
		for (unsigned done = 0; done < filled;) {
			const int now_sent = sendmmsg(s, message + done, filled - done, 0);
			done += now_sent > 0 ? (unsigned)now_sent : 1;
		}
	}
}

static void take(struct media *media, struct call *calls, uint32_t count, const uint8_t *packet,
		 size_t size, int64_t at)
{
	const uint8_t *mark = NULL;
	struct call *call;
	uint32_t number, sequence;
	double trip;

	if (size > HEADER)
		mark = memmem(packet + HEADER, size - HEADER, magic, sizeof(magic));
	if (!mark || mark + MARK > packet + size ||
	    (number = (uint32_t)read_nibbles(mark + 5, 6)) >= count) {
		media->unknown++;
		return;
	}
	call = &calls[number];
	sequence = (uint32_t)read_nibbles(mark + 11, 6) + 1; /* 0: none yet */
	if (sequence > call->newest) {
		const uint32_t ahead = sequence - call->newest;

		call->seen = ahead < 64 ? call->seen << ahead : 0;
		call->newest = sequence;
	}
	if (call->newest - sequence >= 64 || (call->seen >> (call->newest - sequence) & 1)) {
		media->again++;
		return;
	}
	call->seen |= (uint64_t)1 << (call->newest - sequence);
	if (!read_nibbles(mark + 4, 1))
		return;

	trip = (double)(uint32_t)((uint32_t)(at / 1000) - (uint32_t)read_nibbles(mark + 17, 8)) / 1e3;
	media->received++;
	samples_add(&media->trip, trip);
	if (call->last_trip > 0)
		samples_add(&media->jitter,
			    trip > call->last_trip ? trip - call->last_trip : call->last_trip - trip);
	call->last_trip = trip;
}

static int64_t stamp_of(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		struct timespec time;

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS)
			continue;
		memcpy(&time, CMSG_DATA(part), sizeof(time));
		return time.tv_sec * 1000000000LL + time.tv_nsec;
	}
	return clock_now();
}

void media_receive(struct media *media, int s, struct call *calls, uint32_t count)
{
	static uint8_t packet[BATCH][512], control[BATCH][64];
	static struct iovec piece[BATCH];
	static struct mmsghdr message[BATCH];
	int received;

	do {
		for (int i = 0; i < BATCH; i++) {
			piece[i] = (struct iovec){packet[i], sizeof(packet[i])};
			message[i].msg_hdr = (struct msghdr){.msg_iov = &piece[i],
							     .msg_iovlen = 1,
							     .msg_control = control[i],
							     .msg_controllen = sizeof(control[i])};
		}
		received = recvmmsg(s, message, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < received; i++)
			take(media, calls, count, packet[i], message[i].msg_len,
			     stamp_of(&message[i].msg_hdr));
	} while (received == BATCH);
}
