#!/bin/sh
# A command as the daemon's user with the lane's keys, where they are systemd credentials:
#     sudo /opt/examgate/systemd/with-credentials.sh examgate roster import DIR
set -eu
drop_in=${EXAMGATE_CREDENTIALS:-/etc/systemd/system/examgate.service.d/credentials.conf}
if [ $# -eq 0 ] || [ ! -r "$drop_in" ]; then
    echo "usage: with-credentials.sh COMMAND …   (the credentials are those of $drop_in)" >&2
    exit 2
fi
command=$(command -v "$1") || { echo "with-credentials.sh: $1 is not a command" >&2; exit 2; }
shift
given=$(sed -n 's/^\(LoadCredential[A-Za-z]*=.*\)$/--property=\1/p' "$drop_in")
# shellcheck disable=SC2086 - one word a line, and none of them has a blank
exec systemd-run --quiet --pipe --wait --collect --uid=examgate --gid=examgate \
    --working-directory="$PWD" --setenv=LANG="${LANG:-}" $given -- "$command" "$@"
