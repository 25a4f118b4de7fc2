/* What is heard in one block of 20 ms: one sum for each set of groups that anybody listens to, made when first asked
 * for. Listeners with the same set share the sum and its buffer. */
#include <math.h>
#include <string.h>

#include "sound.h"

#define CEILING 31800.0f
#define PARTS 4 /* of a block, each with its own peak */
#define PART (ROSTRA_BLOCK / PARTS)
#define ATTACK 48         /* samples, 1 ms */
#define RELEASE 0.02f     /* of what is missing to full gain, a part of 5 ms: a quarter of a second */

/* Straight up to the ceiling, then bending towards full scale: what the gain was too late for never wraps. */
static gint16 bent(float value) {
  const float room = 32767 - CEILING, size = fabsf(value);
  if (G_LIKELY(size <= CEILING)) return (gint16)lrintf(value);
  float over = size - CEILING, limited = CEILING + over * room / (over + room);
  return (gint16)lrintf(value < 0 ? -limited : limited);
}

static float needed(const gint32 *part) {
  gint32 high = 0, low = 0;
  for (int i = 0; i < PART; i++) {
    high = MAX(high, part[i]);
    low = MIN(low, part[i]);
  }
  float peak = MAX((float)high, -(float)low);
  return peak > CEILING ? CEILING / peak : 1;
}

static void limit(const gint32 *sum, Limiter *limiter, gint16 *out) {
  float need[PARTS + 1], gain = limiter->gain > 0 ? limiter->gain : 1, least = 1;
  for (int part = 0; part < PARTS; part++) {
    need[part] = needed(sum + part * PART);
    least = MIN(least, need[part]);
  }
  if (least == 1 && gain == 1) {
    for (int i = 0; i < ROSTRA_BLOCK; i++) out[i] = (gint16)sum[i];
    return;
  }
  need[PARTS] = need[PARTS - 1];
  for (int part = 0; part < PARTS; part++) {
    /* never above what this part needs, and on the way to what the next one needs */
    float first = MIN(gain, need[part]);
    float last = MIN(MIN(need[part], need[part + 1]), first + RELEASE * (1 - first) + 0.0001f);
    for (int i = 0; i < PART; i++) {
      float now = first + (last - first) * (float)i / PART;
      if (gain > first && i < ATTACK) now = gain + (now - gain) * (float)i / ATTACK;
      out[part * PART + i] = bent((float)sum[part * PART + i] * now);
    }
    gain = MIN(last, 1);
  }
  limiter->gain = gain;
}

GstBuffer *rostra_block_buffer(const gint32 *sum, Limiter *limiter) {
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, ROSTRA_BLOCK * sizeof(gint16), NULL);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  limit(sum, limiter, (gint16 *)map.data);
  gst_buffer_unmap(buffer, &map);
  return buffer;
}

static void add(gint32 *to, const gint32 *from) {
  for (int i = 0; i < ROSTRA_BLOCK; i++) to[i] += from[i];
}

void rostra_sums_begin(Sums *sums) {
  sums->sounding = 0;
  memset(sums->made, 0, sizeof sums->made);
}

void rostra_sums_add(Sums *sums, guint group, const gint16 *block) {
  guint index = (guint)g_bit_nth_lsf(group & ROSTRA_EVERYBODY, -1) % ROSTRA_GROUPS;
  gint32 *to = sums->group[index];
  if (!(sums->sounding & 1u << index)) memset(to, 0, sizeof sums->group[index]);
  sums->sounding |= 1u << index;
  for (int i = 0; i < ROSTRA_BLOCK; i++) to[i] += block[i];
}

const gint32 *rostra_sums_of(Sums *sums, guint groups) {
  guint mask = groups & sums->sounding;
  gint32 *sum = sums->sum[mask];
  if (sums->made[mask]) return sum;
  memset(sum, 0, sizeof sums->sum[mask]);
  for (guint i = 0; i < ROSTRA_GROUPS; i++)
    if (mask & 1u << i) add(sum, sums->group[i]);
  sums->made[mask] = TRUE;
  return sum;
}

GstBuffer *rostra_sums_buffer(Sums *sums, guint groups, GstBuffer *silence) {
  guint mask = groups & sums->sounding;
  if (!mask) return gst_buffer_ref(silence);
  if (!sums->buffer[mask]) sums->buffer[mask] = rostra_block_buffer(rostra_sums_of(sums, mask), &sums->limiter[mask]);
  return gst_buffer_ref(sums->buffer[mask]);
}

void rostra_sums_end(Sums *sums) {
  for (guint i = 0; i < G_N_ELEMENTS(sums->buffer); i++) gst_clear_buffer(&sums->buffer[i]);
}
