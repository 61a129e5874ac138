#!/bin/sh
# A PostgreSQL of one system: made at the first start, with the password that the platform generated.
set -eu
export PGDATA=/data/pgdata PATH="/usr/lib/postgresql/15/bin:$PATH"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    umask 077
    rm -rf "$PGDATA"
    printf '%s' "$DB_value" >/tmp/password
    initdb --username=app --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c shared_buffers=32MB -c jit=off
