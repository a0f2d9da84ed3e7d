#!/usr/bin/env bash
# boxoffice on PostgreSQL beside what PostgreSQL itself can do (pgbench) and, with --peer, beside another server: reservations
# of one hot event, searches nearby, and how late two workers give seats back. Everything runs against one private PostgreSQL
# of its own, in turns, so that what slows the machine down slows all of them down. Prints Markdown.
set -euo pipefail
export LC_ALL=C.UTF-8 PGUSER=postgres PGHOST=127.0.0.1 PGOPTIONS='-c client_min_messages=warning'

usage()
{
    cat <<'HELP'
usage: bench/compare.sh [options]

  --build DIR     (build/release)           where boxoffice and boxoffice_bench are
  --only LIST     (reserve,nearby,workers)  what is measured
  --rounds N      (5)                       turns of each; the table shows medians
  --seconds S     (5)                       of each measurement, 1 to 60
  --events N      (100000)                  of the catalogue that is searched
  --holds N       (100000)                  due within one second
  --peer DIR                                a folder with `peer start | load EVENTS | stop`
  --folder DIR    ($TMPDIR or /tmp)         where the databases are made; must be a real disk
HELP
}

build=build/release only=reserve,nearby,workers rounds=5 seconds=5 events=100000 holds=100000 peer='' folder=${TMPDIR:-/tmp}
while [ $# -gt 0 ]; do
    case $1 in
    --build) build=$2 ;;
    --only) only=$2 ;;
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --events) events=$2 ;;
    --holds) holds=$2 ;;
    --peer) peer=$2 ;;
    --folder) folder=$2 ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift 2
done

bin=$(pg_config --bindir 2>/dev/null || true)
[ -x "$bin/initdb" ] || bin=/usr/lib/postgresql/15/bin
missing=''
[ -x "$bin/initdb" ] && [ -x "$bin/pgbench" ] || missing+=' postgresql-15'
[ -f "$bin/../../../../share/postgresql/15/extension/postgis.control" ] || missing+=' postgresql-15-postgis-3'
command -v psql >/dev/null || missing+=' postgresql-client-15'
if [ -n "$peer" ]; then
    for pair in fastapi:python3-fastapi sqlalchemy:python3-sqlalchemy asyncpg:python3-asyncpg geoalchemy2:python3-geoalchemy2 \
        uvicorn:uvicorn uvloop:python3-uvloop httptools:python3-httptools; do
        /usr/bin/python3 -c "import ${pair%%:*}" 2>/dev/null || missing+=" ${pair##*:}"
    done
    command -v curl >/dev/null || missing+=' curl'
fi
[ -z "$missing" ] || { echo "compare.sh: there is no$missing (Debian packages)" >&2 && exit 1; }
for program in boxoffice boxoffice_bench; do
    [ -x "$build/$program" ] || { echo "compare.sh: there is no $build/$program; bench/README.md says how to build it" >&2 && exit 1; }
done
build=$(cd "$build" && pwd)

as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
wants() { case ",$only," in *",$1,"*) true ;; *) false ;; esac; }
free_port()
{
    local port
    while port=$((20000 + RANDOM % 12000)) && (: </dev/tcp/127.0.0.1/$port) 2>/dev/null; do :; done
    echo "$port"
}

here=$(mktemp -d "$folder/boxoffice-compare-XXXXXX")
chmod 711 "$here"
mkdir "$here/postgres" && chmod 700 "$here/postgres"
[ "$(id -u)" != 0 ] || chown postgres "$here/postgres"
PGPORT=$(free_port) && export PGPORT
peer_port=$(free_port)
export PEER_HOME=$here/peer PEER_PORT=$peer_port
PEER_PG_PORT=$(free_port) && export PEER_PG_PORT

stop_postgres() { as_postgres "$bin/pg_ctl" -D "$here/postgres/data" -m fast -w stop >/dev/null; }
start_postgres()
{
    as_postgres "$bin/pg_ctl" -D "$here/postgres/data" -l "$here/postgres/log" -w start -o "-p $PGPORT -k $here/postgres \
        -c listen_addresses=127.0.0.1 -c shared_buffers=512MB -c max_wal_size=4GB $*" >/dev/null
}
close()
{
    trap '' INT TERM EXIT
    [ ! -d "$PEER_HOME" ] || "$peer/peer" stop >/dev/null 2>&1 || true
    [ ! -f "$here/postgres/data/postmaster.pid" ] || stop_postgres || true
    rm -rf "$here"
}
trap close EXIT
trap 'exit 130' INT TERM

sql() { local database=$1 && shift && psql -qAtX -v ON_ERROR_STOP=1 -d "$database" "$@"; }
url() { echo "postgresql://postgres@127.0.0.1:$PGPORT/$1"; }
# A measurement starts with nothing left to write of the one before.
settle() { sql postgres -c CHECKPOINT; }
settle_peer() { psql -qAtX -p "$PEER_PG_PORT" -d peer -c CHECKPOINT; }

# The figure a second, with what it must not do: end in errors.
pgbench_rate() # database script clients
{
    "$bin/pgbench" -n -M prepared -c "$3" -j "$(($3 < 2 ? 1 : 2))" -T "$seconds" -D now="$now" -f "$2" "$1" 2>"$here/errors" |
        awk '/^tps/ { print $3 }' | grep . || { cat "$here/errors" >&2 && return 1; }
}
bench_rate() # scenario options...
{
    "$build/boxoffice_bench" "$@" --seconds "$seconds" --warmup 1 --repeat 1 --folder "$here" >"$here/out" 2>"$here/errors" ||
        { cat "$here/out" "$here/errors" >&2 && return 1; }
    [ ! -s "$here/errors" ] || cat "$here/errors" >&2
    awk '/^median/ { print $2 }' "$here/out" | grep .
}
declare -A figures=()
measure() # name command...
{
    local name=$1 value && shift
    value=$("$@")
    figures[$name]+=" $value"
    printf '  %-28s %10.0f/s\n' "$name" "$value" >&2
}

# Of numbers: "median (least to most)".
summary() { tr ' ' '\n' | grep . | sort -g | awk -v form="$1" '{ v[NR] = $1 } END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
    printf form " (" form " to " form ")", m, v[1], v[NR] }'; }
median_of() { echo "${figures[$1]}" | summary %.6f | cut -d' ' -f1; }
row() { printf '| %s | %s |\n' "$1" "$(echo "${figures[$1]}" | summary %.0f)"; }
# The ratio of each round to the same round, and its median.
ratio() # text numerator denominator wanted
{
    local -a above below
    read -ra above <<<"${figures[$2]}"
    read -ra below <<<"${figures[$3]}"
    for i in "${!above[@]}"; do awk -v a="${above[i]}" -v b="${below[i]}" 'BEGIN { print a / b }'; done >"$here/ratios"
    printf '| %s | %s | %s |\n' "$1" "$(summary %.2f <"$here/ratios")" "$4"
}

measure_reserve()
{
    sql postgres -c 'CREATE DATABASE ideal' -c 'CREATE DATABASE hot'
    # The same tables, indexes and checks as the server's, because they are the server's.
    BOXOFFICE_DATABASE_URL=$(url ideal) "$build/boxoffice" migrate up >/dev/null
    local event
    event=$(sql ideal <<'SQL'
INSERT INTO users (email, email_folded, name, password_hash, created_at, updated_at)
SELECT i || '@example.org', i || '@example.org', 'Buyer', '', now(), now() FROM generate_series(1, 64) i;
INSERT INTO events (organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, timezone, title, venue_address, description)
SELECT min(id), '2099-06-01', '2099-06-02', 51.4779, -0.0015, now(), now(), 'UTC', 'On sale', '1 Bench Street, Greenwich', '' FROM users;
INSERT INTO inventory (event_id, total, paced_at) SELECT id, 1000000000, now() FROM events;
SELECT id FROM events;
SQL
    )
    cat >"$here/ideal.sql" <<SQL
\\set buyer random(1, 64)
WITH e AS (UPDATE inventory SET sold = sold + 1 WHERE event_id = $event AND sold < total RETURNING event_id) INSERT INTO tickets (event_id, user_id, created_at, expires_at) SELECT event_id, :buyer, now(), now() + interval '2 minutes' FROM e;
SQL
    if [ -n "$peer" ]; then
        "$peer/peer" load 1000 >/dev/null
        for buyer in $(seq 64); do echo "POST /api/v1/tickets/ {\"user_id\":$buyer,\"event_id\":1}"; done >"$here/peer-reserve"
    fi
    for round in $(seq "$rounds"); do
        echo "reserve, round $round" >&2
        for clients in 1 8 64; do settle && measure "pgbench, $clients clients" pgbench_rate ideal "$here/ideal.sql" "$clients"; done
        # Held for an hour: on either side nothing lapses while it is measured.
        for clients in 64 512; do
            settle
            measure "boxoffice, $clients connections" bench_rate reserve --connections "$clients" --hold-seconds 3600 \
                --database-url "$(url hot)"
        done
        if [ -n "$peer" ]; then
            settle_peer
            measure "peer, 64 connections" bench_rate replay --port "$peer_port" --requests "$here/peer-reserve" --status 201
        fi
    done
    local best='pgbench, 1 clients' clients
    for clients in 8 64; do
        awk -v a="$(median_of "pgbench, $clients clients")" -v b="$(median_of "$best")" 'BEGIN { exit !(a > b) }' &&
            best="pgbench, $clients clients"
    done
    printf '\n### One hot event: reservations a second\n\n| who | median (least to most) |\n| --- | ---: |\n'
    for clients in 1 8 64; do row "pgbench, $clients clients"; done
    for clients in 64 512; do row "boxoffice, $clients connections"; done
    [ -z "$peer" ] || row 'peer, 64 connections'
    printf '\n| ratio | median (least to most) | wanted |\n| --- | ---: | ---: |\n'
    for clients in 64 512; do
        ratio "boxoffice, $clients / $best (its best)" "boxoffice, $clients connections" "$best" 6
        ratio "boxoffice, $clients / pgbench, 64" "boxoffice, $clients connections" 'pgbench, 64 clients' 15
        [ -z "$peer" ] || ratio "boxoffice, $clients / peer" "boxoffice, $clients connections" 'peer, 64 connections' 40
    done
}

# The statement of src/postgres/queries.cpp, nearby(), as a search without past and sold-out events sends it.
write_nearby_script()
{
    local latitudes longitudes
    latitudes=$(awk '{ printf " when :i = %d then %s", NR, $1 }' "$here/centres")
    longitudes=$(awk '{ printf " when :i = %d then %s", NR, $2 }' "$here/centres")
    cat <<SQL
\\set i random(1, $(wc -l <"$here/centres"))
\\set latitude case$latitudes end
\\set longitude case$longitudes end
WITH here AS (SELECT ST_SetSRID(ST_MakePoint(:longitude::float8, :latitude::float8), 4326)::geography AS p), circle AS MATERIALIZED (SELECT e.id, round(ST_Distance(e.place, here.p) * 1000) / 1000 AS m FROM events e, here WHERE e.removed_at IS NULL AND ST_DWithin(e.place, here.p, :radius::float8 + 0.001) AND e.end_time > :now::timestamptz AND NOT EXISTS (SELECT 1 FROM sold_out s WHERE s.event_id = e.id)), page AS (SELECT id, m FROM circle WHERE m <= :radius::float8 ORDER BY m, id LIMIT :limit::bigint OFFSET :skip::bigint) SELECT c.n, p.m, e.id, e.title, e.description, e.start_time, e.end_time, e.timezone, i.total, i.sold, e.venue_address, e.latitude, e.longitude, e.organizer_id, e.created_at, e.updated_at FROM (SELECT count(*) AS n FROM circle WHERE m <= :radius::float8) c LEFT JOIN (page p JOIN events e ON e.id = p.id JOIN inventory i ON i.event_id = p.id) ON true ORDER BY p.m, p.id;
SQL
}

measure_nearby()
{
    sql postgres -c 'CREATE DATABASE catalogue'
    echo "filling the catalogue with $events events" >&2
    BOXOFFICE_DATABASE_URL=$(url catalogue) "$build/boxoffice" demo --events "$events" >"$here/out" 2>&1 || { cat "$here/out" >&2 && exit 1; }
    sql catalogue -c 'VACUUM ANALYZE'
    # The same hundred centres for all: places of events, by chance.
    sql catalogue -F ' ' -c 'SELECT latitude, longitude FROM events ORDER BY hashint8(id) LIMIT 100' >"$here/centres"
    awk '{ print "GET /api/v1/for-you/events/nearby?latitude=" $1 "&longitude=" $2 "&radius_km=100&limit=10" }' "$here/centres" >"$here/searches"
    { printf '\\set radius 100000\n\\set limit 10\n\\set skip 0\n' && write_nearby_script; } >"$here/nearby.sql"
    if [ -n "$peer" ]; then
        "$peer/peer" load 1 >/dev/null
        psql -qAtX -p "$PEER_PG_PORT" -d peer -c 'TRUNCATE events, tickets RESTART IDENTITY'
        sql catalogue -c 'COPY (SELECT e.title, e.start_time, e.end_time, i.total, i.sold, e.venue_address, e.place FROM events e
            JOIN inventory i ON i.event_id = e.id ORDER BY e.id) TO STDOUT' |
            psql -qAtX -p "$PEER_PG_PORT" -d peer -c 'COPY events (title, start_time, end_time, total_tickets, tickets_sold,
                venue_address, venue_location) FROM STDIN' -c 'VACUUM ANALYZE events'
    fi
    for round in $(seq "$rounds"); do
        echo "nearby, round $round" >&2
        for clients in 2 4 8; do settle && measure "pgbench nearby, $clients clients" pgbench_rate catalogue "$here/nearby.sql" "$clients"; done
        measure 'boxoffice nearby, 64 connections' bench_rate replay --requests "$here/searches" --database-url "$(url catalogue)"
        [ -z "$peer" ] || measure 'peer nearby, 64 connections' bench_rate replay --port "$peer_port" --requests "$here/searches"
    done
    local best='pgbench nearby, 2 clients' clients
    for clients in 4 8; do
        awk -v a="$(median_of "pgbench nearby, $clients clients")" -v b="$(median_of "$best")" 'BEGIN { exit !(a > b) }' &&
            best="pgbench nearby, $clients clients"
    done
    printf '\n### Nearby: searches a second of 100 km, 10 results, over %s events\n\n| who | median (least to most) |\n| --- | ---: |\n' "$events"
    for clients in 2 4 8; do row "pgbench nearby, $clients clients"; done
    row 'boxoffice nearby, 64 connections'
    [ -z "$peer" ] || row 'peer nearby, 64 connections'
    printf '\n| ratio | median (least to most) | wanted |\n| --- | ---: | ---: |\n'
    ratio "boxoffice / $best (its best)" 'boxoffice nearby, 64 connections' "$best" 0.6
    [ -z "$peer" ] || ratio 'boxoffice / peer' 'boxoffice nearby, 64 connections' 'peer nearby, 64 connections' 3
}

measure_workers()
{
    # The time of each commit, for what it tells of the lag; not while throughput is measured, because it costs something.
    stop_postgres
    start_postgres -c track_commit_timestamp=on
    sql postgres -c 'CREATE DATABASE due'
    printf '\n### Release lag over two workers\n\n```\n'
    "$build/boxoffice_bench" workers --database-url "$(url due)" --holds "$holds" --repeat "$rounds" --folder "$here" ||
        echo 'NOT AS PROMISED: a hold was released early or not at all'
    printf '```\n'
}

now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
as_postgres "$bin/initdb" -D "$here/postgres/data" -E UTF8 -U postgres -A trust >/dev/null
start_postgres
[ -z "$peer" ] || "$peer/peer" start >/dev/null
printf '%s, %s cores (%s), %s, %s; %s rounds of %s s each, load generator included\n\n' "$(uname -sr)" "$(nproc)" \
    "$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)" "$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo)" \
    "$(sql postgres -c "SELECT 'PostgreSQL ' || split_part(version(), ' ', 2) || ', fsync ' || current_setting('fsync') || ', synchronous_commit ' ||
        current_setting('synchronous_commit')")" "$rounds" "$seconds"
if wants reserve; then measure_reserve; fi
if wants nearby; then measure_nearby; fi
if wants workers; then measure_workers; fi
