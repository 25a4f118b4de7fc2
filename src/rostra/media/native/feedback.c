/* What far ends report of the packets they were sent: transport-wide feedback, summed up between two looks.
 *
 * The RTP session sends the reports upstream, a structure for each packet; a probe on a pad adds them up. */
#include "rostra.h"

typedef struct {
  GMutex lock;
  RostraFeedback sums; /* since the last look */
  double delays;       /* their sum, seconds */
  guint64 latest;      /* arrival of the latest packet known, on the far end's clock; 0: none */
} Watch;

static void watch_free(gpointer data) {
  Watch *watch = data;
  g_mutex_clear(&watch->lock);
  g_free(watch);
}

static GQuark watch_quark(void) { return g_quark_from_static_string("rostra-feedback"); }

static void add_packet(Watch *watch, const GstStructure *packet) {
  guint64 sent = GST_CLOCK_TIME_NONE, came = GST_CLOCK_TIME_NONE;
  guint size = 0;
  gboolean lost = FALSE;
  gst_structure_get(packet, "local-ts", G_TYPE_UINT64, &sent, "remote-ts", G_TYPE_UINT64, &came, "size", G_TYPE_UINT,
                    &size, "lost", G_TYPE_BOOLEAN, &lost, NULL);
  if (!GST_CLOCK_TIME_IS_VALID(sent)) return; /* not one of ours, or of long ago */
  RostraFeedback *sums = &watch->sums;
  if (lost || !GST_CLOCK_TIME_IS_VALID(came)) {
    sums->lost++;
    return;
  }
  double delay = (double)(GstClockTimeDiff)(came - sent) / GST_SECOND;
  if (!sums->arrived || delay < sums->least) sums->least = delay;
  watch->delays += delay;
  sums->arrived++;
  sums->octets += size;
  if (came > watch->latest) {
    if (watch->latest) sums->span += (double)(came - watch->latest) / GST_SECOND;
    watch->latest = came;
  }
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS /* the session still puts them into a GValueArray */
static void add_packets(Watch *watch, const GstStructure *reported) {
  const GValue *value = gst_structure_get_value(reported, "packets");
  if (!value || !G_VALUE_HOLDS(value, g_value_array_get_type())) return;
  const GValueArray *packets = g_value_get_boxed(value);
  g_mutex_lock(&watch->lock);
  for (guint i = 0; packets && i < packets->n_values; i++) {
    const GValue *packet = packets->values + i;
    if (GST_VALUE_HOLDS_STRUCTURE(packet)) add_packet(watch, gst_value_get_structure(packet));
  }
  watch->sums.reports++;
  g_mutex_unlock(&watch->lock);
}
G_GNUC_END_IGNORE_DEPRECATIONS

static GstPadProbeReturn passed(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  const GstStructure *structure = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  if (structure && gst_structure_has_name(structure, "RTPTWCCPackets")) add_packets(data, structure);
  return GST_PAD_PROBE_OK;
}

ROSTRA_EXPORT void rostra_feedback_watch(GstPad *pad) {
  if (g_object_get_qdata(G_OBJECT(pad), watch_quark())) return;
  Watch *watch = g_new0(Watch, 1);
  g_mutex_init(&watch->lock);
  /* freed with the pad, whose probes are gone by then */
  g_object_set_qdata_full(G_OBJECT(pad), watch_quark(), watch, watch_free);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, passed, watch, NULL);
}

ROSTRA_EXPORT gint32 rostra_feedback_read(GstPad *pad, RostraFeedback *sums) {
  Watch *watch = g_object_get_qdata(G_OBJECT(pad), watch_quark());
  if (!watch) return FALSE;
  g_mutex_lock(&watch->lock);
  *sums = watch->sums;
  if (sums->arrived) sums->mean = watch->delays / sums->arrived;
  watch->sums = (RostraFeedback){0};
  watch->delays = 0;
  g_mutex_unlock(&watch->lock);
  return TRUE;
}
