/* rostraaudiosrc: what a leg hears, in blocks of 20 ms. */
#include "sound.h"

#define BLOCK_TIME (20 * GST_MSECOND)
#define INAUDIBLE 16   /* 66 dB below full scale */
#define AFTERWARDS 10u /* quiet blocks that are still passed on: what follows hears the sound end */

typedef struct {
  GstPushSrc parent;
  char *leg; /* property; object lock */
  Listener *listener;
  gboolean skip_silence; /* property; object lock */
  BlockClock clock;
  guint quiet; /* blocks since the last sound */
} RostraAudioSrc;
typedef struct {
  GstPushSrcClass parent;
} RostraAudioSrcClass;

G_DEFINE_TYPE(RostraAudioSrc, rostra_audio_src, GST_TYPE_PUSH_SRC)

enum { PROP_LEG = 1, PROP_SKIP_SILENCE };

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format = (string) S16LE, rate = (int) 48000, channels = (int) 1, "
                    "layout = (string) interleaved"));

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraAudioSrc *self = (RostraAudioSrc *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_SKIP_SILENCE) {
    self->skip_silence = g_value_get_boolean(value);
  } else {
    g_free(self->leg);
    self->leg = g_value_dup_string(value);
  }
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraAudioSrc *self = (RostraAudioSrc *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_SKIP_SILENCE)
    g_value_set_boolean(value, self->skip_silence);
  else
    g_value_set_string(value, self->leg);
  GST_OBJECT_UNLOCK(self);
}

static gboolean start(GstBaseSrc *src) {
  RostraAudioSrc *self = (RostraAudioSrc *)src;
  GST_OBJECT_LOCK(self);
  char *leg = g_strdup(self->leg ? self->leg : "");
  GST_OBJECT_UNLOCK(self);
  self->listener = rostra_listener_join(leg);
  self->clock.started = FALSE;
  self->quiet = AFTERWARDS; /* what begins with silence begins later */
  g_free(leg);
  return TRUE;
}

static gboolean stop(GstBaseSrc *src) {
  RostraAudioSrc *self = (RostraAudioSrc *)src;
  if (self->listener) rostra_listener_leave(g_steal_pointer(&self->listener));
  return TRUE;
}

static gboolean unlock(GstBaseSrc *src) {
  RostraAudioSrc *self = (RostraAudioSrc *)src;
  if (self->listener) rostra_listener_flush(self->listener, TRUE);
  return TRUE;
}

static gboolean unlock_stop(GstBaseSrc *src) {
  RostraAudioSrc *self = (RostraAudioSrc *)src;
  if (self->listener) rostra_listener_flush(self->listener, FALSE);
  return TRUE;
}

void rostra_block_stamp(BlockClock *clock, GstElement *element, GstBuffer *buffer, guint64 tick) {
  GstClockTime now = gst_element_get_current_running_time(element);
  if (!GST_CLOCK_TIME_IS_VALID(now)) now = 0;
  GstClockTime time = clock->origin + (tick - clock->first) * BLOCK_TIME;
  if (!clock->started || time > now + 200 * GST_MSECOND || time + 200 * GST_MSECOND < now) {
    clock->origin = time = now; /* start, or the clock was set anew (a pause, another base time) */
    clock->first = tick;
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  } else if (tick != clock->last + 1) {
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  }
  clock->started = TRUE;
  clock->last = tick;
  GST_BUFFER_PTS(buffer) = time;
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer) = BLOCK_TIME;
}

static gboolean audible(GstBuffer *block) {
  GstMapInfo map;
  gboolean found = FALSE;
  if (GST_BUFFER_FLAG_IS_SET(block, GST_BUFFER_FLAG_GAP) || !gst_buffer_map(block, &map, GST_MAP_READ)) return FALSE;
  const gint16 *samples = (const gint16 *)map.data;
  for (gsize i = 0; i < map.size / sizeof *samples && !found; i++)
    found = samples[i] > INAUDIBLE || samples[i] < -INAUDIBLE;
  gst_buffer_unmap(block, &map);
  return found;
}

/* The next block that is worth passing on; NULL once flushing. */
static GstBuffer *pull(RostraAudioSrc *self, guint64 *tick) {
  GST_OBJECT_LOCK(self);
  gboolean skip = self->skip_silence;
  GST_OBJECT_UNLOCK(self);
  GstBuffer *block;
  while ((block = rostra_listener_pull(self->listener, tick)) && skip) {
    self->quiet = audible(block) ? 0 : self->quiet + 1;
    if (self->quiet <= AFTERWARDS) break;
    gst_buffer_unref(block);
  }
  return block;
}

static GstFlowReturn create(GstPushSrc *src, GstBuffer **out) {
  RostraAudioSrc *self = (RostraAudioSrc *)src;
  guint64 tick = 0;
  GstBuffer *shared = pull(self, &tick);
  if (!shared) return GST_FLOW_FLUSHING;
  GstBuffer *buffer = gst_buffer_copy(shared); /* the samples stay shared, the time is ours */
  gst_buffer_unref(shared);
  rostra_block_stamp(&self->clock, GST_ELEMENT(self), buffer, tick);
  *out = buffer;
  return GST_FLOW_OK;
}

static void finalize(GObject *object) {
  g_free(((RostraAudioSrc *)object)->leg);
  G_OBJECT_CLASS(rostra_audio_src_parent_class)->finalize(object);
}

static void rostra_audio_src_class_init(RostraAudioSrcClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstBaseSrcClass *src = GST_BASE_SRC_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  src->start = start;
  src->stop = stop;
  src->unlock = unlock;
  src->unlock_stop = unlock_stop;
  GST_PUSH_SRC_CLASS(klass)->create = create;
  g_object_class_install_property(
      object, PROP_LEG,
      g_param_spec_string("leg", "Leg", "Id of the leg that listens; set before READY", NULL,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property(
      object, PROP_SKIP_SILENCE,
      g_param_spec_boolean("skip-silence", "Skip silence", "Pass nothing on while there is nothing to hear", FALSE,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &src_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Stage sound source", "Source/Audio",
                                        "What a leg hears of the others", "Rostra");
}

static void rostra_audio_src_init(RostraAudioSrc *self) {
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp(GST_BASE_SRC(self), FALSE);
}
