# Sourced by run and test. Debian 12 and 13 have everything the build needs; what is already there is never asked for again.

# "12", "13"; empty on what is not Debian.
debian_release() {
    [[ -r /etc/os-release ]] || return 0
    (. /etc/os-release && [[ ${ID-} == debian ]] && echo "${VERSION_ID-}") || true
}

# The one name that carries a library's version.
case $(debian_release) in
    13) boost_version=1.83 postgresql_version=17 ;;
    *) boost_version=1.81 postgresql_version=15 ;;
esac

build_packages=(
    ca-certificates ccache clang-19 cmake libabsl-dev libboost-url$boost_version-dev libboost$boost_version-dev libcli11-dev libcrypt-dev
    libcurl4-openssl-dev libfmt-dev libgeographiclib-dev libhiredis-dev libicu-dev libpq-dev libsimdjson-dev
    libsqlite3-dev libssl-dev lld-19 ninja-build nodejs npm prometheus-cpp-dev tzdata zlib1g-dev
)
test_packages=(
    clang-format-19 clang-tidy-19 haproxy libbenchmark-dev libclang-rt-19-dev libgmock-dev libgtest-dev libhowardhinnant-date-dev
    librapidcheck-dev llvm-19 nlohmann-json3-dev postgresql-$postgresql_version postgresql-$postgresql_version-postgis-3 python3 redis-server sqlite3
)

# A node of at least version 18 with npm, from wherever it came.
has_node() {
    local version
    command -v npm >/dev/null && version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    ((${version%%.*} >= 18))
}

# "412 MB to download, 2100 MB on disk", as apt reckons it; empty when it cannot be told.
cost_of() {
    LC_ALL=C apt-get install --assume-no --no-install-recommends "$@" 2>/dev/null |
        sed -n -e 's/^Need to get \(.*\) of archives\.$/\1 to download/p' \
            -e 's/^After this operation, \(.*\) of additional disk space will be used\.$/\1 on disk/p' |
        paste -sd, - | sed 's/,/, /'
}

# install_packages NAME...: installs those that are missing, as root or through sudo; as neither, says what to run.
install_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "This is not a Debian system, so nothing was installed. The build needs what tools/install_packages.sh lists; without" >&2
        echo "it, \"docker build -t boxoffice .\" makes an image that has everything in it (README, \"Run it for real\")." >&2
        return 0
    fi
    local installed name missing=()
    installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
    for name in "$@"; do
        grep --quiet --line-regexp --fixed-strings "installed $name" <<<"$installed" || missing+=("$name")
    done
    if [[ " ${missing[*]} " =~ \ (nodejs|npm)\  ]] && has_node; then
        local others=()
        for name in "${missing[@]}"; do
            [[ $name == nodejs || $name == npm ]] || others+=("$name")
        done
        missing=("${others[@]}")
    fi
    ((${#missing[@]})) || return 0

    local as_root=()
    if ((EUID != 0)); then
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 && -t 2 ]]; }; then
            as_root=(sudo)
        else
            echo "These packages are missing, and only root may install them. Run this, then start again:" >&2
            echo "  apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
    fi
    "${as_root[@]}" apt-get update >&2
    local absent=()
    for name in "${missing[@]}"; do
        LC_ALL=C apt-cache policy "$name" 2>/dev/null | grep --quiet 'Candidate: [^(]' || absent+=("$name")
    done
    if ((${#absent[@]})); then
        echo "This system has no package ${absent[*]}. boxoffice is built on Debian 12 and 13; elsewhere, \"docker build -t boxoffice .\"" >&2
        echo "makes an image that has everything in it (README, \"Run it for real\")." >&2
        exit 1
    fi
    local cost
    cost=$(cost_of "${missing[@]}")
    echo "Installing ${#missing[@]} packages${cost:+ ($cost)}, a few minutes on a usual line: ${missing[*]}" >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}" >&2
}
