/* rostraagain: keeps the RTP packets of a stream and sends those again at once that the far end asks for (RFC 4585 6.2.1).
 *
 * As they were, with their own numbers. No more packets than go out anyway, so that requests do not make a flood, and none
 * for two requests within a short time, when a request and its repetition have met a packet on its way. */
#include "rostra.h"

#include <gst/base/gstbasetransform.h>

#define KEPT 1024                              /* packets, a power of two: over two seconds of pictures */
#define PAUSE (15 * G_TIME_SPAN_MILLISECOND)   /* between two times that a packet is sent again */
#define BUDGET 256                             /* packets that may be sent again in a row */

typedef struct {
  GstBuffer *buffer;
  guint16 number;
  gint64 sent;
} Kept;

typedef struct {
  GstBaseTransform parent;
  GMutex lock; /* of all below */
  Kept kept[KEPT];
  guint budget;
  guint requests, repeated; /* properties */
} RostraAgain;
typedef struct {
  GstBaseTransformClass parent;
} RostraAgainClass;

G_DEFINE_TYPE(RostraAgain, rostra_again, GST_TYPE_BASE_TRANSFORM)

enum { PROP_REQUESTS = 1, PROP_REPEATED };

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraAgain *self = (RostraAgain *)object;
  g_mutex_lock(&self->lock);
  g_value_set_uint(value, id == PROP_REQUESTS ? self->requests : self->repeated);
  g_mutex_unlock(&self->lock);
}

static void forget(RostraAgain *self) {
  g_mutex_lock(&self->lock);
  for (guint i = 0; i < KEPT; i++) gst_clear_buffer(&self->kept[i].buffer);
  self->budget = 0;
  g_mutex_unlock(&self->lock);
}

static gboolean stop(GstBaseTransform *transform) {
  forget((RostraAgain *)transform);
  return TRUE;
}

static void keep(RostraAgain *self, GstBuffer *buffer) {
  guint8 number[2];
  if (gst_buffer_extract(buffer, 2, number, sizeof number) < sizeof number) return;
  Kept kept = {gst_buffer_ref(buffer), (guint16)GST_READ_UINT16_BE(number), 0};
  g_mutex_lock(&self->lock);
  Kept *place = &self->kept[kept.number % KEPT];
  gst_clear_buffer(&place->buffer);
  *place = kept;
  if (self->budget < BUDGET) self->budget++;
  g_mutex_unlock(&self->lock);
}

static GstFlowReturn transform_ip(GstBaseTransform *transform, GstBuffer *buffer) {
  keep((RostraAgain *)transform, buffer);
  return GST_FLOW_OK;
}

/* The packets of a picture together, as they came: the transform's own way would take them apart. */
static GstFlowReturn chain_list(GstPad *pad, GstObject *parent, GstBufferList *list) {
  for (guint i = 0; i < gst_buffer_list_length(list); i++) keep((RostraAgain *)parent, gst_buffer_list_get(list, i));
  return gst_pad_push_list(GST_BASE_TRANSFORM_SRC_PAD(parent), list);
}

/* `copy`: of a request that follows. */
static void repeat(RostraAgain *self, guint16 number, gboolean copy) {
  gint64 now = g_get_monotonic_time();
  GstBuffer *buffer = NULL;
  g_mutex_lock(&self->lock);
  Kept *kept = &self->kept[number % KEPT];
  self->requests++;
  if (kept->buffer && kept->number == number && self->budget && (!kept->sent || now - kept->sent >= PAUSE)) {
    buffer = gst_buffer_ref(kept->buffer);
    if (!copy) kept->sent = now;
    self->budget--;
    self->repeated++;
  }
  g_mutex_unlock(&self->lock);
  /* in the thread that has read the request: the stream itself may have nothing to send for a while */
  if (buffer) gst_pad_push(GST_BASE_TRANSFORM_SRC_PAD(self), buffer);
}

static gboolean src_event(GstBaseTransform *transform, GstEvent *event) {
  const GstStructure *what = gst_event_get_structure(event);
  guint number;
  if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM && gst_structure_has_name(what, "GstRTPRetransmissionRequest") &&
      gst_structure_get_uint(what, "seqnum", &number)) {
    repeat((RostraAgain *)transform, (guint16)number, gst_structure_has_field(what, REQUEST_COPY));
    gst_event_unref(event);
    return TRUE;
  }
  return GST_BASE_TRANSFORM_CLASS(rostra_again_parent_class)->src_event(transform, event);
}

static void finalize(GObject *object) {
  forget((RostraAgain *)object);
  g_mutex_clear(&((RostraAgain *)object)->lock);
  G_OBJECT_CLASS(rostra_again_parent_class)->finalize(object);
}

static void rostra_again_class_init(RostraAgainClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS(klass);
  object->get_property = get_property;
  object->finalize = finalize;
  transform->stop = stop;
  transform->transform_ip = transform_ip;
  transform->src_event = src_event;
  transform->transform_ip_on_passthrough = TRUE;
  g_object_class_install_property(object, PROP_REQUESTS,
                                  g_param_spec_uint("requests", "Requests", "Packets that were asked for", 0, G_MAXUINT,
                                                    0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property(object, PROP_REPEATED,
                                  g_param_spec_uint("repeated", "Repeated", "Packets that were sent again", 0,
                                                    G_MAXUINT, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Retransmission", "Generic", "Sends lost packets again", "Rostra");
}

static void rostra_again_init(RostraAgain *self) {
  g_mutex_init(&self->lock);
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
  gst_pad_set_chain_list_function(GST_BASE_TRANSFORM_SINK_PAD(self), chain_list);
}
