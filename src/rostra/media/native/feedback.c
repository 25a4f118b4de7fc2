/* What far ends report of the packets they were sent, summed up by probes on the pads that it passes on its way upstream:
 * transport-wide feedback, which the RTP session hands out as a structure for each packet, and packets that are missed. */
#include "rostra.h"

/* ---- feedback for each packet ---------------------------------------------------------------------------------- */

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

/* ---- packets that far ends ask for again: how many, and how many of them are sent ------------------------------- */

#define REPEATED (8 * 1200)                   /* bits of a packet that is sent again, as a bucket counts them */
#define FILLED 0.3                            /* seconds of its rate that a bucket holds */
#define KNOWN 1024                            /* packets that are remembered, a power of two */
#define SLOT (100 * G_TIME_SPAN_MILLISECOND)  /* of time, in which packets are counted together */
#define SLOTS 64

typedef struct {
  gint64 number; /* of the slot, since ever */
  gint32 sent, lost;
  gint64 octets;
} Slot;

typedef struct {
  GMutex lock;
  double rate, tokens; /* bit/s and bits of what is sent again */
  gint64 filled;
  gboolean begun;
  guint16 latest;             /* number of the packet sent last for the first time */
  struct {
    gint64 slot;              /* in which it was sent */
    guint16 number;
    gboolean known, asked;
  } packets[KNOWN];
  Slot slots[SLOTS];
} Repeats;

static void repeats_free(gpointer data) {
  Repeats *repeats = data;
  g_mutex_clear(&repeats->lock);
  g_free(repeats);
}

static GQuark repeats_quark(void) { return g_quark_from_static_string("rostra-repeats"); }

/* How often a packet may be sent again now: twice while there is room, as there is not always time to ask once more. */
static guint take(Repeats *repeats) {
  gint64 now = g_get_monotonic_time();
  double most = MAX(REPEATED, FILLED * repeats->rate);
  repeats->tokens += repeats->rate * (now - repeats->filled) / G_TIME_SPAN_SECOND;
  repeats->tokens = MIN(repeats->tokens, most);
  repeats->filled = now;
  if (repeats->rate <= 0 || repeats->tokens < REPEATED) return 0;
  guint times = repeats->tokens > MAX(2 * REPEATED, most / 2) ? 2 : 1;
  repeats->tokens -= times * REPEATED;
  return times;
}

static Slot *slot_of(Repeats *repeats, gint64 number) {
  Slot *slot = &repeats->slots[number % SLOTS];
  if (slot->number != number) *slot = (Slot){.number = number};
  return slot;
}

static void sent(Repeats *repeats, GstBuffer *buffer) {
  guint8 header[2];
  if (gst_buffer_extract(buffer, 2, header, sizeof header) < sizeof header) return;
  guint16 number = GST_READ_UINT16_BE(header);
  g_mutex_lock(&repeats->lock);
  if (!repeats->begun || (gint16)(number - repeats->latest) > 0) { /* others are sent again */
    repeats->begun = TRUE;
    repeats->latest = number;
    Slot *slot = slot_of(repeats, g_get_monotonic_time() / SLOT);
    slot->sent++;
    slot->octets += gst_buffer_get_size(buffer);
    repeats->packets[number % KNOWN].slot = slot->number;
    repeats->packets[number % KNOWN].number = number;
    repeats->packets[number % KNOWN].known = TRUE;
    repeats->packets[number % KNOWN].asked = FALSE;
  }
  g_mutex_unlock(&repeats->lock);
}

static guint asked(Repeats *repeats, guint16 number) {
  g_mutex_lock(&repeats->lock);
  typeof(repeats->packets[0]) *packet = &repeats->packets[number % KNOWN];
  if (packet->known && packet->number == number && !packet->asked) {
    packet->asked = TRUE;
    if (repeats->slots[packet->slot % SLOTS].number == packet->slot) repeats->slots[packet->slot % SLOTS].lost++;
  }
  guint times = take(repeats);
  g_mutex_unlock(&repeats->lock);
  return times;
}

static GstPadProbeReturn requested(GstPad *pad, Repeats *repeats, const GstStructure *request) {
  guint number = 0;
  if (gst_structure_has_field(request, REQUEST_COPY)) return GST_PAD_PROBE_OK;
  if (!gst_structure_get_uint(request, "seqnum", &number)) return GST_PAD_PROBE_OK;
  guint times = asked(repeats, (guint16)number);
  if (times > 1) {
    GstStructure *copy = gst_structure_copy(request);
    gst_structure_set(copy, REQUEST_COPY, G_TYPE_BOOLEAN, TRUE, NULL);
    gst_pad_send_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, copy));
  }
  return times ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn repeats_passed(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
    sent(data, GST_PAD_PROBE_INFO_BUFFER(info));
  } else if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    for (guint i = 0; i < gst_buffer_list_length(list); i++) sent(data, gst_buffer_list_get(list, i));
  } else {
    const GstStructure *told = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
    if (told && gst_structure_has_name(told, "GstRTPRetransmissionRequest")) return requested(pad, data, told);
  }
  return GST_PAD_PROBE_OK;
}

/* Let requests to send packets again pass the pad by which they leave no faster than so many bit/s from now on, each two
 * times while half of that is not used. */
ROSTRA_EXPORT void rostra_limit_repeats(GstPad *pad, double rate) {
  Repeats *repeats = g_object_get_qdata(G_OBJECT(pad), repeats_quark());
  if (!repeats) {
    repeats = g_new0(Repeats, 1);
    g_mutex_init(&repeats->lock);
    repeats->tokens = FILLED * rate;
    repeats->filled = g_get_monotonic_time();
    g_object_set_qdata_full(G_OBJECT(pad), repeats_quark(), repeats, repeats_free);
    gst_pad_add_probe(pad,
                      GST_PAD_PROBE_TYPE_EVENT_UPSTREAM | GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
                      repeats_passed, repeats, NULL);
  }
  g_mutex_lock(&repeats->lock);
  repeats->rate = rate;
  g_mutex_unlock(&repeats->lock);
}

/* Of the packets that left by such a pad for the first time between so many seconds ago: how many and how large, and how
 * many of them have been asked for again. */
ROSTRA_EXPORT void rostra_repeats(GstPad *pad, double since, double until, gint32 *count, gint32 *lost, gint64 *octets) {
  Repeats *repeats = g_object_get_qdata(G_OBJECT(pad), repeats_quark());
  *count = *lost = 0;
  *octets = 0;
  if (!repeats) return;
  gint64 now = g_get_monotonic_time();
  gint64 first = (now - (gint64)(since * G_TIME_SPAN_SECOND)) / SLOT;
  gint64 last = (now - (gint64)(until * G_TIME_SPAN_SECOND)) / SLOT;
  g_mutex_lock(&repeats->lock);
  for (gint64 number = MAX(first, last - SLOTS + 1); number < last; number++) {
    const Slot *slot = &repeats->slots[number % SLOTS];
    if (slot->number != number) continue;
    *count += slot->sent;
    *lost += slot->lost;
    *octets += slot->octets;
  }
  g_mutex_unlock(&repeats->lock);
}
