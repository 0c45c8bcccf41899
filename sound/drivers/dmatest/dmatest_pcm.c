// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *  PCM of the virtual card
 */

#include <linux/dma-mapping.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <sound/pcm_params.h>

#include "dmatest.h"

/* Of all cards; they count down */
static unsigned int open_fails;
module_param(open_fails, uint, 0644);
MODULE_PARM_DESC(open_fails, "So many times, there is no memory to open a stream.");
static unsigned int ack_fails;
module_param(ack_fails, uint, 0644);
MODULE_PARM_DESC(ack_fails, "So many times, a device that reads ahead refuses frames.");

static const struct snd_pcm_hardware dmatest_hardware = {
	.info			= SNDRV_PCM_INFO_MMAP |
				  SNDRV_PCM_INFO_MMAP_VALID |
				  SNDRV_PCM_INFO_INTERLEAVED |
				  SNDRV_PCM_INFO_NONINTERLEAVED |
				  SNDRV_PCM_INFO_BLOCK_TRANSFER |
				  SNDRV_PCM_INFO_PAUSE |
				  SNDRV_PCM_INFO_RESUME |
				  SNDRV_PCM_INFO_NO_PERIOD_WAKEUP,
	.formats		= SNDRV_PCM_FMTBIT_S8 |
				  SNDRV_PCM_FMTBIT_U8 |
				  SNDRV_PCM_FMTBIT_S16_LE |
				  SNDRV_PCM_FMTBIT_S24_LE |
				  SNDRV_PCM_FMTBIT_S24_3LE |
				  SNDRV_PCM_FMTBIT_S32_LE |
				  SNDRV_PCM_FMTBIT_FLOAT_LE |
				  SNDRV_PCM_FMTBIT_IMA_ADPCM,
	.rates			= SNDRV_PCM_RATE_CONTINUOUS |
				  SNDRV_PCM_RATE_8000_192000,
	.rate_min		= 8000,
	.rate_max		= DMATEST_RATE_MAX,
	.channels_min		= 1,
	.channels_max		= DMATEST_MAX_CHANNELS,
	.period_bytes_min	= 64,
	.periods_min		= 2,
};

static struct dmatest_stream *to_stream(struct snd_pcm_substream *substream)
{
	struct dmatest *card = snd_pcm_substream_chip(substream);

	return &card->stream[substream->stream][substream->number];
}

static int dmatest_open(struct snd_pcm_substream *substream)
{
	struct dmatest *card = snd_pcm_substream_chip(substream);
	struct snd_pcm_runtime *runtime = substream->runtime;
	struct dmatest_stream *s = to_stream(substream);

	if (open_fails) {
		open_fails--;
		return -ENOMEM;
	}
	s->substream = substream;
	substream->wait_time = DMATEST_WAIT_MS;
	runtime->hw = dmatest_hardware;
	runtime->hw.buffer_bytes_max = card->config.buffer_max;
	if (card->config.own) {
		snd_pcm_set_runtime_buffer(substream, &s->own);
		runtime->hw.buffer_bytes_max = s->own.bytes;
	}
	runtime->hw.period_bytes_max = card->config.buffer_max / 2;
	runtime->hw.periods_max = card->config.buffer_max /
				  runtime->hw.period_bytes_min;
	if (card->config.ack)
		runtime->hw.info |= SNDRV_PCM_INFO_SYNC_APPLPTR;
	return snd_pcm_hw_constraint_integer(runtime,
					     SNDRV_PCM_HW_PARAM_PERIODS);
}

static int dmatest_close(struct snd_pcm_substream *substream)
{
	struct dmatest_stream *s = to_stream(substream);

	dmatest_engine_sync_stop(s);
	s->substream = NULL;
	return 0;
}

static int dmatest_hw_params(struct snd_pcm_substream *substream,
			     struct snd_pcm_hw_params *params)
{
	struct dmatest_stream *s = to_stream(substream);

	if (s->card->config.own)
		substream->runtime->dma_bytes = params_buffer_bytes(params);
	return dmatest_engine_setup(s, params);
}

static int dmatest_hw_free(struct snd_pcm_substream *substream)
{
	dmatest_engine_free(to_stream(substream));
	return 0;
}

static int dmatest_prepare(struct snd_pcm_substream *substream)
{
	dmatest_engine_prepare(to_stream(substream));
	return 0;
}

static int dmatest_trigger(struct snd_pcm_substream *substream, int cmd)
{
	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
	case SNDRV_PCM_TRIGGER_RESUME:
	case SNDRV_PCM_TRIGGER_PAUSE_RELEASE:
		dmatest_engine_start(to_stream(substream));
		return 0;
	case SNDRV_PCM_TRIGGER_STOP:
	case SNDRV_PCM_TRIGGER_SUSPEND:
	case SNDRV_PCM_TRIGGER_PAUSE_PUSH:
		dmatest_engine_stop(to_stream(substream));
		return 0;
	}
	return -EINVAL;
}

static int dmatest_sync_stop(struct snd_pcm_substream *substream)
{
	dmatest_engine_sync_stop(to_stream(substream));
	return 0;
}

static int dmatest_ioctl(struct snd_pcm_substream *substream,
			 unsigned int cmd, void *arg)
{
	int err = snd_pcm_lib_ioctl(substream, cmd, arg);

	if (!err && cmd == SNDRV_PCM_IOCTL1_RESET)
		dmatest_engine_reset(to_stream(substream));
	return err;
}

static snd_pcm_uframes_t dmatest_pointer(struct snd_pcm_substream *substream)
{
	return dmatest_engine_pointer(to_stream(substream));
}

static int dmatest_ack(struct snd_pcm_substream *substream)
{
	if (ack_fails) {
		ack_fails--;
		return -EIO;
	}
	dmatest_engine_ack(to_stream(substream));
	return 0;
}

#define DMATEST_PCM_OPS				\
	.open		= dmatest_open,		\
	.close		= dmatest_close,	\
	.ioctl		= dmatest_ioctl,	\
	.hw_params	= dmatest_hw_params,	\
	.hw_free	= dmatest_hw_free,	\
	.prepare	= dmatest_prepare,	\
	.trigger	= dmatest_trigger,	\
	.sync_stop	= dmatest_sync_stop,	\
	.pointer	= dmatest_pointer

static const struct snd_pcm_ops dmatest_pcm_ops = {
	DMATEST_PCM_OPS,
};

static const struct snd_pcm_ops dmatest_pcm_ack_ops = {
	DMATEST_PCM_OPS,
	.ack		= dmatest_ack,
};

/* As if it were on the card: there before any stream, and never another */
static int allocate_own(struct dmatest *card, struct device *dev)
{
	const struct dmatest_config *config = &card->config;
	struct snd_dma_buffer *own;
	unsigned int number;
	int direction, err;

	for (number = 0; number < config->substreams; number++) {
		for (direction = 0; direction < 2; direction++) {
			own = &card->stream[direction][number].own;
			err = snd_dma_alloc_pages(config->type, dev,
						  config->prealloc, own);
			if (err < 0)
				return err;
		}
	}
	return 0;
}

/**
 * dmatest_pcm_new - give a card its PCM
 * @card: the card, whose streams are ready
 *
 * Return: 0, or a negative error code
 */
int dmatest_pcm_new(struct dmatest *card)
{
	const struct dmatest_config *config = &card->config;
	const struct snd_pcm_ops *ops = config->ack ? &dmatest_pcm_ack_ops :
						      &dmatest_pcm_ops;
	struct device *dev = card->card->dev;
	struct snd_pcm *pcm;
	int err;

	err = snd_pcm_new(card->card, "dmatest", 0, config->substreams,
			  config->substreams, &pcm);
	if (err < 0)
		return err;
	pcm->private_data = card;
	pcm->nonatomic = config->nonatomic;
	strscpy(pcm->name, "dmatest", sizeof(pcm->name));
	snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_PLAYBACK, ops);
	snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_CAPTURE, ops);

	/* What is not for DMA is not for a device */
	if (config->type == SNDRV_DMA_TYPE_CONTINUOUS ||
	    config->type == SNDRV_DMA_TYPE_VMALLOC)
		dev = NULL;
	if (config->own)
		return allocate_own(card, dev);
	return snd_pcm_set_managed_buffer_all(pcm, config->type, dev,
					      config->prealloc,
					      config->buffer_max);
}

/**
 * dmatest_pcm_free - free what a card's PCM has of its own
 * @card: the card, whose PCM is gone or was never there
 */
void dmatest_pcm_free(struct dmatest *card)
{
	unsigned int number;
	int direction;

	for (direction = 0; direction < 2; direction++) {
		struct dmatest_stream *s = card->stream[direction];

		for (number = 0; s && number < card->config.substreams; number++)
			if (s[number].own.area)
				snd_dma_free_pages(&s[number].own);
	}
}
