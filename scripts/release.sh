#!/usr/bin/env bash
# Makes what a release has besides the Go module, which is the tag itself: the C
# library for this machine's processor.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: release.sh archive DIR     libqnxhost-<version>-linux-<processor>.tar.gz, with
                                  headers, library, pkg-config files and CMake package;
                                  tried before it is left in DIR
       release.sh checksums DIR   SHA256SUMS of the archives in DIR
       release.sh notes           what CHANGELOG.md says of this version
       release.sh check TAG       that TAG, such as v0.1.0, is the tag of this version,
                                  and that CHANGELOG.md has its date
TEXT
}

die() {
	echo "release.sh: $*" >&2
	exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The first version that CHANGELOG.md has.
heading=$(grep -m 1 -E '^## \[[0-9]' "$root/CHANGELOG.md") || die "CHANGELOG.md has no version"
version=${heading#*[}
version=${version%%]*}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "no version: $heading"

archive() { # directory
	local name tmp
	name=libqnxhost-$version-linux-$(go env GOARCH)
	tmp=$(mktemp -d)
	# Expanded now: the variable is gone then.
	# shellcheck disable=SC2064
	trap "rm -rf '$tmp'" EXIT
	"$root/scripts/install-c.sh" "$tmp/$name" >&2
	find "$tmp/$name" -name "libqnxhost.so.$version" -type f | grep -q . ||
		die "the library's version is not $version, the first of CHANGELOG.md"
	try "$tmp" "$name"
	# The same files give the same archive.
	tar -C "$tmp" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - "$name" |
		gzip -9n >"$1/$name.tar.gz"
	echo "$1/$name.tar.gz"
}

# try builds a program with what is to be in the archive, from another place than
# where it was made, and runs it.
try() { # directory name
	local flags
	mv "$1/$2" "$1/moved"
	cat >"$1/try.c" <<'TEXT'
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	shm_handle_t handle;
	int fd = shm_open(SHM_ANON, O_RDWR | O_CREAT, 0600), received;
	char *p;

	if (fd == -1 || ftruncate(fd, 4096) != 0 || shm_create_handle(fd, getpid(), O_RDWR, &handle, 0) != 0)
		return 1;
	if ((received = shm_open_handle(handle, O_RDWR)) == -1)
		return 2;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, received, 0);
	if (p == MAP_FAILED)
		return 3;
	strcpy(p, "a handle made and opened");
	if (shm_open_handle(handle, O_RDWR) != -1 || errno != ESRCH)
		return 4;
	puts(p);
	return 0;
}
TEXT
	if command -v pkg-config >/dev/null; then
		flags=$(PKG_CONFIG_PATH=$1/moved/lib/pkgconfig pkg-config --cflags --libs qnxhost)
	else
		flags="-I$1/moved/include/qnxhost -L$1/moved/lib -Wl,-rpath,$1/moved/lib -lqnxhost"
	fi
	# shellcheck disable=SC2086 # flags are several
	"${CC:-gcc}" -Wall -Wextra -Werror -o "$1/try" "$1/try.c" $flags
	(cd / && timeout 60 "$1/try" >&2) || die "a program with the library fails"
	mv "$1/moved" "$1/$2"
}

checksums() { # directory
	cd "$1"
	sha256sum -- libqnxhost-*.tar.gz >SHA256SUMS
	cat SHA256SUMS
}

# notes is the text between this version's heading and the next one's, or the links.
notes() {
	local text
	text=$(awk -v heading="$heading" '
		$0 == heading { found = 1; next }
		found && /^(## |\[[^]]*\]: )/ { exit }
		found' "$root/CHANGELOG.md")
	[[ -n ${text//[[:space:]]/} ]] || die "CHANGELOG.md says nothing of $version"
	# What it links to is in the repository, as of this version.
	sed -E "s|\]\(([^)#:]+)\)|](https://github.com/go-qnx/shm/blob/v$version/\1)|g" <<<"$text"
}

check() { # tag
	[[ $1 == "v$version" ]] || die "the tag is $1, the first version of CHANGELOG.md $version"
	[[ $heading =~ ^'## ['$version'] - '[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]] || die "CHANGELOG.md has no date for it: $heading"
}

case ${1-}:$# in
archive:2 | checksums:2)
	[[ -d $2 ]] || die "no directory $2"
	"$1" "$(cd "$2" && pwd)"
	;;
notes:1) notes ;;
check:2) check "$2" ;;
-h:1 | --help:1) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
