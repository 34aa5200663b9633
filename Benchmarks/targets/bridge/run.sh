#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
exec "${BRIDGE:-$here/../../.build/agentfloor}" 18766 127.0.0.1:19100
