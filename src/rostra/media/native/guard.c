/* What a far end may send us at most: a probe on the pad of a socket drops the rest before anything is done with it.
 *
 * Packets come out of a bucket that fills at a rate no call reaches, and so do new sources (SSRC): each makes the
 * session behind keep something. What is neither RTP nor RTCP, STUN or DTLS (RFC 7983) is no use to anybody. */
#include "rostra.h"

#define KNOWN 8            /* sources */
#define NEW_SOURCES 1.0    /* a second */
#define REMARKS 10         /* seconds between two messages */
#define HEADER 12
#define OWN 8
#define NAME "rostra-guard"

typedef struct {
  double rate, packets, sources; /* packets a second; what the buckets hold */
  gint64 filled, remarked;       /* microseconds */
  guint32 known[KNOWN];          /* the latest heard first */
  guint count;
  guint64 dropped;
  guint32 own[OWN]; /* that we send from: who sends from them is no far end */
  gint owned;       /* atomic; grows */
} Guard;

static gboolean is_own(Guard *guard, guint32 source) {
  gint owned = g_atomic_int_get(&guard->owned);
  for (gint i = 0; i < owned; i++)
    if (guard->own[i] == source) return TRUE;
  return FALSE;
}

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
  if (head[1] >= 192 && head[1] < 224) /* RTCP (RFC 5761 4) */
    return size < 8 || !is_own(guard, GST_READ_UINT32_BE(head + 4));
  if (size < HEADER) return FALSE;
  guint32 source = GST_READ_UINT32_BE(head + 8);
  return !is_own(guard, source) && may_speak(guard, source);
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

/* Once for each pad, as long as that lives. */
ROSTRA_EXPORT void rostra_guard(GstPad *pad, double rate) {
  if (g_object_get_data(G_OBJECT(pad), NAME)) return;
  Guard *guard = g_new0(Guard, 1);
  guard->rate = guard->packets = rate;
  guard->sources = KNOWN;
  guard->filled = g_get_monotonic_time();
  guard->remarked = guard->filled - 2 * REMARKS * (gint64)G_USEC_PER_SEC;
  g_object_set_data_full(G_OBJECT(pad), NAME, guard, g_free);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, passes, guard, NULL);
}

/* We send from this source to where such a pad has its packets from. From one thread. */
ROSTRA_EXPORT void rostra_guard_own(GstPad *pad, guint32 source) {
  Guard *guard = g_object_get_data(G_OBJECT(pad), NAME);
  gint owned = g_atomic_int_get(&guard->owned);
  if (owned == OWN || is_own(guard, source)) return;
  guard->own[owned] = source;
  g_atomic_int_set(&guard->owned, owned + 1);
}

/* ---- sources with a key ----------------------------------------------------------------------------------------- */

#define KEYED 16

typedef struct {
  guint32 known[KEYED]; /* round and round */
  guint count, most;
} Counted;

static void count_source(Counted *counted, GstPad *pad, GstBuffer *buffer) {
  guint8 head[HEADER];
  if (gst_buffer_extract(buffer, 0, head, HEADER) < HEADER) return;
  guint32 source = GST_READ_UINT32_BE(head + 8);
  for (guint i = 0; i < MIN(counted->count, KEYED); i++)
    if (counted->known[i] == source) return;
  counted->known[counted->count++ % KEYED] = source;
  GstElement *element = counted->count == counted->most + 1 ? gst_pad_get_parent_element(pad) : NULL;
  if (!element) return;
  gst_element_post_message(
      element, gst_message_new_element(GST_OBJECT(element), gst_structure_new_empty("rostra-too-many-sources")));
  gst_object_unref(element);
}

static GstPadProbeReturn keyed_come(GstPad *pad, GstPadProbeInfo *info, gpointer counted) {
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    count_source(counted, pad, GST_PAD_PROBE_INFO_BUFFER(info));
  } else {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    for (guint i = 0; i < gst_buffer_list_length(list); i++) count_source(counted, pad, gst_buffer_list_get(list, i));
  }
  return GST_PAD_PROBE_OK;
}

/* What has been decrypted leaves by this pad: say so when it is of more sources than these. What decrypts keeps
 * something of each for ever, as does what is behind it. */
ROSTRA_EXPORT void rostra_count_sources(GstPad *pad, guint most) {
  Counted *counted = g_new0(Counted, 1);
  counted->most = most;
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, keyed_come, counted, g_free);
}
