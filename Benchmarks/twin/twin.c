/* The yardstick: what libre itself costs for the same work.
 *
 * A user agent server on libre's sipsess that answers every call and sends back
 * each RTP packet as it comes: no jitter buffer, no decoding, no pacing, no
 * routes, no records. It has routerd's timing wheel, since without it libre
 * stops at some hundred calls a second.
 *
 *   twin ADDRESS:PORT FIRST-RTP-PORT LAST-RTP-PORT [speaking]
 *
 * With `speaking` it does on the wire what routerd does in a call in which nobody
 * speaks: a packet of silence each 20 ms, and RTCP with its BYE at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "clibreshim.h"

enum { DESCRIPTORS = 65536, BUCKETS = 8192, SOCKET_BUFFER = 4 << 20, FRAME = 160, FRAME_MS = 20 };

struct call {
	struct le le;
	struct sipsess *session;
	struct sdp_session *sdp;
	struct rtp_sock *rtp;
	const struct sdp_media *audio;
	struct tmr beat;
	uint32_t said; /* samples */
};

static struct sip *sip;
static struct sipsess_sock *sessions;
static struct list calls;
static struct sa address;
static uint16_t first_port, last_port;
static bool is_speaking;

static void call_free(void *object)
{
	struct call *call = object;

	list_unlink(&call->le);
	tmr_cancel(&call->beat);
	mem_deref(call->session);
	mem_deref(call->sdp);
	mem_deref(call->rtp);
}

static void on_rtp(const struct sa *from, const struct rtp_header *header, struct mbuf *packet,
		   void *argument)
{
	const struct call *call = argument;

	/* What was received stands behind its header, so there is room for a new one. */
	(void)rtp_send(call->rtp, from, false, header->m, header->pt, header->ts, packet);
}

static void on_rtcp(const struct sa *from, struct rtcp_msg *message, void *argument)
{
	(void)from;
	(void)message;
	(void)argument;
}

static void say_silence(void *argument)
{
	struct call *call = argument;
	struct mbuf *packet = mbuf_alloc(RTP_HEADER_SIZE + FRAME);

	tmr_start(&call->beat, FRAME_MS, say_silence, call);
	if (!packet)
		return;
	packet->pos = RTP_HEADER_SIZE;
	(void)mbuf_fill(packet, 0xff, FRAME);
	packet->pos = RTP_HEADER_SIZE;
	(void)rtp_send(call->rtp, sdp_media_raddr(call->audio), false, !call->said, 0, call->said, packet);
	call->said += FRAME;
	mem_deref(packet);
}

static void begin_to_speak(struct call *call)
{
	struct sa peer;

	sdp_media_raddr_rtcp(call->audio, &peer);
	rtcp_start(call->rtp, "twin", &peer);
	say_silence(call);
}

static int on_offer(struct mbuf **answer, const struct sip_msg *message, void *argument)
{
	struct call *call = argument;
	const bool offered = mbuf_get_left(message->mb) > 0;

	if (offered && sdp_decode(call->sdp, message->mb, true))
		return EBADMSG;
	return sdp_encode(answer, call->sdp, !offered);
}

static int on_answer(const struct sip_msg *message, void *argument)
{
	struct call *call = argument;

	return sdp_decode(call->sdp, message->mb, false);
}

static void on_established(const struct sip_msg *message, void *argument)
{
	(void)message;
	(void)argument;
}

static void on_close(int error, const struct sip_msg *message, void *argument)
{
	(void)error;
	(void)message;
	mem_deref(argument);
}

static int describe(struct call *call)
{
	struct sdp_media *audio = NULL;
	int error;

	tmr_init(&call->beat);
	error = sdp_session_alloc(&call->sdp, &address);
	if (error)
		return error;
	error = sdp_media_add(&audio, call->sdp, "audio", sa_port(rtp_local(call->rtp)), "RTP/AVP");
	if (error)
		return error;
	call->audio = audio;
	return sdp_format_add(NULL, audio, false, "0", "PCMU", 8000, 1, NULL, NULL, NULL, false,
			      NULL);
}

static int answer(struct call *call, const struct sip_msg *invite)
{
	struct mbuf *body = NULL;
	int error;

	error = rtp_listen(&call->rtp, IPPROTO_UDP, &address, first_port, last_port, true, on_rtp,
			   on_rtcp, call);
	if (!error)
		error = describe(call);
	if (!error)
		error = on_offer(&body, invite, call);
	if (!error)
		error = sipsess_accept(&call->session, sessions, invite, 200, "OK", "twin",
				       "application/sdp", body, NULL, NULL, false, on_offer,
				       on_answer, on_established, NULL, NULL, on_close, call, NULL);
	if (!error && is_speaking)
		begin_to_speak(call);
	mem_deref(body);
	return error;
}

static void on_invite(const struct sip_msg *message, void *argument)
{
	struct call *call = mem_zalloc(sizeof(*call), call_free);

	(void)argument;
	if (call) {
		list_append(&calls, &call->le, call);
		if (0 == answer(call, message))
			return;
		mem_deref(call);
	}
	(void)sip_treply(NULL, sip, message, 500, "No room");
}

/* The load program asks with OPTIONS whether the target is ready. */
static bool on_request(const struct sip_msg *message, void *argument)
{
	(void)argument;
	if (pl_strcmp(&message->met, "OPTIONS"))
		return false;
	/* The only way to libre's SIP socket: with the usual buffer, a pause of some
	 * milliseconds loses packets at thousands of calls a second. */
	(void)udp_sockbuf_set(message->sock, SOCKET_BUFFER);
	(void)sip_treply(NULL, sip, message, 200, "OK");
	return true;
}

static void on_signal(int signal)
{
	(void)signal;
	re_cancel();
}

static int serve(void)
{
	int error = fd_setsize(DESCRIPTORS);

	if (!error)
		error = sip_alloc(&sip, NULL, BUCKETS, BUCKETS, BUCKETS, "twin", NULL, NULL);
	if (!error)
		error = sip_transp_add(sip, SIP_TRANSP_UDP, &address);
	if (!error)
		error = sip_listen(NULL, sip, true, on_request, NULL);
	if (!error)
		error = sipsess_listen(&sessions, sip, BUCKETS, on_invite, NULL);
	if (error)
		return error;
	return re_main(on_signal);
}

int main(int count, char **words)
{
	int error;

	if (count < 4 || count > 5 || sa_decode(&address, words[1], strlen(words[1]))) {
		(void)re_fprintf(stderr, "twin ADDRESS:PORT FIRST-RTP-PORT LAST-RTP-PORT [speaking]\n");
		return 2;
	}
	first_port = (uint16_t)atoi(words[2]);
	last_port = (uint16_t)atoi(words[3]);
	is_speaking = count == 5;

	error = libre_init();
	dbg_init(DBG_EMERG, DBG_NONE);
	if (!error)
		error = serve();
	if (error)
		(void)re_fprintf(stderr, "twin: %m\n", error);

	list_flush(&calls);
	mem_deref(sessions);
	mem_deref(sip);
	libre_close();
	return error ? 1 : 0;
}
