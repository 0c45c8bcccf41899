# SPDX-License-Identifier: GPL-2.0-only
#
# Turns the files in patches/ into git commits; sourced after lib.sh.

patches=$repo/patches		# where the queue is
overlay=$repo			# where the files are that New-file: names
debian="Debian's source"	# what the default base is called

# The patches' names, in order; with $only, those that touch files that match it.
queue_names()
{
	[ -f "$patches/series" ] || die "$patches/series: no such file"
	for p in $(cat "$patches/series"); do
		[ -f "$patches/$p" ] ||
			die "$patches/series: $p is not there"
		[ -z "${only-}" ] || grep -qE "^(New-file: |[+]{3} b/)$only" \
			"$patches/$p" || continue
		echo "$p"
	done
}

# The values of field $2 in patch $1.
field()
{
	sed -n "/^---\$/q; s/^$2: *//p" "$patches/$1"
}

# The message of the commit that patch $1 becomes.
message()
{
	sed '/^---$/,$d; /^New-file: /d; /^Present-if: /d; 1s/^Subject: *//' \
		"$patches/$1" | git stripspace
}

# What patch(1) shall get.  Of a part of the queue nobody is told to be maintainer.
hunks()
{
	sed "1,/^---\$/d" "$patches/$1" | sed "/./,\$!d" |
		awk -v part="${only-}" '
			/^--- a\// { skip = part && $2 == "a/MAINTAINERS" }
			!skip'
}

refused()
{
	say "$1 does not apply to $onto:"
	shift
	printf "$me:   %s\n" "$@" >&2
	die "nothing was changed"
}

# Does the base say, by its text, that it has patch $1 in another wording?
present_by_text()
{
	field "$1" Present-if >"$work/present"
	[ -s "$work/present" ] || return 1
	while read -r file text; do
		git show "$base:$file" 2>/dev/null | grep -qE -e "$text" ||
			return 1
	done <"$work/present"
}

# Put the files that the patch changes into $work/t.
unpack_files()
{
	rm -rf "$work/t"
	mkdir "$work/t"
	for f in $files; do
		GIT_WORK_TREE=$work/t git checkout-index "$f" 2>/dev/null ||
			refused "$1" "$f: there is no such file"
	done
}

run_patch()
{
	patch -d "$work/t" -p1 -f -r - --no-backup-if-mismatch "$@" \
		<"$work/diff" >"$work/out" 2>&1
}

# Has the tree that is in the index what patch $1 would make of it?
present_by_diff()
{
	for f in $new; do
		git show ":$f" 2>/dev/null | cmp -s - "$overlay/$f" || return 1
	done
	[ -z "$files" ] || run_patch -R -F0 --dry-run
}

# Bring patch $1 into the index.
apply()
{
	if [ -n "$files" ]; then
		run_patch -F2 || refused "$1" "$(awk '
			/^patching file / { file = $3 }
			/^Hunk #[0-9]+ FAILED/ {
				sub("#", "", $2); sub("[.]$", "", $5)
				printf "%s%s: hunk %d fails at line %s", sep,
					file, $2, $5
				sep = "; "
			}' "$work/out")"
		awk -v p="$me: $1:" '
			/^patching file / { file = $3 }
			/^Hunk .*(offset|fuzz)/ {
				sub(/^Hunk #/, "hunk "); sub(/succeeded /, "")
				print p, file, $0
			}' "$work/out" >&2
		(cd "$work/t" && echo "$files" | GIT_WORK_TREE=. \
			git update-index --remove --stdin)
	fi
	for f in $new; do
		[ -z "$(git ls-files -- "$f")" ] ||
			refused "$1" "$f: there is such a file already"
		mode=644
		[ ! -x "$overlay/$f" ] || mode=755
		blob=$(git hash-object -w --no-filters "$overlay/$f")
		git update-index --add --cacheinfo "100$mode,$blob,$f"
	done
}

# Commit the queue in git directory $1 on top of its commit $2; $3 is what to
# call that in a message.  Leaves the last commit in $head, the names of patches
# that the base has already in $skipped, and lines "COMMIT PATCH" in $work/made.
commit_queue()
{
	names=$(queue_names) || exit 1
	export GIT_DIR=$1 GIT_INDEX_FILE=$work/index
	base=$2 head=$2 onto=$3 skipped=
	: >"$work/made"
	git read-tree "$base"
	for p in $names; do
		[ -n "$(field "$p" Subject)" ] && grep -qx -e --- "$patches/$p" ||
			die "$patches/$p: needs a line 'Subject: ...' and" \
			    "a line '---' that ends the message"
		new=$(field "$p" New-file)
		for f in $new; do
			[ -f "$overlay/$f" ] ||
				die "$patches/$p: New-file $f: not in $overlay"
		done
		hunks "$p" >"$work/diff"
		files=
		if [ -s "$work/diff" ]; then
			git apply --numstat "$work/diff" >"$work/stat" \
				2>"$work/out" || die "$patches/$p:" \
					"$(sed 's/^error: //' "$work/out")"
			files=$(cut -f3 "$work/stat")
		fi
		[ -n "$files$new" ] || die "$patches/$p: changes nothing"

		if present_by_text "$p"; then
			skipped="$skipped $p"
			continue
		fi
		unpack_files "$p"
		if present_by_diff; then
			skipped="$skipped $p"
			continue
		fi
		apply "$p"
		message "$p" >"$work/message"
		head=$(git commit-tree -p "$head" -F "$work/message" \
			"$(git write-tree)")
		echo "$head $p" >>"$work/made"
	done
	unset GIT_DIR GIT_INDEX_FILE
	for p in $skipped; do
		say "$p: skipped, $onto has it already"
	done
}
