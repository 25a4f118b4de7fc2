/* What a jitter buffer wants sent again is asked for at once (RFC 4585 6.2.1), in RTCP of its own.
 *
 * An RTP session says it with its next report, up to 70 ms later, and so many requests are lost with one packet. What
 * is more than a loss, such as a source that leaps, is left to the session, which says it all in one. */
#include <string.h>

#include "rostra.h"

#define RR 201
#define SDES 202
#define CNAME 1
#define RTPFB 205
#define NACK 1
#define RATE 150.0 /* requests a second */
#define AT_ONCE 40.0
#define NAME_MOST 64

typedef struct {
  GstPad *out; /* by which RTCP leaves */
  guint32 sender;
  char name[NAME_MOST + 1];
  GMutex lock; /* of what follows */
  double tokens;
  gint64 filled;
} Asker;

static void asker_free(gpointer data) {
  Asker *asker = data;
  gst_object_unref(asker->out);
  g_mutex_clear(&asker->lock);
  g_free(asker);
}

static gboolean take(Asker *asker) {
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&asker->lock);
  asker->tokens = MIN(AT_ONCE, asker->tokens + RATE * (double)(now - asker->filled) / G_TIME_SPAN_SECOND);
  asker->filled = now;
  gboolean enough = asker->tokens >= 1;
  if (enough) asker->tokens -= 1;
  g_mutex_unlock(&asker->lock);
  return enough;
}

static GstBuffer *request(const Asker *asker, guint32 source, guint16 number) {
  guint8 packet[8 + 12 + NAME_MOST + 4 + 16] = {0x80, RR, 0, 1};
  gsize length = strlen(asker->name), item = GST_ROUND_UP_4(2 + length + 1);
  guint8 *at = packet + 8;
  GST_WRITE_UINT32_BE(packet + 4, asker->sender);
  at[0] = 0x81;
  at[1] = SDES;
  GST_WRITE_UINT16_BE(at + 2, 1 + item / 4);
  GST_WRITE_UINT32_BE(at + 4, asker->sender);
  at[8] = CNAME;
  at[9] = (guint8)length;
  memcpy(at + 10, asker->name, length);
  at += 8 + item;
  at[0] = 0x80 | NACK;
  at[1] = RTPFB;
  GST_WRITE_UINT16_BE(at + 2, 3);
  GST_WRITE_UINT32_BE(at + 4, asker->sender);
  GST_WRITE_UINT32_BE(at + 8, source);
  GST_WRITE_UINT16_BE(at + 12, number);
  return gst_buffer_new_memdup(packet, (gsize)(at + 16 - packet));
}

static GstPadProbeReturn wanted(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Asker *asker = data;
  const GstStructure *structure = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  guint number, source;
  if (!structure || !gst_structure_has_name(structure, "GstRTPRetransmissionRequest") ||
      !gst_structure_get_uint(structure, "seqnum", &number) || !gst_structure_get_uint(structure, "ssrc", &source))
    return GST_PAD_PROBE_OK;
  GstPad *next = gst_pad_has_current_caps(asker->out) ? gst_pad_get_peer(asker->out) : NULL;
  if (!next) return GST_PAD_PROBE_OK;
  gboolean ours = take(asker);
  if (ours) gst_pad_chain(next, request(asker, source, (guint16)number));
  gst_object_unref(next);
  return ours ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

/* What jitter buffers want by `from`, the pad of a session where what it received leaves it, is asked for by `out`, that of
 * its reports, in the name of `sender`. Not nearer to the buffers: what undoes RFC 4588 has to see the requests. */
ROSTRA_EXPORT void rostra_ask_at_once(GstPad *from, GstPad *out, guint32 sender, const char *name) {
  Asker *asker = g_new0(Asker, 1);
  g_mutex_init(&asker->lock);
  asker->out = gst_object_ref(out);
  asker->sender = sender;
  g_strlcpy(asker->name, name, sizeof asker->name);
  asker->tokens = AT_ONCE;
  asker->filled = g_get_monotonic_time();
  gst_pad_add_probe(from, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, wanted, asker, asker_free);
}
