/* One telephone that holds many calls: what it says, and what it makes of the answers. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "phone.h"

enum { T1_MS = 500, TEXT = 2048 };
static const int64_t SECOND = 1000000000, HOLD = 100000000;

static struct phone *phone; /* the only one of this program */
static int sip_socket, poller;

static void send_text(const char *text, size_t length)
{
	(void)sendto(sip_socket, text, length, 0, (const struct sockaddr *)&phone->caller.server,
		     sizeof(phone->caller.server));
}

void phone_invite(bool measured)
{
	struct call *call = &phone->calls[phone->begun];
	char text[TEXT];

	call->number = phone->begun++;
	call->state = CALL_INVITED;
	call->measured = measured;
	call->asked = clock_now();
	phone->result.open++;
	phone->result.measured += measured;
	send_text(text, sip_invite(text, sizeof(text), &phone->caller, call));
}

static void follow(struct call *call, const char *method, unsigned final)
{
	char text[TEXT];

	send_text(text, sip_follow(text, sizeof(text), &phone->caller, call, method, final));
}

void phone_hang_up(uint32_t number)
{
	struct call *call = &phone->calls[number];

	if (call->state != CALL_UP)
		return;
	call->state = CALL_ENDING;
	call->asked = clock_now();
	phone->result.up--;
	follow(call, "BYE", 0);
}

static void end(struct call *call, bool well)
{
	call->state = CALL_OVER;
	phone->result.open--;
	phone->result.completed += call->measured && well;
}

static void answered(struct call *call, const struct response *response, int64_t at)
{
	const double took = (double)(at - call->asked) / 1e6;

	if (response->status < 200)
		return;
	if (call->state != CALL_INVITED) { /* the server did not get our ACK */
		phone->result.again += call->measured;
		follow(call, "ACK", response->status);
		return;
	}
	sip_take_answer(call, response);
	follow(call, "ACK", response->status);
	if (call->measured)
		samples_add(&phone->result.setup, took);
	phone->result.late += call->measured && took > T1_MS;
	if (response->status >= 300 || response->status != phone->expected) {
		if (phone->verbose && response->status != phone->expected)
			fprintf(stderr, "call %u: %u\n", call->number, response->status);
		end(call, response->status == phone->expected);
		return;
	}
	call->state = CALL_UP;
	call->ends = at + HOLD;
	phone->answer_order[phone->answers++] = call->number;
	phone->result.up++;
}

static void on_text(char *text, int64_t at)
{
	struct response response;
	struct call *call;

	if (!sip_read(text, &phone->caller, &response) || response.call >= phone->begun)
		return;
	call = &phone->calls[response.call];
	if (!strcmp(response.method, "INVITE")) {
		answered(call, &response, at);
	} else if (call->state == CALL_ENDING && response.status >= 200) {
		const double took = (double)(at - call->asked) / 1e6;

		if (call->measured)
			samples_add(&phone->result.bye, took);
		phone->result.late += call->measured && took > T1_MS;
		end(call, response.status == 200);
	}
}

static int64_t stamp(struct msghdr *message)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(message);
	struct timespec time;

	if (!part || part->cmsg_type != SO_TIMESTAMPNS)
		return clock_now();
	memcpy(&time, CMSG_DATA(part), sizeof(time));
	return time.tv_sec * SECOND + time.tv_nsec;
}

static void read_sip(void)
{
	static char text[65536];
	char control[64];

	for (;;) {
		struct iovec piece = {text, sizeof(text) - 1};
		struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1,
					 .msg_control = control, .msg_controllen = sizeof(control)};
		const ssize_t length = recvmsg(sip_socket, &message, MSG_DONTWAIT);

		if (length < 0)
			return;
		text[length] = 0;
		on_text(text, stamp(&message));
	}
}

bool phone_open(struct phone *opened)
{
	struct sockaddr_in own = {.sin_family = AF_INET,
				  .sin_port = htons(opened->caller.own_port)};
	const int on = 1, room = 8 << 20;
	struct epoll_event event = {.events = EPOLLIN, .data.fd = -1};

	phone = opened;
	(void)inet_pton(AF_INET, phone->caller.own_address, &own.sin_addr);
	poller = epoll_create1(0);
	sip_socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	(void)setsockopt(sip_socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (setsockopt(sip_socket, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		(void)setsockopt(sip_socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(sip_socket, (const struct sockaddr *)&own, sizeof(own)))
		return false;
	if (!media_open(&phone->media, &phone->caller))
		return false;
	(void)epoll_ctl(poller, EPOLL_CTL_ADD, sip_socket, &event);
	for (int i = 0; i < RTP_SOCKETS; i++) {
		event.data.fd = phone->media.socket[i];
		(void)epoll_ctl(poller, EPOLL_CTL_ADD, phone->media.socket[i], &event);
	}
	return true;
}

void phone_receive(int64_t until)
{
	const int64_t left = until - clock_now();
	struct timespec wait = {0};
	struct epoll_event event[RTP_SOCKETS + 1];
	int count;

	if (left > 0)
		wait = (struct timespec){left / SECOND, left % SECOND};
	count = epoll_pwait2(poller, event, RTP_SOCKETS + 1, &wait, NULL);
	for (int i = 0; i < count; i++) {
		if (event[i].data.fd == -1)
			read_sip();
		else
			media_receive(&phone->media, event[i].data.fd, phone->calls, phone->begun);
	}
}
