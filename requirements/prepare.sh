#!/usr/bin/env bash
# Installs what a make target needs and is not there yet:  prepare.sh run|test|bench
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022
target=${1:?usage: prepare.sh run|test|bench}

say() { printf '%s\n' "$*" >&2; }

find_python() {  # the first interpreter of version 3.11 or later
    local name
    for name in ${PYTHON:-} python3.11 python3 python3.12 python3.13; do
        if "$name" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -z "${1:-}" ]; then
        install_debian python3 && find_python again
        return
    fi
    say "Python 3.11 or later is needed and was not found. Set PYTHON to its path."
    return 1
}

install_debian() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=600 -qq update >&2
    apt-get -o DPkg::Lock::Timeout=600 -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends install "$@" >&2
}

debian_packages() {  # installs the packages named in the given lists, or says which command does
    local package program missing=()
    command -v dpkg-query >/dev/null || { say "This is not Debian: the packages in $* are taken as installed."; return; }
    while read -r package program; do
        case $package in
            ''|'#'*) continue ;;
            python3-*) [ "$(dirname "$python")" = /usr/bin ] || continue ;;
        esac
        [ -n "$program" ] && command -v "$program" >/dev/null && continue
        dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
    done < <(cat "$@")
    [ ${#missing[@]} = 0 ] && return
    if [ "$(id -u)" = 0 ]; then
        say "Installing ${missing[*]}"
        install_debian "${missing[@]}"
    else
        say "Debian packages are missing. Run once:"
        say "  sudo apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
}

virtual_environment() {  # .venv from a requirements file, anew only when what it is made from changed
    local wanted stamp=".venv/.installed-$1"
    wanted=$(cat requirements/{base,prod,dev,recordings,constraints}.txt <("$python" -VV) | sha256sum | cut -d' ' -f1)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    if ! .venv/bin/python -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
        rm -rf .venv
        "$python" -m venv .venv
    fi
    say "Installing the Python packages of requirements/$1.txt"
    local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input)
    "${pip[@]}" -r "requirements/$1.txt" -c requirements/constraints.txt >&2
    if [ "$1" = dev ]; then
        "${pip[@]}" --no-deps -r requirements/recordings.txt >&2
        echo "$wanted" > .venv/.installed-prod
    fi
    echo "$wanted" > "$stamp"
}

node_packages() {
    local wanted stamp=tests/e2e/node_modules/.installed
    wanted=$(sha256sum < tests/e2e/package-lock.json | cut -d' ' -f1)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    say "Installing the Node packages of tests/e2e"
    (cd tests/e2e && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    echo "$wanted" > "$stamp"
}

exec 9>.venv.lock
flock 9
python=$(find_python)
case $target in
    run)
        debian_packages requirements/apt-run.txt
        virtual_environment prod
        ;;
    test)
        debian_packages requirements/apt-run.txt requirements/apt-test.txt
        virtual_environment dev
        node_packages
        ;;
    bench)
        debian_packages requirements/apt-run.txt requirements/apt-bench.txt
        virtual_environment dev
        ;;
    *) say "prepare.sh: unknown target $target"; exit 2 ;;
esac
.venv/bin/python -m apps.system.translations
