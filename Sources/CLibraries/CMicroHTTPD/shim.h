/* libmicrohttpd is started by a variadic call, and ends upgraded connections by
 * another; Swift imports neither. */
#pragma once
#include <microhttpd.h>

struct cmhd_settings {
	/* NULL: no listening socket, connections come by cmhd_adopt. */
	const struct sockaddr *address;
	unsigned connections;
	unsigned connections_per_ip;
	unsigned idle_seconds;
	size_t head_bytes;
};

typedef void *(*cmhd_target_h)(void *arg, const char *target, struct MHD_Connection *connection);

/* A daemon without a thread of its own: its epoll descriptor is served by the caller. NULL on failure, with errno. */
static inline struct MHD_Daemon *cmhd_start(const struct cmhd_settings *settings, cmhd_target_h target,
					    MHD_AccessHandlerCallback access,
					    MHD_RequestCompletedCallback completed, void *arg)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_UPGRADE | MHD_ALLOW_SUSPEND_RESUME;
	if (!settings->address)
		flags |= MHD_USE_NO_LISTEN_SOCKET;
	else if (settings->address->sa_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(flags, 0, NULL, NULL, access, arg,
				MHD_OPTION_CONNECTION_LIMIT, settings->connections,
				MHD_OPTION_PER_IP_CONNECTION_LIMIT, settings->connections_per_ip,
				MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_seconds,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->head_bytes,
				MHD_OPTION_STRICT_FOR_CLIENT, 1,
				MHD_OPTION_URI_LOG_CALLBACK, target, arg,
				MHD_OPTION_NOTIFY_COMPLETED, completed, arg,
				settings->address ? MHD_OPTION_SOCK_ADDR : MHD_OPTION_END, settings->address,
				MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
				MHD_OPTION_LISTEN_BACKLOG_SIZE, 511u,
				MHD_OPTION_END);
}

static inline int cmhd_epoll(struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return info ? info->epoll_fd : -1;
}

static inline uint16_t cmhd_port(struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

static inline const struct sockaddr *cmhd_peer(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info ? info->client_addr : NULL;
}

static inline void cmhd_close_upgraded(struct MHD_UpgradeResponseHandle *handle)
{
	(void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}
