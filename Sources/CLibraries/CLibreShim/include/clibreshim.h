/* What Swift cannot say about libre by itself: the variadic functions (foreign
 * text always travels as an argument, never as the format) and eventfd. */
#pragma once
#include "../../CLibre/shim.h"
#include "mediasocket.h"

/** Whether the timing wheel of tmr_wheel.c, not libre's sorted list, serves this process. */
bool shim_timing_wheel_in_force(void);

/** Number of timers that run on the calling thread. */
uint32_t shim_timers_running(void);

/** For tests: what the calling thread's timers take for the clock, in milliseconds; 0 is the real one again.
 * It may go back only while no timer runs. */
void shim_timers_set_clock(uint64_t now);

/** A non-blocking eventfd that is closed on exec, or -1. */
int shim_eventfd(void);

/** A timer that is readable when its time has come, closed on exec, or -1. It counts microseconds of shim_now's clock. */
int shim_timer_open(void);

/** Makes it readable at a time; one that has passed makes it readable at once, 0 never. What was set before is forgotten. */
void shim_timer_set(int fd, int64_t at);

/** Names the calling thread for debuggers and `top`; at most 15 characters. */
void shim_name_thread(const char *name);

/** Lets heaps grow in larger steps and keep what they have. */
void shim_keep_memory(void);

/** The calling thread is woken before others from now on: a slice of a millisecond where the kernel knows slices (Linux 6.12), and
 * where it is allowed (root, RLIMIT_NICE) a niceness of -5. Threads that it makes have neither. */
void shim_step_forward(void);

/** The calling thread gets out of the way of others from now on: a niceness of 19 and, where the kernel knows slices
 * (Linux 6.12), one so long that whoever wakes up goes first. Where it is refused, nothing is lost. */
void shim_stand_back(void);

/** How many lines libre wanted to write to standard error; they are counted, not written. */
unsigned long shim_complaints(void);

/** How many connections were closed at once because the process had no descriptor left for them. */
unsigned long shim_turned_away(void);

/** Hashes of OpenSSL; a digest has at most 32 bytes. */
enum shim_hash { SHIM_MD5, SHIM_SHA1, SHIM_SHA256 };

/** Writes a digest and returns its length, 0 when OpenSSL refuses. */
unsigned shim_digest(enum shim_hash hash, const uint8_t *bytes, size_t count, uint8_t *digest);

/** Writes a keyed digest (RFC 2104) and returns its length, 0 when OpenSSL refuses. */
unsigned shim_hmac(enum shim_hash hash, const uint8_t *key, size_t key_count, const uint8_t *bytes,
		   size_t count, uint8_t *digest);

/** Whether `signature` (64 bytes) is that of the owner of `key` (32 bytes) on the bytes (RFC 8032). */
bool shim_ed25519_verify(const uint8_t *key, const uint8_t *signature, const uint8_t *bytes, size_t count);

/** Signs with the private key `seed` (32 bytes); writes 64 bytes and returns how many, 0 when OpenSSL refuses. */
size_t shim_ed25519_sign(const uint8_t *seed, const uint8_t *bytes, size_t count, uint8_t *signature);

/** Writes the public key (32 bytes) of a private one; returns 0 when OpenSSL refuses. */
size_t shim_ed25519_public(const uint8_t *seed, uint8_t *key);

/** Signs by RSASSA-PKCS1-v1_5 with SHA-256; returns the length, 0 when `pem` holds no RSA key or one too large. */
size_t shim_rs256_sign(const char *pem, size_t pem_count, const uint8_t *bytes, size_t count, uint8_t *signature,
		       size_t room);

/** Checks such a signature against the public key in `pem`. */
bool shim_rs256_verify(const char *pem, size_t pem_count, const uint8_t *signature, size_t signature_count,
		       const uint8_t *bytes, size_t count);

/** A batch of received datagrams; a libre object (mem_deref). */
struct shim_inbox;
struct shim_inbox *shim_inbox_alloc(void);

/** Opens and binds a UDP socket with send and receive buffers of `buffer` bytes where the kernel lets us;
 * fills in the bound port. Returns an error number. */
int shim_udp_open(int *fdp, struct sa *laddr, int buffer);

/** Reads what is there, at most 32 datagrams; returns how many. */
int shim_udp_receive(int fd, struct shim_inbox *box);

/** The i-th datagram: its bytes, where it came from, and our address that it came to (`dst` must hold the bound
 * address before). Valid until the next receive. */
const uint8_t *shim_inbox_get(struct shim_inbox *box, int i, size_t *len, struct sa *src, struct sa *dst,
			      int64_t *waited);

/** Sends a datagram from our address `src` (NULL is any). Returns an error number. */
int shim_udp_send(int fd, const struct sa *src, const struct sa *dst, const uint8_t *bytes, size_t len);

/** Our address that packets to `dst` leave from. Returns an error number. */
int shim_source_address(const struct sa *dst, struct sa *src);

/** A new EC P-256 key and a certificate for `name` signed by it, in PEM; a libre object, NULL on failure. */
char *shim_self_signed(const char *name);

/** A TLS context for listeners, from PEM text or, without it, from files (`keyfile` may be NULL). */
int shim_tls_server(struct tls **tlsp, const char *pem, const char *certfile, const char *keyfile);

/** Trusted authorities for shim_tls_client. */
int shim_tls_authorities(struct tls **tlsp, const char *cafile);

/** A TLS context for one connection to `host` (a name or an address), which must be in the peer's certificate
 * unless `authorities` is NULL. */
int shim_tls_client(struct tls **tlsp, const struct tls *authorities, const char *host);

/** Tells the server which name we want (SNI). */
int shim_tls_name(struct tls_conn *conn, const char *host);

/** A server's TLS connection over a non-blocking socket, which stays its owner's. */
struct shim_tls_stream;

/** What a step of a connection came to, when it is no number of bytes. 0 is the peer's orderly end. */
enum { SHIM_TLS_WANTS_READ = -1, SHIM_TLS_WANTS_WRITE = -2, SHIM_TLS_BROKEN = -3 };

/** Begins a connection with the context's certificate; NULL without memory. */
struct shim_tls_stream *shim_tls_stream_accept(struct tls *tls, int fd);
/** Goes on with the handshake; 1 when it is done. */
int shim_tls_stream_handshake(struct shim_tls_stream *stream);
int shim_tls_stream_read(struct shim_tls_stream *stream, void *bytes, int count);
/** Writes what goes; the same bytes must be offered again after a refusal. */
int shim_tls_stream_write(struct shim_tls_stream *stream, const void *bytes, int count);
/** Says goodbye if that goes at once, and frees it. */
void shim_tls_stream_free(struct shim_tls_stream *stream);

/** A listening TCP socket that does not block; fills in the bound address. Returns an error number. */
int shim_tcp_listen(int *fdp, struct sa *laddr);
/** The next connection that waits, as a socket that does not block; -1 when there is none. */
int shim_accept(int fd, struct sa *peer);
/** Two connected stream sockets that do not block. Returns an error number. */
int shim_socket_pair(int pair[2]);
