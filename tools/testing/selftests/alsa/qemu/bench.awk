# SPDX-License-Identifier: GPL-2.0
#
# Makes of bench.tsv what is to be read: tables with a line for each stream.

BEGIN { FS = "\t" }

NR == 1 { next }

{
	row = sprintf("%-11s %-8s %-8s %6s %7s", $1, $2, $3,
		      $4 == "-" ? "-" : $4 / 1024, $5)
	if (!(row in seen)) {
		seen[row]
		order[++n] = row
	}
	value[row, $6, "base"] = $7
	value[row, $6, "merged"] = $8
	value[row, $6, "series"] = $9
}

function get(row, what, kernel)
{
	return (row, what, kernel) in value ? value[row, what, kernel] : "-"
}

# What a table shows is what bench.tsv has, or made of it
function figure(row, what, kernel, audio, sum)
{
	if (what == "ratio") {
		audio = get(row, "audio", kernel)
		if (audio == "-")
			return audio
		sum = get(row, "device", kernel) + get(row, "cpu", kernel)
		return sprintf("%.2f", sum / audio)
	}
	if (what == "period") {
		audio = get(row, "transfer", kernel)
		return audio == "-" ? get(row, "round", kernel) : audio
	}
	if (what ~ /^millions /) {
		sub(/^millions /, "", what)
		audio = get(row, what, kernel)
		return audio == "-" ? "-" : sprintf("%.2f", audio / 1e6)
	}
	return get(row, what, kernel)
}

# A table of the rows that match WHICH and have any of WHATS, which are separated
# by "|", as their names are; a column for each of them and each kernel
function table(which, kernels, names, whats,
	       i, w, k, kcount, wcount, kernel, what, first, line, some)
{
	first = 1
	kcount = split(kernels, kernel, " ")
	wcount = split(whats, what, "|")
	for (i = 1; i <= n; i++) {
		if (order[i] !~ which)
			continue
		line = order[i]
		some = 0
		for (w = 1; w <= wcount; w++) {
			some += figure(order[i], what[w], "series") != "-"
			for (k = 1; k <= kcount; k++)
				line = line sprintf(" %9s",
					figure(order[i], what[w], kernel[k]))
		}
		if (!some)
			continue
		if (first)
			head(kernel, kcount, wcount, names)
		first = 0
		print line
	}
}

function head(kernel, kcount, wcount, names, w, k, name)
{
	split(names, name, "|")
	printf "\n%43s", ""
	for (w = 1; w <= wcount; w++)
		printf " %*s", 10 * kcount - 1, name[w]
	printf "\n%-11s %-8s %-8s %6s %7s", "card", "stream", "by", "KiB",
		"period"
	for (w = 1; w <= wcount; w++)
		for (k = 1; k <= kcount; k++)
			printf " %9s",
				kernel[k] == "series" ? "ours" : kernel[k]
	printf "\n"
}

END {
	two = "merged series"
	three = "base " two

	print "bytes/byte: synced per byte of audio; irqoff: most bytes synced " \
	      "with interrupts off"
	print "Instructions: hwsync: SYNC_PTR with HWSYNC when nothing has " \
	      "moved; period: what an"
	print "application does for a period; interrupt: ends a period, and wakes " \
	      "it; second: what a"
	print "program takes for a second of audio, by itself and in the " \
	      "kernel, in millions"
	print "dc-...: lines of the cache that arm64 cleans, cleans and " \
	      "invalidates, or invalidates"
	print "in a second of audio; the base has uncached memory there"

	table("^non", two, "bytes/byte|irqoff|hwsync|period",
	      "ratio|irqoff|hwsync|period")
	table("^non", two, "interrupt|second|system calls",
	      "interrupt|millions busy|syscalls")
	table("^(dmatest|hda)", three, "hwsync|period|interrupt",
	      "hwsync|period|interrupt")
	table("^(dmatest|hda)", three, "second|system calls",
	      "millions busy|syscalls")
	table("^hda", three, "dc-cvac|dc-civac|dc-ivac|second",
	      "dc-cvac|dc-civac|dc-ivac|millions instructions")
	table("^snd-pcm", three, "code|data|a substream|while it is open",
	      "text|data|substream|runtime")
}
