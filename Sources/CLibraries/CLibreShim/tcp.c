/* Stream sockets with their flags in one step, which Swift's Glibc lacks. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clibreshim.h"

int shim_tcp_listen(int *fdp, struct sa *laddr)
{
	int fd = socket(sa_af(laddr), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, err;

	if (fd < 0)
		return errno;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &laddr->u.sa, laddr->len) || listen(fd, 511))
		goto fail;

	laddr->len = sizeof(laddr->u);
	if (getsockname(fd, &laddr->u.sa, &laddr->len))
		goto fail;

	*fdp = fd;
	return 0;

 fail:
	err = errno;
	(void)close(fd);
	return err;
}

int shim_accept(int fd, struct sa *peer)
{
	sa_init(peer, AF_UNSPEC);
	peer->len = sizeof(peer->u);
	return accept4(fd, &peer->u.sa, &peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int shim_socket_pair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) ? errno : 0;
}
