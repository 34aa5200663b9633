/* UDP sockets of calls. They are read when the call's tick comes, not when a packet
 * does: one system call takes all that has gathered, with the kernel's word on how long each has waited. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHIM_DATAGRAMS = 32, SHIM_DATAGRAM_SIZE = 1600 };

/** Microseconds that a datagram is fresh: somewhat less than a tick of 20 ms. */
enum { SHIM_FRESH = 18000 };

/** An address in network order as two halves, IPv4 mapped into IPv6, and a port in host order. */
struct shim_address {
	uint64_t high, low;
	uint16_t port;
	uint32_t scope;
};

/** One datagram of a batch; valid until the next batch. */
struct shim_datagram {
	uint8_t *data;
	uint32_t length;
	struct shim_address from;
	/** When the kernel had it, in microseconds of the monotonic clock. */
	int64_t arrival;
};

/** Room for one batch, shared by all sockets of a thread. */
struct shim_batch;

struct shim_batch *shim_batch_new(void);
void shim_batch_free(struct shim_batch *batch);

/** Notes the time; to be called before sockets are read, once for all that are read in the same millisecond or so. */
void shim_batch_begin(struct shim_batch *batch);

/** Reads what waits, at most SHIM_DATAGRAMS. Returns how many; datagrams that did not fit are left out.
 *
 * Unless all are wanted, the first alone when it is fresh: one that comes each 20 ms has none behind it, and to look
 * for it costs as much as to read one. What is left behind is not fresh at the next tick. */
int shim_media_receive(int fd, struct shim_batch *batch, bool all);
const struct shim_datagram *shim_batch_datagrams(const struct shim_batch *batch);

/** Binds a non-blocking socket; "::" serves both families. Returns an errno, 0 for success. */
int shim_media_open(const char *ip, uint16_t port, int dscp, int *fd, bool *is_ipv6);

/** Sends a datagram. Returns an errno, 0 for success. */
int shim_media_send(int fd, bool is_ipv6, const struct shim_address *to, const void *data, size_t length);

/** Datagrams that are to be sent soon, of several sockets; shared by all sockets of a thread. */
struct shim_outbox;

struct shim_outbox *shim_outbox_new(void);
void shim_outbox_free(struct shim_outbox *outbox);

/** Adds a copy of a datagram; when there is no room, sends the others first. Longer ones than SHIM_DATAGRAM_SIZE are
 * left out. The socket must stay open until they are sent. */
void shim_outbox_add(struct shim_outbox *outbox, int fd, bool is_ipv6, const struct shim_address *to, const void *data,
		     size_t length);

/** Sends all of them. One that cannot be sent is lost; the network says the same every day. */
void shim_outbox_send(struct shim_outbox *outbox);

/** Has the processor fetch memory that is needed soon. */
static inline void shim_prefetch(const void *start, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 64)
		__builtin_prefetch((const char *)start + i);
}

/** Reads a numeric address. Returns false for anything else. */
bool shim_address_parse(const char *ip, uint16_t port, struct shim_address *address);

/** Microseconds of the monotonic clock. */
int64_t shim_now(void);

/** The wall clock as NTP has it: seconds since 1900, and their fraction. */
uint64_t shim_ntp_now(void);
