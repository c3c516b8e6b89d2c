#!/bin/sh
# Lays out what qcc-env.sh looks at in a QNX SDP, with fake compilers:
#
#	fake-sdp.sh DIR 7.0|7.1|8.0 TOOL...
#
# TOOL is direct-aarch64, direct-x86_64 (gcc, g++ and ar with the long names),
# short-aarch64, short-x86_64 (nto...-gcc and its like), qcc-aarch64 or qcc-x86_64
# (a qcc that has this target). Without any: direct and qcc for both.
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd)
sdp=$1 release=$2
shift 2
[ $# -gt 0 ] || set -- direct-aarch64 direct-x86_64 qcc-aarch64 qcc-x86_64

case $release in
7.0) target=qnx7 gcc=5.4.0 ;;
7.1) target=qnx7 gcc=8.3.0 ;;
*) target=qnx gcc=12.2.0 ;;
esac
bin=$sdp/host/linux/x86_64/usr/bin
mkdir -p -- "$bin" "$sdp/host/common/bin" "$sdp/target/$target/usr/include"
cp -- "$here/qnxsdp-env.sh" "$sdp/"
echo "$gcc" >"$bin/gcc.version"
sed -i "s,@target@,$target," "$sdp/qnxsdp-env.sh"

for tool; do
	cpu=${tool#*-}
	case $cpu in
	aarch64) vendor=unknown libs=aarch64le ;;
	*) vendor=pc libs=x86_64 ;;
	esac
	mkdir -p -- "$sdp/target/$target/$libs/lib"
	case $tool in
	direct-*)
		for end in gcc g++ ar; do
			cp -- "$here/fake-gcc.sh" "$bin/$cpu-$vendor-nto-qnx$release.0-$end"
		done
		;;
	short-*)
		for end in gcc g++ ar; do
			cp -- "$here/fake-gcc.sh" "$bin/nto$cpu-$end"
		done
		;;
	qcc-*)
		cp -- "$here/fake-qcc.sh" "$bin/qcc"
		for name in "gcc_nto$libs" "gcc_nto${libs}_gpp" "gcc_nto${libs}_cxx"; do
			echo "$gcc,$name" >>"$bin/qcc.list"
		done
		;;
	esac
done
chmod 755 "$bin"/*
