/* Reports of a line: ours to the far end, and its to us (RFC 3550 6.4). */
#include <string.h>

#include "line.h"

#define SENDER 200
#define RECEIVER 201
#define DESCRIPTION 202
#define CNAME 1
#define BLOCK 24

/* Of the clock that pictures are timed by as well, which nobody sets: see rtp_parts.steady. */
static guint64 ntp_time(void) {
  gint64 now = g_get_monotonic_time();
  guint64 seconds = (guint64)(now / G_USEC_PER_SEC);
  return seconds << 32 | ((guint64)(now % G_USEC_PER_SEC) << 32) / G_USEC_PER_SEC;
}

static guint32 middle(guint64 ntp) { return (guint32)(ntp >> 16); }

/* ---- ours ------------------------------------------------------------------------------------------------------- */

static void write_block(Source *source, guint8 *out, gint64 now) {
  guint64 expected = source->packets ? (guint64)source->cycles + source->highest - source->base + 1 : 0;
  gint64 due = (gint64)(expected - source->expected_before), came = (gint64)(source->packets - source->received_before);
  gint64 lost = CLAMP(rostra_line_lost(source), -0x800000, 0x7fffff);
  guint32 fraction = due > 0 && due > came ? (guint32)MIN(255, (due - came) * 256 / due) : 0;
  source->expected_before = expected;
  source->received_before = source->packets;
  GST_WRITE_UINT32_BE(out, source->ssrc);
  GST_WRITE_UINT32_BE(out + 4, fraction << 24 | ((guint32)lost & 0xffffff));
  GST_WRITE_UINT32_BE(out + 8, source->cycles + source->highest);
  GST_WRITE_UINT32_BE(out + 12, (guint32)source->jitter);
  GST_WRITE_UINT32_BE(out + 16, source->sender_report);
  gint64 since = source->sender_report ? now - source->sender_report_at : 0;
  GST_WRITE_UINT32_BE(out + 20, (guint32)(since * 65536 / G_USEC_PER_SEC));
}

gsize rostra_line_report(Line *line, guint8 *out, gint64 now) {
  gsize at = 8;
  gboolean sender = line->sent > 0;
  GST_WRITE_UINT32_BE(out + 4, line->ssrc);
  if (sender) {
    guint64 ntp = ntp_time();
    guint64 tick = (guint64)(now / 20000);
    guint32 clock = rostra_codec_clock(line->codec);
    guint32 within = (guint32)((guint64)(now % 20000) * clock / G_USEC_PER_SEC);
    GST_WRITE_UINT64_BE(out + 8, ntp);
    GST_WRITE_UINT32_BE(out + 16, line->offset + (guint32)(tick * (clock / 50)) + within);
    GST_WRITE_UINT32_BE(out + 20, (guint32)line->sent);
    GST_WRITE_UINT32_BE(out + 24, (guint32)line->sent_octets);
    at = 28;
  }
  guint count = 0;
  for (int i = 0; i < LINE_SOURCES; i++) {
    Source *source = &line->sources[i];
    if (!source->used || !source->packets || now - source->heard > 10 * G_USEC_PER_SEC) continue;
    write_block(source, out + at, now);
    at += BLOCK;
    count++;
  }
  out[0] = (guint8)(0x80 | count);
  out[1] = sender ? SENDER : RECEIVER;
  GST_WRITE_UINT16_BE(out + 2, (guint16)(at / 4 - 1));
  gsize length = strlen(line->name), chunk = 4 + 2 + length + 1, padded = (chunk + 3) / 4 * 4;
  guint8 *description = out + at;
  memset(description, 0, 4 + padded);
  description[0] = 0x81;
  description[1] = DESCRIPTION;
  GST_WRITE_UINT16_BE(description + 2, (guint16)(padded / 4));
  GST_WRITE_UINT32_BE(description + 4, line->ssrc);
  description[8] = CNAME;
  description[9] = (guint8)length;
  memcpy(description + 10, line->name, length);
  return at + 4 + padded;
}

/* ---- theirs ------------------------------------------------------------------------------------------------------- */

static void take_block(Line *line, const guint8 *block) {
  if (GST_READ_UINT32_BE(block) != line->ssrc) return;
  guint32 lost = GST_READ_UINT32_BE(block + 4), sent = GST_READ_UINT32_BE(block + 16);
  g_mutex_lock(&line->sending);
  line->sent_lost = (gint32)(lost << 8) >> 8;
  line->sent_jitter = (double)GST_READ_UINT32_BE(block + 12) / rostra_codec_clock(line->codec);
  if (sent) {
    gint32 round = (gint32)(middle(ntp_time()) - sent - GST_READ_UINT32_BE(block + 20));
    line->round_trip = round > 0 ? round / 65536.0 : 0;
  }
  g_mutex_unlock(&line->sending);
  if (line->ear) g_atomic_int_set(&line->ear->loss, (gint)((lost >> 24) * 100 / 256));
}

void rostra_line_take_report(Line *line, const guint8 *packet, gsize size, const struct sockaddr_storage *from) {
  gint64 now = g_get_monotonic_time();
  gboolean any = FALSE;
  while (size >= 8 && packet[0] >> 6 == 2) {
    gsize length = 4 + 4 * (gsize)GST_READ_UINT16_BE(packet + 2), at = packet[1] == SENDER ? 28 : 8;
    if (length > size) break;
    if (packet[1] == SENDER || packet[1] == RECEIVER) {
      Source *source = rostra_line_source(line, GST_READ_UINT32_BE(packet + 4), TRUE, now);
      source->reports = *from;
      any = source->reported = TRUE;
      if (packet[1] == SENDER && length >= 28) {
        source->sender_report = middle(GST_READ_UINT64_BE(packet + 8));
        source->sender_report_at = now;
      }
      for (guint i = packet[0] & 0x1f; i && at + BLOCK <= length; i--, at += BLOCK) take_block(line, packet + at);
    }
    packet += length;
    size -= length;
  }
  if (any) line->reports++;
}
