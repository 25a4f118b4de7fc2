/* rostraaudiosink: what a leg says. */
#include "sound.h"

typedef struct {
  GstBaseSink parent;
  char *source; /* property; object lock */
  gboolean even; /* property; object lock */
  Leg *leg;     /* from start to stop */
} RostraAudioSink;
typedef struct {
  GstBaseSinkClass parent;
} RostraAudioSinkClass;

G_DEFINE_TYPE(RostraAudioSink, rostra_audio_sink, GST_TYPE_BASE_SINK)

enum { PROP_SOURCE = 1, PROP_EVEN };

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format = (string) S16LE, rate = (int) 48000, channels = (int) 1, "
                    "layout = (string) interleaved"));

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraAudioSink *self = (RostraAudioSink *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_EVEN) {
    self->even = g_value_get_boolean(value);
  } else {
    g_free(self->source);
    self->source = g_value_dup_string(value);
  }
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraAudioSink *self = (RostraAudioSink *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_EVEN)
    g_value_set_boolean(value, self->even);
  else
    g_value_set_string(value, self->source);
  GST_OBJECT_UNLOCK(self);
}

static gboolean start(GstBaseSink *sink) {
  RostraAudioSink *self = (RostraAudioSink *)sink;
  GST_OBJECT_LOCK(self);
  char *source = g_strdup(self->source ? self->source : "");
  gboolean even = self->even;
  GST_OBJECT_UNLOCK(self);
  self->leg = rostra_speaker_join(source, even, NULL, NULL);
  g_free(source);
  return TRUE;
}

static gboolean stop(GstBaseSink *sink) {
  RostraAudioSink *self = (RostraAudioSink *)sink;
  if (self->leg) rostra_speaker_leave(g_steal_pointer(&self->leg));
  return TRUE;
}

static GstFlowReturn render(GstBaseSink *sink, GstBuffer *buffer) {
  RostraAudioSink *self = (RostraAudioSink *)sink;
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return GST_FLOW_OK;
  rostra_speaker_push(self->leg, (const gint16 *)map.data, map.size / sizeof(gint16));
  gst_buffer_unmap(buffer, &map);
  return GST_FLOW_OK;
}

static void finalize(GObject *object) {
  g_free(((RostraAudioSink *)object)->source);
  G_OBJECT_CLASS(rostra_audio_sink_parent_class)->finalize(object);
}

static void rostra_audio_sink_class_init(RostraAudioSinkClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstBaseSinkClass *sink = GST_BASE_SINK_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  sink->start = start;
  sink->stop = stop;
  sink->render = render;
  g_object_class_install_property(
      object, PROP_SOURCE,
      g_param_spec_string("source", "Source", "Id of the leg that speaks; set before READY", NULL,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property(
      object, PROP_EVEN,
      g_param_spec_boolean("even", "Even", "Bring a voice to the usual loudness; set before READY", FALSE,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &sink_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Stage sound sink", "Sink/Audio",
                                        "Feeds a leg's sound to the mixer", "Rostra");
}

static void rostra_audio_sink_init(RostraAudioSink *self) { rostra_sink_setup(GST_BASE_SINK(self)); }
