/* TLS contexts for libre. Its own self-signed certificates are refused by OpenSSL's
 * security level (RSA 1024, SHA-1), it takes key and certificate from one file only,
 * and it cannot check a certificate for a numeric address. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "clibreshim.h"

static bool is_address(const char *name)
{
	struct sa sa;

	return !sa_set_str(&sa, name, 0);
}

static int add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int ok;

	if (!ext)
		return 0;
	ok = X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return ok;
}

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();
	X509_NAME *subject;
	char san[300];

	if (!cert || strlen(name) > 255 || strpbrk(name, ",\r\n"))
		goto fail;

	subject = X509_get_subject_name(cert);
	(void)re_snprintf(san, sizeof(san), "%s:%s", is_address(name) ? "IP" : "DNS", name);
	if (!X509_set_version(cert, 2) || !ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), rand_u64() >> 1) ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), -24 * 3600) ||
	    !X509_gmtime_adj(X509_getm_notAfter(cert), 10L * 365 * 24 * 3600) || !X509_set_pubkey(cert, key) ||
	    !X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0) ||
	    !X509_set_issuer_name(cert, subject) || !add_extension(cert, NID_subject_alt_name, san) ||
	    !add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") || !X509_sign(cert, key, EVP_sha256()))
		goto fail;

	return cert;

 fail:
	X509_free(cert);
	return NULL;
}

char *shim_self_signed(const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? make_certificate(key, name) : NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem = NULL, *data;
	long n;

	if (cert && bio && PEM_write_bio_X509(bio, cert) &&
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) {
		n = BIO_get_mem_data(bio, &data);
		pem = mem_zalloc((size_t)n + 1, NULL);
		if (pem)
			memcpy(pem, data, (size_t)n);
	}

	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return pem;
}

static int use_pem(SSL_CTX *ctx, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	int ok = cert && key && SSL_CTX_use_certificate(ctx, cert) && SSL_CTX_use_PrivateKey(ctx, key);

	X509_free(cert);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

int shim_tls_server(struct tls **tlsp, const char *pem, const char *certfile, const char *keyfile)
{
	struct tls *tls = NULL;
	SSL_CTX *ctx;
	int ok, err;

	err = tls_alloc(&tls, TLS_METHOD_SSLV23, NULL, NULL);
	if (err)
		return err;

	ctx = tls_openssl_context(tls);
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	if (pem)
		ok = use_pem(ctx, pem);
	else
		ok = SSL_CTX_use_certificate_chain_file(ctx, certfile) == 1 &&
			SSL_CTX_use_PrivateKey_file(ctx, keyfile ? keyfile : certfile, SSL_FILETYPE_PEM) == 1;
	ok = ok && SSL_CTX_check_private_key(ctx);
	ERR_clear_error();

	if (!ok) {
		mem_deref(tls);
		return EINVAL;
	}

	*tlsp = tls;
	return 0;
}

int shim_tls_authorities(struct tls **tlsp, const char *cafile)
{
	struct tls *tls = NULL;
	int err;

	err = tls_alloc(&tls, TLS_METHOD_SSLV23, NULL, NULL);
	if (err)
		return err;

	err = tls_add_ca(tls, cafile);
	if (err) {
		mem_deref(tls);
		return err;
	}

	*tlsp = tls;
	return 0;
}

int shim_tls_client(struct tls **tlsp, const struct tls *authorities, const char *host)
{
	X509_VERIFY_PARAM *param;
	struct tls *tls = NULL;
	SSL_CTX *ctx;
	int ok = 1, err;

	err = tls_alloc(&tls, TLS_METHOD_SSLV23, NULL, NULL);
	if (err)
		return err;

	ctx = tls_openssl_context(tls);
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	if (authorities) {
		SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(tls_openssl_context(authorities)));
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		param = SSL_CTX_get0_param(ctx);
		X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		ok = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(param, host)
				      : X509_VERIFY_PARAM_set1_host(param, host, 0);
	}
	ERR_clear_error();

	if (!ok) {
		mem_deref(tls);
		return EINVAL;
	}

	*tlsp = tls;
	return 0;
}

int shim_tls_name(struct tls_conn *conn, const char *host)
{
	/* numeric addresses are not allowed in SNI (RFC 6066 section 3) */
	return is_address(host) ? 0 : tls_set_servername(conn, host);
}
