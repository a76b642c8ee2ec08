#!/usr/bin/env bash
# Make the virtual environment and install the locked packages. Needs Python 3.11 or newer.
set -euo pipefail
python=${PYTHON:-python3}
venv=${VENV:-.venv}

stop() { echo "make setup: $*" >&2; exit 1; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    stop "needs Python 3.11 or newer as $python (Debian: apt-get install python3; or PYTHON=/path/to/python3.11 make setup)"

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
        stop "$python has no venv module (Debian: sudo apt-get install python3-venv)"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
fi

# An environment whose Python was removed or replaced is made anew.
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
