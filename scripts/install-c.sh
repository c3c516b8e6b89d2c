#!/usr/bin/env bash
# Builds the C library of the host and installs it: headers, library, pkg-config
# files and a CMake package. docs/c.md tells how programs are built with it.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: install-c.sh PREFIX

Builds libqnxhost.so and installs under PREFIX, which is made if it is not there:

  include/qnxhost/         the QNX headers, a directory to search before the system's
  lib/libqnxhost.so.*      the library
  lib/pkgconfig/           qnxhost; qnxhost-8.0 and qnxhost-7.1, which also define
                           __QNX__ and __QNXNTO__ as the compilers of these releases do
  lib/cmake/qnxhost/       find_package(qnxhost), target qnxhost::qnxhost; the variable
                           QNXHOST_RELEASE, 8.0 or 7.1, defines the same
  share/qnxhost/           valgrind.supp: valgrind --suppressions
  share/doc/qnxhost/       the licence

The directory can be moved afterwards. With DESTDIR in the environment files go
below that, as packages are made. CC, GOARCH and the like have the meaning that
the go command gives them.
TEXT
}

die() {
	echo "install-c.sh: $*" >&2
	exit 1
}

case $# in
1) ;;
*)
	usage >&2
	exit 2
	;;
esac
case $1 in
-h | --help)
	usage
	exit 0
	;;
-*)
	usage >&2
	exit 2
	;;
'') die "an empty PREFIX" ;;
/*) prefix=${DESTDIR:-}$1 ;;
*)
	[[ -z ${DESTDIR:-} ]] || die "with DESTDIR, PREFIX begins with /"
	prefix=$PWD/$1
	;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source=$root/qnxshm/qnxhost
command -v go >/dev/null || die "no go command: see https://go.dev/dl/"

number() { # of version.h
	sed -n "s/^#define QNXHOST_VERSION_$1 \([0-9][0-9]*\)\$/\1/p" "$source/include/qnxhost/version.h"
}
major=$(number MAJOR) minor=$(number MINOR)
version=$major.$minor.$(number PATCH)
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "no version in version.h: $version"

# All is made here first: what cannot be built harms no installation.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
stage=$tmp/stage
install -d "$stage"/{include/qnxhost,lib/pkgconfig,lib/cmake/qnxhost,share/qnxhost,share/doc/qnxhost}

# Without debug information, which older versions of valgrind do not understand.
(cd "$root" && CGO_ENABLED=1 go build -trimpath -buildmode=c-shared \
	-ldflags "-w -extldflags=-Wl,-soname,libqnxhost.so.$major" \
	-o "$stage/lib/libqnxhost.so.$version" ./qnxshm/qnxhost/lib)
rm -f "$stage"/lib/*.h # of Go's, and nothing for a program
ln -s "libqnxhost.so.$version" "$stage/lib/libqnxhost.so.$major"
ln -s "libqnxhost.so.$major" "$stage/lib/libqnxhost.so"
(cd "$source/include" && find . -name '*.h' -exec install -D -m 644 {} "$stage/include/qnxhost/{}" \;)
install -m 644 "$source/lib/valgrind.supp" "$stage/share/qnxhost/valgrind.supp"
install -m 644 "$root/LICENSE" "$stage/share/doc/qnxhost/LICENSE"

cat >"$stage/lib/pkgconfig/qnxhost.pc" <<TEXT
prefix=\${pcfiledir}/../..
includedir=\${prefix}/include/qnxhost
libdir=\${prefix}/lib

Name: qnxhost
Description: QNX's shared-memory handles and native messages for C programs on Linux
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -Wl,-rpath,\${libdir} -lqnxhost
TEXT
release() { # release, definitions
	cat >"$stage/lib/pkgconfig/qnxhost-$1.pc" <<TEXT
Name: qnxhost-$1
Description: qnxhost, for programs that ask whether this is QNX $1
Version: $version
Requires: qnxhost = $version
Cflags: $2
TEXT
}
release 8.0 "-D__QNX__=800 -D__QNXNTO__"
release 7.1 "-D__QNX__ -D__QNXNTO__"

cat >"$stage/lib/cmake/qnxhost/qnxhost-config.cmake" <<TEXT
# Gives the target qnxhost::qnxhost. With QNXHOST_RELEASE, 8.0 or 7.1, programs are
# told that this is QNX, as the compilers of these releases do.
get_filename_component(_qnxhost_prefix "\${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT DEFINED QNXHOST_RELEASE OR QNXHOST_RELEASE STREQUAL "")
  set(_qnxhost_definitions "")
elseif(QNXHOST_RELEASE STREQUAL "8.0")
  set(_qnxhost_definitions "__QNX__=800;__QNXNTO__")
elseif(QNXHOST_RELEASE STREQUAL "7.1")
  set(_qnxhost_definitions "__QNX__;__QNXNTO__")
else()
  set(qnxhost_FOUND FALSE)
  set(qnxhost_NOT_FOUND_MESSAGE "QNXHOST_RELEASE is 8.0 or 7.1, not \${QNXHOST_RELEASE}")
  return()
endif()
if(NOT TARGET qnxhost::qnxhost)
  add_library(qnxhost::qnxhost SHARED IMPORTED)
  set_target_properties(qnxhost::qnxhost PROPERTIES
    IMPORTED_LOCATION "\${_qnxhost_prefix}/lib/libqnxhost.so.$version"
    IMPORTED_SONAME "libqnxhost.so.$major"
    INTERFACE_INCLUDE_DIRECTORIES "\${_qnxhost_prefix}/include/qnxhost"
    INTERFACE_COMPILE_DEFINITIONS "\${_qnxhost_definitions}")
endif()
unset(_qnxhost_prefix)
unset(_qnxhost_definitions)
TEXT
# Until 1.0 a new minor version may change things.
cat >"$stage/lib/cmake/qnxhost/qnxhost-config-version.cmake" <<TEXT
set(PACKAGE_VERSION "$version")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
elseif(NOT PACKAGE_FIND_VERSION_MAJOR EQUAL $major)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
elseif($major EQUAL 0 AND NOT PACKAGE_FIND_VERSION_MINOR EQUAL $minor)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
if(CMAKE_SIZEOF_VOID_P AND NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(PACKAGE_VERSION "$version (64 bits)")
  set(PACKAGE_VERSION_UNSUITABLE TRUE)
endif()
TEXT

# A header that is gone must not stay and hide the system's. What is there is
# unlinked, not written to: programs that run keep the library that they have.
rm -rf "$prefix/include/qnxhost"
cd "$stage"
find . -type f -print | while IFS= read -r file; do
	mode=644
	[[ $file != *.so.* ]] || mode=755
	install -D -m "$mode" "$file" "$prefix/$file"
done
for link in lib/*.so "lib/libqnxhost.so.$major"; do
	ln -sfn "$(readlink "$link")" "$prefix/$link"
done
echo "qnxhost $version is in $prefix"
