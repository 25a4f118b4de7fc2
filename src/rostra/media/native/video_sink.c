/* rostravideosink: the latest frame of a leg becomes its picture on the stage. */
#include "rostra.h"

typedef struct {
  GstBaseSink parent;
  char *source;     /* property; object lock */
  gboolean standby; /* property; object lock */
  char *published;  /* id in use; streaming thread and state changes only */
  GstVideoInfo info;
} RostraVideoSink;
typedef struct {
  GstBaseSinkClass parent;
} RostraVideoSinkClass;

G_DEFINE_TYPE(RostraVideoSink, rostra_video_sink, GST_TYPE_BASE_SINK)

enum { PROP_SOURCE = 1, PROP_STANDBY };

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ I420, NV12 }")));

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraVideoSink *self = (RostraVideoSink *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_STANDBY) {
    self->standby = g_value_get_boolean(value);
  } else {
    g_free(self->source);
    self->source = g_value_dup_string(value);
  }
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraVideoSink *self = (RostraVideoSink *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_STANDBY)
    g_value_set_boolean(value, self->standby);
  else
    g_value_set_string(value, self->source);
  GST_OBJECT_UNLOCK(self);
}

static void withdraw(RostraVideoSink *self) {
  if (self->published) rostra_pictures_withdraw(self->published, self);
  g_clear_pointer(&self->published, g_free);
}

static gboolean set_caps(GstBaseSink *sink, GstCaps *caps) {
  return gst_video_info_from_caps(&((RostraVideoSink *)sink)->info, caps);
}

static GstFlowReturn render(GstBaseSink *sink, GstBuffer *buffer) {
  RostraVideoSink *self = (RostraVideoSink *)sink;
  GST_OBJECT_LOCK(self);
  gboolean moved = g_strcmp0(self->source, self->published) != 0;
  char *source = moved ? g_strdup(self->source) : NULL;
  gboolean standby = self->standby;
  GST_OBJECT_UNLOCK(self);
  if (moved) {
    withdraw(self);
    self->published = source;
  }
  if (self->published && *self->published && GST_VIDEO_INFO_WIDTH(&self->info) > 0)
    rostra_pictures_publish(self->published, self, standby, buffer, &self->info);
  return GST_FLOW_OK;
}

static gboolean stop(GstBaseSink *sink) {
  withdraw((RostraVideoSink *)sink);
  return TRUE;
}

static gboolean propose_allocation(GstBaseSink *sink, GstQuery *query) {
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

static void finalize(GObject *object) {
  RostraVideoSink *self = (RostraVideoSink *)object;
  withdraw(self);
  g_free(self->source);
  G_OBJECT_CLASS(rostra_video_sink_parent_class)->finalize(object);
}

static void rostra_video_sink_class_init(RostraVideoSinkClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstBaseSinkClass *sink = GST_BASE_SINK_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  sink->set_caps = set_caps;
  sink->render = render;
  sink->stop = stop;
  sink->propose_allocation = propose_allocation;
  g_object_class_install_property(object, PROP_SOURCE,
                                  g_param_spec_string("source", "Source", "Id of the leg whose picture this is", NULL,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property(
      object, PROP_STANDBY,
      g_param_spec_boolean("standby", "Standby", "Give way to another sink of the same source while it has pictures",
                           FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &sink_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Stage picture sink", "Sink/Video",
                                        "Publishes the latest frame on the stage", "Rostra");
}

static void rostra_video_sink_init(RostraVideoSink *self) { rostra_sink_setup(GST_BASE_SINK(self)); }
