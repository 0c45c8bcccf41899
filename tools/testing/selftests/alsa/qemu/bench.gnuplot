# SPDX-License-Identifier: GPL-2.0
#
#	gnuplot -c bench.gnuplot BENCH.TSV DIR
#
# Draws DIR/bytes.svg and DIR/instructions.svg: what a period of 1024 frames
# costs, over the size of the buffer.

set terminal svg size 640,400 font "sans-serif,12" background "white"
set logscale x 2
set logscale y 10
set xlabel "buffer (KiB)"
set grid
set key outside below maxrows 2
set style data linespoints

# $1: stream, $2: kernel's column; prints buffer, bytes per byte, instructions
table = "< awk -F'\t' -v column=%d '$1 == \"noncontig\" && $2 == \"%s\" && $3 == \"mmap\" && $5 == 1024 { buffer = $4 / 1024; v[buffer, $6] = $column; seen[buffer] } END { for (b in seen) print b, (v[b, \"device\"] + v[b, \"cpu\"]) / v[b, \"audio\"], v[b, \"round\"] }' '%s' | sort -n"
merged(stream) = sprintf(table, 8, stream, ARG1)
series(stream) = sprintf(table, 9, stream, ARG1)

set output ARG2 . "/bytes.svg"
set ylabel "bytes synced per byte of audio"
set yrange [0.5:*]
plot merged("playback") using 1:2 title "merged, playback" lc rgb "#c0392b", \
     merged("capture") using 1:2 title "merged, capture" lc rgb "#e67e22", \
     series("playback") using 1:2 title "this series, playback" lc rgb "#2471a3", \
     series("capture") using 1:2 title "this series, capture (mapped: there and back)" lc rgb "#48c9b0"

set output ARG2 . "/instructions.svg"
set ylabel "instructions of the core per period"
set yrange [500:*]
plot merged("playback") using 1:3 title "merged, playback" lc rgb "#c0392b", \
     merged("capture") using 1:3 title "merged, capture" lc rgb "#e67e22", \
     series("playback") using 1:3 title "this series, playback" lc rgb "#2471a3", \
     series("capture") using 1:3 title "this series, capture" lc rgb "#48c9b0"
