#!/bin/sh
# Makes what the tests need: MariaDB, PostgreSQL, sqlite3, perl, python3 and a Home Assistant to ask and to start. Asks
# nothing, installs only what is missing, and is quick when nothing is. Called by `make setup`.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
venv=${LATCHLIFT_HA_VENV:-$root/target/ha-venv}

say() { printf 'setup: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

# /usr/sbin is not in everybody's PATH, and Debian keeps PostgreSQL's own programs out of it altogether.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
has_postgres() { has initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }

missing=
want() { missing="$missing $1"; }
has mariadbd && has mariadb-install-db || want mariadb-server
has mariadb || want mariadb-client
has_postgres || want postgresql
has psql || want postgresql-client
has sqlite3 || want sqlite3
has perl || want perl
has setpriv || want util-linux
has python3 || want python3
# Debian's python3 has the module `venv` but not what it needs to make one, unless python3-venv is installed.
[ -x "$venv/bin/python" ] || python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || want python3-venv

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif has sudo && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 77
    fi
}

# Packages of servers start a service as they are installed. The tests run servers of their own and must not leave
# one behind, so for the time of the installation the machine's policy says no; a policy that is there is kept.
install_packages() {
    policy=/usr/sbin/policy-rc.d
    mine=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy" && mine=yes
    fi
    [ -z "$mine" ] || trap 'as_root rm -f "$policy"' EXIT INT TERM
    # No cluster either: the tests make their own.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        as_root mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
    # shellcheck disable=SC2086 # a list of packages
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >&2
    if [ -n "$mine" ]; then as_root rm -f "$policy"; trap - EXIT INT TERM; fi
}

if [ -n "$missing" ]; then
    if ! has apt-get; then
        say "these are missing, and there is no apt-get to install them with:$missing"
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ] && ! { has sudo && sudo -n true 2>/dev/null; }; then
        say "these are missing:$missing"
        say "install them as root: apt-get install$missing"
        exit 1
    fi
    say "installing$missing"
    install_packages
fi

pip_install() { "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }

# The newest Home Assistant the machine's Python runs; pip picks it by what each release says it needs.
if ! "$venv/bin/python" -c 'import homeassistant.auth, bcrypt' >/dev/null 2>&1; then
    say "making $venv with Home Assistant (some minutes, once)"
    rm -rf "$venv"
    mkdir -p "$(dirname -- "$venv")"
    python3 -m venv "$venv"
    pip_install wheel
    pip_install homeassistant
fi

# What its start-up would install by itself, in the versions it asks for and within its own constraints.
needed=$("$venv/bin/python" "$root/tests/oracle/ha_requirements.py")
if [ -n "$needed" ]; then
    say "installing what Home Assistant needs to start:" $needed
    constraints=$("$venv/bin/python" -c 'import homeassistant as h, pathlib as p; print(p.Path(h.__file__).parent)')
    # shellcheck disable=SC2086 # a list of requirements
    pip_install -c "$constraints/package_constraints.txt" $needed
fi

# Its web server imports its cloud's library at each request. Releases of years ago did not say that this needs a
# josepy from before 2.0.
"$venv/bin/python" -c 'import hass_nabucasa' >/dev/null 2>&1 || pip_install 'josepy<2'
say "ready ($("$venv/bin/python" -c 'from homeassistant.const import __version__ as v; print("Home Assistant", v)'))"
