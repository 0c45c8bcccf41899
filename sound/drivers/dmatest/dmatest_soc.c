// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *  The virtual card as most Arm boards have theirs
 *
 *  There, the sound interface is no more than a FIFO, and a DMA controller
 *  moves the frames. ASoC leaves the PCM to soc-generic-dmaengine-pcm.c, which
 *  asks the controller for a cyclic transfer. Here, the engine of each stream is
 *  a channel of such a controller. Of the buffer it knows what that transfer
 *  says: one address and a length.
 */

#include <linux/dmaengine.h>
#include <linux/platform_device.h>
#include <sound/dmaengine_pcm.h>
#include <sound/pcm_params.h>
#include <sound/soc.h>

#include "dmatest.h"

#define DMATEST_SOC_RATES	SNDRV_PCM_RATE_8000_192000
#define DMATEST_SOC_FORMATS	(SNDRV_PCM_FMTBIT_S8 |		\
				 SNDRV_PCM_FMTBIT_S16_LE |	\
				 SNDRV_PCM_FMTBIT_S24_LE |	\
				 SNDRV_PCM_FMTBIT_S24_3LE |	\
				 SNDRV_PCM_FMTBIT_S32_LE)

#define DMATEST_SOC_WIDTHS	(BIT(DMA_SLAVE_BUSWIDTH_1_BYTE) |	\
				 BIT(DMA_SLAVE_BUSWIDTH_2_BYTES) |	\
				 BIT(DMA_SLAVE_BUSWIDTH_3_BYTES) |	\
				 BIT(DMA_SLAVE_BUSWIDTH_4_BYTES))

/**
 * struct dmatest_chan - a channel of the DMA controller
 * @chan: as its client sees it
 * @stream: the engine that it is
 * @transfer: the only one that there is at a time
 * @status: what has become of it
 */
struct dmatest_chan {
	struct dma_chan chan;
	struct dmatest_stream *stream;
	struct dma_async_tx_descriptor transfer;
	enum dma_status status;
};

/**
 * struct dmatest_soc - a card with all its parts
 * @card: what it has in common with the others
 * @dma: the DMA controller
 * @chan: its channels, by direction
 * @map: whose they are
 * @pcm: for the PCM on top of it
 * @fifo: what the interface says of its FIFOs, by direction
 * @soc: the card as ASoC sees it
 * @link: between the interface and nothing
 * @interface: the end of the link that the frames come from or go to
 * @nothing: the other one
 */
struct dmatest_soc {
	struct dmatest card;
	struct dma_device dma;
	struct dmatest_chan chan[2];
	struct dma_slave_map map[2];
	struct snd_dmaengine_pcm_config pcm;
	struct snd_dmaengine_dai_dma_data fifo[2];
	struct snd_soc_card soc;
	struct snd_soc_dai_link link;
	struct snd_soc_dai_link_component interface;
	struct snd_soc_dai_link_component nothing;
};

static const char * const channel_names[] = {
	[SNDRV_PCM_STREAM_PLAYBACK]	= "tx",
	[SNDRV_PCM_STREAM_CAPTURE]	= "rx",
};

/*
 * The DMA controller
 */

static struct dmatest_chan *to_chan(struct dma_chan *chan)
{
	return container_of(chan, struct dmatest_chan, chan);
}

static void period_elapsed(struct dmatest_stream *s)
{
	struct dmatest_soc *soc = container_of(s->card, struct dmatest_soc,
					       card);
	struct dma_async_tx_descriptor *transfer =
		&soc->chan[s->substream->stream].transfer;

	if (transfer->callback)
		transfer->callback(transfer->callback_param);
}

static dma_cookie_t dmatest_submit(struct dma_async_tx_descriptor *transfer)
{
	transfer->cookie = DMA_MIN_COOKIE;
	transfer->chan->cookie = transfer->cookie;
	return transfer->cookie;
}

static struct dma_async_tx_descriptor *
dmatest_prep_dma_cyclic(struct dma_chan *chan, dma_addr_t addr, size_t bytes,
			size_t period, enum dma_transfer_direction direction,
			unsigned long flags)
{
	struct dmatest_chan *c = to_chan(chan);
	struct snd_pcm_substream *substream = c->stream->substream;

	if (direction != snd_pcm_substream_to_dma_direction(substream) ||
	    bytes != snd_pcm_lib_buffer_bytes(substream) ||
	    period != snd_pcm_lib_period_bytes(substream))
		return NULL;
	dmatest_engine_set_address(c->stream, addr, bytes);
	memset(&c->transfer, 0, sizeof(c->transfer));
	dma_async_tx_descriptor_init(&c->transfer, chan);
	c->transfer.tx_submit = dmatest_submit;
	c->transfer.flags = flags;
	return &c->transfer;
}

static void dmatest_run(struct dma_chan *chan)
{
	to_chan(chan)->status = DMA_IN_PROGRESS;
	dmatest_engine_start(to_chan(chan)->stream);
}

static void dmatest_halt(struct dma_chan *chan, enum dma_status status)
{
	dmatest_engine_stop(to_chan(chan)->stream);
	to_chan(chan)->status = status;
}

static int dmatest_pause(struct dma_chan *chan)
{
	dmatest_halt(chan, DMA_PAUSED);
	return 0;
}

static int dmatest_resume(struct dma_chan *chan)
{
	dmatest_run(chan);
	return 0;
}

static int dmatest_terminate_all(struct dma_chan *chan)
{
	dmatest_halt(chan, DMA_COMPLETE);
	return 0;
}

static void dmatest_synchronize(struct dma_chan *chan)
{
	dmatest_engine_sync_stop(to_chan(chan)->stream);
}

static enum dma_status dmatest_tx_status(struct dma_chan *chan,
					 dma_cookie_t cookie,
					 struct dma_tx_state *state)
{
	struct dmatest_chan *c = to_chan(chan);
	struct dmatest_stream *s = c->stream;

	memset(state, 0, sizeof(*state));
	state->used = chan->cookie;
	if (c->status != DMA_COMPLETE)
		state->residue = snd_pcm_lib_buffer_bytes(s->substream) -
				 frames_to_bytes(s->substream->runtime,
						 dmatest_engine_pointer(s));
	return c->status;
}

/* Width and burst of the FIFO do not matter to it */
static int dmatest_slave_config(struct dma_chan *chan,
				struct dma_slave_config *config)
{
	return 0;
}

static bool dmatest_filter(struct dma_chan *chan, void *param)
{
	return chan == param;
}

static int dmatest_dma_register(struct dmatest_soc *soc, struct device *dev)
{
	struct dma_device *dma = &soc->dma;
	int i;

	dma->dev = dev;
	dma->device_config = dmatest_slave_config;
	dma->device_prep_dma_cyclic = dmatest_prep_dma_cyclic;
	dma->device_issue_pending = dmatest_run;
	dma->device_pause = dmatest_pause;
	dma->device_resume = dmatest_resume;
	dma->device_terminate_all = dmatest_terminate_all;
	dma->device_synchronize = dmatest_synchronize;
	dma->device_tx_status = dmatest_tx_status;
	dma->directions = BIT(DMA_MEM_TO_DEV) | BIT(DMA_DEV_TO_MEM);
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_BURST;
	dma->src_addr_widths = DMATEST_SOC_WIDTHS;
	dma->dst_addr_widths = DMATEST_SOC_WIDTHS;
	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	dma_cap_set(DMA_CYCLIC, dma->cap_mask);
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->filter.fn = dmatest_filter;
	dma->filter.map = soc->map;
	dma->filter.mapcnt = ARRAY_SIZE(soc->map);

	INIT_LIST_HEAD(&dma->channels);
	for_each_pcm_streams(i) {
		struct dmatest_chan *c = &soc->chan[i];

		c->stream = &soc->card.stream[i][0];
		c->stream->period_elapsed = period_elapsed;
		c->status = DMA_COMPLETE;
		c->chan.device = dma;
		list_add_tail(&c->chan.device_node, &dma->channels);
		soc->map[i].devname = dev_name(dev);
		soc->map[i].slave = channel_names[i];
		soc->map[i].param = &c->chan;
	}
	return dmaenginem_async_device_register(dma);
}

/*
 * The sound interface
 */

static struct dmatest_soc *to_soc(struct snd_soc_dai *dai)
{
	struct dmatest_mem *mem = dev_get_drvdata(dai->dev);

	return container_of(mem, struct dmatest_soc, card.mem);
}

static struct dmatest_stream *to_stream(struct snd_pcm_substream *substream,
					struct snd_soc_dai *dai)
{
	return &to_soc(dai)->card.stream[substream->stream][0];
}

static int dmatest_dai_probe(struct snd_soc_dai *dai)
{
	struct snd_dmaengine_dai_dma_data *fifo = to_soc(dai)->fifo;

	snd_soc_dai_init_dma_data(dai, &fifo[SNDRV_PCM_STREAM_PLAYBACK],
				  &fifo[SNDRV_PCM_STREAM_CAPTURE]);
	return 0;
}

static int dmatest_dai_startup(struct snd_pcm_substream *substream,
			       struct snd_soc_dai *dai)
{
	to_stream(substream, dai)->substream = substream;
	substream->wait_time = DMATEST_WAIT_MS;
	return 0;
}

static int dmatest_dai_hw_params(struct snd_pcm_substream *substream,
				 struct snd_pcm_hw_params *params,
				 struct snd_soc_dai *dai)
{
	return dmatest_engine_setup(to_stream(substream, dai), params);
}

static int dmatest_dai_hw_free(struct snd_pcm_substream *substream,
			       struct snd_soc_dai *dai)
{
	dmatest_engine_free(to_stream(substream, dai));
	return 0;
}

static int dmatest_dai_prepare(struct snd_pcm_substream *substream,
			       struct snd_soc_dai *dai)
{
	dmatest_engine_prepare(to_stream(substream, dai));
	return 0;
}

static const struct snd_soc_dai_ops dmatest_dai_ops = {
	.startup	= dmatest_dai_startup,
	.hw_params	= dmatest_dai_hw_params,
	.hw_free	= dmatest_dai_hw_free,
	.prepare	= dmatest_dai_prepare,
};

#define DMATEST_SOC_STREAM(name)			\
	{						\
		.stream_name	= (name),		\
		.formats	= DMATEST_SOC_FORMATS,	\
		.rates		= DMATEST_SOC_RATES,	\
		.channels_min	= 1,			\
		.channels_max	= DMATEST_MAX_CHANNELS,	\
	}

static struct snd_soc_dai_driver dmatest_dai = {
	.name		= "dmatest",
	.probe		= dmatest_dai_probe,
	.ops		= &dmatest_dai_ops,
	.playback	= DMATEST_SOC_STREAM("Playback"),
	.capture	= DMATEST_SOC_STREAM("Capture"),
};

static const struct snd_soc_component_driver dmatest_component = {
	.name		= "dmatest",
};

/*
 * The card
 */

static int dmatest_late_probe(struct snd_soc_card *soc_card)
{
	struct dmatest *card = snd_soc_card_get_drvdata(soc_card);

	card->card = soc_card->snd_card;
	return dmatest_proc_new(card);
}

static void dmatest_soc_free(void *card)
{
	dmatest_destroy(card);
}

static void dmatest_soc_unregister(void *card)
{
	snd_soc_unregister_card(card);
}

static void dmatest_board_unregister(void *board)
{
	platform_device_unregister(board);
}

/* The memory wants the device's driver data, and ASoC the card's */
static int dmatest_board_register(struct dmatest_soc *soc,
				  struct platform_device *pdev)
{
	struct platform_device *board;

	board = platform_device_register_data(&pdev->dev, "snd_dmatest_board",
					      pdev->id, NULL, 0);
	if (IS_ERR(board))
		return PTR_ERR(board);
	soc->soc.dev = &board->dev;
	return devm_add_action_or_reset(&pdev->dev, dmatest_board_unregister,
					board);
}

static int dmatest_soc_register(struct dmatest_soc *soc,
				struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	int err;

	soc->interface.name = dev_name(dev);
	soc->nothing.name = "snd-soc-dummy";
	soc->nothing.dai_name = "snd-soc-dummy-dai";
	soc->link.name = "dmatest";
	soc->link.stream_name = "dmatest";
	soc->link.nonatomic = soc->card.config.nonatomic;
	soc->link.cpus = &soc->interface;
	soc->link.num_cpus = 1;
	soc->link.platforms = &soc->interface;
	soc->link.num_platforms = 1;
	soc->link.codecs = &soc->nothing;
	soc->link.num_codecs = 1;

	soc->soc.owner = THIS_MODULE;
	soc->soc.name = "dmatest";
	soc->soc.driver_name = "dmatest";
	soc->soc.long_name = devm_kasprintf(dev, GFP_KERNEL,
					    "dmatest %d, DMA controller",
					    pdev->id);
	if (!soc->soc.long_name)
		return -ENOMEM;
	soc->soc.dai_link = &soc->link;
	soc->soc.num_links = 1;
	soc->soc.late_probe = dmatest_late_probe;
	snd_soc_card_set_drvdata(&soc->soc, &soc->card);

	err = dmatest_board_register(soc, pdev);
	if (err < 0)
		return err;
	err = snd_soc_register_card(&soc->soc);
	if (err < 0)
		return err;
	return devm_add_action_or_reset(dev, dmatest_soc_unregister,
					&soc->soc);
}

/* What a driver adds for cached buffers */
static unsigned int pcm_flags(const struct dmatest_config *config)
{
#ifdef SND_DMAENGINE_PCM_FLAG_NONCOHERENT
	if (config->type == SNDRV_DMA_TYPE_NONCOHERENT)
		return SND_DMAENGINE_PCM_FLAG_NONCOHERENT;
#endif
	return 0;
}

/**
 * dmatest_soc_probe - make a card whose frames a DMA controller moves
 * @pdev: the device
 * @config: the card
 *
 * Context: process
 * Return: 0, or a negative error code
 */
int dmatest_soc_probe(struct platform_device *pdev,
		      const struct dmatest_config *config)
{
	struct device *dev = &pdev->dev;
	struct dmatest_soc *soc;
	int i, err;

	soc = devm_kzalloc(dev, sizeof(*soc), GFP_KERNEL);
	if (!soc)
		return -ENOMEM;
	soc->card.config = *config;
	err = dmatest_create(&soc->card, dev);
	if (err < 0)
		return err;
	err = devm_add_action_or_reset(dev, dmatest_soc_free, &soc->card);
	if (err < 0)
		return err;
	err = dmatest_dma_register(soc, dev);
	if (err < 0)
		return err;

	err = devm_snd_soc_register_component(dev, &dmatest_component,
					      &dmatest_dai, 1);
	if (err < 0)
		return err;
	soc->pcm.prepare_slave_config = snd_dmaengine_pcm_prepare_slave_config;
	soc->pcm.prealloc_buffer_size = config->prealloc;
	for_each_pcm_streams(i)
		soc->pcm.chan_names[i] = channel_names[i];
	err = devm_snd_dmaengine_pcm_register(dev, &soc->pcm,
					      pcm_flags(config));
	if (err < 0)
		return err;
	return dmatest_soc_register(soc, pdev);
}
