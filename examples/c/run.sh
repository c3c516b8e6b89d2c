#!/bin/sh
# Runs an example, or a server and then its client, and compares what they print with
# what the comments on top of their sources say; there * stands for anything.
#
#	run.sh PROGRAM
#	run.sh SERVER CLIENT
#
# RUNNER in the environment is put before each program: valgrind, say.
set -eu

sources=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
name=example-$$
server=

cleanup() {
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() { # which program, what
	echo "run.sh: $1: $2" >&2
	cat "$dir/$1.out" "$dir/$1.err" >&2
	exit 1
}

source_of() {
	for file in "$sources/$1.c" "$sources/$1.cpp"; do
		[ ! -f "$file" ] || echo "$file"
	done
}

become() { # a program
	program=$(basename "$1")
	# RUNNER is words.
	# shellcheck disable=SC2086
	exec ${RUNNER:-} "$1" "$name" >"$dir/$program.out" 2>"$dir/$program.err"
}

# The program has ended with this status; does it print what it says?
check() { # program, status
	[ "$2" = 0 ] || fail "$1" "ended with $2"
	[ ! -s "$dir/$1.err" ] || fail "$1" "something on standard error"
	sed -n '/^ \* Prints/,/^ \*\//s/^ \*	//p' "$(source_of "$1")" >"$dir/$1.want"
	[ -s "$dir/$1.want" ] || fail "$1" "its source does not say what it prints"
	exec 3<"$dir/$1.want" 4<"$dir/$1.out"
	while IFS= read -r want <&3; do
		IFS= read -r line <&4 || fail "$1" "does not print: $want"
		# The words of the comment are a pattern.
		# shellcheck disable=SC2254
		case $line in
		$want) ;;
		*) fail "$1" "prints: $line, not: $want" ;;
		esac
	done
	! IFS= read -r line <&4 || fail "$1" "prints more: $line"
}

if [ $# = 1 ]; then
	status=0
	(become "$1") || status=$?
	check "$(basename "$1")" "$status"
	exit
fi

become "$1" &
server=$!
tries=0
serving=$(basename "$1")
until [ -s "$dir/$serving.out" ]; do # its first line comes when it has its name
	tries=$((tries + 1))
	[ "$tries" -lt 600 ] || fail "$serving" "does not begin"
	kill -0 "$server" 2>/dev/null || fail "$serving" "has ended"
	sleep 0.1
done
status=0
(become "$2") || status=$?
check "$(basename "$2")" "$status"
# A signal that comes just before the server waits does not end the wait.
if grep -q SIGINT "$(source_of "$serving")"; then
	while kill -INT "$server" 2>/dev/null; do
		sleep 0.1
	done
fi
status=0
wait "$server" || status=$?
server=
check "$serving" "$status"
