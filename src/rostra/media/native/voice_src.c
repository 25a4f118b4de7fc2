/* rostravoicesrc: what a leg hears, encoded together with all who hear the same. */
#include "sound.h"

#define QUEUE_MOST 5u

typedef struct {
  GstBuffer *buffer;
  guint64 tick;
} Heard;

typedef struct {
  GstPushSrc parent;
  char *leg, *codec; /* properties; object lock */
  Ear *ear;          /* from start to stop */
  BlockClock clock;
  GMutex lock; /* over what follows */
  GCond arrived;
  gboolean flushing;
  Heard queue[QUEUE_MOST];
  guint count;
} RostraVoiceSrc;
typedef struct {
  GstPushSrcClass parent;
} RostraVoiceSrcClass;

G_DEFINE_TYPE(RostraVoiceSrc, rostra_voice_src, GST_TYPE_PUSH_SRC)

enum { PROP_LEG = 1, PROP_CODEC };

static const char *const forms[] = {
    [ROSTRA_OPUS] = "audio/x-opus,rate=48000,channels=1,channel-mapping-family=0,stream-count=1,coupled-count=0",
    [ROSTRA_PCMU] = "audio/x-mulaw,rate=8000,channels=1",
    [ROSTRA_PCMA] = "audio/x-alaw,rate=8000,channels=1",
    [ROSTRA_G722] = "audio/G722,rate=16000,channels=1",
};

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("audio/x-opus; audio/x-mulaw; audio/x-alaw; audio/G722"));

static char **text_of(RostraVoiceSrc *self, guint id) { return id == PROP_LEG ? &self->leg : &self->codec; }

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  char **text = text_of((RostraVoiceSrc *)object, id);
  GST_OBJECT_LOCK(object);
  g_free(*text);
  *text = g_value_dup_string(value);
  GST_OBJECT_UNLOCK(object);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  GST_OBJECT_LOCK(object);
  g_value_set_string(value, *text_of((RostraVoiceSrc *)object, id));
  GST_OBJECT_UNLOCK(object);
}

static void drop_first(RostraVoiceSrc *self) {
  self->count--;
  for (guint i = 0; i < self->count; i++) self->queue[i] = self->queue[i + 1];
}

static void hear(gpointer user, const guint8 *payload, gsize size, guint64 tick) {
  RostraVoiceSrc *self = user;
  g_mutex_lock(&self->lock);
  if (self->count == QUEUE_MOST) {
    gst_buffer_unref(self->queue[0].buffer);
    drop_first(self);
  }
  self->queue[self->count++] = (Heard){gst_buffer_new_memdup(payload, size), tick};
  g_cond_signal(&self->arrived);
  g_mutex_unlock(&self->lock);
}

static int codec_of(RostraVoiceSrc *self) {
  GST_OBJECT_LOCK(self);
  int codec = rostra_codec_named(self->codec);
  GST_OBJECT_UNLOCK(self);
  return codec == ROSTRA_EVENTS ? 0 : codec;
}

static gboolean start(GstBaseSrc *src) {
  RostraVoiceSrc *self = (RostraVoiceSrc *)src;
  int codec = codec_of(self);
  if (!codec) {
    GST_ELEMENT_ERROR(self, LIBRARY, SETTINGS, ("No codec of this name."), (NULL));
    return FALSE;
  }
  GST_OBJECT_LOCK(self);
  char *leg = g_strdup(self->leg ? self->leg : "");
  GST_OBJECT_UNLOCK(self);
  self->clock.started = FALSE;
  self->ear = rostra_ear_join(leg, codec, hear, self);
  g_free(leg);
  return TRUE;
}

static gboolean stop(GstBaseSrc *src) {
  RostraVoiceSrc *self = (RostraVoiceSrc *)src;
  if (self->ear) rostra_ear_leave(g_steal_pointer(&self->ear));
  for (; self->count; drop_first(self)) gst_buffer_unref(self->queue[0].buffer);
  return TRUE;
}

static GstCaps *get_caps(GstBaseSrc *src, GstCaps *filter) {
  int codec = codec_of((RostraVoiceSrc *)src);
  GstCaps *caps = codec ? gst_caps_from_string(forms[codec]) : gst_pad_get_pad_template_caps(GST_BASE_SRC_PAD(src));
  if (!filter) return caps;
  GstCaps *both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return both;
}

static void flush(RostraVoiceSrc *self, gboolean flushing) {
  g_mutex_lock(&self->lock);
  self->flushing = flushing;
  g_cond_signal(&self->arrived);
  g_mutex_unlock(&self->lock);
}

static gboolean unlock(GstBaseSrc *src) {
  flush((RostraVoiceSrc *)src, TRUE);
  return TRUE;
}

static gboolean unlock_stop(GstBaseSrc *src) {
  flush((RostraVoiceSrc *)src, FALSE);
  return TRUE;
}

static GstFlowReturn create(GstPushSrc *src, GstBuffer **out) {
  RostraVoiceSrc *self = (RostraVoiceSrc *)src;
  Heard heard = {0};
  g_mutex_lock(&self->lock);
  while (!self->flushing && !self->count) g_cond_wait(&self->arrived, &self->lock);
  if (!self->flushing) {
    heard = self->queue[0];
    drop_first(self);
  }
  g_mutex_unlock(&self->lock);
  if (!heard.buffer) return GST_FLOW_FLUSHING;
  rostra_block_stamp(&self->clock, GST_ELEMENT(self), heard.buffer, heard.tick);
  *out = heard.buffer;
  return GST_FLOW_OK;
}

static void finalize(GObject *object) {
  RostraVoiceSrc *self = (RostraVoiceSrc *)object;
  g_free(self->leg);
  g_free(self->codec);
  g_mutex_clear(&self->lock);
  g_cond_clear(&self->arrived);
  G_OBJECT_CLASS(rostra_voice_src_parent_class)->finalize(object);
}

static void rostra_voice_src_class_init(RostraVoiceSrcClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstBaseSrcClass *src = GST_BASE_SRC_CLASS(klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  src->start = start;
  src->stop = stop;
  src->get_caps = get_caps;
  src->unlock = unlock;
  src->unlock_stop = unlock_stop;
  GST_PUSH_SRC_CLASS(klass)->create = create;
  g_object_class_install_property(
      object, PROP_LEG, g_param_spec_string("leg", "Leg", "Id of the leg that listens; set before READY", NULL, flags));
  g_object_class_install_property(
      object, PROP_CODEC,
      g_param_spec_string("codec", "Codec", "Encoding name as in RTP (OPUS, PCMU, PCMA, G722); set before READY", NULL,
                          flags));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &src_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Stage voice source", "Source/Audio",
                                        "What a leg hears, encoded once for all who hear the same", "Rostra");
}

static void rostra_voice_src_init(RostraVoiceSrc *self) {
  g_mutex_init(&self->lock);
  g_cond_init(&self->arrived);
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp(GST_BASE_SRC(self), FALSE);
}
