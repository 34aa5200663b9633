#!/bin/sh
# SIP_PORT is where it listens, RUN a directory for its files.
set -e
files=$RUN/baresip
rm -rf "$files" && mkdir -p "$files"
for modules in "$BARESIP_MODULES" /usr/lib/baresip/modules /usr/lib/*/baresip/modules; do
  [ -d "$modules" ] && break
done
cat >"$files/config" <<EOC
poll_method epoll
call_max_calls 10000
sip_listen 127.0.0.1:$SIP_PORT
audio_player aubridge,loop
audio_source aubridge,loop
rtp_ports 20000-30999
module_path $modules
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
module_tmp uuid.so
EOC
echo "<sip:15550000000@127.0.0.1:$SIP_PORT;transport=udp>;regint=0;answermode=auto" >"$files/accounts"
touch "$files/contacts"
exec baresip -f "$files" -p "$files"
