#!/bin/sh
# Becomes the user of PUID and PGID with the umask of UMASK, and then the command itself: signals
# reach it, nothing of root stays. A container that was started as another user stays that one.
set -eu
umask "${UMASK:-022}"
[ "$(id -u)" = 0 ] || exec "$@"
user=${PUID:-1000} group=${PGID:-1000}
for id in "$user" "$group"; do
    case $id in
    '' | *[!0-9]* | 0)
        echo "PUID and PGID must be numbers other than 0, not '$id'" >&2
        exit 2
        ;;
    esac
done
data=${SIDECAR_SERVER__DATA_DIR:-/config}
# A new volume belongs to root. What is in one that is in use is not touched.
if [ "$(stat -c %u "$data")" = 0 ]; then
    chown "$user:$group" "$data"
fi
exec setpriv --reuid "$user" --regid "$group" --clear-groups --inh-caps=-all --no-new-privs -- "$@"
