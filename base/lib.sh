# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts here have in common; each of them sources it.

me=${0##*/}
here=$(cd "${0%/*}" && pwd) || exit 1
repo=${here%/*}
build=$(realpath -m "${BUILD:-$repo/build}") || exit 1
CACHE=$(realpath -m \
	"${CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/alsa-dma-sync}") || exit 1

# Whoever runs it, the same files give the same commits.
export GIT_AUTHOR_NAME='ALSA DMA sync' GIT_AUTHOR_EMAIL=alsa-dma-sync@localhost
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
export GIT_AUTHOR_DATE=2000-01-01T00:00:00Z
export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_CONFIG_COUNT=2
export GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
export GIT_CONFIG_KEY_1=advice.detachedHead GIT_CONFIG_VALUE_1=false
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export LC_ALL=C

say()
{
	echo "$me: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

# A directory of its own for each run, and nothing left of it at the end.
scratch()
{
	work=$(mktemp -d "${TMPDIR:-/tmp}/$me.XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' HUP INT TERM
}

need()
{
	for tool; do
		command -v "$tool" >/dev/null ||
			die "$tool is missing; run base/packages source"
	done
}
