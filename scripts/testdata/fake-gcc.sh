#!/bin/sh
# Stands for a gcc of an SDP: refuses what that one refuses, else runs the system's.
# $FAKE_LOG collects the command lines, $FAKE_STATUS is a status to end with.
name=${0##*/}
[ -z "${FAKE_LOG-}" ] || printf '%s %s\n' "$name" "$*" >>"$FAKE_LOG"
[ -z "${FAKE_STATUS-}" ] || exit "$FAKE_STATUS"

refuse() {
	echo "$name: error: unrecognized command-line option '$1'" >&2
	exit 1
}

for arg; do
	case $arg in
	-lpthread | -lrt | -ldl) refuse "$arg" ;; # QNX has all of these in libc
	-m64) case $name in *aarch64*) refuse "$arg" ;; esac ;;
	esac
	[ "$arg" != "${FAKE_REFUSE-}" ] || refuse "$arg"
done
bin=$(cd -- "$(dirname -- "$0")" && pwd)
[ "$*" != -dumpversion ] || exec cat "$bin/gcc.version"
for include in "$bin"/../../../../../target/*/usr/include; do
	set -- "$@" -isystem "$include"
done
case $name in
*-ar) exec ar "$@" ;;
*++) exec g++ "$@" ;;
*) exec gcc "$@" ;;
esac
