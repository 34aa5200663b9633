#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "clibreshim.h"

/* At its end a program takes OpenSSL's locks away, while other threads may still
 * be at a digest or a handshake: they would crash a program that has done its
 * work. The kernel takes the memory as well. Before anybody else's first use. */
__attribute__((constructor)) static void keep_to_the_end(void)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

static const EVP_MD *hash_of(enum shim_hash hash)
{
	switch (hash) {
	case SHIM_MD5: return EVP_md5();
	case SHIM_SHA1: return EVP_sha1();
	default: return EVP_sha256();
	}
}

unsigned shim_digest(enum shim_hash hash, const uint8_t *bytes, size_t count, uint8_t *digest)
{
	unsigned length = 0;

	return EVP_Digest(bytes, count, digest, &length, hash_of(hash), NULL) ? length : 0;
}

unsigned shim_hmac(enum shim_hash hash, const uint8_t *key, size_t key_count, const uint8_t *bytes,
		   size_t count, uint8_t *digest)
{
	unsigned length = 0;

	return HMAC(hash_of(hash), key, (int)key_count, bytes, count, digest, &length) ? length : 0;
}
