#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clibreshim.h"

/* Without a free descriptor accept fails, the connection stays in the queue, and
 * the loop is woken for it again at once, for ever. libre leaves it at that. This
 * stands in the place of accept, as tmr_wheel.c does for libre's timers: a spare
 * descriptor takes the connection and closes it, so that the peer knows. */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int spare = -1;
static atomic_ulong turned_away;

__attribute__((constructor)) static void open_spare(void)
{
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

unsigned long shim_turned_away(void)
{
	return atomic_load(&turned_away);
}

static void turn_away(int fd)
{
	long conn = -1;

	pthread_mutex_lock(&lock);
	if (spare >= 0) {
		(void)close(spare);
		conn = syscall(SYS_accept4, fd, NULL, NULL, SOCK_CLOEXEC);
		if (conn >= 0)
			(void)close((int)conn);
	}
	open_spare();
	pthread_mutex_unlock(&lock);

	if (conn >= 0)
		atomic_fetch_add(&turned_away, 1);
	else
		(void)usleep(5000); /* another thread was quicker: at least do not spin */
}

int accept(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
	const long conn = syscall(SYS_accept4, fd, addr, len, SOCK_CLOEXEC);

	if (conn < 0 && (errno == EMFILE || errno == ENFILE)) {
		const int err = errno;

		turn_away(fd);
		errno = err;
	}

	return (int)conn;
}
