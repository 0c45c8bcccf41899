// SPDX-License-Identifier: GPL-2.0
/*
 * Objects as large as what a PCM substream takes of memory; "nm -S" tells. Compiled
 * by bench against a kernel, never run.
 */
#include <linux/log2.h>
#include <sound/pcm.h>

/* kmalloc() gives that much from 256 bytes on */
#define ALLOCATED(type)	roundup_pow_of_two(sizeof(type))

char substream[ALLOCATED(struct snd_pcm_substream)];
char runtime[ALLOCATED(struct snd_pcm_runtime)];
