# shellcheck shell=bash
# What the script of this name in an SDP does, including what is unpleasant about
# it: it talks, minds neither "set -u" nor repetition, and sets MAKEFLAGS for all.
sdp=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
QNX_HOST=$sdp/host/linux/x86_64
QNX_TARGET=$sdp/target/@target@
QNX_CONFIGURATION_EXCLUSIVE=$HOME/.qnx
QNX_CONFIGURATION=$QNX_CONFIGURATION_EXCLUSIVE
MAKEFLAGS=-I$QNX_TARGET/usr/include
PYTHONDONTWRITEBYTECODE=1
export QNX_HOST QNX_TARGET QNX_CONFIGURATION QNX_CONFIGURATION_EXCLUSIVE MAKEFLAGS PYTHONDONTWRITEBYTECODE
unset PYTHONPATH
# shellcheck disable=SC2154
[ -z "$FAKE_SITE_LICENSE_FILE" ] || export QNX_SHARED_LICENSE_FILE="$FAKE_SITE_LICENSE_FILE"
export PATH="$QNX_HOST/usr/bin:$QNX_CONFIGURATION/bin:$sdp/host/common/bin:$PATH"
echo QNX Environment Set
echo "QNX_HOST=$QNX_HOST"
echo "QNX_TARGET=$QNX_TARGET"
