// Voice-agent bridge load: one process is both the telephony provider (a client that opens
// Twilio-format media-stream websockets to the target) and the agent (an OpenAI-Realtime-shaped
// websocket server that the target connects to). Both ends share one clock, so one-way delays
// are exact. Single thread; prints one line of key=value pairs.
//
//  --mode echo   the agent sends every audio append straight back as one audio delta
//  --mode turns  the agent speaks in bursts (--say-ms of audio at once, faster than real time) and
//                interrupts itself with speech_started; the delay until the provider sees `clear`
//  --mark bytes  mu-law passes unchanged: every frame carries its number (exact loss and delay)
//  --mark burst  audio is transcoded: one loud frame per second, found by its energy
//  --path twilio:ACCOUNT:TOKEN:PATH  a target that wants calls announced: each session begins as a real one does, with the
//                signed webhook, whose answer (TwiML) says where the media stream goes; --path /ws opens that at once
//  --path sip:PREFIX  calls PREFIX and seven digits over SIP, G.711 over RTP; there is no `clear` then: what counts is when
//                the agent's speech was heard for the last time
#include "sipside.h"
#include <math.h>

enum { K_LISTEN = 1, K_PROVIDER, K_AGENT, K_WEBHOOK, K_SIP, K_RTP };
#define RING 512
typedef struct {
  wsconn *prov, *agent;
  sipcall sip;
  uint32_t id;
  char sid[40];
  bool ready, gone;
  int64_t t_connect, t_paired;
  uint32_t seq, next_burst;
  int64_t t_send[RING], t_echo[RING];
  // burst mode
  int64_t burst_sent, burst_agent;
  bool burst_up_open, burst_down_open;
  int64_t quiet_agent, quiet_prov;  // samples of quiet seen in a row
  // turns
  int64_t next_turn, t_speech, t_stop;
  int turn_state, resp;
  bool clear_open, speaking, resp_done;
  int64_t play_end;
  // counts within the window
  uint64_t up_bytes, down_bytes;
  struct { char name[48]; int64_t at; } marks[64];
  int mark_h, mark_t;
} session;

static session *ss;
static uint32_t n_sess = 10, started, paired;
static bool over_sip = false, turns = false, bytes_mark = true, beta = false, measuring = false, ended = false;
static int say_ms = 5000, turn_ms = 4000, rt_port = 9100;
static const char *path = "/";
static struct sockaddr_in target;
static pidlist pids;
static samples up_lat, down_lat, e2e_lat, clear_lat, pair_lat, first_lat;
static uint64_t tx_frames, up_frames, down_frames, down_msgs, up_msgs, clears, turns_n, after_clear, lost_sessions, truncs;
static uint8_t burst_ulaw[160];
static char burst_b64[256], quiet_b64[256];
static char *say_b64;  // one 200 ms piece of agent speech in the agreed format
static int say_pieces;
static bool agent_ulaw = true;
static int resp_no;

static uint8_t lin2ulaw(int s) {
  int sign = s < 0 ? 0x80 : 0;
  if (s < 0) s = -s;
  if (s > 32635) s = 32635;
  s += 132;
  int e = 7;
  for (int m = 0x4000; !(s & m) && e > 0; m >>= 1) e--;
  return (uint8_t)~(sign | e << 4 | ((s >> (e + 3)) & 15));
}
static int ulaw2lin(uint8_t u) {
  u = (uint8_t)~u;
  int t = ((u & 15) << 3) + 132;
  t <<= (u & 0x70) >> 4;
  return u & 0x80 ? 132 - t : t - 132;
}
static void put_mark(uint8_t *p, uint32_t sess, uint32_t seq) {
  memset(p, 0xd5, 160);
  p[0] = 0x91; p[1] = 0xa2; p[2] = 0x93; p[3] = 0xa4;
  for (int i = 0; i < 6; i++) p[4 + i] = (uint8_t)(0x80 | ((sess >> (4 * i)) & 15));
  for (int i = 0; i < 6; i++) p[10 + i] = (uint8_t)(0x80 | ((seq >> (4 * i)) & 15));
}
typedef void (*mark_fn)(session *s, uint32_t seq, int64_t t);
static void scan_marks(const uint8_t *p, size_t n, int64_t t, mark_fn f) {
  for (size_t i = 0; i + 16 <= n; i++) {
    if (p[i] != 0x91 || p[i + 1] != 0xa2 || p[i + 2] != 0x93 || p[i + 3] != 0xa4) continue;
    uint32_t id = 0, seq = 0;
    for (int k = 0; k < 6; k++) id |= (uint32_t)(p[i + 4 + (size_t)k] & 15) << (4 * k);
    for (int k = 0; k < 6; k++) seq |= (uint32_t)(p[i + 10 + (size_t)k] & 15) << (4 * k);
    if (id < n_sess) f(&ss[id], seq, t);
    i += 79;
  }
}
static void up_mark(session *s, uint32_t seq, int64_t t) {
  if (s->seq - seq > RING) return;
  s->t_echo[seq % RING] = t;
  if (!measuring) return;
  up_frames++;
  sample_add(&up_lat, (float)(t - s->t_send[seq % RING]) / 1e6f);
}
static void down_mark(session *s, uint32_t seq, int64_t t) {
  if (s->seq - seq > RING || !measuring) return;
  down_frames++;
  if (over_sip) s->down_bytes += 160;  // what fills a pause is no sound of the agent's
  sample_add(&down_lat, (float)(t - s->t_echo[seq % RING]) / 1e6f);
  sample_add(&e2e_lat, (float)(t - s->t_send[seq % RING]) / 1e6f);
}

// ---- the webhook that announces a call -------------------------------------------------------
static char account[64], token[64], origin[64];
static const char *webhook_path;
static void sign(const char *text, char b64[40]) {
  uint8_t digest[20];
  hmac_sha1(token, text, digest);
  b64_enc(digest, 20, b64);
}
// "twilio:ACCOUNT:TOKEN:PATH"
static void webhook_parse(const char *spec, const char *hostport) {
  if (sscanf(spec, "twilio:%63[^:]:%63[^:]:", account, token) != 2) die("bad path %s", spec);
  webhook_path = strchr(spec, '/');
  snprintf(origin, sizeof origin, "%s", hostport);
}
static wsconn *webhook_post(session *s) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (void *)&target, sizeof target)) { close(fd); return NULL; }
  wsconn *c = ws_new(fd, false, K_WEBHOOK, s->id);
  char text[512], body[512], request[1024], b64[40];
  // https://www.twilio.com/docs/usage/security: the address, then names and values in the order of the names
  snprintf(text, sizeof text, "http://%s%sAccountSid%sCallSidCA%032xCallStatusringingDirectioninboundFrom+12025550100To+1555%07u",
           origin, webhook_path, account, s->id, s->id);
  sign(text, b64);
  int n = snprintf(body, sizeof body, "AccountSid=%s&CallSid=CA%032x&CallStatus=ringing&Direction=inbound&From=%%2B12025550100&To=%%2B1555%07u",
                   account, s->id, s->id);
  n = snprintf(request, sizeof request,
               "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nX-Twilio-Signature: %s\r\n"
               "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", webhook_path, origin, b64, n, body);
  ws_raw(c, request, (size_t)n);
  return c;
}
// The answer: <Stream url="ws://HOST/PATH" …>. Its stream is opened with a signature of its own.
static void webhook_readable(wsconn *c) {
  ssize_t r = recv(c->fd, c->in + c->in_n, c->in_cap - c->in_n, MSG_DONTWAIT);
  if (r < 0 && errno == EAGAIN) return;
  if (r > 0) c->in_n += (size_t)r;
  c->in[c->in_n] = 0;
  char *url = strstr((char *)c->in, "<Stream url=\""), *end = url ? strchr(url + 13, '"') : NULL;
  if (!end) {
    if (r <= 0) die("the webhook was not answered with a stream: %.200s", c->in);
    return;
  }
  char address[256], header[128], b64[40];
  snprintf(address, sizeof address, "%.*s", (int)(end - url - 13), url + 13);
  const char *host = strstr(address, "://"), *stream = host ? strchr(host + 3, '/') : NULL;
  if (!stream) die("no address: %s", address);
  sign(address, b64);
  snprintf(header, sizeof header, "X-Twilio-Signature: %s\r\n", b64);
  ws_close(c);
  ss[c->id].prov = ws_connect(target, stream, header, K_PROVIDER, c->id);
  if (!ss[c->id].prov) die("cannot connect to the target");
}

// ---- the agent side --------------------------------------------------------------------------
static void agent_text(wsconn *c, const char *fmt, ...) {
  char b[2048];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(b, sizeof b, fmt, ap);
  va_end(ap);
  ws_text(c, b, (size_t)n);
}
static void agent_delta(wsconn *c, int resp, const char *b64, size_t n) {
  static char b[1 << 19];
  int h = snprintf(b, 512,
                   "{\"type\":\"%s\",\"event_id\":\"event_D\",\"response_id\":\"resp_%d\",\"item_id\":\"item_%d\","
                   "\"output_index\":0,\"content_index\":0,\"delta\":\"", beta ? "response.audio.delta" : "response.output_audio.delta", resp, resp);
  memcpy(b + h, b64, n);
  memcpy(b + h + n, "\"}", 2);
  ws_text(c, b, (size_t)h + n + 2);
}
static void agent_begin(wsconn *c, session *s) {
  s->resp = ++resp_no;
  s->resp_done = false;
  agent_text(c, "{\"type\":\"response.created\",\"event_id\":\"event_C%d\",\"response\":{\"id\":\"resp_%d\",\"object\":\"realtime.response\",\"status\":\"in_progress\",\"status_details\":null,\"output\":[],\"usage\":null}}", s->resp, s->resp);
  agent_text(c, "{\"type\":\"response.output_item.added\",\"event_id\":\"event_O%d\",\"response_id\":\"resp_%d\",\"output_index\":0,\"item\":{\"id\":\"item_%d\",\"object\":\"realtime.item\",\"type\":\"message\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}}", s->resp, s->resp, s->resp);
}
static void agent_end(wsconn *c, session *s, const char *status) {
  if (s->resp_done) return;
  s->resp_done = true;
  agent_text(c, "{\"type\":\"response.done\",\"event_id\":\"event_E%d\",\"response\":{\"id\":\"resp_%d\",\"object\":\"realtime.response\",\"status\":\"%s\",\"status_details\":null,\"output\":[],\"usage\":null}}", s->resp, s->resp, status);
}
static uint32_t next_pair;
static void on_open(wsconn *c) {
  if (c->kind == K_PROVIDER) {
    session *s = &ss[c->id];
    char b[1024];
    int n = snprintf(b, sizeof b, "{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}");
    ws_text(c, b, (size_t)n);
    n = snprintf(b, sizeof b,
                 "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"start\":{\"accountSid\":\"AC00000000000000000000000000000000\",\"streamSid\":\"%s\","
                 "\"callSid\":\"CA%032x\",\"tracks\":[\"inbound\"],\"mediaFormat\":{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":1},"
                 "\"customParameters\":{\"to\":\"+1555%07u\",\"from\":\"+12025550100\"}},\"streamSid\":\"%s\"}",
                 s->sid, s->id, s->id, s->sid);
    ws_text(c, b, (size_t)n);
  } else {
    session *s = &ss[next_pair];
    c->id = next_pair;
    s->agent = c;
    s->t_paired = now_ns();
    sample_add(&pair_lat, (float)(s->t_paired - s->t_connect) / 1e6f);
    agent_text(c, "{\"type\":\"session.created\",\"event_id\":\"event_S\",\"session\":{\"type\":\"realtime\",\"object\":\"realtime.session\",\"id\":\"sess_%u\",\"model\":\"mock\",\"output_modalities\":[\"audio\"]}}", s->id);
  }
}
static int64_t onset(const int16_t *p, size_t n, int64_t *quiet, int64_t need) {
  // index of the first loud sample after at least `need` quiet ones, or -1
  for (size_t i = 0; i < n; i++) {
    if (p[i] > 3000 || p[i] < -3000) {
      bool hit = *quiet >= need;
      *quiet = 0;
      if (hit) return (int64_t)i;
    } else (*quiet)++;
  }
  return -1;
}
static void agent_msg(wsconn *c, char *d, size_t n, int64_t t) {
  session *s = &ss[c->id];
  size_t l = 0;
  const char *ty = json_str(d, n, "type", &l);
  if (!ty) return;
  // The event's own type need not be the first one in the text.
  static const char *const asked[] = {"session.update", "response.create"};
  for (int i = 0; i < 2 && l != 25; i++) {
    char want[2][40];
    snprintf(want[0], 40, "\"type\":\"%s\"", asked[i]);
    snprintf(want[1], 40, "\"type\": \"%s\"", asked[i]);
    if (memmem(d, n, want[0], strlen(want[0])) || memmem(d, n, want[1], strlen(want[1]))) { ty = asked[i]; l = strlen(ty); }
  }
  if (l == 25 && !memcmp(ty, "input_audio_buffer.append", 25)) {
    static uint8_t raw[1 << 18];
    const char *a = json_str(d, n, "audio", &l);
    if (!a || l > sizeof raw) return;
    up_msgs += measuring;
    size_t k = b64_dec(a, l, raw);
    if (measuring) s->up_bytes += k;
    if (bytes_mark) scan_marks(raw, k, t, up_mark);
    else if (onset((int16_t *)raw, k / 2, &s->quiet_agent, 4800) >= 0 && s->burst_up_open) {
      s->burst_up_open = false;
      s->burst_agent = t;
      s->burst_down_open = true;
      if (measuring) sample_add(&up_lat, (float)(t - s->burst_sent) / 1e6f);
    }
    if (!turns && s->ready && !ended) {
      if (!s->speaking) { s->speaking = true; agent_begin(c, s); }
      agent_delta(c, s->resp, a, l);
    }
  } else if (l == 14 && !memcmp(ty, "session.update", 14)) {
    agent_text(c, "{\"type\":\"session.updated\",\"event_id\":\"event_U\",\"session\":{\"type\":\"realtime\",\"object\":\"realtime.session\",\"id\":\"sess_%u\",\"model\":\"mock\",\"output_modalities\":[\"audio\"]}}", s->id);
    if (!s->ready) {
      s->ready = true;
      paired++;
      next_pair++;
      s->next_turn = t + 500000000LL + (int64_t)(s->id * 7919 % 1000) * turn_ms * 1000;
    }
  } else if (l >= 26 && !memcmp(ty, "conversation.item.truncate", 26)) {
    truncs++;
  } else if (l == 15 && !memcmp(ty, "response.create", 15)) {
    // As a real server: every wish is answered, here by a word; what else is said is the schedule's business.
    if (turns && s->turn_state != 1) {
      agent_begin(c, s);
      agent_delta(c, s->resp, say_b64, strlen(say_b64));
      agent_end(c, s, "completed");
    }
  }
}

// ---- the provider side -----------------------------------------------------------------------
static void provider_msg(wsconn *c, char *d, size_t n, int64_t t) {
  session *s = &ss[c->id];
  size_t l = 0;
  const char *ev = json_str(d, n, "event", &l);
  if (!ev) return;
  if (l == 5 && !memcmp(ev, "media", 5)) {
    static uint8_t raw[1 << 18];
    const char *a = json_str(d, n, "payload", &l);
    if (!a || l > sizeof raw) return;
    size_t k = b64_dec(a, l, raw);
    if (measuring) { down_msgs++; s->down_bytes += k; }
    if (s->t_speech && !s->clear_open && t < s->t_stop) after_clear += measuring;
    s->play_end = (s->play_end > t ? s->play_end : t) + (int64_t)k * 125000;
    if (turns) {
      if (s->turn_state == 1 && s->t_stop) { sample_add(&first_lat, (float)(t - s->t_stop) / 1e6f); s->t_stop = 0; }
      return;
    }
    if (bytes_mark) scan_marks(raw, k, t, down_mark);
    else {
      static int16_t lin[1 << 18];
      for (size_t i = 0; i < k; i++) lin[i] = (int16_t)ulaw2lin(raw[i]);
      if (onset(lin, k, &s->quiet_prov, 1600) >= 0 && s->burst_down_open) {
        s->burst_down_open = false;
        if (measuring) {
          sample_add(&down_lat, (float)(t - s->burst_agent) / 1e6f);
          sample_add(&e2e_lat, (float)(t - s->burst_sent) / 1e6f);
        }
      }
    }
  } else if (l == 5 && !memcmp(ev, "clear", 5)) {
    if (s->clear_open) {
      s->clear_open = false;
      clears += measuring;
      if (measuring) sample_add(&clear_lat, (float)(t - s->t_speech) / 1e6f);
    }
    s->play_end = t;
    for (int i = s->mark_h; i != s->mark_t; i = (i + 1) % 64) s->marks[i].at = t;
  } else if (l == 4 && !memcmp(ev, "mark", 4)) {
    const char *nm = json_str(d, n, "name", &l);
    if (nm && (s->mark_t + 1) % 64 != s->mark_h) {
      snprintf(s->marks[s->mark_t].name, 48, "%.*s", (int)l, nm);
      s->marks[s->mark_t].at = s->play_end > t ? s->play_end : t;
      s->mark_t = (s->mark_t + 1) % 64;
    }
  }
}
// RTP: silence comes as well, so speech is told by its loudness, that of the packet's last 5 ms: one in which speech fades
// out ends silent.
static void sip_sound(session *s, const uint8_t *ulaw, size_t n, int64_t t) {
  if (!turns) { scan_marks(ulaw, n, t, down_mark); return; }
  bool loud = false;
  for (size_t i = n > 40 ? n - 40 : 0; i < n; i++) loud |= abs(ulaw2lin(ulaw[i])) > 1000;
  if (!loud) return;
  s->sip.loud = t;
  if (s->turn_state == 1 && s->t_stop) { sample_add(&first_lat, (float)(t - s->t_stop) / 1e6f); s->t_stop = 0; }
}
static void sip_turn_over(session *s) {
  if (!over_sip || !s->clear_open || !measuring) return;
  clears++;
  sample_add(&clear_lat, s->sip.loud > s->t_speech ? (float)(s->sip.loud - s->t_speech) / 1e6f : 0);
}
static sipcall *sip_call(uint32_t id) { return id < n_sess ? &ss[id].sip : NULL; }
static void rtp_readable(session *s, int64_t t) {
  uint8_t sound[1500];
  for (ssize_t n; (n = rtp_receive(&s->sip, sound, sizeof sound)) >= 0;) {
    down_msgs += measuring;
    sip_sound(s, sound, (size_t)n, t);
  }
}
static void on_msg(wsconn *c, int op, uint8_t *d, size_t n, int64_t t) {
  (void)op;
  if (c->kind == K_PROVIDER) provider_msg(c, (char *)d, n, t);
  else agent_msg(c, (char *)d, n, t);
}
static void send_frame(session *s) {
  char b[640], p64[256];
  const char *pl;
  if (!s->prov || s->prov->closed || !s->prov->open) return;
  int64_t t = now_ns();
  if (bytes_mark) {
    uint8_t p[160];
    put_mark(p, s->id, s->seq);
    if (over_sip) {
      s->t_send[s->seq++ % RING] = t;
      tx_frames += measuring;
      rtp_send(&s->sip, s->id, p);
      return;
    }
    b64_enc(p, 160, p64);
    pl = p64;
    s->t_send[s->seq % RING] = t;
  } else if (s->seq >= s->next_burst) {
    s->next_burst = s->seq + 50;
    pl = burst_b64;
    s->burst_sent = t;
    s->burst_up_open = true;
  } else pl = quiet_b64;
  int n = snprintf(b, sizeof b, "{\"event\":\"media\",\"sequenceNumber\":\"%u\",\"media\":{\"track\":\"inbound\",\"chunk\":\"%u\",\"timestamp\":\"%u\",\"payload\":\"%s\"},\"streamSid\":\"%s\"}",
                   s->seq + 2, s->seq + 1, s->seq * 20, pl, s->sid);
  s->seq++;
  tx_frames += measuring;
  ws_text(s->prov, b, (size_t)n);
  while (s->mark_h != s->mark_t && s->marks[s->mark_h].at <= t) {
    n = snprintf(b, sizeof b, "{\"event\":\"mark\",\"sequenceNumber\":\"%u\",\"streamSid\":\"%s\",\"mark\":{\"name\":\"%s\"}}", s->seq + 2, s->sid, s->marks[s->mark_h].name);
    ws_text(s->prov, b, (size_t)n);
    s->mark_h = (s->mark_h + 1) % 64;
  }
}
static void run_turns(session *s, int64_t t) {
  if (!s->agent || s->agent->closed) return;
  switch (s->turn_state) {
    case 0:  // say something
      if (t < s->next_turn) return;
      s->t_speech = 0;
      s->t_stop = t;
      agent_begin(s->agent, s);
      for (int i = 0; i < say_pieces; i++) agent_delta(s->agent, s->resp, say_b64, strlen(say_b64));
      agent_end(s->agent, s, "completed");
      s->turn_state = 1;
      s->next_turn = t + 1500000000LL;
      break;
    case 1:  // the caller speaks over it
      if (t < s->next_turn) return;
      agent_text(s->agent, "{\"type\":\"input_audio_buffer.speech_started\",\"event_id\":\"event_B\",\"audio_start_ms\":%u,\"item_id\":\"item_u%d\"}", s->seq * 20, s->resp);
      s->t_speech = t;
      s->t_stop = t + 400000000LL;
      s->clear_open = true;
      turns_n += measuring;
      s->turn_state = 2;
      s->next_turn = t + 800000000LL;
      break;
    case 2:
      if (t < s->next_turn) return;
      agent_text(s->agent, "{\"type\":\"input_audio_buffer.speech_stopped\",\"event_id\":\"event_T\",\"audio_end_ms\":%u,\"item_id\":\"item_u%d\"}", s->seq * 20, s->resp);
      agent_text(s->agent, "{\"type\":\"input_audio_buffer.committed\",\"event_id\":\"event_M\",\"previous_item_id\":null,\"item_id\":\"item_u%d\"}", s->resp);
      sip_turn_over(s);
      s->clear_open = false;
      s->t_speech = 0;
      s->turn_state = 0;
      s->next_turn = t + (turn_ms - 2300) * 1000000LL;
      break;
  }
}

int main(int argc, char **argv) {
  double ramp = 20, duration = 20, warm = 2;
  static struct option o[] = {{"target", 1, 0, 't'}, {"path", 1, 0, 'P'}, {"sessions", 1, 0, 'n'}, {"mode", 1, 0, 'm'}, {"mark", 1, 0, 'k'},
                              {"ramp", 1, 0, 'r'}, {"duration", 1, 0, 'd'}, {"warm", 1, 0, 'w'}, {"pids", 1, 0, 'p'}, {"rt-port", 1, 0, 'R'},
                              {"beta", 0, 0, 'b'}, {"say-ms", 1, 0, 's'}, {"turn-ms", 1, 0, 'T'}, {"agent-format", 1, 0, 'f'}, {0, 0, 0, 0}};
  int x;
  const char *target_text = "127.0.0.1:8765";
  target = addr_of(target_text);
  while ((x = getopt_long(argc, argv, "", o, NULL)) != -1) switch (x) {
      case 't': target = addr_of(target_text = optarg); break;
      case 'P': path = optarg; break;
      case 'n': n_sess = (uint32_t)atoi(optarg); break;
      case 'm': turns = !strcmp(optarg, "turns"); break;
      case 'k': bytes_mark = !strcmp(optarg, "bytes"); break;
      case 'r': ramp = atof(optarg); break;
      case 'd': duration = atof(optarg); break;
      case 'w': warm = atof(optarg); break;
      case 'p': pids_parse(&pids, optarg); break;
      case 'R': rt_port = atoi(optarg); break;
      case 'b': beta = true; break;
      case 's': say_ms = atoi(optarg); break;
      case 'T': turn_ms = atoi(optarg); break;
      case 'f': agent_ulaw = !strcmp(optarg, "ulaw"); break;
      default: die("bad option");
    }
  if (!strncmp(path, "twilio:", 7)) webhook_parse(path, target_text);
  over_sip = !strncmp(path, "sip:", 4);
  if (over_sip && !bytes_mark) die("over SIP frames are marked by bytes");
  b64_init();
  struct rlimit rl = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &rl);
  uint8_t q[160];
  memset(q, 0xff, 160);
  b64_enc(q, 160, quiet_b64);
  for (int i = 0; i < 160; i++) burst_ulaw[i] = lin2ulaw((int)(12000 * sin(2 * M_PI * 500 * i / 8000.0)));
  b64_enc(burst_ulaw, 160, burst_b64);
  {  // agent speech: a 300 Hz tone, 200 ms a piece
    size_t n = agent_ulaw ? 1600 : 9600;
    uint8_t *b = malloc(n);
    if (agent_ulaw) for (int i = 0; i < 1600; i++) b[i] = lin2ulaw((int)(8000 * sin(2 * M_PI * 300 * i / 8000.0)));
    else for (int i = 0; i < 4800; i++) { int16_t v = (int16_t)(8000 * sin(2 * M_PI * 300 * i / 24000.0)); memcpy(b + 2 * i, &v, 2); }
    say_b64 = malloc(n * 2);
    b64_enc(b, n, say_b64);
    say_pieces = say_ms / 200;
  }
  ss = calloc(n_sess, sizeof *ss);
  ws_ep = epoll_create1(0);
  int lfd = tcp_listen(rt_port);
  wsconn lc = {.fd = lfd, .kind = K_LISTEN};
  ws_watch(&lc, true);
  if (over_sip) sip_open(path, target_text, K_SIP);
  double mem0 = pids_mem(&pids, "Rss:");
  int64_t t0 = now_ns(), next_start = t0, next_tick = t0, m_start = 0, m_end = 0, max_lag = 0;
  cpu_mark a = {0}, b = {0};
  double pss = 0, rss = 0;
  int phase = 0;
  uint32_t tick = 0, give_up = 0;
  for (;;) {
    int64_t t = now_ns();
    if (phase == 0 && started < n_sess && t >= next_start) {
      if (started == next_pair) {  // the one before has its agent connection
        session *s = &ss[started];
        s->id = started;
        s->next_burst = 50 + started * 37 % 50;
        snprintf(s->sid, sizeof s->sid, "MZ%032x", started);
        s->t_connect = t;
        if (over_sip) s->prov = sip_invite(&s->sip, s->id, K_RTP);
        else if (webhook_path ? !webhook_post(s) : !(s->prov = ws_connect(target, path, NULL, K_PROVIDER, started)))
          die("cannot connect to the target");
        started++;
        next_start = t + (int64_t)(1e9 / ramp);
        give_up = 0;
      } else if (++give_up && t - ss[started - 1].t_connect > 10000000000LL) {
        fprintf(stderr, "session %u never reached the agent\n", started - 1);
        printf("sessions=%u paired=%u error=pairing\n", n_sess, paired);
        return 1;
      }
    }
    if (phase == 0 && paired == n_sess) { phase = 1; m_start = t + (int64_t)(warm * 1e9); m_end = m_start + (int64_t)(duration * 1e9); }
    if (phase == 0 && started == n_sess && paired < n_sess && t - ss[started - 1].t_connect > 10000000000LL) { printf("sessions=%u paired=%u error=pairing\n", n_sess, paired); return 1; }
    // Too much for the target, or for us: the run is not clean, and must not last for ever.
    if (phase == 0 && (double)(t - t0) > 1e9 * (10 + 3 * n_sess / ramp)) { printf("sessions=%u paired=%u error=ramp\n", n_sess, paired); return 1; }
    if (phase == 1 && t >= m_start) { phase = 2; measuring = true; mark_cpu(&a, &pids); }
    if (phase == 2 && t >= m_end) { phase = 3; measuring = false; ended = true; mark_cpu(&b, &pids); pss = pids_mem(&pids, "Pss:"); rss = pids_mem(&pids, "Rss:"); break; }
    int k = 0;
    while (t >= next_tick && k++ < 20) {  // 1 ms ticks: each session has its own 20 ms phase
      if (phase == 2 && t - next_tick > max_lag) max_lag = t - next_tick;
      for (uint32_t i = tick % 20; i < started; i += 20) {
        session *s = &ss[i];
        if (!s->ready || s->gone) continue;
        if ((s->prov && s->prov->closed) || s->agent->closed) { s->gone = true; lost_sessions++; continue; }
        send_frame(s);
        if (turns && phase >= 1) run_turns(s, now_ns());
      }
      tick++;
      next_tick += 1000000;
    }
    if (t - next_tick > 500000000LL) next_tick = t;
    int64_t left = next_tick - now_ns();
    if (left < 0) left = 0;
    struct timespec ts = {0, left};
    struct epoll_event ev[128];
    int n = epoll_pwait2(ws_ep, ev, 128, &ts, NULL);
    for (int i = 0; i < n; i++) {
      wsconn *c = ev[i].data.ptr;
      if (c->kind == K_LISTEN) {
        int fd;
        while ((fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK)) >= 0) ws_new(fd, false, K_AGENT, 0);
        continue;
      }
      if (c->kind == K_SIP) { sip_readable(sip_call); continue; }
      if (c->kind == K_RTP) { rtp_readable(&ss[c->id], now_ns()); continue; }
      if (c->closed) continue;
      if (ev[i].events & EPOLLOUT) ws_flush(c);
      if (c->kind == K_WEBHOOK) { webhook_readable(c); continue; }
      if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) ws_readable(c, on_open, on_msg);
    }
  }
  for (uint32_t i = 0; over_sip && i < n_sess; i++) sip_request("BYE", &ss[i].sip, i, "B", 2, "");
  double w = (double)(b.t - a.t) / 1e9, sut = b.sut - a.sut;
  uint64_t ub = 0, db = 0;
  double worst_up = 1e9, worst_down = 1e9, want_up = w * (bytes_mark ? 8000 : 48000);
  for (uint32_t i = 0; i < n_sess; i++) {
    ub += ss[i].up_bytes;
    db += ss[i].down_bytes;
    if (ss[i].up_bytes < worst_up) worst_up = (double)ss[i].up_bytes;
    if (ss[i].down_bytes < worst_down) worst_down = (double)ss[i].down_bytes;
  }
  printf("sessions=%u mode=%s lost_sessions=%llu tx_frames=%llu up_ratio=%.4f up_worst=%.4f down_ratio=%.4f down_worst=%.4f up_msgs_s=%.0f down_msgs_s=%.0f", n_sess,
         turns ? "turns" : "echo", (unsigned long long)lost_sessions, (unsigned long long)tx_frames, (double)ub / (want_up * n_sess),
         worst_up / want_up, (double)db / (w * 8000 * n_sess), worst_down / (w * 8000), (double)up_msgs / w, (double)down_msgs / w);
  printf(" cpu_ms_per_call_s=%.4f mem_mb_per_session=%.3f", sut * 1e3 / w / n_sess, (rss - mem0) / n_sess);
  print_pcts("up_ms", &up_lat);
  if (!turns) { print_pcts("down_ms", &down_lat); print_pcts("e2e_ms", &e2e_lat); }
  else {
    printf(" turns=%llu clears=%llu truncates=%llu media_after_clear=%llu", (unsigned long long)turns_n, (unsigned long long)clears, (unsigned long long)truncs, (unsigned long long)after_clear);
    print_pcts("clear_ms", &clear_lat);
    print_pcts("first_audio_ms", &first_lat);
  }
  print_pcts("connect_ms", &pair_lat);
  printf(" lag_ms=%.2f pss_mb=%.1f rss_mb=%.1f", (double)max_lag / 1e6, pss, rss);
  print_cpu(&a, &b);
  printf("\n");
  return 0;
}
