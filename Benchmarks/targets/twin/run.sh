#!/bin/sh
# TWIN is the program; SIP_PORT is where it listens.
exec "${TWIN:-$(dirname "$0")/../../.build/twin}" "127.0.0.1:$SIP_PORT" 20000 30999 "$@"
