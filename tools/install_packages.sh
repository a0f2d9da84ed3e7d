# Sourced by run and test. Debian 12 has everything the build needs; what is already there is never asked for again.

build_packages=(
    ca-certificates ccache clang-19 cmake libboost-url1.81-dev libboost1.81-dev libcli11-dev libcrypt-dev
    libcurl4-openssl-dev libfmt-dev libgeographiclib-dev libhiredis-dev libhowardhinnant-date-dev libpq-dev libsimdjson-dev
    libsqlite3-dev libssl-dev lld-19 ninja-build nodejs npm prometheus-cpp-dev tzdata zlib1g-dev
)
test_packages=(
    clang-format-19 clang-tidy-19 libbenchmark-dev libclang-rt-19-dev libgmock-dev libgtest-dev librapidcheck-dev llvm-19
    nlohmann-json3-dev postgresql-15 postgresql-15-postgis-3 python3 redis-server sqlite3
)

# A node of at least version 18 with npm, from wherever it came.
has_node() {
    local version
    command -v npm >/dev/null && version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    ((${version%%.*} >= 18))
}

# install_packages NAME...: installs those that are missing, as root or through sudo; as neither, says what to run.
install_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "This is not a Debian system, so nothing was installed; the build needs what tools/install_packages.sh lists." >&2
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
    echo "Installing ${missing[*]}" >&2
    "${as_root[@]}" apt-get update >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}" >&2
}
