/* SPDX-License-Identifier: GPL-2.0-or-later */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM snd_pcm_dma
#define TRACE_INCLUDE_FILE pcm_dma_sync_trace

#if !defined(__SOUND_CORE_PCM_DMA_SYNC_TRACE_H) || \
	defined(TRACE_HEADER_MULTI_READ)
#define __SOUND_CORE_PCM_DMA_SYNC_TRACE_H

#include <linux/tracepoint.h>
#include <sound/core.h>
#include <sound/pcm.h>
#include "pcm_dma_sync.h"

/* bytes of a PCM buffer change hands */
TRACE_DEFINE_ENUM(SNDRV_DMA_SYNC_DEVICE);
TRACE_DEFINE_ENUM(SYNC_BY_APPL_PTR);
TRACE_DEFINE_ENUM(SYNC_BY_HW_PTR);
TRACE_DEFINE_ENUM(SYNC_BY_PERIOD);
TRACE_DEFINE_ENUM(SYNC_BY_SILENCE);
TRACE_DEFINE_ENUM(SYNC_BY_RESET);
TRACE_DEFINE_ENUM(SYNC_BY_HW_PARAMS);

TRACE_EVENT(dma_sync,
	    TP_PROTO(struct snd_pcm_substream *substream,
		     enum snd_pcm_dma_sync_by by, size_t offset, size_t bytes,
		     enum snd_dma_sync_mode mode),
	    TP_ARGS(substream, by, offset, bytes, mode),
	    TP_STRUCT__entry(__field(int, card)
			     __field(int, device)
			     __field(int, stream)
			     __field(int, number)
			     __field(int, by)
			     __field(int, mode)
			     __field(size_t, offset)
			     __field(size_t, bytes)),
	    TP_fast_assign(__entry->card = substream->pcm->card->number;
			   __entry->device = substream->pcm->device;
			   __entry->stream = substream->stream;
			   __entry->number = substream->number;
			   __entry->by = by;
			   __entry->mode = mode;
			   __entry->offset = offset;
			   __entry->bytes = bytes;),
	    TP_printk("pcmC%dD%d%c/sub%d: %s for %s: offset=%zu, bytes=%zu",
		      __entry->card, __entry->device,
		      __entry->stream == SNDRV_PCM_STREAM_PLAYBACK ? 'p' : 'c',
		      __entry->number,
		      __print_symbolic(__entry->by,
				       { SYNC_BY_APPL_PTR, "appl_ptr" },
				       { SYNC_BY_HW_PTR, "hw_ptr" },
				       { SYNC_BY_PERIOD, "period" },
				       { SYNC_BY_SILENCE, "silence" },
				       { SYNC_BY_RESET, "reset" },
				       { SYNC_BY_HW_PARAMS, "hw_params" }),
		      __entry->mode == SNDRV_DMA_SYNC_DEVICE ? "device" : "cpu",
		      __entry->offset, __entry->bytes));

#endif /* __SOUND_CORE_PCM_DMA_SYNC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#include <trace/define_trace.h>
