#!/bin/sh
# run.sh start|reload. MODE is HTABLE or MTREE; RUN a directory for its files, SIP_PORT where it listens, ROUTES how many numbers
# it knows, LOOKUPS how many it looks up when it is asked to time them. Needs kamailio, its sqlite modules, and sqlite3.
set -e
here=$(cd "$(dirname "$0")" && pwd)
files=$RUN/kamailio
socket=unix:$files/control

write_database() {
  rm -f "$files/routes.db"
  sqlite3 "$files/routes.db" >/dev/null <<SQL
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
CREATE TABLE version (id INTEGER PRIMARY KEY, table_name VARCHAR(32), table_version INTEGER);
INSERT INTO version (table_name, table_version) VALUES ('routes',2),('htable',2),('mtree_routes',1),('mtrees',2),('mtree',1);
CREATE TABLE routes (id INTEGER PRIMARY KEY, key_name VARCHAR(64), key_type INTEGER, value_type INTEGER,
  key_value VARCHAR(64), expires INTEGER);
CREATE TABLE mtree_routes (id INTEGER PRIMARY KEY, tprefix VARCHAR(64), tvalue VARCHAR(64));
WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM s WHERE i<$ROUTES-1)
  INSERT INTO routes SELECT i+1, printf('1555%07d',i), 0, 0, printf('agent%d',i%100), 0 FROM s WHERE '$MODE'='HTABLE';
WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM s WHERE i<$ROUTES-1)
  INSERT INTO mtree_routes SELECT i+1, printf('1555%07d',i), printf('agent%d',i%100) FROM s WHERE '$MODE'='MTREE';
SQL
}

case $1 in
start)
  mkdir -p "$files"
  rm -f "$files/control"
  write_database
  size=10
  while [ $((1 << size)) -lt "$ROUTES" ] && [ $size -lt 20 ]; do size=$((size + 1)); done
  sed -e "s#@CONTROL@#$socket#; s#@SIP_PORT@#$SIP_PORT#; s#@DATABASE@#sqlite:///$files/routes.db#; s#@SIZE@#$size#" \
    -e "s#@LOOKUPS@#$LOOKUPS#; s#@ROUTES@#$ROUTES#" "$here/kamailio.cfg" >"$files/kamailio.cfg"
  exec kamailio -DD -m 4096 -M 512 -f "$files/kamailio.cfg" -A "MODE_$MODE" -w "$files" -Y "$files"
  ;;
reload)
  case $MODE in
  HTABLE) exec kamcmd -s "$socket" htable.reload routes ;;
  MTREE) exec kamcmd -s "$socket" mtree.reload routes ;;
  esac
  ;;
esac
