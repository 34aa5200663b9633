/* A UDP socket for SIP. libre's own reads one datagram into 8 KiB for each turn of
 * the loop and does not say which of our addresses it came to; this reads a batch,
 * whole, with that address, and answers from it (a host may have several). */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clibreshim.h"

/* What one turn of the loop reads: timers wait for it, and an INVITE takes half a millisecond. */
enum { BATCH = 8, DATAGRAM_MAX = 65536, CONTROL_MAX = 128 };

struct shim_inbox {
	uint8_t (*bytes)[DATAGRAM_MAX];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct sa src[BATCH];
	uint8_t control[BATCH][CONTROL_MAX];
};

static void inbox_destructor(void *arg)
{
	struct shim_inbox *box = arg;

	mem_deref(box->bytes);
}

struct shim_inbox *shim_inbox_alloc(void)
{
	struct shim_inbox *box = mem_zalloc(sizeof(*box), inbox_destructor);

	if (!box)
		return NULL;

	box->bytes = mem_alloc(sizeof(*box->bytes) * BATCH, NULL);
	if (!box->bytes)
		return mem_deref(box);

	return box;
}

int shim_udp_open(int *fdp, struct sa *laddr, int buffer)
{
	const int on = 1;
	int fd, err = 0, af = sa_af(laddr);

	fd = socket(af, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return errno;

	if (af == AF_INET6) {
		/* :: and 0.0.0.0 are separate listeners */
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
	else {
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	}

	/* the kernel notes when each came: what waits for us is not seen otherwise */
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));

	/* the kernel caps these at net.core.[rw]mem_max unless we may force it */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)))
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));

	if (bind(fd, &laddr->u.sa, laddr->len))
		goto out;

	laddr->len = sizeof(laddr->u);
	if (getsockname(fd, &laddr->u.sa, &laddr->len))
		goto out;

	*fdp = fd;
	return 0;

 out:
	err = errno;
	(void)close(fd);
	return err;
}

int shim_udp_receive(int fd, struct shim_inbox *box)
{
	int i, n;

	for (i = 0; i < BATCH; i++) {
		struct msghdr *hdr = &box->msgs[i].msg_hdr;

		box->iov[i].iov_base = box->bytes[i];
		box->iov[i].iov_len  = DATAGRAM_MAX;
		hdr->msg_name        = &box->src[i].u;
		hdr->msg_namelen     = sizeof(box->src[i].u);
		hdr->msg_iov         = &box->iov[i];
		hdr->msg_iovlen      = 1;
		hdr->msg_control     = box->control[i];
		hdr->msg_controllen  = CONTROL_MAX;
		hdr->msg_flags       = 0;
	}

	n = recvmmsg(fd, box->msgs, BATCH, MSG_DONTWAIT, NULL);

	return n < 0 ? 0 : n;
}

/* Microseconds since then; nothing when the clock was set back meanwhile. */
static int64_t since(const struct timespec *then)
{
	struct timespec now;
	int64_t us;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	us = (int64_t)(now.tv_sec - then->tv_sec) * 1000000 + (now.tv_nsec - then->tv_nsec) / 1000;

	return us > 0 ? us : 0;
}

const uint8_t *shim_inbox_get(struct shim_inbox *box, int i, size_t *len, struct sa *src, struct sa *dst,
			      int64_t *waited)
{
	struct msghdr *hdr = &box->msgs[i].msg_hdr;
	struct cmsghdr *c;

	*len = box->msgs[i].msg_len;
	*src = box->src[i];
	src->len = hdr->msg_namelen;
	*waited = 0;

	for (c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			sa_set_in(dst, ntohl(info.ipi_addr.s_addr), sa_port(dst));
		}
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			sa_set_in6(dst, info.ipi6_addr.s6_addr, sa_port(dst));
		}
		else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec then;
			memcpy(&then, CMSG_DATA(c), sizeof(then));
			*waited = since(&then);
		}
	}

	return box->bytes[i];
}

int shim_udp_send(int fd, const struct sa *src, const struct sa *dst, const uint8_t *bytes, size_t len)
{
	uint8_t control[CONTROL_MAX];
	struct iovec iov = {(void *)bytes, len};
	struct msghdr hdr;

	memset(&hdr, 0, sizeof(hdr));
	hdr.msg_name    = (void *)&dst->u;
	hdr.msg_namelen = dst->len;
	hdr.msg_iov     = &iov;
	hdr.msg_iovlen  = 1;

	if (src && sa_isset(src, SA_ADDR)) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		memset(control, 0, sizeof(control));
		hdr.msg_control = control;
		if (sa_af(src) == AF_INET6) {
			struct in6_pktinfo info;

			memset(&info, 0, sizeof(info));
			sa_in6(src, info.ipi6_addr.s6_addr);
			c->cmsg_level = IPPROTO_IPV6;
			c->cmsg_type  = IPV6_PKTINFO;
			c->cmsg_len   = CMSG_LEN(sizeof(info));
			hdr.msg_controllen = CMSG_SPACE(sizeof(info));
			memcpy(CMSG_DATA(c), &info, sizeof(info));
		}
		else {
			struct in_pktinfo info;

			memset(&info, 0, sizeof(info));
			info.ipi_spec_dst.s_addr = htonl(sa_in(src));
			c->cmsg_level = IPPROTO_IP;
			c->cmsg_type  = IP_PKTINFO;
			c->cmsg_len   = CMSG_LEN(sizeof(info));
			hdr.msg_controllen = CMSG_SPACE(sizeof(info));
			memcpy(CMSG_DATA(c), &info, sizeof(info));
		}
	}

	return sendmsg(fd, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

int shim_source_address(const struct sa *dst, struct sa *src)
{
	int fd, err = 0;

	fd = socket(sa_af(dst), SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return errno;

	src->len = sizeof(src->u);
	if (connect(fd, &dst->u.sa, dst->len) || getsockname(fd, &src->u.sa, &src->len))
		err = errno;

	(void)close(fd);
	return err;
}
