// The caller's side over SIP: as much of RFC 3261 as a caller needs who only ever talks to one server over a loopback
// (nothing is sent again), and RTP with G.711, a socket for each call.
#pragma once
#include "ws.h"

typedef struct {
  wsconn *rtp;  // only its descriptor and flags are used
  char tag[64], contact[128];
  struct sockaddr_in to;  // where RTP goes
  uint16_t seq;
  int64_t loud;  // when speech was last heard
} sipcall;

enum { SIP_OWN_PORT = 18200, SIP_RTP_PORT = 31000 };  // below the ports that the kernel gives away
static int sip_fd = -1;
static struct sockaddr_in sip_server;
static char sip_server_text[64], sip_prefix[24], sip_run[16];

static int sip_bound(int port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), room = 4 << 20;
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (port == SIP_OWN_PORT) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (bind(fd, (void *)&a, sizeof a)) die("port %d: %s", port, strerror(errno));
  return fd;
}
// "sip:PREFIX": the numbers called are PREFIX and seven digits.
static void sip_open(const char *spec, const char *hostport, int kind) {
  snprintf(sip_prefix, sizeof sip_prefix, "%s", spec + 4);
  snprintf(sip_server_text, sizeof sip_server_text, "%s", hostport);
  snprintf(sip_run, sizeof sip_run, "%x", (unsigned)(now_ns() / 1000000));
  sip_server = addr_of(hostport);
  sip_fd = sip_bound(SIP_OWN_PORT);
  wsconn *c = calloc(1, sizeof *c);
  c->fd = sip_fd;
  c->kind = kind;
  ws_watch(c, true);
}
static void sip_send(const char *text, int n) { (void)sendto(sip_fd, text, (size_t)n, 0, (void *)&sip_server, sizeof sip_server); }
static void sip_request(const char *method, const sipcall *call, uint32_t id, const char *branch, int cseq, const char *body) {
  char b[2048], number[40], target[128];
  snprintf(number, sizeof number, "%s%07u", sip_prefix, id);
  if (call->contact[0]) snprintf(target, sizeof target, "%s", call->contact);
  else snprintf(target, sizeof target, "sip:%s@%s", number, sip_server_text);
  int n = snprintf(b, sizeof b,
                   "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s%u%s;rport\r\nMax-Forwards: 70\r\n"
                   "From: <sip:+12025550100@127.0.0.1>;tag=%s%u\r\nTo: <sip:%s@%s>%s%s\r\nCall-ID: %s-%u\r\nCSeq: %d %s\r\n"
                   "Contact: <sip:load@127.0.0.1:%d>\r\n%sContent-Length: %zu\r\n\r\n%s",
                   method, target, SIP_OWN_PORT, sip_run, id, branch, sip_run, id, number, sip_server_text, call->tag[0] ? ";tag=" : "",
                   call->tag, sip_run, id, cseq, method, SIP_OWN_PORT, body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
  sip_send(b, n);
}
static wsconn *sip_invite(sipcall *call, uint32_t id, int kind) {
  char sdp[256];
  int port = SIP_RTP_PORT + 2 * (int)id;
  wsconn *c = calloc(1, sizeof *c);
  c->fd = sip_bound(port);
  c->kind = kind;
  c->id = id;
  ws_watch(c, true);
  snprintf(sdp, sizeof sdp, "v=0\r\no=- %u 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n", id + 1, port);
  sip_request("INVITE", call, id, "I", 1, sdp);
  return call->rtp = c;
}
// The text between two others, copied; false when it is not there.
static bool sip_between(const char *text, const char *from, const char *stops, char *out, size_t room) {
  const char *p = strstr(text, from);
  if (!p) return false;
  p += strlen(from);
  size_t n = strcspn(p, stops);
  snprintf(out, room, "%.*s", (int)n, p);
  return true;
}
static void sip_answered(sipcall *call, uint32_t id, const char *text) {
  char port[16] = "", host[32] = "127.0.0.1";
  const char *to = strstr(text, "\r\nTo:");
  if (to) sip_between(to, ";tag=", ";\r", call->tag, sizeof call->tag);
  const char *contact = strstr(text, "\r\nContact:");
  if (contact) sip_between(contact, "<", ">", call->contact, sizeof call->contact);
  if (!sip_between(text, "\r\nm=audio ", " ", port, sizeof port)) die("an answer without audio: %s", text);
  sip_between(text, "\r\nc=IN IP4 ", "\r/", host, sizeof host);
  call->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  inet_pton(AF_INET, host, &call->to.sin_addr);
  sip_request("ACK", call, id, "A", 1, "");
  call->rtp->open = true;
}
// A datagram of the server: an answer to one of our requests, or its own BYE.
static void sip_text(char *text, sipcall *(*call_of)(uint32_t id)) {
  char id_text[24] = "", method[16] = "", from[32];
  snprintf(from, sizeof from, "\r\nCall-ID: %s-", sip_run);
  if (!sip_between(text, from, "\r", id_text, sizeof id_text)) return;
  uint32_t id = (uint32_t)strtoul(id_text, NULL, 10);
  sipcall *call = call_of(id);
  if (!call || !call->rtp) return;
  if (!strncmp(text, "BYE ", 4)) {
    call->rtp->closed = true;  // lost: the server ended it
    return;
  }
  const char *cseq = strstr(text, "\r\nCSeq:");
  if (strncmp(text, "SIP/2.0 ", 8) || !cseq || sscanf(cseq + 7, "%*d %15s", method) != 1 || strcmp(method, "INVITE")) return;
  int status = atoi(text + 8);
  if (status >= 300) die("call %u was refused: %.60s", id, text);
  if (status >= 200) sip_answered(call, id, text);
}
static void sip_readable(sipcall *(*call_of)(uint32_t id)) {
  static char b[65536];
  ssize_t n;
  while ((n = recv(sip_fd, b, sizeof b - 1, MSG_DONTWAIT)) >= 0) {
    b[n] = 0;
    sip_text(b, call_of);
  }
}
static void rtp_send(sipcall *call, uint32_t id, const uint8_t ulaw[160]) {
  uint8_t p[172] = {0x80, call->seq ? 0 : 0x80, (uint8_t)(call->seq >> 8), (uint8_t)call->seq};
  uint32_t time = htonl(call->seq * 160u), source = htonl(0x10000000u + id);
  memcpy(p + 4, &time, 4);
  memcpy(p + 8, &source, 4);
  memcpy(p + 12, ulaw, 160);
  call->seq++;
  (void)sendto(call->rtp->fd, p, sizeof p, 0, (void *)&call->to, sizeof call->to);
}
// The sound of the next packet of a call; -1 when there is none.
static ssize_t rtp_receive(const sipcall *call, uint8_t *sound, size_t room) {
  uint8_t p[2048];
  ssize_t n;
  while ((n = recv(call->rtp->fd, p, sizeof p, MSG_DONTWAIT)) >= 0) {
    if (n <= 12 || (p[1] & 127) != 0 || (size_t)n - 12 > room) continue;
    memcpy(sound, p + 12, (size_t)n - 12);
    return n - 12;
  }
  return -1;
}
