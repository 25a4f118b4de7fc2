/* rostrafan: encoded media of a channel in a pipeline, like rostrasub, but without a thread of its own.
 *
 * A picture that goes out to a hundred far ends need not wake a hundred threads: a few serve all of them, each leg by one
 * at a time and in order. Only for pipelines whose sinks never wait, or one far end would hold up the others.
 *
 * No lock of ours is held while media is pushed but the pad's own, by which a pad that is deactivated waits for its end. */
#include "rostra.h"

#define THREADS_MOST 4

enum { IDLE, SERVED, DUE };

typedef struct {
  GstElement parent;
  GstPad *src;
  char *name; /* property `channel`; object lock, as what follows */
  gboolean started;
  Subscriber *subscriber;
  gint state;    /* atomic: whether a thread has it, and whether it has to look (again) */
  GstCaps *caps; /* with the pad's stream lock, as what follows */
  Order order;
  gboolean announced, refused;
} RostraFan;
typedef struct {
  GstElementClass parent;
} RostraFanClass;

G_DEFINE_TYPE(RostraFan, rostra_fan, GST_TYPE_ELEMENT)

enum { PROP_CHANNEL = 1, PROP_PLAYING };

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* ---- the threads --------------------------------------------------------------------------------------------- */

static void announce(RostraFan *self) {
  GstSegment segment;
  char *id = gst_pad_create_stream_id(self->src, GST_ELEMENT(self), NULL);
  gst_pad_push_event(self->src, gst_event_new_stream_start(id));
  g_free(id);
  if (self->caps) gst_pad_push_event(self->src, gst_event_new_caps(self->caps));
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(self->src, gst_event_new_segment(&segment));
  self->announced = TRUE;
}

static void deliver(RostraFan *self, ChannelItem *item) {
  GstBuffer *buffer = rostra_delivered(GST_ELEMENT(self), &self->order, item);
  gboolean other = item->caps && (!self->caps || !gst_caps_is_equal(self->caps, item->caps));
  if (other) gst_caps_replace(&self->caps, item->caps);
  if (item->caps) gst_caps_unref(item->caps);
  if (!self->announced)
    announce(self);
  else if (other)
    gst_pad_push_event(self->src, gst_event_new_caps(self->caps));
  GstFlowReturn result = gst_pad_push(self->src, buffer);
  if (result != GST_FLOW_OK && result != GST_FLOW_FLUSHING && !self->refused) {
    self->refused = TRUE; /* told once */
    GST_ELEMENT_FLOW_ERROR(self, result);
  }
}

static void serve(RostraFan *self) {
  ChannelItem item;
  do {
    g_atomic_int_set(&self->state, SERVED);
    GST_PAD_STREAM_LOCK(self->src);
    while (rostra_subscriber_take(self->subscriber, &item)) deliver(self, &item);
    GST_PAD_STREAM_UNLOCK(self->src);
  } while (!g_atomic_int_compare_and_exchange(&self->state, SERVED, IDLE));
}

static gpointer work(gpointer queue) {
  for (;;) {
    RostraFan *self = g_async_queue_pop(queue);
    serve(self);
    gst_object_unref(self);
  }
  return NULL;
}

/* What is due; served by threads that stay as long as the process. */
static GAsyncQueue *due(void) {
  static GAsyncQueue *queue;
  if (g_once_init_enter(&queue)) {
    GAsyncQueue *made = g_async_queue_new();
    for (guint i = 0; i < MIN(g_get_num_processors(), THREADS_MOST); i++)
      g_thread_unref(g_thread_new("rostra-fan", work, made));
    g_once_init_leave(&queue, made);
  }
  return queue;
}

static void arrived(gpointer data) {
  RostraFan *self = data;
  if (g_atomic_int_exchange(&self->state, DUE) == IDLE) g_async_queue_push(due(), gst_object_ref(self));
}

/* ---- the element ----------------------------------------------------------------------------------------------- */

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraFan *self = (RostraFan *)object;
  GST_OBJECT_LOCK(self);
  g_free(self->name);
  self->name = g_value_dup_string(value);
  gboolean started = self->started;
  GST_OBJECT_UNLOCK(self);
  if (!started) return;
  rostra_subscriber_tune(self->subscriber, g_value_get_string(value));
  GST_OBJECT_LOCK(self);
  gboolean over = !self->started;
  GST_OBJECT_UNLOCK(self);
  if (over) rostra_subscriber_tune(self->subscriber, NULL); /* it has stopped meanwhile */
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraFan *self = (RostraFan *)object;
  if (id == PROP_PLAYING) {
    g_value_take_string(value, rostra_subscriber_playing(self->subscriber));
    return;
  }
  GST_OBJECT_LOCK(self);
  g_value_set_string(value, self->name);
  GST_OBJECT_UNLOCK(self);
}

static void start(RostraFan *self) {
  GST_OBJECT_LOCK(self);
  char *name = g_strdup(self->name);
  self->started = TRUE;
  GST_OBJECT_UNLOCK(self);
  rostra_subscriber_tune(self->subscriber, name);
  g_free(name);
}

static void stop(RostraFan *self) {
  GST_OBJECT_LOCK(self);
  self->started = FALSE;
  GST_OBJECT_UNLOCK(self);
  rostra_subscriber_tune(self->subscriber, NULL);
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition) {
  RostraFan *self = (RostraFan *)element;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) stop(self);
  GstStateChangeReturn result = GST_ELEMENT_CLASS(rostra_fan_parent_class)->change_state(element, transition);
  if (result == GST_STATE_CHANGE_FAILURE) return result;
  switch (transition) {
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      start(self); /* not before: times count from here on */
      return result;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      return GST_STATE_CHANGE_NO_PREROLL;
    case GST_STATE_CHANGE_PAUSED_TO_READY: /* the pad is shut, and nothing on its way */
      self->announced = self->refused = FALSE;
      self->order = ORDER_NEW;
      gst_caps_replace(&self->caps, NULL);
      return result;
    default:
      return result;
  }
}

static gboolean src_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM && gst_video_event_is_force_key_unit(event))
    rostra_subscriber_request_key(((RostraFan *)parent)->subscriber);
  gst_event_unref(event);
  return TRUE;
}

static gboolean src_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, query);
  gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

static void finalize(GObject *object) {
  RostraFan *self = (RostraFan *)object;
  rostra_subscriber_free(self->subscriber);
  g_free(self->name);
  gst_caps_replace(&self->caps, NULL);
  G_OBJECT_CLASS(rostra_fan_parent_class)->finalize(object);
}

static void rostra_fan_class_init(RostraFanClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  element->change_state = change_state;
  g_object_class_install_property(object, PROP_CHANNEL,
                                  g_param_spec_string("channel", "Channel",
                                                      "Id of the channel to show; may change at any time", NULL,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                          GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property(object, PROP_PLAYING,
                                  g_param_spec_string("playing", "Playing", "Id of the channel that is shown now", NULL,
                                                      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Stage fan", "Source",
                                        "Encoded media published elsewhere in the process, by few threads for many",
                                        "Rostra");
}

static void rostra_fan_init(RostraFan *self) {
  self->subscriber = rostra_subscriber_new(arrived, self);
  self->order = ORDER_NEW;
  self->src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_event_function(self->src, src_event);
  gst_pad_set_query_function(self->src, src_query);
  gst_pad_use_fixed_caps(self->src);
  gst_element_add_pad(GST_ELEMENT(self), self->src);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}
