/* What a far end may send us at most: a probe on the pad of a socket drops the rest before anything is done with it.
 *
 * Packets come out of a bucket that fills at a rate no call reaches, and so do new sources (SSRC): each makes the
 * session behind keep something. What is neither RTP nor RTCP, STUN or DTLS (RFC 7983) is no use to anybody. */
#include "rostra.h"

#define KNOWN 8            /* sources */
#define NEW_SOURCES 1.0    /* a second */
#define REMARKS 10         /* seconds between two messages */
#define HEADER 12

typedef struct {
  double rate, packets, sources; /* packets a second; what the buckets hold */
  gint64 filled, remarked;       /* microseconds */
  guint32 known[KNOWN];          /* the latest heard first */
  guint count;
  guint64 dropped;
} Guard;

static void fill(Guard *guard, gint64 now) {
  double seconds = (now - guard->filled) / 1e6;
  guard->packets = MIN(guard->rate, guard->packets + seconds * guard->rate);
  guard->sources = MIN(KNOWN, guard->sources + seconds * NEW_SOURCES);
  guard->filled = now;
}

/* Has this source been heard before, or may it be new? */
static gboolean may_speak(Guard *guard, guint32 source) {
  guint at = 0;
  while (at < guard->count && guard->known[at] != source) at++;
  if (at == guard->count) {
    if (guard->sources < 1) return FALSE;
    guard->sources--;
    if (guard->count < KNOWN) guard->count++;
    at = guard->count - 1;
  }
  for (; at > 0; at--) guard->known[at] = guard->known[at - 1];
  guard->known[0] = source;
  return TRUE;
}

static gboolean wanted(Guard *guard, GstBuffer *buffer) {
  guint8 head[HEADER];
  gsize size = gst_buffer_extract(buffer, 0, head, HEADER);
  if (guard->packets < 1 || size < 2) return FALSE;
  guard->packets--;
  if (head[0] >> 6 != 2) return head[0] < 4 || (head[0] >= 20 && head[0] < 64);
  if (head[1] >= 192 && head[1] < 224) return TRUE; /* RTCP (RFC 5761 4) */
  return size == HEADER && may_speak(guard, GST_READ_UINT32_BE(head + 8));
}

static gboolean drop_unwanted(GstBuffer **buffer, guint index, gpointer data) {
  Guard *guard = data;
  if (wanted(guard, *buffer)) return TRUE;
  guard->dropped++;
  gst_buffer_unref(*buffer);
  *buffer = NULL;
  return TRUE;
}

static void remark(Guard *guard, GstPad *pad, gint64 now) {
  GstElement *element = gst_pad_get_parent_element(pad);
  if (!element) return;
  GstStructure *said = gst_structure_new("rostra-flood", "dropped", G_TYPE_UINT64, guard->dropped, NULL);
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), said));
  gst_object_unref(element);
  guard->remarked = now;
}

static GstPadProbeReturn passes(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Guard *guard = data;
  gint64 now = g_get_monotonic_time();
  guint64 before = guard->dropped;
  GstPadProbeReturn result = GST_PAD_PROBE_OK;
  fill(guard, now);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
    GST_PAD_PROBE_INFO_DATA(info) = list;
    gst_buffer_list_foreach(list, drop_unwanted, guard);
  } else if (!wanted(guard, GST_PAD_PROBE_INFO_BUFFER(info))) {
    guard->dropped++;
    result = GST_PAD_PROBE_DROP;
  }
  if (guard->dropped != before && now - guard->remarked > REMARKS * G_USEC_PER_SEC) remark(guard, pad, now);
  return result;
}

ROSTRA_EXPORT void rostra_guard(GstPad *pad, double rate) {
  Guard *guard = g_new0(Guard, 1);
  guard->rate = guard->packets = rate;
  guard->sources = KNOWN;
  guard->filled = g_get_monotonic_time();
  guard->remarked = guard->filled - 2 * REMARKS * (gint64)G_USEC_PER_SEC;
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, passes, guard, g_free);
}
