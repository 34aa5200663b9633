/* libcurl's setters and getters are variadic, which Swift does not import: one
 * typed function for each kind of argument that is used. */
#pragma once
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

typedef size_t (*ccurl_data_h)(char *data, size_t size, size_t count, void *arg);
typedef int (*ccurl_socket_h)(CURL *easy, curl_socket_t fd, int what, void *arg, void *socketp);
typedef int (*ccurl_timer_h)(CURLM *multi, long ms, void *arg);

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value)
{
	return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_size(CURL *easy, CURLoption option, curl_off_t value)
{
	return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value)
{
	return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value)
{
	return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_data_handler(CURL *easy, CURLoption option, ccurl_data_h handler)
{
	return curl_easy_setopt(easy, option, handler);
}

static inline long ccurl_get_long(CURL *easy, CURLINFO info)
{
	long value = 0;

	(void)curl_easy_getinfo(easy, info, &value);
	return value;
}

static inline void *ccurl_get_private(CURL *easy)
{
	char *value = NULL;

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value);
	return value;
}

static inline void ccurl_multi_handlers(CURLM *multi, ccurl_socket_h socket, ccurl_timer_h timer, void *arg)
{
	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, arg);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, arg);
}

static inline void ccurl_share(CURLSH *share, curl_lock_data what)
{
	(void)curl_share_setopt(share, CURLSHOPT_SHARE, what);
}

static inline void ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value)
{
	(void)curl_multi_setopt(multi, option, value);
}

/* The next finished transfer, or NULL; its result goes to *result. */
static inline CURL *ccurl_multi_next_done(CURLM *multi, CURLcode *result)
{
	int left;

	for (CURLMsg *msg; (msg = curl_multi_info_read(multi, &left));) {
		if (msg->msg == CURLMSG_DONE) {
			*result = msg->data.result;
			return msg->easy_handle;
		}
	}
	return NULL;
}

static inline void ccurl_set_guards(CURL *easy, curl_opensocket_callback socket, curl_prereq_callback request)
{
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, request);
}

/* The address that libcurl is about to connect to, in digits; nonzero for what is neither IPv4 nor IPv6. */
static inline int ccurl_address_text(const struct curl_sockaddr *address, char *text, size_t size)
{
	const void *bytes;

	if (address->family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)&address->addr)->sin_addr;
	else if (address->family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)&address->addr)->sin6_addr;
	else
		return -1;
	return inet_ntop(address->family, bytes, text, (socklen_t)size) ? 0 : -1;
}

static inline curl_socket_t ccurl_open_socket(const struct curl_sockaddr *address)
{
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The host of a URL as libcurl will read it: IPv4 addresses of every spelling become four decimal numbers. */
static inline int ccurl_url_host(const char *url, char *host, size_t size)
{
	CURLU *parsed = curl_url();
	char *text = NULL;
	int result = -1;

	if (parsed && !curl_url_set(parsed, CURLUPART_URL, url, 0) && !curl_url_get(parsed, CURLUPART_HOST, &text, 0)) {
		size_t length = 0;

		while (text[length])
			++length;
		if (length < size) {
			for (size_t i = 0; i <= length; ++i)
				host[i] = text[i];
			result = 0;
		}
	}
	curl_free(text);
	curl_url_cleanup(parsed);
	return result;
}

/* The socket of a finished CURLOPT_CONNECT_ONLY transfer, or -1. */
static inline int ccurl_get_socket(CURL *easy)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	return curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK ? (int)fd : -1;
}
