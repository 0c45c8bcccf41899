// SPDX-License-Identifier: GPL-2.0-only
///
/// Use cached memory for PCM buffers, which the PCM core hands over by sync:
/// SNDRV_DMA_TYPE_NONCOHERENT in place of SNDRV_DMA_TYPE_DEV, and
/// SNDRV_DMA_TYPE_NONCONTIG in place of SNDRV_DMA_TYPE_DEV_SG.
///
//# The PCM core syncs a frame when a pointer moves over it. A driver that
//# touches the buffer by itself, or takes its address from elsewhere, defeats
//# that (Documentation/sound/designs/dma-sync.rst). The modes report, org and
//# context name such places; each is for a human to judge. Mode patch changes
//# the type in any case, so look at the report before using it.
//#
//# A driver in several files is one driver: give spatch all of them at once,
//# as places are named only if one of the files has a buffer of these types.
//
// Rules depend on each other and spell names out in matches so that spatch can
// skip files by their text.
//
// Confidence: Moderate
// Options: --no-includes --include-headers
// Keywords: snd_pcm_set_managed_buffer, snd_pcm_lib_preallocate_pages

virtual patch
virtual context
virtual org
virtual report

@initialize:python depends on report@
@@
say = coccilib.report.print_report

@initialize:python depends on org@
@@
say = coccilib.org.print_todo

@initialize:python depends on report || org@
@@
cached = {
    "SNDRV_DMA_TYPE_DEV": "SNDRV_DMA_TYPE_NONCOHERENT",
    "SNDRV_DMA_TYPE_DEV_SG": "SNDRV_DMA_TYPE_NONCONTIG",
}
told = set()

def tell(places, text):
    for p in places:
        line = (p.file, p.line, p.column, text)
        if line not in told:
            told.add(line)
            say(p, text)

//----------------------------------------------------------
//  Buffers of the core: their type is the second argument
//----------------------------------------------------------

@set@
identifier f;
@@
\( snd_pcm_set_managed_buffer@f
\| snd_pcm_set_managed_buffer_all@f
\| snd_pcm_set_fixed_buffer@f
\| snd_pcm_set_fixed_buffer_all@f
\| snd_pcm_lib_preallocate_pages@f
\| snd_pcm_lib_preallocate_pages_for_all@f
\)(...)

// The type is a macro of a device: at the call it has to be its value, since
// what else the macro is used for is no PCM buffer.
@macro depends on set@
identifier m, dev, flag;
constant other;
constant was = { SNDRV_DMA_TYPE_DEV, SNDRV_DMA_TYPE_DEV_SG };
@@
#define m(dev) ((dev)->flag ? other : was)

// The type is a local variable: what is assigned to it counts.
@var@
identifier set.f, fn, t;
expression who;
@@
fn(...)
{
<+...
f(who, t, ...)
...+>
}

@old depends on !patch@
identifier set.f;
constant was = { SNDRV_DMA_TYPE_DEV, SNDRV_DMA_TYPE_DEV_SG };
expression who;
position p;
@@
* f(who, <+... was@p ...+>, ...)

@old_macro depends on !patch@
identifier set.f, macro.m;
expression who;
position p;
@@
* f(who, m@p(...), ...)

@old_var depends on !patch@
identifier var.fn, var.t;
type T;
constant was = { SNDRV_DMA_TYPE_DEV, SNDRV_DMA_TYPE_DEV_SG };
position p;
@@
fn(...)
{
<+...
(
* t = <+... was@p ...+>;
|
* T t = <+... was@p ...+>;
)
...+>
}

@depends on patch@
identifier set.f, macro.m, macro.flag;
constant macro.other, macro.was;
expression who, dev;
@@
f(who,
- m(dev)
+ dev->flag ? other : was
  , ...)

@depends on patch@
identifier set.f;
expression who;
@@
f(who, <+...
(
- SNDRV_DMA_TYPE_DEV
+ SNDRV_DMA_TYPE_NONCOHERENT
|
- SNDRV_DMA_TYPE_DEV_SG
+ SNDRV_DMA_TYPE_NONCONTIG
)
  ...+>, ...)

@depends on patch@
identifier var.fn, var.t;
type T;
@@
fn(...)
{
<...
(
t = <+...
(
- SNDRV_DMA_TYPE_DEV
+ SNDRV_DMA_TYPE_NONCOHERENT
|
- SNDRV_DMA_TYPE_DEV_SG
+ SNDRV_DMA_TYPE_NONCONTIG
)
  ...+>;
|
T t = <+...
(
- SNDRV_DMA_TYPE_DEV
+ SNDRV_DMA_TYPE_NONCOHERENT
|
- SNDRV_DMA_TYPE_DEV_SG
+ SNDRV_DMA_TYPE_NONCONTIG
)
  ...+>;
)
...>
}

//----------------------------------------------------------
//  Buffers of the driver's own: the core has to know them at the end of open,
//  so only those that are set there
//----------------------------------------------------------

@owns@
@@
snd_pcm_set_runtime_buffer(...)

@opens depends on owns@
identifier ops, fn;
@@
struct snd_pcm_ops ops = { .open = fn, };

@own depends on owns@
identifier opens.fn, buf;
expression substream, chip;
position p;
@@
fn(...)
{
<+...
snd_pcm_set_runtime_buffer@p(substream, \( chip->buf \| &chip->buf \))
...+>
}

@own_old depends on owns@
identifier own.buf;
constant was = { SNDRV_DMA_TYPE_DEV, SNDRV_DMA_TYPE_DEV_SG };
expression chip;
position p;
@@
(
chip->buf = snd_devm_alloc_pages(..., was@p, ...)
|
snd_dma_alloc_pages(was@p, ..., &chip->buf)
)

@depends on context@
constant own_old.was;
position own_old.p;
@@
* was@p

@depends on patch && own_old@
identifier own.buf;
expression chip;
@@
(
chip->buf = snd_devm_alloc_pages(...,
(
- SNDRV_DMA_TYPE_DEV
+ SNDRV_DMA_TYPE_NONCOHERENT
|
- SNDRV_DMA_TYPE_DEV_SG
+ SNDRV_DMA_TYPE_NONCONTIG
)
  , ...)
|
snd_dma_alloc_pages(
(
- SNDRV_DMA_TYPE_DEV
+ SNDRV_DMA_TYPE_NONCOHERENT
|
- SNDRV_DMA_TYPE_DEV_SG
+ SNDRV_DMA_TYPE_NONCONTIG
)
  , ..., &chip->buf)
)

//----------------------------------------------------------
//  What needs a human, in a driver with a buffer of the old or the new types
//----------------------------------------------------------

@new depends on !patch@
identifier set.f;
constant is = { SNDRV_DMA_TYPE_NONCOHERENT, SNDRV_DMA_TYPE_NONCONTIG };
expression who;
@@
f(who, <+... is ...+>, ...)

@elsewhere depends on !patch@
identifier set.f, fn, member;
constant other !~ "^SNDRV_DMA_TYPE_";
expression who, e;
position p != old_macro.p;
@@
(
* f(who, fn@p(...), ...)
|
* f(who, e->member@p, ...)
|
* f(who, e.member@p, ...)
|
* f(who, other@p, ...)
)

@own_set depends on !patch@
expression substream, buf;
position p != own.p;
@@
(
snd_pcm_set_runtime_buffer(substream, NULL)
|
* snd_pcm_set_runtime_buffer@p(substream, buf)
)

@driver depends on old || old_macro || old_var || own_old || new || elsewhere ||
		   own_set@
@@
#include <...>

@compared depends on !patch && driver@
constant was = { SNDRV_DMA_TYPE_DEV, SNDRV_DMA_TYPE_DEV_SG };
expression dev;
position p;
@@
* \( dev.type == was@p \| dev.type != was@p \)

// The CPU in the buffer: in these operations it is in order.
@copy depends on driver@
identifier ops, member = { copy, copy_user, copy_kernel, fill_silence }, fn;
@@
(
struct snd_pcm_ops ops = { .member = fn, };
|
struct snd_soc_component_driver ops = { .member = fn, };
)

@in_copy depends on !patch && driver@
identifier copy.fn;
expression rt;
position p;
@@
fn(...)
{
<+...
* rt->dma_area@p
...+>
}

@untouched depends on driver@
identifier print =~ "print|PRINT|dbg|DBG|debug|_(info|warn|err)$";
expression rt, e;
position p;
@@
(
print(..., <+... \( rt->dma_area@p \| rt->dma_addr@p \) ...+>, ...)
|
rt->dma_area@p == e
|
rt->dma_area@p != e
|
!rt->dma_area@p
|
e && rt->dma_area@p
)

@own_area depends on !patch && driver@
struct snd_pcm_runtime *rt;
expression e, value;
position p;
@@
(
* \( rt->dma_area@p \| e->runtime->dma_area@p \) = value
|
* \( rt->dma_addr@p \| e->runtime->dma_addr@p \) = value
)

@write depends on !patch && driver@
identifier fn = {
	memset, memset_io, memcpy, memmove, memcpy_fromio, copy_from_user
};
expression rt, value;
position p != in_copy.p;
@@
(
* fn(<+... rt->dma_area@p ...+>, ...)
|
* snd_pcm_format_set_silence(..., <+... rt->dma_area@p ...+>, ...)
|
* rt->dma_area@p[...] = value
|
* *(<+... rt->dma_area@p ...+>) = value
)

@area depends on !patch && driver@
struct snd_pcm_runtime *rt;
struct snd_pcm_substream *substream;
expression e;
position p != { in_copy.p, untouched.p, own_area.p, write.p };
@@
* \( rt->dma_area@p \| e->runtime->dma_area@p \| substream->dma_buffer.area@p \)

@phys depends on !patch && driver@
identifier fn;
position p;
@@
(
* virt_to_phys@fn@p(...)
|
* virt_to_bus@fn@p(...)
|
* isa_virt_to_bus@fn@p(...)
|
* page_to_phys@fn@p(...)
)

@pfn depends on !patch && driver@
identifier fn = { __phys_to_pfn, PFN_DOWN, phys_to_page, phys_to_virt };
expression e;
position p;
@@
(
* (<+... \( e->dma_addr@p \| e->dma_buffer.addr@p \) ...+>) >> PAGE_SHIFT
|
* fn(<+... \( e->dma_addr@p \| e->dma_buffer.addr@p \) ...+>)
)

// A buffer of DEV_SG or NONCONTIG may have more than this address.
@scattered depends on driver@
@@
\( SNDRV_DMA_TYPE_DEV_SG \| SNDRV_DMA_TYPE_NONCONTIG \)

@first depends on !patch && scattered@
struct snd_pcm_runtime *rt;
expression e;
position p != { untouched.p, own_area.p, pfn.p };
@@
* \( rt->dma_addr@p \| e->runtime->dma_addr@p \)

@iomem depends on !patch && driver@
symbol snd_pcm_lib_mmap_iomem;
position p;
@@
* snd_pcm_lib_mmap_iomem@p

@op depends on !patch && driver@
identifier ops, member = { mmap, page }, fn != snd_pcm_lib_mmap_iomem;
position p;
@@
(
struct snd_pcm_ops ops = {
*	.member = fn@p,
};
|
struct snd_soc_component_driver ops = {
*	.member = fn@p,
};
)

@indirect depends on !patch && driver@
position p;
@@
(
* snd_pcm_indirect_playback_transfer@p(...)
|
* snd_pcm_indirect_capture_transfer@p(...)
)

//----------------------------------------------------------
//  Modes report and org
//----------------------------------------------------------

@script:python depends on driver && (report || org)@
p << old.p;
was << old.was;
@@
tell(p, "opportunity for " + cached[was])

@script:python depends on driver && (report || org)@
p << old_macro.p;
was << macro.was;
@@
tell(p, "opportunity for " + cached[was])

@script:python depends on driver && (report || org)@
p << old_var.p;
was << old_var.was;
@@
tell(p, "opportunity for " + cached[was])

@script:python depends on driver && (report || org)@
p << own_old.p;
was << own_old.was;
@@
tell(p, "opportunity for " + cached[was])

@script:python depends on driver && (report || org)@
p << elsewhere.p;
@@
tell(p, "the buffer type comes from elsewhere: convert it there")

@script:python depends on driver && (report || org)@
p << own_set.p;
@@
tell(p, "buffer of the driver's own, not set in open: if it needs sync, open "
        "has to set SNDRV_PCM_INFO_EXPLICIT_SYNC in hw.info")

@script:python depends on driver && (report || org)@
p << compared.p;
was << compared.was;
@@
tell(p, was + " is asked for: is " + cached[was] + " to be treated likewise?")

@script:python depends on driver && (report || org)@
p << in_copy.p;
@@
tell(p, "dma_area in a copy operation: touch only the frames that it is "
        "called for")

@script:python depends on driver && (report || org)@
p << own_area.p;
@@
tell(p, "the driver sets the buffer's address: let "
        "snd_pcm_set_runtime_buffer() do it")

@script:python depends on driver && (report || org)@
p << write.p;
@@
tell(p, "the CPU writes to dma_area: hand that over by "
        "snd_dma_buffer_sync_range(), or keep the type")

@script:python depends on driver && (report || org)@
p << area.p;
@@
tell(p, "dma_area outside of the core: touch only frames that the CPU owns")

@script:python depends on driver && (report || org)@
p << phys.p;
fn << phys.fn;
@@
tell(p, fn + "() gives no DMA address: take runtime->dma_addr or "
        "snd_pcm_sgbuf_get_addr()")

@script:python depends on driver && (report || org)@
p << pfn.p;
@@
tell(p, "DMA address taken for a physical one: behind an IOMMU they differ")

@script:python depends on driver && (report || org)@
p << first.p;
@@
tell(p, "dma_addr is where the first chunk is: if the buffer has more, ask "
        "snd_pcm_sgbuf_get_addr()")

@script:python depends on driver && (report || org)@
p << iomem.p;
@@
tell(p, "the buffer is memory of the device: keep the type")

@script:python depends on driver && (report || org)@
p << op.p;
@@
tell(p, "operation of the driver's own: let snd_pcm_lib_default_mmap() map "
        "the pages")

@script:python depends on driver && (report || org)@
p << indirect.p;
@@
tell(p, "the device does not see this buffer: SNDRV_DMA_TYPE_VMALLOC would do")
