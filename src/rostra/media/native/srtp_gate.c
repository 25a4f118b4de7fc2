/* Before an element that decrypts SRTP: lets through only sources that something genuine came from.
 *
 * The element keeps something of every source that it is told of and made to forget (29 kB: see line_srtp.c), and it has
 * to be told how often the numbers of each have rolled over. So a source is tried here, in a session of its own that
 * leaves nothing behind, and the element asks for the count that was found. */
#include <string.h>

#include <srtp2/srtp.h>

#include "line.h"

#define KNOWN 16         /* sources that have been genuine, the latest heard last */
#define TRIED_MOST 64u   /* sources on trial */
#define TRIALS 200       /* a second: each takes as long as opening several packets */
#define PACKET_MOST 2048
#define NAME "rostra-srtp-gate"

typedef struct {
  guint32 ssrc, rolled_over;
  gboolean media; /* else only reports, which say nothing of the count */
} Genuine;

typedef struct {
  GMutex lock;
  Srtp *srtp;
  GstElement *element;
  Genuine known[KNOWN];
  guint count;
  GHashTable *likely; /* counts that were known before, by source */
  GHashTable *tried;  /* how often, by source */
  gint64 second;      /* in which there were so many `trials` */
  guint trials;
} Gate;

static void gate_free(gpointer data) {
  Gate *gate = data;
  rostra_srtp_free(gate->srtp);
  g_hash_table_unref(gate->likely);
  g_hash_table_unref(gate->tried);
  g_mutex_clear(&gate->lock);
  g_free(gate);
}

/* Known, and now the latest heard; NULL: not known. */
static Genuine *latest(Gate *gate, guint32 ssrc) {
  guint at = 0;
  while (at < gate->count && gate->known[at].ssrc != ssrc) at++;
  if (at == gate->count) return NULL;
  Genuine found = gate->known[at];
  memmove(&gate->known[at], &gate->known[at + 1], (gate->count - at - 1) * sizeof found);
  gate->known[gate->count - 1] = found;
  return &gate->known[gate->count - 1];
}

static Genuine *add(Gate *gate, guint32 ssrc) {
  if (gate->count == KNOWN) memmove(gate->known, gate->known + 1, (--gate->count) * sizeof *gate->known);
  gate->known[gate->count] = (Genuine){.ssrc = ssrc};
  return &gate->known[gate->count++];
}

static gboolean may_try(Gate *gate) {
  gint64 second = g_get_monotonic_time() / G_USEC_PER_SEC;
  if (second != gate->second) gate->trials = 0;
  gate->second = second;
  return gate->trials++ < TRIALS;
}

/* With the lock: is this the packet of a source that is genuine? `forget`: the element knows it with another count. */
static gboolean genuine(Gate *gate, guint8 *packet, gsize size, gboolean *forget) {
  if (size < 8 || packet[0] >> 6 != 2) return FALSE;
  gboolean report = packet[1] >= 192 && packet[1] <= 223; /* RFC 5761 4 */
  if (!report && size < 12) return FALSE;
  guint32 ssrc = GST_READ_UINT32_BE(packet + (report ? 4 : 8));
  gpointer key = GUINT_TO_POINTER(ssrc);
  Genuine *one = latest(gate, ssrc);
  if (one && (one->media || report)) return TRUE;
  if (!may_try(gate)) return FALSE;
  guint trial = GPOINTER_TO_UINT(g_hash_table_lookup(gate->tried, key));
  guint32 count = rostra_srtp_rollovers(trial, GPOINTER_TO_UINT(g_hash_table_lookup(gate->likely, key)));
  gboolean found = rostra_srtp_try(gate->srtp, ssrc, count, packet, size, report);
  if (!report && !found) {
    if (g_hash_table_size(gate->tried) >= TRIED_MOST) g_hash_table_remove_all(gate->tried);
    g_hash_table_insert(gate->tried, key, GUINT_TO_POINTER(trial + 1));
  }
  if (!found) return FALSE;
  if (!report) g_hash_table_remove(gate->tried, key);
  *forget = one != NULL;
  if (!one) one = add(gate, ssrc);
  one->media = !report;
  one->rolled_over = count;
  return TRUE;
}

static gboolean passes(Gate *gate, GstBuffer *buffer) {
  guint8 packet[PACKET_MOST];
  gboolean forget = FALSE;
  gsize size = gst_buffer_extract(buffer, 0, packet, sizeof packet);
  g_mutex_lock(&gate->lock);
  gboolean passed = genuine(gate, packet, size, &forget);
  g_mutex_unlock(&gate->lock);
  if (forget) g_signal_emit_by_name(gate->element, "remove-key", GST_READ_UINT32_BE(packet + 8));
  return passed;
}

static gboolean drop_forged(GstBuffer **buffer, guint index, gpointer gate) {
  if (passes(gate, *buffer)) return TRUE;
  gst_buffer_unref(*buffer);
  *buffer = NULL;
  return TRUE;
}

static GstPadProbeReturn look(GstPad *pad, GstPadProbeInfo *info, gpointer gate) {
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    return passes(gate, GST_PAD_PROBE_INFO_BUFFER(info)) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  GstBufferList *list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
  GST_PAD_PROBE_INFO_DATA(info) = list;
  gst_buffer_list_foreach(list, drop_forged, gate);
  return GST_PAD_PROBE_OK;
}

/* Put one before an element, with which it ends; FALSE: the key cannot be used. */
ROSTRA_EXPORT gboolean rostra_srtp_gate(GstElement *element, const RostraLineKey *key) {
  Srtp *srtp = rostra_srtp_new(key, FALSE);
  if (!srtp) return FALSE;
  Gate *gate = g_new0(Gate, 1);
  g_mutex_init(&gate->lock);
  gate->srtp = srtp;
  gate->element = element;
  gate->likely = g_hash_table_new(NULL, NULL);
  gate->tried = g_hash_table_new(NULL, NULL);
  g_object_set_data_full(G_OBJECT(element), NAME, gate, gate_free);
  static const char *const names[] = {"rtp_sink", "rtcp_sink"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    GstPad *pad = gst_element_get_static_pad(element, names[i]);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, look, gate, NULL);
    gst_object_unref(pad);
  }
  return TRUE;
}

/* The numbers of this source have rolled over so often, as far as it is known from before. */
ROSTRA_EXPORT void rostra_srtp_gate_expect(GstElement *element, guint32 ssrc, guint32 rolled_over) {
  Gate *gate = g_object_get_data(G_OBJECT(element), NAME);
  g_mutex_lock(&gate->lock);
  g_hash_table_insert(gate->likely, GUINT_TO_POINTER(ssrc), GUINT_TO_POINTER(rolled_over));
  g_mutex_unlock(&gate->lock);
}

/* How often the numbers of a source had rolled over when it was found to be genuine. */
ROSTRA_EXPORT guint32 rostra_srtp_gate_found(GstElement *element, guint32 ssrc) {
  Gate *gate = g_object_get_data(G_OBJECT(element), NAME);
  g_mutex_lock(&gate->lock);
  Genuine *one = latest(gate, ssrc);
  guint32 count = one ? one->rolled_over : 0;
  g_mutex_unlock(&gate->lock);
  return count;
}
