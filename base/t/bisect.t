#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# After each patch, what the series touches compiles, whatever is chosen of its
# options, without a warning that the base does not have.

. "${0%/*}/tap.sh"
. "$repo/base/t/kbuild.sh"

exec 3>&2
queue
ok 'every patch applies' ended 0
[ "$status" = 0 ] || bail_out 'there is no tree to build'

# build WHAT: how much is compiled is told, as this takes a while
build()
{
	kbuild log "W=1 $(targets)"
	built=$?
	{ counted log; undefined; } >now
	echo "# $(grep -c '^  CC' log) objects: $1" >&3
	return $built
}

# The symbols of the sound core that nothing compiled here defines, or that a
# module needs and nothing exports
undefined()
{
	(cd "$objects" && find sound -name '.*.o.cmd' |
		xargs grep -l -e ' -DMODULE ' |
		sed 's|/\.\([^/]*\)\.cmd$|/\1|' >"$tmp/modules"
	find sound -name '*.o' | xargs nm -A 2>/dev/null) | sed 's/:/ /' |
		awk -v modules="$tmp/modules" '
		BEGIN { while ((getline <modules) > 0) modular[$1] }
		NF == 4		{ defined[$4]; if ($1 in modular) own[$4] }
		sub(/^__ksymtab_/, "", $4) { exported[$4] }
		# ASoC itself is not compiled here
		$2 != "U" || $3 !~ /snd_|^pcm_/ || $3 ~ /snd_soc_|snd_dmaengine_pcm_reg/ { next }
				{ used[$3]; if ($1 in modular) foreign[$3] }
		END {
			for (name in used)
				if (!(name in defined))
					print 1, "undefined: " name
			for (name in foreign)
				if (!(name in own) && !(name in exported))
					print 1, "not exported: " name
		}'
}

# What nobody compiles, nothing is said of.
compiled()
{
	for f in $(touched); do
		grep -rqF --include='*.cmd' "/$f" "$objects/sound" ||
			{ echo "$f"; return 1; }
	done
}

in_tree checkout -q base
rm -rf "$steps"/kernel/steps-*/sound
options m
ok 'the base builds' build base
[ "$built" = 0 ] || bail_out 'there is nothing to compare with'
mv now base
ok 'every file that a patch touches is compiled' compiled

for commit in $(in_tree rev-list --reverse base..series); do
	in_tree checkout -q "$commit"
	title=$(title "$commit")
	if in_tree diff --quiet "$commit^" "$commit" -- sound include; then
		skip "$title" 'it touches nothing that is compiled'
		continue
	fi
	values=m
	[ -z "$(in_tree diff --name-only base "$commit" -- '*Kconfig*')" ] ||
		values='m y n'
	for value in $values; do
		options $value
		ok "$title: builds ($value)" build "$title ($value)"
		ok "$title: no new warning, no missing symbol ($value)" \
			no_more base now
	done
done

in_tree checkout -q series
done_testing
