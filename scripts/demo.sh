#!/bin/sh
# Builds examples/server and examples/client, runs them as two processes, and
# checks that what the client prints came from the server. Leaves nothing behind.
set -eu

cd "$(dirname "$0")/.."
dir=$(mktemp -d)
server=
client=

fail() {
	echo "demo: $*" >&2
	exit 1
}

cleanup() {
	for pid in $server $client; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

go build -o "$dir/" ./examples/server ./examples/client

# Both write to one pipe, so that the lines appear in the order of events.
name=qnxshm-demo-$$
mkfifo "$dir/out"
"$dir/server" -name "$name" -clients 1 >"$dir/out" &
server=$!
exec 3<"$dir/out"
IFS= read -r line <&3 || fail "the server ended before it served"
echo "$line"
"$dir/client" -name "$name" >"$dir/out" &
client=$!
wait "$client" || fail "the client failed"
tee "$dir/lines" <&3 # ends with the server, which one client was enough for
wait "$server" || fail "the server failed"

server_pid=$server client_pid=$client
server='' client=''
[ "$server_pid" != "$client_pid" ] || fail "one process was both server and client"
grep -Fqx "client $client_pid: Hello from $server_pid" "$dir/lines" ||
	fail "no line \"client $client_pid: Hello from $server_pid\""
for pid in "$server_pid" "$client_pid"; do
	if kill -0 "$pid" 2>/dev/null; then
		fail "process $pid is left"
	fi
done
if grep -E "@(.*[^0-9a-zA-Z])?($server_pid|$client_pid|$name)([^0-9a-zA-Z]|\$)" /proc/net/unix >&2; then
	fail "a socket is left"
fi

echo "demo: process $client_pid read what process $server_pid wrote; nothing is left behind"
