/* What a source has sent and the mixer has not played yet: takes jitter out, never grows, never waits. */
#include <string.h>

#include "sound.h"

#define TARGET ROSTRA_RING_TARGET
#define MOST ROSTRA_RING_MOST
#define FADE 240         /* 5 ms */
#define DRAIN_BLOCKS 100 /* 2 s without ever coming near empty: what is too much is only delay */
#define STEP (ROSTRA_RATE / 100)
#define LATE_BLOCKS 10   /* sound that is back so soon was late; after that it was silence */
#define LATE_MOST (ROSTRA_RATE * 8 / 100)
#define CALM 15          /* windows of draining, 30 s, without anything late: try with a step less */

static void ring_drop(Ring *ring, guint count) {
  ring->read = (ring->read + count) % G_N_ELEMENTS(ring->samples);
  ring->fill -= count;
}

void rostra_ring_reset(Ring *ring) {
  ring->fill = ring->read = 0;
  ring->reserve = STEP;
  ring->dry = ring->calm = 0;
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

/* A burst, a faster clock or a calmer network leaves sound waiting that nothing will ever need: drop it. */
static void drain(Ring *ring) {
  ring->least = ring->popped ? MIN(ring->least, ring->fill) : ring->fill;
  if (++ring->popped < DRAIN_BLOCKS) return;
  ring->popped = 0;
  if (++ring->calm >= CALM) {
    ring->calm = 0;
    ring->reserve = MAX(ring->reserve - STEP, STEP);
  }
  if (ring->least <= ring->reserve + STEP) return;
  ring_drop(ring, ring->least - ring->reserve);
  ring->fade_in = TRUE;
}

/* Play again: if it was only late, what comes next may be as late, so as much more is kept for it. */
static void resume(Ring *ring) {
  ring->playing = ring->fade_in = TRUE;
  ring->popped = 0;
  if (ring->dry && ring->dry < LATE_BLOCKS) {
    ring->reserve = MIN(ring->reserve + ring->dry * ROSTRA_BLOCK, TARGET);
    ring->calm = 0;
  }
  ring->dry = 0;
}

void rostra_ring_late(Ring *ring, guint samples) {
  ring->reserve = MIN(ring->reserve + samples, LATE_MOST);
  ring->calm = ring->popped = 0;
}

gboolean rostra_ring_pop(Ring *ring, gint16 *block) {
  if (!ring->playing && ring->fill >= TARGET) resume(ring);
  if (!ring->playing) {
    if (ring->dry && ring->dry < LATE_BLOCKS) ring->dry++;
    return FALSE;
  }
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
    ring->dry = 1;
  }
  drain(ring);
  ring->last = block[ROSTRA_BLOCK - 1];
  return TRUE;
}
