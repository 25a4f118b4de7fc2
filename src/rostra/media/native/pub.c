/* rostrapub: the end of an encoder's pipeline; its frames go to every subscriber of the channel. */
#include "rostra.h"

typedef struct {
  GstBaseSink parent;
  char *name;  /* property `channel`; object lock */
  GstCaps *caps;
  Channel *channel; /* from start to stop */
} RostraPub;
typedef struct {
  GstBaseSinkClass parent;
} RostraPubClass;

G_DEFINE_TYPE(RostraPub, rostra_pub, GST_TYPE_BASE_SINK)

enum { PROP_CHANNEL = 1 };

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraPub *self = (RostraPub *)object;
  GST_OBJECT_LOCK(self);
  g_free(self->name);
  self->name = g_value_dup_string(value);
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraPub *self = (RostraPub *)object;
  GST_OBJECT_LOCK(self);
  g_value_set_string(value, self->name);
  GST_OBJECT_UNLOCK(self);
}

static gboolean start(GstBaseSink *sink) {
  RostraPub *self = (RostraPub *)sink;
  GST_OBJECT_LOCK(self);
  char *name = g_strdup(self->name ? self->name : "");
  GST_OBJECT_UNLOCK(self);
  self->channel = rostra_channel_open(name, GST_ELEMENT(self));
  g_free(name);
  return TRUE;
}

static gboolean stop(GstBaseSink *sink) {
  RostraPub *self = (RostraPub *)sink;
  if (self->channel) rostra_channel_close(g_steal_pointer(&self->channel), GST_ELEMENT(self));
  gst_caps_replace(&self->caps, NULL);
  return TRUE;
}

static gboolean set_caps(GstBaseSink *sink, GstCaps *caps) {
  gst_caps_replace(&((RostraPub *)sink)->caps, caps);
  return TRUE;
}

static GstFlowReturn render(GstBaseSink *sink, GstBuffer *buffer) {
  RostraPub *self = (RostraPub *)sink;
  ChannelItem item = {.buffer = buffer, .caps = self->caps, .time = GST_CLOCK_TIME_NONE};
  if (sink->segment.format == GST_FORMAT_TIME && GST_BUFFER_PTS_IS_VALID(buffer)) {
    GstClockTime running = gst_segment_to_running_time(&sink->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    GST_OBJECT_LOCK(self);
    item.clock = GST_ELEMENT_CLOCK(self);
    if (item.clock && GST_CLOCK_TIME_IS_VALID(running)) item.time = running + GST_ELEMENT_CAST(self)->base_time;
    GST_OBJECT_UNLOCK(self);
  }
  rostra_channel_push(self->channel, &item);
  return GST_FLOW_OK;
}

static void finalize(GObject *object) {
  g_free(((RostraPub *)object)->name);
  G_OBJECT_CLASS(rostra_pub_parent_class)->finalize(object);
}

static void rostra_pub_class_init(RostraPubClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstBaseSinkClass *sink = GST_BASE_SINK_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  sink->start = start;
  sink->stop = stop;
  sink->set_caps = set_caps;
  sink->render = render;
  g_object_class_install_property(
      object, PROP_CHANNEL,
      g_param_spec_string("channel", "Channel", "Id of the channel to publish on; set before READY", NULL,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &sink_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Stage publisher", "Sink",
                                        "Publishes encoded media to any number of pipelines", "Rostra");
}

static void rostra_pub_init(RostraPub *self) { rostra_sink_setup(GST_BASE_SINK(self)); }
