#include <openssl/evp.h>
#include <openssl/pem.h>

#include "clibreshim.h"

static EVP_PKEY *read_key(const char *pem, size_t count, bool is_private)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)count);
	EVP_PKEY *key = NULL;

	if (!bio)
		return NULL;
	/* An empty pass phrase, or OpenSSL asks for one at the terminal. */
	key = is_private ? PEM_read_bio_PrivateKey(bio, NULL, NULL, "") : PEM_read_bio_PUBKEY(bio, NULL, NULL, "");
	BIO_free(bio);
	return key;
}

static bool verify(EVP_PKEY *key, const EVP_MD *hash, const uint8_t *signature, size_t signature_count,
		   const uint8_t *bytes, size_t count)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_right = context && EVP_DigestVerifyInit(context, NULL, hash, NULL, key) == 1 &&
			EVP_DigestVerify(context, signature, signature_count, bytes, count) == 1;

	EVP_MD_CTX_free(context);
	return is_right;
}

static size_t sign(EVP_PKEY *key, const EVP_MD *hash, const uint8_t *bytes, size_t count, uint8_t *signature,
		   size_t room)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_signed = context && EVP_DigestSignInit(context, NULL, hash, NULL, key) == 1 &&
			 EVP_DigestSign(context, signature, &room, bytes, count) == 1;

	EVP_MD_CTX_free(context);
	return is_signed ? room : 0;
}

bool shim_ed25519_verify(const uint8_t *key, const uint8_t *signature, const uint8_t *bytes, size_t count)
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
	bool is_right = public && verify(public, NULL, signature, 64, bytes, count);

	EVP_PKEY_free(public);
	return is_right;
}

size_t shim_ed25519_sign(const uint8_t *seed, const uint8_t *bytes, size_t count, uint8_t *signature)
{
	EVP_PKEY *private = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	size_t length = private ? sign(private, NULL, bytes, count, signature, 64) : 0;

	EVP_PKEY_free(private);
	return length;
}

size_t shim_ed25519_public(const uint8_t *seed, uint8_t *key)
{
	EVP_PKEY *private = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	size_t length = 32;
	bool is_there = private && EVP_PKEY_get_raw_public_key(private, key, &length) == 1;

	EVP_PKEY_free(private);
	return is_there ? length : 0;
}

size_t shim_rs256_sign(const char *pem, size_t pem_count, const uint8_t *bytes, size_t count, uint8_t *signature,
		       size_t room)
{
	EVP_PKEY *key = read_key(pem, pem_count, true);
	size_t length = 0;

	if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && (size_t)EVP_PKEY_get_size(key) <= room)
		length = sign(key, EVP_sha256(), bytes, count, signature, room);
	EVP_PKEY_free(key);
	return length;
}

bool shim_rs256_verify(const char *pem, size_t pem_count, const uint8_t *signature, size_t signature_count,
		       const uint8_t *bytes, size_t count)
{
	EVP_PKEY *key = read_key(pem, pem_count, false);
	bool is_right = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
			verify(key, EVP_sha256(), signature, signature_count, bytes, count);

	EVP_PKEY_free(key);
	return is_right;
}
