#!/bin/sh
# run.sh start|change|reload. `change` writes the route files anew, `reload` returns when they are in force.
# ROUTERD is the program, RUN a directory for its files, SIP_PORT and WEB_PORT where it listens,
# REALTIME_PORT where its realtime model is, ROUTES how many numbers it has a route for: 15550000000 and up;
# a tenth as many prefixes and a thousandth as many patterns are there besides.
set -e
here=$(cd "$(dirname "$0")" && pwd)
program=${ROUTERD:-$here/../../../.build/release/routerd}
files=$RUN/routerd

write_routes() {
  mkdir -p "$files/routes"
  sed -e "s|@REALTIME_PORT@|$REALTIME_PORT|g" "$here/agents.yaml" >"$files/routes/agents.yaml"
  # To a file of another name first: a reload must not read half of it.
  awk -v count="$ROUTES" -v note="$1" 'BEGIN {
    print "# " note
    print "routes:"
    for (i = 0; i < count; i++)
      printf "  - {name: n%d, match: {to: \"+1555%07d\"}, agent: echo}\n", i, i
    for (i = 0; i < count / 10; i++)
      printf "  - {name: p%d, match: {to: \"+44%06d*\"}, agent: echo}\n", i, i
    for (i = 0; i < count / 1000; i++)
      printf "  - {name: q%d, match: {to: \"+49%04d???01\"}, agent: echo}\n", i, i
  }' >"$files/numbers.tmp"
  mv "$files/numbers.tmp" "$files/routes/numbers.yaml"
}

case $1 in
start)
  rm -rf "$files"
  write_routes "at the start"
  sed -e "s|@FILES@|$files|g; s|@SIP_PORT@|$SIP_PORT|g; s|@WEB_PORT@|$WEB_PORT|g" "$here/routerd.yaml" >"$files/routerd.yaml"
  cd "$files"
  exec "$program" run --config "$files/routerd.yaml"
  ;;
change) write_routes "$(date)" ;;
reload)
  exec "$program" reload --socket "$files/control" --json
  ;;
esac
