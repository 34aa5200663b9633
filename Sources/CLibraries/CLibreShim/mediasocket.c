#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mediasocket.h"

/* A second of packets, with what the kernel counts for each; more would only be late. */
enum { RECEIVE_BUFFER = 65536, CONTROL_SIZE = 64 };

struct shim_batch {
	/* One moment on both clocks, see shim_batch_begin(). */
	int64_t steady, wall;
	struct shim_datagram datagrams[SHIM_DATAGRAMS];
	struct mmsghdr headers[SHIM_DATAGRAMS];
	struct iovec vectors[SHIM_DATAGRAMS];
	struct sockaddr_in6 names[SHIM_DATAGRAMS];
	_Alignas(struct cmsghdr) uint8_t controls[SHIM_DATAGRAMS][CONTROL_SIZE];
	uint8_t data[SHIM_DATAGRAMS][SHIM_DATAGRAM_SIZE];
};

static int64_t microseconds(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t shim_now(void)
{
	return microseconds(CLOCK_MONOTONIC);
}

uint64_t shim_ntp_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ((uint64_t)ts.tv_sec + 2208988800u) << 32 | ((uint64_t)ts.tv_nsec << 32) / 1000000000u;
}

static void prepare(struct shim_batch *b, int i)
{
	struct msghdr *h = &b->headers[i].msg_hdr;

	h->msg_namelen = sizeof(b->names[i]);
	h->msg_controllen = CONTROL_SIZE;
	h->msg_flags = 0;
}

struct shim_batch *shim_batch_new(void)
{
	struct shim_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	for (int i = 0; i < SHIM_DATAGRAMS; i++) {
		struct msghdr *h = &b->headers[i].msg_hdr;

		b->vectors[i].iov_base = b->data[i];
		b->vectors[i].iov_len = SHIM_DATAGRAM_SIZE;
		h->msg_name = &b->names[i];
		h->msg_iov = &b->vectors[i];
		h->msg_iovlen = 1;
		h->msg_control = b->controls[i];
		prepare(b, i);
	}
	return b;
}

void shim_batch_free(struct shim_batch *batch)
{
	free(batch);
}

const struct shim_datagram *shim_batch_datagrams(const struct shim_batch *batch)
{
	return batch->datagrams;
}

static uint64_t be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static void to_address(const struct sockaddr_in6 *name, struct shim_address *a)
{
	memset(a, 0, sizeof(*a));
	if (name->sin6_family == AF_INET) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)name;

		a->low = 0xFFFFull << 32 | ntohl(four->sin_addr.s_addr);
		a->port = ntohs(four->sin_port);
		return;
	}
	a->high = be64(&name->sin6_addr.s6_addr[0]);
	a->low = be64(&name->sin6_addr.s6_addr[8]);
	a->port = ntohs(name->sin6_port);
	a->scope = name->sin6_scope_id;
}

void shim_batch_begin(struct shim_batch *b)
{
	b->steady = microseconds(CLOCK_MONOTONIC);
	b->wall = microseconds(CLOCK_REALTIME);
}

/* The kernel stamps with the wall clock; what counts is how long before our moment that was. */
static int64_t arrival(const struct shim_batch *b, struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec ts;
			int64_t age;

			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			age = b->wall - ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
			/* A step of the wall clock in between says nothing. */
			return age < -1000000 || age > 10000000 ? b->steady : b->steady - age;
		}
	}
	return b->steady;
}

/* How many datagrams were read: the first, and the others when they are wanted. */
static int gather(int fd, struct shim_batch *b, bool all)
{
	ssize_t length = recvmsg(fd, &b->headers[0].msg_hdr, MSG_DONTWAIT);
	int more;

	if (length < 0)
		return 0;
	b->headers[0].msg_len = (unsigned int)length;
	if (!all && b->steady - arrival(b, &b->headers[0].msg_hdr) < SHIM_FRESH)
		return 1;
	more = recvmmsg(fd, &b->headers[1], SHIM_DATAGRAMS - 1, MSG_DONTWAIT, NULL);
	return more > 0 ? 1 + more : 1;
}

int shim_media_receive(int fd, struct shim_batch *b, bool all)
{
	int n = gather(fd, b, all), kept = 0;

	for (int i = 0; i < n; i++) {
		struct msghdr *h = &b->headers[i].msg_hdr;

		if (!(h->msg_flags & MSG_TRUNC)) {
			struct shim_datagram *d = &b->datagrams[kept++];

			d->data = b->data[i];
			d->length = b->headers[i].msg_len;
			d->arrival = arrival(b, h);
			to_address(&b->names[i], &d->from);
		}
		prepare(b, i);
	}
	return kept;
}

int shim_media_open(const char *ip, uint16_t port, int dscp, int *fdp, bool *is_ipv6)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int on = 1, off = 0, tos = dscp << 2, buffer = RECEIVE_BUFFER;
	const bool v6 = inet_pton(AF_INET6, ip, &six.sin6_addr) == 1;
	int fd, err;

	if (!v6 && inet_pton(AF_INET, ip, &four.sin_addr) != 1)
		return EINVAL;
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (v6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	}
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (bind(fd, v6 ? (void *)&six : (void *)&four, v6 ? sizeof(six) : sizeof(four))) {
		err = errno;
		(void)close(fd);
		return err;
	}
	*fdp = fd;
	*is_ipv6 = v6;
	return 0;
}

static void to_bytes(uint64_t v, uint8_t *p)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof(v));
}

int shim_media_send(int fd, bool is_ipv6, const struct shim_address *to, const void *data, size_t length)
{
	struct sockaddr_in6 six = {0};
	struct sockaddr_in four = {0};
	ssize_t n;

	if (is_ipv6) {
		six.sin6_family = AF_INET6;
		six.sin6_port = htons(to->port);
		six.sin6_scope_id = to->scope;
		to_bytes(to->high, &six.sin6_addr.s6_addr[0]);
		to_bytes(to->low, &six.sin6_addr.s6_addr[8]);
		n = sendto(fd, data, length, MSG_DONTWAIT, (struct sockaddr *)&six, sizeof(six));
	} else {
		if (to->high || to->low >> 32 != 0xFFFF)
			return EAFNOSUPPORT;
		four.sin_family = AF_INET;
		four.sin_port = htons(to->port);
		four.sin_addr.s_addr = htonl((uint32_t)to->low);
		n = sendto(fd, data, length, MSG_DONTWAIT, (struct sockaddr *)&four, sizeof(four));
	}
	return n < 0 ? errno : 0;
}

enum { OUTBOX_ROOM = 32768, OUTBOX_DATAGRAMS = 64 };

struct shim_outbox {
	struct {
		struct shim_address to;
		int fd;
		bool is_ipv6;
		uint32_t start, length;
	} entries[OUTBOX_DATAGRAMS];
	size_t count, used;
	uint8_t data[OUTBOX_ROOM];
};

struct shim_outbox *shim_outbox_new(void)
{
	return calloc(1, sizeof(struct shim_outbox));
}

void shim_outbox_free(struct shim_outbox *outbox)
{
	free(outbox);
}

void shim_outbox_add(struct shim_outbox *o, int fd, bool is_ipv6, const struct shim_address *to, const void *data,
		     size_t length)
{
	if (length > SHIM_DATAGRAM_SIZE)
		return;
	if (o->count == OUTBOX_DATAGRAMS || length > OUTBOX_ROOM - o->used)
		shim_outbox_send(o);
	o->entries[o->count].to = *to;
	o->entries[o->count].fd = fd;
	o->entries[o->count].is_ipv6 = is_ipv6;
	o->entries[o->count].start = (uint32_t)o->used;
	o->entries[o->count].length = (uint32_t)length;
	memcpy(&o->data[o->used], data, length);
	o->used += length;
	o->count++;
}

void shim_outbox_send(struct shim_outbox *o)
{
	for (size_t i = 0; i < o->count; i++)
		(void)shim_media_send(o->entries[i].fd, o->entries[i].is_ipv6, &o->entries[i].to,
				      &o->data[o->entries[i].start], o->entries[i].length);
	o->count = 0;
	o->used = 0;
}

bool shim_address_parse(const char *ip, uint16_t port, struct shim_address *address)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};

	if (inet_pton(AF_INET, ip, &four.sin_addr) == 1)
		to_address((struct sockaddr_in6 *)&four, address);
	else if (inet_pton(AF_INET6, ip, &six.sin6_addr) == 1)
		to_address(&six, address);
	else
		return false;
	return true;
}
