#!/usr/bin/env bash
#
# Prepares a shell to cross-compile with an installed QNX SDP 7.1 or 8.0.
#
#	. scripts/qcc-env.sh [--arch aarch64|x86_64] [SDP]    export the environment to this shell
#	scripts/qcc-env.sh --print [--arch ...] [SDP]         show what would be exported; fit for eval
#	scripts/qcc-env.sh --check [--arch ...] [SDP]         compile this module's C parts; no Go for QNX needed
#	. scripts/qcc-env.sh --unset                          take all of that back
#
# The first form is for bash and zsh. All the work is done by a child process, so
# nothing but the exported variables changes in the calling shell. --print and
# --check work sourced as well and change nothing.
#
# Sourced again, for another SDP or architecture, it first takes back what it did last:
# nothing of that stays. What was there before is kept in variables QCCENV_...; of PATH
# only what was put in front is taken out again. Run, not sourced, --unset shows what it
# would do, as --print does.
#
# The SDP is the first of: the argument; that of last time; QNX_HOST and QNX_TARGET;
# QNX_SDP; ~/qnx800; ~/qnx710. One that was named but cannot be used is an error. (A script with
# arguments of its own hands them to a file it sources without any: give --arch.)
#
# The compiler is the first of: <arch>-...-nto-qnx<release>-gcc; nto<arch>-gcc; qcc,
# behind a wrapper that drops or rewrites the flags of cgo that qcc refuses. The
# wrapper is written to ${XDG_CACHE_HOME:-~/.cache}/qnxshm, under a name made from
# its contents.
#
# CGO_CFLAGS and CGO_LDFLAGS are left to the user; --check takes CGO_CFLAGS, too.
#
# Status: 0 done; 1 something else went wrong; 2 wrong use; 3 no SDP; 4 an SDP of
# another release; 5 the SDP has nothing for this architecture; 6 the compiler found
# no licence; 7 the C parts do not compile; 8 there are no C parts; 9 the compiler
# does not work, or refuses flags of cgo. That the installed go has no port for QNX
# is a warning.

if [ -z "${BASH_VERSION-}${ZSH_VERSION-}" ]; then
	echo "qcc-env: this shell is neither bash nor zsh; try: eval \"\$(scripts/qcc-env.sh --print)\"" >&2
	# shellcheck disable=SC2317
	return 2 2>/dev/null || exit 2
fi

# Sourced: the lines up to "fi" are all that the calling shell ever reads, under
# whatever options it has. The child writes what is to be evaluated to descriptor 3.
_qcc_env_self=
if [ -n "${ZSH_VERSION-}" ]; then
	# shellcheck disable=SC2154
	case $ZSH_EVAL_CONTEXT in
	*:file) eval '_qcc_env_self=${(%):-%x}' ;;
	esac
elif [ "${BASH_SOURCE[0]}" != "$0" ]; then
	_qcc_env_self=${BASH_SOURCE[0]}
fi
if [ -n "$_qcc_env_self" ]; then
	if { _qcc_env_text=$(command bash -p -- "$_qcc_env_self" --to-fd-3 "$@" 3>&1 1>&4 4>&-); } 4>&1; then
		_qcc_env_status=0
	else
		_qcc_env_status=$?
	fi
	if [ "$_qcc_env_status" -eq 0 ]; then
		eval "$_qcc_env_text" || _qcc_env_status=$?
	fi
	eval "unset _qcc_env_self _qcc_env_text _qcc_env_status; return $_qcc_env_status"
fi

# From here on: a bash of our own. With -p it ignores functions and options that
# come from the environment.
case $- in
*p*) ;;
*) exec bash -p -- "$0" "$@" ;;
esac
set -u
set -o pipefail
unset _qcc_env_self GREP_OPTIONS

say() { printf 'qcc-env: %s\n' "$*" >&2; }

die() { # status, lines
	local status=$1 line
	shift
	for line in "$@"; do say "$line"; done
	exit "$status"
}

quote() { # one word of shell
	local s=$1 out=
	while [[ $s == *\'* ]]; do
		out+=${s%%\'*}"'\\''"
		s=${s#*\'}
	done
	printf "'%s'" "$out$s"
}

# CC and CXX are lists of words to the go command; it knows quotes but no escapes.
word() {
	case $1 in
	*[[:space:]\'\"]*)
		case $1 in
		*\'*\"* | *\"*\'*) die 1 "a path with both kinds of quotes cannot be told to the go command: $1" ;;
		*\'*) printf '"%s"' "$1" ;;
		*) printf "'%s'" "$1" ;;
		esac
		;;
	*) printf '%s' "$1" ;;
	esac
}

usage() { sed -n '3,/^$/{s/^# \{0,1\}//;p;}' "$0"; }

# --- arguments

to_shell='' mode='' arch=aarch64 sdp='' sdp_given=''
while (($#)); do
	case $1 in
	--to-fd-3) to_shell=yes ;;
	--print | --check | --unset)
		[[ -z $mode || $mode == "$1" ]] || die 2 "--print, --check and --unset exclude each other"
		mode=$1
		;;
	--arch)
		(($# > 1)) || die 2 "--arch needs an architecture: aarch64 or x86_64"
		arch=$2
		shift
		;;
	--arch=*) arch=${1#--arch=} ;;
	-h | --help)
		usage
		exit 0
		;;
	-*) die 2 "unknown option $1; there are --print, --check, --unset, --arch and --help" ;;
	*)
		[[ -z $sdp_given ]] || die 2 "more than one SDP directory: $sdp, $1"
		sdp=$1 sdp_given=yes
		;;
	esac
	shift
done
case $arch in
aarch64 | aarch64le | arm64) arch=aarch64 libs=aarch64le goarch=arm64 ;;
x86_64 | amd64) arch=x86_64 libs=x86_64 goarch=amd64 ;;
*) die 2 "unknown architecture '$arch': aarch64 (arm64) and x86_64 (amd64) are known" ;;
esac
[[ -n $mode || -n $to_shell ]] ||
	die 2 "run like this it cannot change your shell: source it (. $0), or use --print or --check"
[[ $mode != --unset || -z $sdp_given ]] || die 2 "--unset takes no SDP directory"

# --- what it did last time

own=(CGO_ENABLED GOOS GOARCH GOTOOLCHAIN CC CXX AR MAKEFLAGS)

# without prints a PATH without the directories of another.
without() { # PATH, other
	local dir left=''
	while IFS= read -r -d : dir; do
		case :$2: in
		*":$dir:"*) ;;
		*) left+=$dir: ;;
		esac
	done < <(printf '%s:' "$1")
	printf '%s' "${left%:}"
}

# take_back does so here, and sets taken_back to what does it in another shell.
taken_back=''
take_back() {
	local name old
	for name in ${QCCENV_SAVED-}; do
		[[ $name =~ ^[A-Z_][A-Z0-9_]*$ ]] || continue
		old=QCCENV_OLD_$name
		if [[ -n ${!old+set} ]]; then
			taken_back+="export $name=$(quote "${!old}")"$'\n'"unset $old"$'\n'
			export "$name=${!old}"
			unset "$old"
		else
			taken_back+="unset $name"$'\n'
			unset "$name"
		fi
	done
	PATH=$(without "$PATH" "${QCCENV_PATH-}")
	export PATH
	taken_back+="export PATH=$(quote "$PATH")"$'\n'"unset QCCENV_SAVED QCCENV_PATH QCCENV_SDP"$'\n'
	unset QCCENV_SAVED QCCENV_PATH QCCENV_SDP
}

if [[ -n ${QCCENV_SAVED-} ]]; then
	if [[ -z $sdp_given && -n ${QCCENV_SDP-} && $mode != --unset ]]; then
		sdp=$QCCENV_SDP sdp_given=yes
	fi
	take_back
elif [[ $mode == --unset ]]; then
	say "nothing to take back: this environment was not set by qcc-env.sh"
fi
if [[ $mode == --unset ]]; then
	[[ -z $to_shell ]] || exec >&3
	printf '%s' "$taken_back"
	exit 0
fi

# --- the SDP

home=${HOME-}
old_path=${PATH-}
old_makeflags=${MAKEFLAGS-}
for name in $(compgen -e); do
	case $name in
	QNX_* | QCC_* | QNXLM_* | LM_LICENSE_FILE) printf -v "old_$name" %s "${!name}" ;;
	esac
	case " ${own[*]} " in
	*" $name "*) printf -v "old_$name" %s "${!name}" ;;
	esac
done

is_dir() { # name, value
	[[ -d $2 ]] || die 3 "$1 is ${2:-empty}, which is not a directory"
}

# Where an SDP has its tools for this machine. A Mac with an Apple processor runs those
# for x86_64, too, if Rosetta is installed.
case $(uname -s):$(uname -m) in
Darwin:arm64 | Darwin:aarch64) hosts=(host/darwin/aarch64 host/darwin/x86_64) ;;
Darwin:*) hosts=(host/darwin/x86_64) ;;
MINGW*:* | MSYS*:* | CYGWIN*:*)
	die 3 "QNX's tools for Windows and this shell take different paths, which cgo cannot bridge." \
		"Use WSL: install the SDP for Linux there, and run this script there, from a checkout there."
	;;
Linux:x86_64) hosts=(host/linux/x86_64) ;;
*)
	hosts=(host/linux/x86_64)
	say "warning: an SDP has tools for Linux on x86_64; this is $(uname -s) on $(uname -m). They run there only if it emulates that."
	;;
esac

host_dir() { # SDP
	local host
	for host in "${hosts[@]}"; do
		[[ ! -d $1/$host ]] || break
	done
	echo "$host"
}

# no_host tells why an SDP's tools cannot be used.
no_host() { # SDP
	local others
	others=$(cd "$1/host" 2>/dev/null && echo */*)
	case $others in
	*win64*) die 3 "the SDP in $1 is the one for Windows. In WSL it takes the SDP for Linux: install that one there." ;;
	*linux*) die 3 "the SDP in $1 is the one for Linux. On a Mac it takes the SDP for macOS, or a Linux machine." ;;
	*darwin*) die 3 "the SDP in $1 is the one for macOS. It takes the SDP for this system." ;;
	esac
	die 3 "the SDP in $1 has no ${hosts[*]}"
}

is_sdp() { [[ -f $1/qnxsdp-env.sh || (-d $1/$(host_dir "$1") && (-d $1/target/qnx || -d $1/target/qnx7)) ]]; }

# use sets QNX_HOST and QNX_TARGET from an SDP directory: by the SDP's own script,
# which may have been adapted by the site, or by the layout.
use() {
	local dir target here=$PWD
	dir=$(cd -- "$1" && pwd) || exit 1
	unset QNX_HOST QNX_TARGET
	if [[ -f $dir/qnxsdp-env.sh ]]; then
		set +u
		sdp_script=$dir/qnxsdp-env.sh
		trap 'die 1 "$sdp_script ends the shell that reads it"' EXIT
		# shellcheck disable=SC1091
		. "$dir/qnxsdp-env.sh" >/dev/null </dev/null
		trap - EXIT
		set +e -u
		IFS=$' \t\n'
		cd -- "$here" || exit 1
	fi
	if [[ ! -d ${QNX_HOST-} || ! -d ${QNX_TARGET-} ]]; then
		QNX_HOST=$dir/$(host_dir "$dir")
		for target in "$dir/target/qnx" "$dir/target/qnx7"; do
			[[ ! -d $target ]] || break
		done
		QNX_TARGET=$target
	fi
	[[ -d $QNX_HOST ]] || no_host "$dir"
	[[ -d $QNX_TARGET ]] || die 3 "the SDP in $dir has no target/qnx (8.0) or target/qnx7 (7.1)"
}

if [[ -n $sdp_given ]]; then
	is_dir "the SDP given" "$sdp"
	is_sdp "$sdp" || die 3 "no SDP in $sdp: no qnxsdp-env.sh there, and no ${hosts[*]} with target/qnx or target/qnx7"
	use "$sdp"
elif [[ -n ${QNX_HOST-} && -n ${QNX_TARGET-} ]]; then
	is_dir QNX_HOST "$QNX_HOST"
	is_dir QNX_TARGET "$QNX_TARGET"
elif [[ -n ${QNX_SDP-} ]]; then
	is_dir QNX_SDP "$QNX_SDP"
	is_sdp "$QNX_SDP" || die 3 "no SDP in QNX_SDP ($QNX_SDP): no qnxsdp-env.sh there, and no ${hosts[*]} with target/qnx or target/qnx7"
	use "$QNX_SDP"
elif [[ -n ${QNX_HOST-}${QNX_TARGET-} ]]; then
	die 3 "only one of QNX_HOST and QNX_TARGET is set; set both or none"
else
	# qnx700 is here to be refused by its number.
	for dir in "$home/qnx800" "$home/qnx710" "$home/qnx700"; do
		if [[ -n $home ]] && is_sdp "$dir"; then
			sdp=$dir
			break
		fi
	done
	[[ -n $sdp ]] || die 3 \
		"no QNX SDP found. Looked at:" \
		"  the argument: none" \
		"  QNX_HOST and QNX_TARGET: not set" \
		"  QNX_SDP: not set" \
		"  ${home:-~}/qnx800, ${home:-~}/qnx710: no SDP there" \
		"Give its directory (the one with qnxsdp-env.sh) as the argument or in QNX_SDP."
	use "$sdp"
fi
export QNX_HOST QNX_TARGET
[[ -z $home ]] || export QNX_CONFIGURATION_EXCLUSIVE="${QNX_CONFIGURATION_EXCLUSIVE:-$home/.qnx}"
unset MAKEFLAGS # the SDP's script sets it, and with it points every make at the target's headers
bin=$QNX_HOST/usr/bin

# PATH: what the SDP put in front, without what is there already, so that sourcing
# again does not lengthen it.
front=
while IFS= read -r -d : dir; do
	case :$old_path:$front in
	*":$dir:"*) ;;
	*) front+=$dir: ;;
	esac
done < <(printf '%s:' "$bin" "${PATH-}")
export PATH=$front$old_path

# --- the release

licence() { (($1 >= 129 && $1 <= 133)); }

no_licence() { # compiler, status
	die 6 "$1 ended with status $2: that is its way to say that it found no valid licence. The compiler itself is not broken." \
		"Is a licence for this SDP activated for this user and this machine? (QNX_CONFIGURATION_EXCLUSIVE=$QNX_CONFIGURATION_EXCLUSIVE)"
}

qcc_list='' qcc_asked=''
ask_qcc() { # what "qcc -V" lists
	local status=0
	[[ -z $qcc_asked && -x $bin/qcc ]] || return 0
	qcc_asked=yes
	qcc_list=$("$bin/qcc" -V 2>&1 </dev/null) || status=$?
	if licence "$status"; then no_licence "$bin/qcc" "$status"; fi
}

release=''
for gcc in "$bin"/*-nto-qnx*-gcc; do
	[[ -x $gcc ]] || continue
	version=${gcc##*-nto-qnx} version=${version%-gcc}
	[[ $version =~ ^([0-9]+)\.([0-9]+) ]] || continue
	version=${BASH_REMATCH[1]}.${BASH_REMATCH[2]}
	if [[ -z $release ]] || ((${version%.*} * 1000 + ${version#*.} > ${release%.*} * 1000 + ${release#*.})); then
		release=$version
	fi
done
target=$(basename -- "$QNX_TARGET")
case $target:$release in
qnx:7.* | qnx7:[!7]*)
	die 4 "QNX_HOST and QNX_TARGET are of different releases: $QNX_HOST has compilers for $release, QNX_TARGET is $QNX_TARGET"
	;;
qnx:) release=8.0 ;;
qnx7:)
	# 7.0 and 7.1 differ by their gcc.
	ask_qcc
	signs=$qcc_list\ $(
		cd "$QNX_HOST/etc/qcc/gcc" 2>/dev/null && echo *
		for gcc in "$bin"/nto*-gcc; do [[ ! -x $gcc ]] || "$gcc" -dumpversion 2>/dev/null </dev/null; done
	)
	case $signs:$QNX_TARGET in
	*8.3.0*) release=7.1 ;;
	*5.4.0*) release=7.0 ;;
	*/qnx710/*) release=7.1 ;;
	*/qnx700/*) release=7.0 ;;
	esac
	;;
esac
case $release in
7.1 | 8.0) ;;
"") die 4 "cannot tell the release of the SDP with QNX_HOST=$QNX_HOST and QNX_TARGET=$QNX_TARGET." \
	"Shared-memory handles need QNX SDP 7.1 or QNX OS 8.0." ;;
*) die 4 "this is an SDP for QNX $release (QNX_HOST=$QNX_HOST)." \
	"Known are 7.1 and 8.0; shared-memory handles appeared in 7.1." ;;
esac

# --- the compiler

has_libs() { [[ -d $QNX_TARGET/$1 ]]; }

if ! has_libs "$libs"; then
	if has_libs aarch64le || has_libs x86_64; then
		die 5 "the SDP in $QNX_TARGET has no $libs directory: it was installed without $arch"
	fi
	say "warning: $QNX_TARGET has no $libs directory; linking will fail"
fi

write_wrapper() { # name, qcc's -V name: prints the path
	local cache text sum file
	cache=${XDG_CACHE_HOME:-${home:+$home/.cache}}
	[[ $cache == /* ]] || die 1 "the wrapper around qcc needs a cache directory: set HOME or XDG_CACHE_HOME"
	text="#!/bin/sh
# Written by qcc-env.sh: calls qcc the way cgo calls a C compiler.
QNX_HOST=$(quote "$QNX_HOST")
QNX_TARGET=$(quote "$QNX_TARGET")
export QNX_HOST QNX_TARGET
left=\$# stdin='' language=''
while [ \"\$left\" -gt 0 ]; do
	arg=\$1
	shift
	left=\$((left - 1))
	case \$arg in
	-) stdin=yes && continue ;;
	-x)
		language=\$1
		shift
		left=\$((left - 1))
		continue
		;;
	'-###')
		echo 'unrecognized option -###' >&2
		exit 1
		;;
	-pthread | -m64 | -rdynamic | -no-pie | -nopie | -Qunused-arguments) continue ;;
	-lpthread | -lrt | -ldl) continue ;; # all in libc
	-dM) arg=-Wp,-dM ;;
	-I)
		if [ \"\$left\" -gt 0 ]; then
			arg=-I\$1
			shift
			left=\$((left - 1))
		fi
		;;
	esac
	set -- \"\$@\" \"\$arg\"
done
if [ -n \"\$stdin\" ]; then
	dir=\$(mktemp -d) || exit 1
	trap 'rm -rf \"\$dir\"' EXIT
	trap 'exit 1' HUP INT TERM
	case \$language in
	c++) source=\$dir/stdin.cc ;;
	*) source=\$dir/stdin.c ;;
	esac
	cat >\"\$source\" || exit 1
	set -- \"\$@\" \"\$source\"
elif [ -n \"\$language\" ]; then
	set -- -x \"\$language\" \"\$@\"
fi
$(quote "$bin/qcc") -V$2 \"\$@\"
status=\$?
if [ \"\$status\" -ne 0 ] && [ -n \"\$stdin\" ]; then
	# So the go command asks whether a flag is known: it looks for this word only.
	echo 'unrecognized by qcc' >&2
fi
if [ \"\$status\" -ge 129 ] && [ \"\$status\" -le 133 ]; then
	echo \"qcc ended with status \$status: no valid QNX licence found\" >&2
fi
exit \"\$status\""
	sum=$(printf '%s\n' "$text" | cksum) || exit 1
	file=$cache/qnxshm/$1-${sum%% *}
	if [[ ! -x $file || $(cat -- "$file") != "$text" ]]; then
		{
			mkdir -p -- "$cache/qnxshm" &&
				printf '%s\n' "$text" >"$file.$$" &&
				chmod 755 "$file.$$" &&
				mv -f -- "$file.$$" "$file"
		} || die 1 "cannot write the wrapper around qcc, $file"
	fi
	printf '%s' "$file"
}

first() { # the first of the given that can be executed
	local file
	for file; do
		if [[ -x $file && ! -d $file ]]; then
			printf '%s' "$file"
			return
		fi
	done
	return 1
}

cc='' cxx=''
if cc=$(first "$bin/$arch"-*-nto-qnx"$release".*-gcc); then
	cxx=$(first "${cc%-gcc}-g++")
elif cc=$(first "$bin/nto$arch-gcc"); then
	cxx=$(first "${cc%-gcc}-g++")
elif [[ -x $bin/qcc ]]; then
	ask_qcc
	name=gcc_nto$libs
	case $qcc_list in
	*"$name"*) ;;
	*gcc_nto*) die 5 "$bin/qcc has no target $name: the SDP was installed without $arch" ;;
	esac
	runtime=_gpp
	[[ $release != 8.0 ]] || runtime=_cxx
	cc=$(write_wrapper "qnx$release-$arch-qcc" "$name") || exit
	cxx=$(write_wrapper "qnx$release-$arch-q++" "$name$runtime") || exit
else
	die 5 "no compiler for $arch in $bin: no $arch-*-nto-qnx$release.*-gcc, no nto$arch-gcc, no qcc"
fi
ar=$(first "${cc%-gcc}-ar" "$bin/$arch"-*-nto-qnx"$release".*-ar "$bin/nto$arch-ar")
[[ -n $cxx ]] || say "warning: no C++ compiler beside $cc: CXX is left as it is"
[[ -n $ar ]] || say "warning: no ar for $arch in $bin: AR is left as it is"

# --- the Go port

if ! command -v go >/dev/null; then
	say "warning: no go on PATH: only the C parts can be checked (--check)"
elif ports=$(cd / && env -u GOOS -u GOARCH -u CGO_ENABLED -u CC GOFLAGS='' GOENV=off GOTOOLCHAIN=local go tool dist list 2>/dev/null); then
	others=$(printf '%s\n' "$ports" | sed -n '/^qnx\//p' | tr '\n' ' ')
	case $'\n'$ports$'\n':$others in
	*$'\n'"qnx/$goarch"$'\n'*) ;;
	*:?*) say "warning: $(command -v go) has no port for qnx/$goarch, only for ${others% }: it will refuse to build; only the C parts can be checked (--check)" \
		"(public ports for qnx/386 and qnx/arm are for QNX 6.5 and BlackBerry 10, which have no shared-memory handles)" ;;
	*) say "warning: $(command -v go) has no port for qnx/$goarch: it will refuse to build; only the C parts can be checked (--check)" ;;
	esac
else
	say "warning: \"go tool dist list\" failed: cannot tell whether $(command -v go) has a port for qnx/$goarch"
fi

# --- export, or show it

if [[ $mode != --check ]]; then
	cc_words=$(word "$cc") || exit
	cxx_words=$(word "$cxx") || exit
	[[ -z $to_shell || -n $mode ]] || exec >&3
	printf '%s' "$taken_back"
	saved=()
	# give exports a variable, and keeps the value it had.
	give() { # name, value
		local old=old_$1
		saved+=("$1")
		[[ -z ${!old+set} ]] || printf 'export QCCENV_OLD_%s=%s\n' "$1" "$(quote "${!old}")"
		printf 'export %s=%s\n' "$1" "$2"
	}
	for name in $(compgen -e | LC_ALL=C sort); do
		case $name in
		QNX_HOST | QNX_TARGET | QNX_CONFIGURATION_EXCLUSIVE) ;;
		QNX_* | QCC_* | QNXLM_* | LM_LICENSE_FILE) # of these, what the SDP's script set
			old=old_$name
			[[ ${!name} != "${!old-}" ]] || continue
			;;
		*) continue ;;
		esac
		give "$name" "$(quote "${!name}")"
	done
	printf 'export PATH=%s\n' "$(quote "$PATH")"
	case " $old_makeflags " in
	*" -I$QNX_TARGET/usr/include "*)
		saved+=(MAKEFLAGS)
		printf 'export QCCENV_OLD_MAKEFLAGS=%s\n' "$(quote "$old_makeflags")"
		echo 'unset MAKEFLAGS'
		;;
	esac
	give CGO_ENABLED 1
	give GOOS qnx
	give GOARCH "$goarch"
	give GOTOOLCHAIN local
	give CC "$(quote "$cc_words")"
	[[ -z $cxx ]] || give CXX "$(quote "$cxx_words")"
	[[ -z $ar ]] || give AR "$(quote "$ar")"
	printf 'export QCCENV_SAVED=%s\n' "$(quote "${saved[*]}")"
	printf 'export QCCENV_PATH=%s\n' "$(quote "${front%:}")"
	[[ -z $sdp ]] || printf 'export QCCENV_SDP=%s\n' "$(quote "$(cd -- "$sdp" && pwd)")"
	[[ -n $mode ]] || say "QNX $release, $arch: $cc"
	exit 0
fi

# --- check

self=$(readlink -f -- "$0" 2>/dev/null) || self=$0
root=$(cd -- "$(dirname -- "$self")/.." && pwd) || exit 1
[[ -f $root/go.mod ]] || die 1 "no go.mod in $root, where this script expects the module"
tmp=$(mktemp -d) || die 1 "no temporary directory: is ${TMPDIR:-/tmp} there, and can it be written to?"
trap 'rm -rf -- "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# run compiles, and shows what the compiler said when it fails.
run() {
	local status=0
	"$cc" "$@" >"$tmp/said" 2>&1 </dev/null || status=$?
	if licence "$status"; then
		cat "$tmp/said" >&2
		no_licence "$cc" "$status"
	fi
	return "$status"
}

mkdir "$tmp/include"
printf '/* for -I */\n' >"$tmp/include/empty.h"
printf '#include "empty.h"\nint main(void)\n{\n\treturn 0;\n}\n' >"$tmp/flags.c"
printf 'int main(void)\n{\n\treturn 0;\n}\n' >"$tmp/plain.c"
run -c -o "$tmp/plain.o" "$tmp/plain.c" || {
	cat "$tmp/said" >&2
	die 9 "$cc does not compile an empty program"
}

# The flags without which cgo cannot work: together, and if that fails one at a time.
refused=''
cgo_flags=(-pthread -fPIC -g -O2 -gdwarf-2 -fmessage-length=0 -fno-stack-protector -fno-lto -Wall -Werror -Wdeclaration-after-statement)
[[ $goarch != amd64 ]] || cgo_flags+=(-m64)
run "${cgo_flags[@]}" -c -o "$tmp/flags.o" "$tmp/plain.c" || for flag in "${cgo_flags[@]}"; do
	run "$flag" -c -o "$tmp/flags.o" "$tmp/plain.c" || refused+=" $flag"
done
run -I "$tmp/include" -c -o "$tmp/flags.o" "$tmp/flags.c" || refused+=" '-I dir'"
if ! run -E -dM "$tmp/plain.c" || ! grep -q '#define __GNUC__' "$tmp/said"; then
	refused+=" '-E -dM'"
fi
[[ -z $refused ]] || die 9 "$cc works, but does not take flags that cgo gives:$refused"

# The user's flags, in words as the go command has them: quotes, but no escapes.
user_flags=() left=${CGO_CFLAGS--g -O2} a_word=$'^[ \t\n]*(\'([^\']*)\'|"([^"]*)"|([^ \t\n]+))(.*)$'
while [[ $left =~ $a_word ]]; do
	user_flags+=("${BASH_REMATCH[2]}${BASH_REMATCH[3]}${BASH_REMATCH[4]}")
	left=${BASH_REMATCH[5]}
done

# The release, as the headers tell it: the C parts go by that.
printf '%s\n' '#if __has_include(<sys/neutrino.h>)' '#include <sys/neutrino.h>' '#endif' 'qcc_env_release _NTO_VERSION __QNX__' >"$tmp/release.c"
said='' version='' qnx=''
! run "${user_flags[@]+"${user_flags[@]}"}" -E "$tmp/release.c" || said=$(grep -v '^#' "$tmp/said" | tr -s ' \n' ' ')
[[ ! $said =~ qcc_env_release\ ([^ ]+)\ ([^ ]+) ]] || version=${BASH_REMATCH[1]} qnx=${BASH_REMATCH[2]}
case $release:$version in
8.0:80[0-9] | 7.1:71[0-9]) ;;
*:[0-9]*)
	die 4 "this SDP is one of $release by its compilers and directories, but its <sys/neutrino.h> says _NTO_VERSION $version." \
		"QNX_HOST=$QNX_HOST and QNX_TARGET=$QNX_TARGET are perhaps of different SDPs."
	;;
*)
	[[ $release:$qnx == 8.0:8[0-9][0-9] ]] ||
		say "warning: <sys/neutrino.h> defines no _NTO_VERSION, and the compiler's __QNX__ does not tell the release: the C parts will refuse that"
	;;
esac

# Whether a build constraint ("qnx && cgo") is about QNX, and true there.
for_target() {
	local expr=$1
	case $expr in
	*qnx*) ;;
	*) return 1 ;;
	esac
	expr=$(printf '%s\n' "$expr" | sed -E "s/[A-Za-z_][A-Za-z0-9_.]*/<&>/g; s/<(qnx|cgo|unix|gc|$goarch)>/1/g; s/<[^>]*>/0/g")
	[[ $expr =~ ^[\ 01\&\|\!\(\)]+$ ]] && ((expr))
}

constraint() { awk '/^package[ \t]/ { exit } /^\/\/go:build[ \t]/ { sub(/^\/\/go:build[ \t]+/, ""); print; exit }' "$1"; }

# preamble prints the comment before import "C", as cgo reads it: what=c, the C with
# its line numbers; what=flags, the CFLAGS and CPPFLAGS of #cgo lines that hold for the target.
preamble() { # what, file
	awk -v what="$1" -v name="$2" -v goarch="$goarch" -v dir="$(dirname -- "$2")" '
	function holds(list,    options, terms, n, m, i, j, t, ok) {
		n = split(list, options, /[ \t]+/)
		if (list == "") return 1
		for (i = 1; i <= n; i++) {
			ok = 1
			m = split(options[i], terms, ",")
			for (j = 1; j <= m; j++) {
				t = terms[j]
				sub(/^!/, "", t)
				if ((t == "qnx" || t == "cgo" || t == "unix" || t == "gc" || t == goarch) == (terms[j] ~ /^!/)) ok = 0
			}
			if (ok) return 1
		}
		return 0
	}
	function flags(line,    head, words, n, i) {
		sub(/^[ \t]*#cgo[ \t]+/, "", line)
		i = index(line, ":")
		head = substr(line, 1, i - 1)
		line = substr(line, i + 1)
		sub(/[ \t]+$/, "", head)
		if (!match(head, /[A-Z]+$/)) return
		if (substr(head, RSTART) != "CFLAGS" && substr(head, RSTART) != "CPPFLAGS") return
		head = substr(head, 1, RSTART - 1)
		sub(/[ \t]+$/, "", head)
		if (!holds(head)) return
		n = split(line, words, /[ \t]+/)
		for (i = 1; i <= n; i++) if (words[i] != "") {
			while ((RSTART = index(words[i], "${SRCDIR}")) > 0)
				words[i] = substr(words[i], 1, RSTART - 1) dir substr(words[i], RSTART + 9)
			print words[i]
		}
	}
	function add(text) { comment[count++] = text; if (count == 1) start = NR }
	function emit(    i) {
		if (what == "c") {
			gsub(/[\\"]/, "\\\\&", name)
			printf "#line %d \"%s\"\n", start, name
		}
		for (i = 0; i < count; i++) {
			if (comment[i] ~ /^[ \t]*#cgo[ \t]/) {
				if (what == "flags") flags(comment[i])
				else print ""
			} else if (what == "c") print comment[i]
		}
	}
	{ sub(/\r$/, "") }
	inside {
		if (i = index($0, "*/")) { inside = 0; add(substr($0, 1, i - 1)) } else add($0)
		next
	}
	/^\/\// { add(substr($0, 3)); next }
	/^\/\*/ {
		if (i = index(substr($0, 3), "*/")) add(substr($0, 3, i - 1))
		else { inside = 1; add(substr($0, 3)) }
		next
	}
	/^import[ \t]+"C"/ { emit() }
	{ count = 0 }' "$2"
}

# imports_c: 0 with import "C" on a line of its own, 1 without, 2 in another form.
imports_c() {
	if grep -Eq '^import[[:space:]]+"C"' "$1"; then return 0; fi
	if grep -Eq '^([[:space:]]|import[[:space:]]*\()[^/]*"C"[[:space:]]*\)?[[:space:]]*(//.*)?$' "$1"; then return 2; fi
	return 1
}

found=0 failed=0
while IFS= read -r -d '' file; do
	for_target "$(constraint "$file")" || continue
	short=${file#"$root"/}
	flags=()
	case $file in
	*.go)
		imports_c "$file"
		case $? in
		1) continue ;;
		2) die 1 "$short: import \"C\" must stand on a line of its own, with the C in the comment before it" ;;
		esac
		preamble c "$file" >"$tmp/part.c" || exit 1
		while IFS= read -r flag; do flags+=("$flag"); done < <(preamble flags "$file")
		;;
	*.c)
		printf '#include "%s"\n' "$file" >"$tmp/part.c"
		;;
	esac
	found=$((found + 1))
	# What cgo passes, and warnings. Functions that only Go calls are not unused.
	if run -I "$(dirname -- "$file")" -fPIC -pthread "${user_flags[@]+"${user_flags[@]}"}" -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-const-variable \
		"${flags[@]+"${flags[@]}"}" -c -o "$tmp/part.o" "$tmp/part.c"; then
		echo "qcc-env: compiled $short"
	else
		cat "$tmp/said" >&2
		say "does not compile: $short"
		failed=$((failed + 1))
	fi
done < <(
	# As the go command sees the module: no nested modules, no testdata, vendor, _x or .x.
	find "$root" -mindepth 1 \
		\( -type d \( -name testdata -o -name vendor -o -name '[._]*' -o -exec test -e '{}/go.mod' \; \) -prune \) -o \
		\( -type f \( -name '*.go' -o -name '*.c' \) ! -name '*_test.go' ! -name '[._]*' -print0 \) | LC_ALL=C sort -z
)
((found > 0)) || die 8 "nothing was checked: no Go file in $root has C for a target (//go:build qnx && cgo, and import \"C\")"
((failed == 0)) || die 7 "QNX $release, $arch: $failed of $found C parts do not compile with $cc"
echo "qcc-env: QNX $release, $arch: all $found C parts compile with $cc, which takes cgo's flags"
