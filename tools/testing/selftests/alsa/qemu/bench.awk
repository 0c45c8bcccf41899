# SPDX-License-Identifier: GPL-2.0
#
# Makes of bench.tsv what is to be read: a line for each stream.

BEGIN { FS = "\t" }

NR == 1 { next }

{
	row = sprintf("%-11s %-8s %-4s %8s %7s", $1, $2, $3,
		      $4 == "-" ? "-" : $4 / 1024, $5)
	if (!(row in seen)) {
		seen[row] = $1
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

# bytes synced for a byte of audio
function ratio(row, kernel)
{
	if (get(row, "audio", kernel) == "-")
		return "-"
	return sprintf("%.2f", (get(row, "device", kernel) + \
		get(row, "cpu", kernel)) / get(row, "audio", kernel))
}

# what is done for a period, whichever way
function period(row, kernel, what)
{
	what = get(row, "transfer", kernel)
	return what == "-" ? get(row, "round", kernel) : what
}

# instructions for a second of audio, in millions
function second(row, kernel, busy)
{
	busy = get(row, "busy", kernel)
	return busy == "-" ? busy : sprintf("%.2f", busy / 1e6)
}

function heading(text, kernels)
{
	printf "\n%s\n%-11s %-8s %-4s %8s %7s%s\n", text, "card", "stream",
		"by", "KiB", "period", kernels
}

END {
	heading("Buffers that need sync: bytes synced per byte of audio, " \
		"most bytes with interrupts off,\n" \
		"instructions of SYNC_PTR with HWSYNC when nothing has moved, " \
		"of what is done for a period,\n" \
		"and, in millions, of a second of audio with all that runs",
		sprintf(" %10s %7s %9s %7s %8s %7s %9s %7s %8s %7s",
			"merged", "ours", "merged", "ours", "merged", "ours",
			"merged", "ours", "merged", "ours"))
	for (i = 1; i <= n; i++) {
		row = order[i]
		if (seen[row] !~ /^non/)
			continue
		printf "%s %10s %7s %9s %7s %8s %7s %9s %7s %8s %7s\n", row,
			ratio(row, "merged"), ratio(row, "series"),
			get(row, "irqoff", "merged"),
			get(row, "irqoff", "series"),
			get(row, "hwsync", "merged"),
			get(row, "hwsync", "series"),
			period(row, "merged"), period(row, "series"),
			second(row, "merged"), second(row, "series")
	}
	heading("Coherent cards: the same instructions",
		sprintf(" %7s %7s %7s %7s %7s %7s %7s %7s %7s",
			"base", "merged", "ours", "base", "merged", "ours",
			"base", "merged", "ours"))
	for (i = 1; i <= n; i++) {
		row = order[i]
		if (seen[row] !~ /^(dmatest|hda)/)
			continue
		printf "%s", row
		for (k = 1; k <= 3; k++)
			printf " %7s", get(row, "hwsync", kernel(k))
		for (k = 1; k <= 3; k++)
			printf " %7s", period(row, kernel(k))
		for (k = 1; k <= 3; k++)
			printf " %7s", second(row, kernel(k))
		printf "\n"
	}
	printf "\nThe core: bytes\n%-11s %9s %9s %9s\n", "", "base", "merged",
		"ours"
	for (i = 1; i <= n; i++) {
		row = order[i]
		if (seen[row] != "snd-pcm")
			continue
		split("text data substream runtime", what, " ")
		for (w = 1; w <= 4; w++)
			printf "%-11s %9s %9s %9s\n", what[w],
				get(row, what[w], "base"),
				get(row, what[w], "merged"),
				get(row, what[w], "series")
	}
}

function kernel(k)
{
	return k == 1 ? "base" : k == 2 ? "merged" : "series"
}
