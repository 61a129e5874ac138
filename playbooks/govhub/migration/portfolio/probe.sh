# Reads one server that systems run on today; runs as root, changes nothing, writes nothing. Arguments: a mark that no
# output can guess, the folders and units that are declared, and seconds after which nothing is begun any more. Sections
# as in the reading of hosts; one that was not begun ends with 124.
mark=$1
folders=$2
wanted=$3
until=$(($(date +%s) + $4))
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
# Reading must not become writing, wait for locks, or go on for long: the server has work to do.
PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout=20000 -c lock_timeout=1000'
PGCONNECT_TIMEOUT=5
export PATH LC_ALL PGOPTIONS PGCONNECT_TIMEOUT
umask 077
cd /
renice -n 19 -p $$ >/dev/null 2>&1
ionice -c 3 -p $$ >/dev/null 2>&1
# At most so many databases, tables, and lines of a list.
databases=64
most=200
lines=2000

begins() {
    [ "$(date +%s)" -lt "$until" ]
}

section() {
    name=$1
    shift
    printf '%s begin %s\n' "$mark" "$name"
    if begins; then
        "$@" </dev/null 2>/dev/null
        code=$?
    else
        code=124
    fi
    printf '\n%s end %s %s\n' "$mark" "$name" "$code"
}

asking() {
    name=$1
    shift
    section "$name" timeout 20 "$@"
}

script() {
    section "$1" sh -c "$2"
}

postgres() {
    port=$1
    database=$2
    begins || return 124
    timeout 40 runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -p "$port" -d "$database" -c "$3" </dev/null
}

# One JSON value a line; what needs a newer server than this stands in a section of its own.
postgresql() {
    port=$1
    section "postgresql $port settings" postgres "$port" postgres "
        SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN ('server_version', 'server_version_num',
        'wal_level', 'max_wal_senders', 'max_replication_slots', 'max_slot_wal_keep_size', 'data_directory',
        'listen_addresses', 'ssl', 'password_encryption', 'archive_mode', 'server_encoding', 'max_connections')"
    section "postgresql $port databases" postgres "$port" postgres "
        SELECT json_build_object('name', datname, 'size', pg_database_size(oid), 'encoding',
        pg_encoding_to_char(encoding), 'collation', datcollate, 'ctype', datctype, 'owner', pg_get_userbyid(datdba),
        'template', datistemplate) FROM pg_database WHERE datallowconn ORDER BY pg_database_size(oid) DESC, datname"
    section "postgresql $port roles" postgres "$port" postgres "
        SELECT json_build_object('name', rolname, 'login', rolcanlogin, 'superuser', rolsuper, 'replication',
        rolreplication) FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname LIMIT $most"
    section "postgresql $port slots" postgres "$port" postgres "
        SELECT json_build_object('name', slot_name, 'type', slot_type, 'active', active) FROM pg_replication_slots"
    section "postgresql $port sessions" postgres "$port" postgres "
        SELECT json_build_object('database', datname, 'user', usename, 'address', host(client_addr), 'application',
        application_name, 'count', count(*)) FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()
        GROUP BY datname, usename, client_addr, application_name LIMIT $most"
    section "postgresql $port wal" postgres "$port" postgres "
        SELECT json_build_object('position', pg_current_wal_insert_lsn() - '0/0'::pg_lsn,
        'time', extract(epoch FROM clock_timestamp()))"
    names=$(postgres "$port" postgres "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate
        ORDER BY datname <> 'postgres', datname LIMIT $databases" 2>/dev/null)
    # Names may hold spaces; a line break in one is nobody's.
    printf '%s\n' "$names" | while IFS= read -r database; do
        [ -n "$database" ] && inside_postgresql "$port" "$database"
    done
}

inside_postgresql() {
    section "postgresql $1 database $2" postgres "$1" "$2" "
        WITH own AS (SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND d.deptype = 'e')),
        keyless AS (SELECT c.oid FROM own c WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
            AND c.relreplident NOT IN ('f', 'i') AND NOT EXISTS (
                SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
        SELECT json_build_object(
            'tables', (SELECT count(*) FROM own WHERE relkind IN ('r', 'p')),
            'keyless', (SELECT count(*) FROM keyless),
            'keyless_names', (SELECT json_agg(oid::regclass::text) FROM (
                SELECT oid FROM keyless ORDER BY oid LIMIT 20) few),
            'unlogged', (SELECT count(*) FROM own WHERE relkind = 'r' AND relpersistence = 'u'),
            'sequences', (SELECT count(*) FROM own WHERE relkind = 'S'),
            'foreign', (SELECT count(*) FROM own WHERE relkind = 'f'),
            'extensions', (SELECT json_object_agg(extname, extversion) FROM pg_extension WHERE extname <> 'plpgsql'),
            'large_objects', (SELECT count(*) FROM pg_largeobject_metadata),
            'large_bytes', (SELECT pg_total_relation_size('pg_catalog.pg_largeobject')),
            'largest', (SELECT max(pg_total_relation_size(oid)) FROM own WHERE relkind IN ('r', 'm')))"
}

mariadb_client() {
    command -v mariadb || command -v mysql
}

maria() {
    begins || return 124
    # shellcheck disable=SC2086  # no option, or one
    timeout 40 "$client" $defaults --protocol=socket --connect-timeout=5 --default-character-set=utf8mb4 -N -B \
        -e "SET SESSION TRANSACTION READ ONLY; $1" </dev/null
}

own="NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')"

mariadb_log() {
    maria "SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written'; SELECT 'time', unix_timestamp(now(6))"
}

mariadb() {
    # Where root needs a password, Debian's own account has it in a file that root reads.
    maria 'SELECT 1' >/dev/null 2>&1 || { [ -r /etc/mysql/debian.cnf ] && defaults=--defaults-file=/etc/mysql/debian.cnf; }
    section "mariadb log" mariadb_log
    section "mariadb settings" maria "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'version_comment', 'log_bin',
        'binlog_format', 'binlog_row_image', 'server_id', 'gtid_mode', 'gtid_strict_mode', 'character_set_server',
        'collation_server', 'lower_case_table_names', 'sql_mode', 'datadir', 'port', 'read_only', 'expire_logs_days')"
    section "mariadb databases" maria "SELECT s.schema_name, s.default_character_set_name, s.default_collation_name,
        count(t.table_name), coalesce(sum(t.data_length + t.index_length), 0)
        FROM information_schema.schemata s LEFT JOIN information_schema.tables t
        ON t.table_schema = s.schema_name AND t.table_type = 'BASE TABLE'
        WHERE s.schema_name $own GROUP BY 1, 2, 3 ORDER BY 1 LIMIT $databases"
    section "mariadb engines" maria "SELECT table_schema, engine, count(*) FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema $own GROUP BY 1, 2 LIMIT $lines"
    section "mariadb charsets" maria "SELECT table_schema, table_collation, count(*) FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema $own GROUP BY 1, 2 LIMIT $lines"
    section "mariadb keyless" maria "SELECT t.table_schema, t.table_name FROM information_schema.tables t
        LEFT JOIN information_schema.table_constraints c ON c.table_schema = t.table_schema
        AND c.table_name = t.table_name AND c.constraint_type = 'PRIMARY KEY'
        WHERE t.table_type = 'BASE TABLE' AND t.table_schema $own AND c.constraint_name IS NULL ORDER BY 1, 2 LIMIT $lines"
    section "mariadb sessions" maria "SELECT coalesce(db, ''), user, substring_index(host, ':', 1), count(*)
        FROM information_schema.processlist WHERE id <> connection_id() AND command NOT IN ('Daemon', 'Binlog Dump')
        GROUP BY 1, 2, 3 LIMIT $most"
    section "mariadb users" maria "SELECT user, host FROM mysql.user ORDER BY 1, 2 LIMIT $most"
}

connections() {
    # Three looks, a second apart: what talks only now and then shows sooner. A look that fails is not an empty one.
    all=$(for _ in 1 2 3; do
        timeout 10 ss -H -n -t -p state established || exit
        timeout 10 ss -H -n -t state time-wait || exit
        sleep 1
    done) || return
    printf '%s\n' "$all" | grep -vE '(127\.0\.0\.1|\[::1\]):' | sort -u | head -n $lines
}

# Who starts what and when; what follows the program may hold a password and never leaves the server.
cron() {
    awk '
        /^[[:space:]]*(#|$)/ { next }
        /^[[:space:]]*[A-Za-z_]+[[:space:]]*=/ { next }
        {
            user = (FILENAME ~ /\/spool\//) ? FILENAME : ""; sub(".*/", "", user)
            at = ($1 ~ /^@/) ? 2 : 6
            if (user == "") { user = $at; at++ }
            when = $1; if ($1 !~ /^@/) when = $1 " " $2 " " $3 " " $4 " " $5
            while ($at ~ /^[A-Za-z_][A-Za-z_0-9]*=/) at++
            print user "\t" when "\t" $at
        }' $(find /etc/crontab /etc/cron.d /var/spool/cron -type f 2>/dev/null) /dev/null | head -n $most
}

sizes() {
    printf '%s\n' "$folders" | while IFS= read -r folder; do
        [ -n "$folder" ] || continue
        if [ ! -e "$folder" ]; then
            printf '%s\t-\t-\n' "$folder"
            continue
        fi
        if ! begins; then
            printf '%s\t?\t?\n' "$folder"
            continue
        fi
        # Given up rather than guessed: a folder of many millions of files takes longer than this may.
        bytes=$(timeout 20 du -sx -B1 --apparent-size "$folder" 2>/dev/null) || bytes='?'
        # A pipe would end well although its first half was given up.
        count=$(timeout 20 sh -c 'find "$1" -xdev -type f -printf . | wc -c' sh "$folder" 2>/dev/null) || count='?'
        printf '%s\t%s\t%s\n' "$folder" "${bytes%%[!0-9?]*}" "$count"
    done
}

# Whether there is a process of this name, then more of what is known of it.
running() {
    [ -r /proc/1/comm ] || return 1
    grep -qxE "$1" /proc/[0-9]*/comm && printf 'running\n%s\n' "$2"
    :
}

main() {
    section hostname hostname
    section release cat /etc/os-release
    section kernel uname -srm
    section uptime cat /proc/uptime
    section load cat /proc/loadavg
    section cpu grep -E '^(processor|model name)' /proc/cpuinfo
    section cores nproc
    section memory cat /proc/meminfo
    asking disks df -P -k -l -x tmpfs -x devtmpfs
    section blocks lsblk -b -d -n -P -o NAME,TYPE,SIZE,ROTA,MODEL
    section zone readlink -f /etc/localtime
    script virtual 'systemd-detect-virt; :'
    # The oldest of what an installer leaves.
    script installed 'stat -c %Y /lost+found /etc/hostname /etc/machine-id /etc/ssh/ssh_host_*_key.pub | sort -n | head -n 1; :'
    script hostkeys 'for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -l -f "$key"; done; :'
    script addresses 'ip -o address show scope global; :'
    section passwd getent passwd
    asking services systemctl list-units --type=service --state=active,failed,activating --no-legend --plain --full
    asking listening ss -H -l -n -t -u -p
    for unit in $wanted; do
        asking "unit $unit" systemctl show -p LoadState,ActiveState,UnitFileState,MemoryCurrent,MainPID -- "$unit"
    done
    asking timers systemctl list-timers --all --no-legend --plain --full
    section cron cron
    section folders sizes

    # By their processes: what is in a container, or listens nowhere, is there all the same.
    ports=$( (ss -H -l -n -t -p | grep -E '"(postgres|postmaster)"' | awk '{print $4}' | sed 's/.*://'
        ss -H -l -n -x | grep -o '/\.s\.PGSQL\.[0-9]*' | sed 's/.*\.//') 2>/dev/null | sort -un | head -n 8)
    section postgresql running 'postgres|postmaster' "$ports"
    for port in $ports; do
        postgresql "$port"
    done
    client=$(mariadb_client)
    defaults=
    section mariadb running 'mariadbd|mysqld'
    [ -n "$client" ] && mariadb
    section connections connections
    # Again, some seconds later: how fast the log grows.
    for port in $ports; do
        section "postgresql $port later" postgres "$port" postgres "
            SELECT json_build_object('position', pg_current_wal_insert_lsn() - '0/0'::pg_lsn,
            'time', extract(epoch FROM clock_timestamp()))"
    done
    [ -n "$client" ] && section "mariadb later" mariadb_log
    printf '%s complete\n' "$mark"
}

main
