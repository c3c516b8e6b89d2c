#!/bin/sh
# Stands for qcc: refuses the options of gcc that qcc refuses or means otherwise,
# else runs the system's gcc or g++. It words its refusals so that the go command
# does not take them for one (it looks for "unknown" and the like). $FAKE_LOG collects the command lines,
# $FAKE_STATUS is a status to end with.
[ -z "${FAKE_LOG-}" ] || printf 'qcc %s\n' "$*" >>"$FAKE_LOG"
[ -z "${FAKE_STATUS-}" ] || exit "$FAKE_STATUS"

die() {
	echo "qcc: $*" >&2
	exit 1
}

bin=$(cd -- "$(dirname -- "$0")" && pwd)
if [ "$*" = -V ]; then
	echo "cc: targets available in $bin:" >&2
	sed 's/^/	/' "$bin/qcc.list" >&2
	exit 0
fi
[ -d "${QNX_HOST-}" ] || die "QNX_HOST is not set"
[ -d "${QNX_TARGET-}" ] || die "QNX_TARGET is not set"

target='' next='' left=$#
while [ "$left" -gt 0 ]; do
	arg=$1
	shift
	left=$((left - 1))
	case $next in
	-V) target=$arg next='' && continue ;;
	-o) set -- "$@" "$arg" && next='' && continue ;;
	esac
	case $arg in
	-V) next=-V ;;
	-V*) target=${arg#-V} ;;
	-o) next=-o && set -- "$@" "$arg" ;;
	-pthread | -lpthread | -lrt | -ldl | -m64 | -rdynamic | -no-pie | -nopie | -Qunused-arguments) die "bad option $arg" ;;
	-dM | -M | -MM | -MD | -MMD | -MT | -MF | -P) die "bad option $arg" ;;
	-v | -print-search-dirs | --target=* | --sysroot* | -fuse-ld=*) die "bad option $arg" ;;
	-I) die "-I needs a directory" ;;
	- | -x | '-###') die "bad option $arg" ;;
	*) set -- "$@" "$arg" ;;
	esac
done
[ -n "$target" ] || die "no target given"
grep -Eqx "([0-9.]+,)?${target#*,}" "$bin/qcc.list" || die "no target $target"
set -- "$@" -isystem "$QNX_TARGET/usr/include"
case $target in
*_gpp | *_cxx) exec g++ "$@" ;;
*) exec gcc "$@" ;;
esac
