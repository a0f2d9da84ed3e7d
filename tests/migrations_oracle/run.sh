#!/usr/bin/env bash
# Is what we take for dbmate's format dbmate's format? Both apply the same files to a store of their own, and then each goes on
# with the other's. Needs `npm ci` here beforehand; without it the answer is 77: not asked.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
boxoffice=${BOXOFFICE_BINARY:?the built boxoffice}
migrations=${BOXOFFICE_SOURCE:?the root of the checkout}/src/sqlite/migrations
dbmate=$here/node_modules/.bin/dbmate
# The settings of whoever runs the test are not the test's.
unset BOXOFFICE_BINARY BOXOFFICE_SOURCE "${!BOXOFFICE_@}" "${!DBMATE_@}" DATABASE_URL

if ! "$dbmate" --version >/dev/null 2>&1; then
    echo "migrations_oracle: skipped: there is no dbmate; run (cd tests/migrations_oracle && npm ci)"
    exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir theirs ours

by_dbmate() {
    local store=$1
    shift
    "$dbmate" --url "sqlite:$work/$store/boxoffice.db" --no-dump-schema --migrations-dir "$migrations" "$@"
}
by_us() { "$boxoffice" migrate "$2" --data "$work/$1"; }

# Everything that the migrations made, and which are recorded. Each side makes the record's table in its own spelling, and ours
# has a second one for its checksums.
schema() {
    sqlite3 "$1/boxoffice.db" "SELECT type, name, tbl_name, sql FROM sqlite_schema
        WHERE tbl_name NOT IN ('schema_checksums', 'schema_migrations') ORDER BY type, name"
    sqlite3 "$1/boxoffice.db" "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('schema_migrations')"
    sqlite3 "$1/boxoffice.db" "SELECT 'applied', version FROM schema_migrations ORDER BY version"
}

complain() {
    echo "migrations_oracle: $1" >&2
    exit 1
}

same_schema() {
    diff <(schema theirs) <(schema ours) || complain "$1: dbmate's schema (<) is not ours (>); see src/sqlite/migrations.cpp, which reads the files"
}

# What both programs say of a store, by number: none may be missing on either side.
count=$(find "$migrations" -name '*.sql' | wc -l)
((count > 0)) || complain "there is no migration in $migrations"
expect_applied() {
    local store=$1 wanted=$2 said
    said=$(by_us "$store" status) || complain "boxoffice refuses the store in '$store'"
    [[ $(grep -c '^\[x\] ' <<<"$said") == "$wanted" ]] || complain "boxoffice says of '$store', where $wanted are applied: $said"
    said=$(by_dbmate "$store" status) || complain "dbmate refuses the store in '$store'"
    grep -qx "Applied: $wanted" <<<"$said" || complain "dbmate says of '$store', where $wanted are applied: $said"
    grep -qx "Pending: $((count - wanted))" <<<"$said" || complain "dbmate says of '$store', where $wanted are applied: $said"
}

by_dbmate theirs up
by_us ours up
same_schema "after up"
[[ $(schema ours) == *$'\ntable|tickets|'* ]] || complain "the schema that was compared has no tickets"
expect_applied theirs "$count"
expect_applied ours "$count"

# Each undoes the last migration of the other's store, and the other finds nothing left of it.
by_us theirs down
by_dbmate ours rollback
same_schema "after down"
expect_applied theirs $((count - 1))
expect_applied ours $((count - 1))

# And forward again, by the other hand than the first time.
by_us theirs up
by_dbmate ours up
same_schema "after down and up"
expect_applied theirs "$count"
expect_applied ours "$count"
echo "migrations_oracle: $count migration(s), the same by dbmate and by boxoffice, there and back"
