/* libre's headers expect these from its own build system. One module for libre
 * and librem: two that both include re.h would declare everything twice. */
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
#include <rem/rem.h>
#undef min
#undef max
