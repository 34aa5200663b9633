// A minimal non-blocking WebSocket (RFC 6455) for load generation: text and binary frames, no
// extensions, no TLS. One `wsconn` is either end.
#pragma once
#include "util.h"

static uint32_t rol(uint32_t x, int n) { return x << n | x >> (32 - n); }
static void sha1(const uint8_t *d, size_t n, uint8_t out[20]) {
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  uint8_t b[2048] = {0};
  if (n > sizeof b - 72) die("too long to hash");
  memcpy(b, d, n);
  b[n] = 0x80;
  size_t len = ((n + 8) / 64 + 1) * 64;
  uint64_t bits = (uint64_t)n * 8;
  for (int i = 0; i < 8; i++) b[len - 1 - (size_t)i] = (uint8_t)(bits >> (8 * i));
  for (size_t o = 0; o < len; o += 64) {
    uint32_t w[80];
    for (int i = 0; i < 16; i++)
      w[i] = (uint32_t)b[o + 4 * (size_t)i] << 24 | (uint32_t)b[o + 4 * (size_t)i + 1] << 16 | (uint32_t)b[o + 4 * (size_t)i + 2] << 8 | b[o + 4 * (size_t)i + 3];
    for (int i = 16; i < 80; i++) w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], bb = h[1], c = h[2], dd = h[3], e = h[4];
    for (int i = 0; i < 80; i++) {
      uint32_t f, k;
      if (i < 20) { f = (bb & c) | (~bb & dd); k = 0x5a827999; }
      else if (i < 40) { f = bb ^ c ^ dd; k = 0x6ed9eba1; }
      else if (i < 60) { f = (bb & c) | (bb & dd) | (c & dd); k = 0x8f1bbcdc; }
      else { f = bb ^ c ^ dd; k = 0xca62c1d6; }
      uint32_t t = rol(a, 5) + f + e + k + w[i];
      e = dd; dd = c; c = rol(bb, 30); bb = a; a = t;
    }
    h[0] += a; h[1] += bb; h[2] += c; h[3] += dd; h[4] += e;
  }
  for (int i = 0; i < 5; i++) for (int k = 0; k < 4; k++) out[4 * i + k] = (uint8_t)(h[i] >> (24 - 8 * k));
}
// RFC 2104 with SHA-1; keys of at most a block.
static void hmac_sha1(const char *key, const char *text, uint8_t out[20]) {
  uint8_t inner[1024] = {0}, outer[84] = {0};
  size_t k = strlen(key), n = strlen(text);
  if (k > 64 || n > sizeof inner - 64) die("too long to sign");
  memcpy(inner, key, k);
  memcpy(outer, key, k);
  for (int i = 0; i < 64; i++) { inner[i] ^= 0x36; outer[i] ^= 0x5c; }
  memcpy(inner + 64, text, n);
  sha1(inner, 64 + n, outer + 64);
  sha1(outer, 84, out);
}
static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t UNB64[256];
static void b64_init(void) {
  memset(UNB64, 255, 256);
  for (int i = 0; i < 64; i++) UNB64[(uint8_t)B64[i]] = (uint8_t)i;
}
static size_t b64_enc(const uint8_t *d, size_t n, char *o) {
  char *s = o;
  size_t i = 0;
  for (; i + 2 < n; i += 3) {
    uint32_t v = (uint32_t)d[i] << 16 | (uint32_t)d[i + 1] << 8 | d[i + 2];
    *o++ = B64[v >> 18]; *o++ = B64[v >> 12 & 63]; *o++ = B64[v >> 6 & 63]; *o++ = B64[v & 63];
  }
  if (i < n) {
    uint32_t v = (uint32_t)d[i] << 16 | (i + 1 < n ? (uint32_t)d[i + 1] << 8 : 0);
    *o++ = B64[v >> 18]; *o++ = B64[v >> 12 & 63]; *o++ = i + 1 < n ? B64[v >> 6 & 63] : '='; *o++ = '=';
  }
  *o = 0;
  return (size_t)(o - s);
}
static size_t b64_dec(const char *s, size_t n, uint8_t *o) {
  uint8_t *b = o;
  while (n && s[n - 1] == '=') n--;
  size_t i = 0;
  for (; i + 3 < n; i += 4) {
    uint32_t v = (uint32_t)UNB64[(uint8_t)s[i]] << 18 | (uint32_t)UNB64[(uint8_t)s[i + 1]] << 12 |
                 (uint32_t)UNB64[(uint8_t)s[i + 2]] << 6 | UNB64[(uint8_t)s[i + 3]];
    *o++ = (uint8_t)(v >> 16); *o++ = (uint8_t)(v >> 8); *o++ = (uint8_t)v;
  }
  if (n - i >= 2) {
    uint32_t v = (uint32_t)UNB64[(uint8_t)s[i]] << 18 | (uint32_t)UNB64[(uint8_t)s[i + 1]] << 12 |
                 (n - i > 2 ? (uint32_t)UNB64[(uint8_t)s[i + 2]] << 6 : 0);
    *o++ = (uint8_t)(v >> 16);
    if (n - i > 2) *o++ = (uint8_t)(v >> 8);
  }
  return (size_t)(o - b);
}

typedef struct wsconn {
  int fd, kind;        // kind is the owner's
  uint32_t id;         // likewise
  bool client, open, closed, want_out;
  uint8_t *in; size_t in_n, in_cap;
  uint8_t *out; size_t out_n, out_cap;
  uint8_t *frag; size_t frag_n, frag_cap;
  char path[256];
} wsconn;

static int ws_ep;
static void ws_watch(wsconn *c, bool add) {
  struct epoll_event e = {.events = EPOLLIN | (c->want_out ? (uint32_t)EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(ws_ep, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &e);
}
static void ws_close(wsconn *c) {
  if (c->closed) return;
  c->closed = true;
  c->open = false;
  epoll_ctl(ws_ep, EPOLL_CTL_DEL, c->fd, NULL);
  close(c->fd);
}
static void ws_raw(wsconn *c, const void *d, size_t n) {
  if (c->closed) return;
  size_t done = 0;
  if (!c->out_n) {
    ssize_t r = send(c->fd, d, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (r < 0 && errno != EAGAIN) { ws_close(c); return; }
    if (r > 0) done = (size_t)r;
    if (done == n) return;
  }
  if (c->out_n + n - done > c->out_cap) {
    c->out_cap = (c->out_n + n) * 2;
    c->out = realloc(c->out, c->out_cap);
  }
  memcpy(c->out + c->out_n, (const uint8_t *)d + done, n - done);
  c->out_n += n - done;
  if (!c->want_out) { c->want_out = true; ws_watch(c, false); }
}
static void ws_flush(wsconn *c) {
  ssize_t r = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (r < 0) { if (errno != EAGAIN) ws_close(c); return; }
  memmove(c->out, c->out + r, c->out_n - (size_t)r);
  c->out_n -= (size_t)r;
  if (!c->out_n) { c->want_out = false; ws_watch(c, false); }
}
static uint32_t ws_rng = 2463534242u;
static void ws_send(wsconn *c, int op, const void *d, size_t n) {
  static uint8_t b[1 << 20];
  if (c->closed || !c->open || n + 14 > sizeof b) return;
  size_t h = 2;
  b[0] = (uint8_t)(0x80 | op);
  if (n < 126) b[1] = (uint8_t)n;
  else if (n < 65536) { b[1] = 126; b[2] = (uint8_t)(n >> 8); b[3] = (uint8_t)n; h = 4; }
  else { b[1] = 127; for (int i = 0; i < 8; i++) b[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i)); h = 10; }
  if (c->client) {
    b[1] |= 0x80;
    ws_rng ^= ws_rng << 13; ws_rng ^= ws_rng >> 17; ws_rng ^= ws_rng << 5;
    uint8_t k[4];
    memcpy(k, &ws_rng, 4);
    memcpy(b + h, k, 4);
    h += 4;
    const uint8_t *s = d;
    for (size_t i = 0; i < n; i++) b[h + i] = s[i] ^ k[i & 3];
  } else {
    memcpy(b + h, d, n);
  }
  ws_raw(c, b, h + n);
}
static void ws_text(wsconn *c, const char *s, size_t n) { ws_send(c, 1, s, n); }

typedef void (*ws_msg_fn)(wsconn *c, int op, uint8_t *d, size_t n, int64_t t);
typedef void (*ws_open_fn)(wsconn *c);

static wsconn *ws_new(int fd, bool client, int kind, uint32_t id) {
  wsconn *c = calloc(1, sizeof *c);
  int one = 1;
  nonblock(fd);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  c->fd = fd; c->client = client; c->kind = kind; c->id = id;
  c->in_cap = 16384;
  c->in = malloc(c->in_cap + 1);
  ws_watch(c, true);
  return c;
}
static wsconn *ws_connect(struct sockaddr_in a, const char *path, const char *extra, int kind, uint32_t id) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (void *)&a, sizeof a)) { close(fd); return NULL; }
  wsconn *c = ws_new(fd, true, kind, id);
  char b[1024];
  int n = snprintf(b, sizeof b,
                   "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                   path, inet_ntoa(a.sin_addr), ntohs(a.sin_port), extra ? extra : "");
  ws_raw(c, b, (size_t)n);
  return c;
}
static bool ws_handshake(wsconn *c, ws_open_fn on_open) {  // true when it is complete
  c->in[c->in_n] = 0;
  char *e = strstr((char *)c->in, "\r\n\r\n");
  if (!e) return false;
  size_t used = (size_t)(e + 4 - (char *)c->in);
  if (c->client) {
    if (strncmp((char *)c->in, "HTTP/1.1 101", 12)) {
      fprintf(stderr, "handshake refused: %.100s\n", c->in);
      ws_close(c);
      return false;
    }
  } else {
    char key[64] = "", acc[256], proto[128] = "";
    sscanf((char *)c->in, "GET %255s", c->path);
    for (char *p = (char *)c->in; (p = strstr(p, "\r\n")) && p < e;) {
      p += 2;
      if (!strncasecmp(p, "Sec-WebSocket-Key:", 18)) sscanf(p + 18, " %63s", key);
      if (!strncasecmp(p, "Sec-WebSocket-Protocol:", 23)) sscanf(p + 23, " %60[^\r\n,]", proto);
    }
    int n = snprintf(acc, sizeof acc, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    uint8_t dg[20];
    sha1((uint8_t *)acc, (size_t)n, dg);
    char b64[40], b[400], ph[160] = "";
    b64_enc(dg, 20, b64);
    if (proto[0]) snprintf(ph, sizeof ph, "Sec-WebSocket-Protocol: %s\r\n", proto);
    n = snprintf(b, sizeof b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n", b64, ph);
    ws_raw(c, b, (size_t)n);
  }
  memmove(c->in, c->in + used, c->in_n - used);
  c->in_n -= used;
  c->open = true;
  on_open(c);
  return true;
}
static void ws_readable(wsconn *c, ws_open_fn on_open, ws_msg_fn on_msg) {
  for (int round = 0; round < 4; round++) {
    if (c->in_cap - c->in_n < 8192) {
      c->in_cap *= 2;
      c->in = realloc(c->in, c->in_cap + 1);
    }
    size_t room = c->in_cap - c->in_n;
    ssize_t r = recv(c->fd, c->in + c->in_n, room, MSG_DONTWAIT);
    if (r == 0 || (r < 0 && errno != EAGAIN)) { ws_close(c); return; }
    if (r < 0) return;
    c->in_n += (size_t)r;
    int64_t t = now_ns();
    if (!c->open && !ws_handshake(c, on_open)) { if (c->closed) return; continue; }
    size_t o = 0;
    while (c->in_n - o >= 2 && !c->closed) {
      uint8_t *b = c->in + o;
      size_t n = b[1] & 127, h = 2;
      if (n == 126) { if (c->in_n - o < 4) break; n = (size_t)b[2] << 8 | b[3]; h = 4; }
      else if (n == 127) {
        if (c->in_n - o < 10) break;
        n = 0;
        for (int i = 0; i < 8; i++) n = n << 8 | b[2 + i];
        h = 10;
      }
      bool masked = b[1] & 0x80;
      if (masked) h += 4;
      if (c->in_n - o < h + n) break;
      uint8_t *p = b + h;
      if (masked) for (size_t i = 0; i < n; i++) p[i] ^= p[-4 + (int)(i & 3)];
      int op = b[0] & 15;
      bool fin = b[0] & 0x80;
      if (op == 9) ws_send(c, 10, p, n);
      else if (op == 8) { ws_send(c, 8, p, n > 2 ? 2 : n); ws_close(c); return; }
      else if (op == 0 || !fin) {
        if (c->frag_n + n > c->frag_cap) { c->frag_cap = (c->frag_n + n) * 2; c->frag = realloc(c->frag, c->frag_cap + 1); }
        memcpy(c->frag + c->frag_n, p, n);
        c->frag_n += n;
        if (fin) { on_msg(c, 1, c->frag, c->frag_n, t); c->frag_n = 0; }
      } else if (op == 1 || op == 2) on_msg(c, op, p, n, t);
      o += h + n;
    }
    memmove(c->in, c->in + o, c->in_n - o);
    c->in_n -= o;
    if ((size_t)r < room) return;
  }
}
static int tcp_listen(int port) {
  int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(s, (void *)&a, sizeof a) || listen(s, 1024)) die("listen %d: %s", port, strerror(errno));
  nonblock(s);
  return s;
}
// The value of a JSON string member, without unescaping; spaces after the colon are allowed.
static const char *json_str(const char *s, size_t n, const char *key, size_t *len) {
  char k[64];
  int kl = snprintf(k, sizeof k, "\"%s\"", key);
  const char *p = memmem(s, n, k, (size_t)kl), *e = s + n;
  while (p) {
    const char *q = p + kl;
    while (q < e && *q == ' ') q++;
    if (q < e && *q == ':') {
      q++;
      while (q < e && *q == ' ') q++;
      if (q < e && *q == '"') {
        q++;
        const char *z = memchr(q, '"', (size_t)(e - q));
        if (!z) return NULL;
        *len = (size_t)(z - q);
        return q;
      }
    }
    p = memmem(p + 1, (size_t)(e - p - 1), k, (size_t)kl);
  }
  return NULL;
}
