#!/bin/sh
# Install Debian packages where that is possible; otherwise say which are wanted.
set -eu
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "$@" >/dev/null
else
  echo "These packages are needed and only root can install them: $*" >&2
  exit 1
fi
