/* What a source has sent and the mixer has not played yet: takes jitter out, never grows, never waits. */
#include <string.h>

#include "rostra.h"

#define TARGET ROSTRA_RING_TARGET
#define MOST ROSTRA_RING_MOST
#define FADE 240         /* 5 ms */
#define DRAIN_BLOCKS 100 /* 2 s without ever coming near empty: what is too much is only delay */

static void ring_drop(Ring *ring, guint count) {
  ring->read = (ring->read + count) % G_N_ELEMENTS(ring->samples);
  ring->fill -= count;
}

void rostra_ring_reset(Ring *ring) {
  ring->fill = ring->read = 0;
  ring->playing = FALSE;
  ring->last = 0;
}

void rostra_ring_push(Ring *ring, const gint16 *samples, gsize count) {
  if (ring->fill + count > MOST) {
    if (count > TARGET) {
      samples += count - TARGET;
      count = TARGET;
    }
    guint keep = TARGET - (guint)count;
    if (ring->fill > keep) {
      ring_drop(ring, ring->fill - keep);
      ring->fade_in = TRUE;
    }
  }
  guint write = (ring->read + ring->fill) % G_N_ELEMENTS(ring->samples);
  guint first = MIN((guint)count, (guint)G_N_ELEMENTS(ring->samples) - write);
  memcpy(ring->samples + write, samples, first * sizeof *samples);
  memcpy(ring->samples, samples + first, (count - first) * sizeof *samples);
  ring->fill += (guint)count;
}

/* A burst or a faster clock leaves sound waiting that nothing will ever need: drop it. */
static void drain(Ring *ring) {
  ring->least = ring->popped ? MIN(ring->least, ring->fill) : ring->fill;
  if (++ring->popped < DRAIN_BLOCKS) return;
  ring->popped = 0;
  if (ring->least <= TARGET) return;
  ring_drop(ring, ring->least - ROSTRA_BLOCK);
  ring->fade_in = TRUE;
}

gboolean rostra_ring_pop(Ring *ring, gint16 *block) {
  if (!ring->playing && ring->fill >= TARGET) {
    ring->playing = ring->fade_in = TRUE;
    ring->popped = 0;
  }
  if (!ring->playing) return FALSE;
  guint have = MIN(ring->fill, ROSTRA_BLOCK), first = MIN(have, (guint)G_N_ELEMENTS(ring->samples) - ring->read);
  memcpy(block, ring->samples + ring->read, first * sizeof(gint16));
  memcpy(block + first, ring->samples, (have - first) * sizeof(gint16));
  ring_drop(ring, have);
  if (ring->fade_in) {
    guint length = MIN(have, FADE);
    for (guint i = 0; i < length; i++) block[i] = (gint16)(block[i] * (int)i / (int)FADE);
    ring->fade_in = FALSE;
  }
  if (have < ROSTRA_BLOCK) { /* ran dry: let the last sample die away, then gather anew */
    int last = have ? block[have - 1] : ring->last;
    for (guint i = have; i < ROSTRA_BLOCK; i++)
      block[i] = i - have < FADE ? (gint16)(last * (int)(FADE - (i - have)) / FADE) : 0;
    ring->playing = FALSE;
  }
  drain(ring);
  ring->last = block[ROSTRA_BLOCK - 1];
  return TRUE;
}
