/* A server's TLS connection over a non-blocking socket that its owner polls. libre's own
 * (tls_start_tcp) reads whatever comes; here nothing is read that nobody has room for. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "clibreshim.h"

struct shim_tls_stream {
	SSL *ssl;
};

static int stream_write(BIO *bio, const char *bytes, int count)
{
	ssize_t n = send((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)count, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)n;
}

static int stream_read(BIO *bio, char *bytes, int count)
{
	ssize_t n = recv((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)count, 0);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	return (int)n;
}

static long stream_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

/* OpenSSL's own socket BIO writes without MSG_NOSIGNAL. */
static BIO_METHOD *stream_method(void)
{
	static BIO_METHOD *method;

	if (!method) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
		if (method) {
			(void)BIO_meth_set_write(method, stream_write);
			(void)BIO_meth_set_read(method, stream_read);
			(void)BIO_meth_set_ctrl(method, stream_control);
		}
	}
	return method;
}

struct shim_tls_stream *shim_tls_stream_accept(struct tls *tls, int fd)
{
	struct shim_tls_stream *stream = calloc(1, sizeof(*stream));
	BIO *bio = stream_method() ? BIO_new(stream_method()) : NULL;

	if (stream)
		stream->ssl = SSL_new(tls_openssl_context(tls));
	if (!stream || !stream->ssl || !bio) {
		BIO_free(bio);
		shim_tls_stream_free(stream);
		ERR_clear_error();
		return NULL;
	}

	BIO_set_data(bio, (void *)(intptr_t)fd);
	BIO_set_init(bio, 1);
	SSL_set_bio(stream->ssl, bio, bio);
	SSL_set_accept_state(stream->ssl);
	(void)SSL_set_options(stream->ssl, SSL_OP_NO_RENEGOTIATION);
	(void)SSL_set_mode(stream->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
						SSL_MODE_RELEASE_BUFFERS);
	return stream;
}

static int outcome(struct shim_tls_stream *stream, int n)
{
	if (n > 0)
		return n;

	switch (SSL_get_error(stream->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return SHIM_TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return SHIM_TLS_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		ERR_clear_error();
		/* no close notify may follow a broken connection */
		SSL_set_quiet_shutdown(stream->ssl, 1);
		return SHIM_TLS_BROKEN;
	}
}

int shim_tls_stream_handshake(struct shim_tls_stream *stream)
{
	ERR_clear_error();
	return outcome(stream, SSL_do_handshake(stream->ssl));
}

int shim_tls_stream_read(struct shim_tls_stream *stream, void *bytes, int count)
{
	ERR_clear_error();
	return outcome(stream, SSL_read(stream->ssl, bytes, count));
}

int shim_tls_stream_write(struct shim_tls_stream *stream, const void *bytes, int count)
{
	ERR_clear_error();
	return outcome(stream, SSL_write(stream->ssl, bytes, count));
}

void shim_tls_stream_free(struct shim_tls_stream *stream)
{
	if (!stream)
		return;

	if (stream->ssl && SSL_is_init_finished(stream->ssl))
		(void)SSL_shutdown(stream->ssl);
	SSL_free(stream->ssl);
	ERR_clear_error();
	free(stream);
}
