/* libre's headers expect these from its own build system. librem is not linked: it
 * defines goertzel_init() and others that spandsp defines, too, and whichever comes
 * first breaks the other's key tone detector (docs/decisions/0021-audio-libraries.md). */
#pragma once
#define HAVE_INTTYPES_H 1
#define HAVE_STDBOOL_H 1
#define HAVE_INET6 1 /* struct sa holds IPv6 addresses */
#define USE_OPENSSL 1 /* declares tls_openssl_context() */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <re/re.h>
#define DEBUG_MODULE "routerd"
#define DEBUG_LEVEL 0
#include <re/re_dbg.h>
#undef DEBUG_MODULE
#undef DEBUG_LEVEL
#undef min
#undef max
