#!/usr/bin/env bash
# Does a store of an earlier version open, upgrade and sell, and does a node of that version sell beside one of this version on one
# PostgreSQL, without an error and without a wrong answer? Builds the earlier tree beside this one; for a person to run, not for
# continuous integration.
#   tests/upgrade/run.sh [REVISION]    (default: the newest release tag, else the commit of the released CHANGELOG version)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

revision=${1-$(git describe --tags --abbrev=0 2>/dev/null || git log -1 --format=%H -S'## 0.2.0' -- CHANGELOG.md)}
[[ -n $revision ]] || { echo "usage: tests/upgrade/run.sh REVISION" >&2 && exit 2; }
[[ -x build/release/boxoffice ]] || { echo "build this version first: ./run --build" >&2 && exit 1; }

here=$(mktemp -d "${TMPDIR:-/tmp}/boxoffice-upgrade-XXXXXX")
chmod 711 "$here"
earlier=${BOXOFFICE_EARLIER-}
close() {
    [[ ! -d $here/earlier ]] || git worktree remove --force "$here/earlier" || true
    rm -rf "$here"
}
trap close EXIT
trap 'exit 130' INT TERM

if [[ -z $earlier ]]; then
    git worktree add --detach "$here/earlier" "$revision" >/dev/null
    (cd "$here/earlier" && ./run --build)
    earlier=$here/earlier/build/release/boxoffice
fi
python3 tests/upgrade/upgrade.py "$earlier" "$PWD/build/release/boxoffice" "$here"
