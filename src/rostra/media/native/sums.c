/* What is heard in one block of 20 ms: one sum for each set of groups that anybody listens to, made when first asked
 * for. Listeners with the same set share the sum and its buffer. */
#include <string.h>

#include "rostra.h"

/* Straight up to three quarters of full scale, then bending towards it: never wraps, hardly ever clips. */
static gint16 limited(gint32 value) {
  const gint32 knee = 24576, room = 32767 - 24576;
  if (G_LIKELY(value <= knee && value >= -knee)) return (gint16)value;
  gint64 over = (value < 0 ? -(gint64)value : value) - knee;
  gint32 bent = knee + (gint32)(over * room / (over + room));
  return (gint16)(value < 0 ? -bent : bent);
}

GstBuffer *rostra_block_buffer(const gint32 *sum) {
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, ROSTRA_BLOCK * sizeof(gint16), NULL);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  gint16 *out = (gint16 *)map.data;
  for (int i = 0; i < ROSTRA_BLOCK; i++) out[i] = limited(sum[i]);
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
  if (!sums->buffer[mask]) sums->buffer[mask] = rostra_block_buffer(rostra_sums_of(sums, mask));
  return gst_buffer_ref(sums->buffer[mask]);
}

void rostra_sums_end(Sums *sums) {
  for (guint i = 0; i < G_N_ELEMENTS(sums->buffer); i++) gst_clear_buffer(&sums->buffer[i]);
}
