#!/usr/bin/env bash
# Install the programs the tests drive: Chromium and PostgreSQL. Usage: tools/test_setup.sh PYTHON
set -euo pipefail
python=$1

missing() {
    "$python" -m tests.chromium >/dev/null 2>&1 || echo chromium fonts-noto-cjk
    "$python" -m tests.postgres >/dev/null 2>&1 || echo postgresql
}

packages=$(missing | xargs)
[ -z "$packages" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    # shellcheck disable=SC2086  # one word per package
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    packages=$(missing | xargs)
    [ -z "$packages" ] && exit 0
fi
echo "make test: needs $packages (Debian: sudo apt-get install --no-install-recommends $packages)" >&2
exit 1
