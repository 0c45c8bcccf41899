// SPDX-License-Identifier: GPL-2.0
/*
 * Objects as large as what a PCM substream takes; "nm -S" tells. Compiled by
 * bench against a kernel, never run.
 */
#include <sound/pcm.h>

char substream[sizeof(struct snd_pcm_substream)];
char runtime[sizeof(struct snd_pcm_runtime)];
