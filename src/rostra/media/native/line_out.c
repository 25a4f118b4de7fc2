/* What goes out on a line: the voice as it was encoded for all who hear the same, keys (RFC 4733), reports. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "line.h"

#define VOLUME 10  /* dB below full, as keys are sent */
#define ENDINGS 3  /* packets that tell of the end of a key: one of them will arrive */

static void send_to(int socket, const struct sockaddr_storage *to, const guint8 *packet, gsize size) {
  if (!to->ss_family) return;
  socklen_t length = to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  while (sendto(socket, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to, length) < 0 &&
         errno == EINTR)
    continue; /* any other error: lost, as on the network */
}

/* With `sending` held. */
static void send_packet(Line *line, int type, gboolean marked, guint32 stamp, const guint8 *payload, gsize size) {
  guint8 packet[ROSTRA_PACKET_MOST + 256];
  packet[0] = 0x80;
  packet[1] = (guint8)(type | (marked ? 0x80 : 0));
  GST_WRITE_UINT16_BE(packet + 2, line->number);
  GST_WRITE_UINT32_BE(packet + 4, stamp);
  GST_WRITE_UINT32_BE(packet + 8, line->ssrc);
  memcpy(packet + 12, payload, size);
  line->number++;
  line->sent++;
  line->sent_octets += size;
  rostra_rate_count(&line->sent_rate, size, g_get_monotonic_time());
  gsize whole = 12 + size;
  if (line->locking && !(whole = rostra_srtp_lock(line->locking, packet, whole, FALSE))) return;
  send_to(line->rtp, &line->to, packet, whole);
}

static guint32 stamp_of(const Line *line, guint64 tick, guint32 clock) {
  return line->offset + (guint32)(tick * (clock / 50));
}

/* A key is down or has just been let go: what tells of it takes the place of the voice. */
static void send_key(Line *line, guint64 tick) {
  gboolean first = line->key_tick == 0;
  if (first) line->key_tick = tick;
  guint64 lasted = (tick - line->key_tick + 1) * (guint64)line->events_clock / 50;
  guint8 payload[4] = {(guint8)line->key, VOLUME};
  if (line->key_left) payload[1] |= 0x80;
  GST_WRITE_UINT16_BE(payload + 2, (guint16)MIN(lasted, 0xffff));
  guint32 stamp = stamp_of(line, line->key_tick, (guint32)line->events_clock);
  int times = line->key_left ? ENDINGS : 1;
  for (int i = 0; i < times; i++) send_packet(line, line->events, first && i == 0, stamp, payload, sizeof payload);
  if (line->key_left) {
    line->key = -1;
    line->key_left = 0;
    line->flowing = FALSE;
  }
}

void rostra_line_hear(gpointer data, const guint8 *payload, gsize size, guint64 tick) {
  Line *line = data;
  g_mutex_lock(&line->sending);
  if (!line->open) {
    line->flowing = FALSE;
  } else if (line->key >= 0) {
    send_key(line, tick);
  } else {
    send_packet(line, line->payload_type, !line->flowing, stamp_of(line, tick, rostra_codec_clock(line->codec)), payload,
                size);
    line->flowing = TRUE;
  }
  line->tick = tick;
  g_mutex_unlock(&line->sending);
}

void rostra_line_send_report(Line *line, gint64 now) {
  guint8 packet[ROSTRA_PACKET_MOST];
  g_mutex_lock(&line->lock);
  g_mutex_lock(&line->sending);
  gsize size = rostra_line_report(line, packet, now);
  if (size && line->locking) size = rostra_srtp_lock(line->locking, packet, size, TRUE);
  if (size) send_to(line->rtcp < 0 ? line->rtp : line->rtcp, line->rtcp < 0 ? &line->to : &line->to_reports, packet, size);
  g_mutex_unlock(&line->sending);
  g_mutex_unlock(&line->lock);
}
