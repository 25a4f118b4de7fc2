/* rostrapace: holds buffers back until so long after their time, so that those that had to be waited for are not late.
 *
 * Never longer than that after they came, whatever their times say.
 *
 * Behind a queue that drops what is old: of pictures nothing goes on after such a gap before a key frame, which is asked
 * for. A decoder would not notice, and smear what it has up to the next one. */
#include "rostra.h"

#include <gst/base/gstbasetransform.h>

typedef struct {
  GstBaseTransform parent;
  guint delay;  /* property, ms; object lock */
  gboolean keys; /* property; set before it starts */
  gboolean torn; /* no key frame since a gap; streaming thread, as what follows */
  gint64 asked;
  GMutex lock;
  GCond ended;
  gboolean flushing; /* lock */
} RostraPace;
typedef struct {
  GstBaseTransformClass parent;
} RostraPaceClass;

G_DEFINE_TYPE(RostraPace, rostra_pace, GST_TYPE_BASE_TRANSFORM)

enum { PROP_DELAY = 1, PROP_KEYS };
#define MOST 1000 /* ms */
#define PATIENCE (500 * G_TIME_SPAN_MILLISECOND)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraPace *self = (RostraPace *)object;
  GST_OBJECT_LOCK(object);
  if (id == PROP_KEYS)
    self->keys = g_value_get_boolean(value);
  else
    self->delay = g_value_get_uint(value);
  GST_OBJECT_UNLOCK(object);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraPace *self = (RostraPace *)object;
  GST_OBJECT_LOCK(object);
  if (id == PROP_KEYS)
    g_value_set_boolean(value, self->keys);
  else
    g_value_set_uint(value, self->delay);
  GST_OBJECT_UNLOCK(object);
}

/* Nanoseconds to wait for what has this time. */
static gint64 left(RostraPace *self, GstClockTime time) {
  GST_OBJECT_LOCK(self);
  gint64 delay = (gint64)self->delay * GST_MSECOND;
  GstClock *clock = GST_ELEMENT_CLOCK(self) ? gst_object_ref(GST_ELEMENT_CLOCK(self)) : NULL;
  GstClockTime base = GST_ELEMENT_CAST(self)->base_time;
  GST_OBJECT_UNLOCK(self);
  if (!clock) return 0;
  gint64 now = (gint64)(gst_clock_get_time(clock) - base);
  gst_object_unref(clock);
  return delay ? CLAMP((gint64)time + delay - now, 0, delay) : 0;
}

/* Does a picture follow what it is made from? */
static gboolean follows(RostraPace *self, GstBuffer *buffer) {
  if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT))
    self->torn = FALSE;
  else if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT))
    self->torn = TRUE;
  gint64 now = g_get_monotonic_time();
  if (self->torn && (!self->asked || now - self->asked > PATIENCE)) {
    self->asked = now;
    gst_pad_push_event(GST_BASE_TRANSFORM_SINK_PAD(self),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  }
  return !self->torn;
}

static GstFlowReturn transform_ip(GstBaseTransform *transform, GstBuffer *buffer) {
  RostraPace *self = (RostraPace *)transform;
  if (self->keys && !follows(self, buffer)) return GST_BASE_TRANSFORM_FLOW_DROPPED;
  GstClockTime time = gst_segment_to_running_time(&transform->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  gint64 wait = GST_CLOCK_TIME_IS_VALID(time) ? left(self, time) : 0;
  if (wait <= 0) return GST_FLOW_OK;
  gint64 until = g_get_monotonic_time() + wait / 1000;
  g_mutex_lock(&self->lock);
  while (!self->flushing && g_cond_wait_until(&self->ended, &self->lock, until)) continue;
  GstFlowReturn flow = self->flushing ? GST_FLOW_FLUSHING : GST_FLOW_OK;
  g_mutex_unlock(&self->lock);
  return flow;
}

static void flush(RostraPace *self, gboolean flushing) {
  g_mutex_lock(&self->lock);
  self->flushing = flushing;
  g_cond_broadcast(&self->ended);
  g_mutex_unlock(&self->lock);
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange change) {
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED) flush((RostraPace *)element, FALSE);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) flush((RostraPace *)element, TRUE);
  return GST_ELEMENT_CLASS(rostra_pace_parent_class)->change_state(element, change);
}

static void finalize(GObject *object) {
  RostraPace *self = (RostraPace *)object;
  g_mutex_clear(&self->lock);
  g_cond_clear(&self->ended);
  G_OBJECT_CLASS(rostra_pace_parent_class)->finalize(object);
}

static void rostra_pace_class_init(RostraPaceClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  element->change_state = change_state;
  GST_BASE_TRANSFORM_CLASS(klass)->transform_ip = transform_ip;
  GST_BASE_TRANSFORM_CLASS(klass)->passthrough_on_same_caps = TRUE;
  GST_BASE_TRANSFORM_CLASS(klass)->transform_ip_on_passthrough = TRUE;
  g_object_class_install_property(object, PROP_DELAY,
                                  g_param_spec_uint("delay", "Delay",
                                                    "Milliseconds after its time that a buffer goes on; 0: at once", 0,
                                                    MOST, 0,
                                                    G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                        GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property(
      object, PROP_KEYS,
      g_param_spec_boolean("keys", "Keys", "Nothing goes on between a gap and the next key frame", FALSE,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Pace", "Generic", "Holds media back for what comes late", "Rostra");
}

static void rostra_pace_init(RostraPace *self) {
  g_mutex_init(&self->lock);
  g_cond_init(&self->ended);
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}
