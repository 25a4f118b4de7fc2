/* rostrasub: encoded media of a channel in a pipeline of its own, starting with a key frame. */
#include "rostra.h"

typedef struct {
  GstPushSrc parent;
  char *name; /* property `channel`; object lock */
  Subscriber *subscriber;
  gboolean started; /* object lock */
  GstCaps *caps;    /* streaming thread and state changes only, as what follows */
  Order order;
} RostraSub;
typedef struct {
  GstPushSrcClass parent;
} RostraSubClass;

G_DEFINE_TYPE(RostraSub, rostra_sub, GST_TYPE_PUSH_SRC)

enum { PROP_CHANNEL = 1, PROP_PLAYING };

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraSub *self = (RostraSub *)object;
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
  RostraSub *self = (RostraSub *)object;
  if (id == PROP_PLAYING) {
    g_value_take_string(value, rostra_subscriber_playing(self->subscriber));
    return;
  }
  GST_OBJECT_LOCK(self);
  g_value_set_string(value, self->name);
  GST_OBJECT_UNLOCK(self);
}

static gboolean start(GstBaseSrc *src) {
  RostraSub *self = (RostraSub *)src;
  GST_OBJECT_LOCK(self);
  char *name = g_strdup(self->name);
  self->started = TRUE;
  self->order = ORDER_NEW;
  GST_OBJECT_UNLOCK(self);
  rostra_subscriber_tune(self->subscriber, name);
  g_free(name);
  return TRUE;
}

static gboolean stop(GstBaseSrc *src) {
  RostraSub *self = (RostraSub *)src;
  GST_OBJECT_LOCK(self);
  self->started = FALSE;
  GST_OBJECT_UNLOCK(self);
  rostra_subscriber_tune(self->subscriber, NULL);
  gst_caps_replace(&self->caps, NULL);
  return TRUE;
}

static gboolean unlock(GstBaseSrc *src) {
  rostra_subscriber_flush(((RostraSub *)src)->subscriber, TRUE);
  return TRUE;
}

static gboolean unlock_stop(GstBaseSrc *src) {
  rostra_subscriber_flush(((RostraSub *)src)->subscriber, FALSE);
  return TRUE;
}

static gboolean negotiate(GstBaseSrc *src) { return TRUE; } /* caps come with the media */

static GstClockTime local_time(GstElement *element, const ChannelItem *item) {
  GST_OBJECT_LOCK(element);
  GstClock *clock = GST_ELEMENT_CLOCK(element);
  GstClockTime base = element->base_time;
  if (clock) gst_object_ref(clock);
  GST_OBJECT_UNLOCK(element);
  if (!clock) return 0;
  GstClockTime time = item->time;
  if (!GST_CLOCK_TIME_IS_VALID(time) || item->clock != clock) time = gst_clock_get_time(clock);
  gst_object_unref(clock);
  return time > base ? time - base : 0;
}

/* Media of another channel has waited longer or shorter on its way here. */
static GstClockTime in_order(Order *order, GstClockTime time, gboolean discont) {
  const GstClockTimeDiff most = GST_SECOND, step = GST_MSECOND;
  if (discont) {
    GstClockTimeDiff behind = GST_CLOCK_TIME_IS_VALID(order->last) ? GST_CLOCK_DIFF(time, order->last) : -1;
    order->shift = behind >= 0 && behind < most ? behind + step : 0;
  }
  order->last = time + (GstClockTime)order->shift;
  return order->last;
}

GstBuffer *rostra_delivered(GstElement *element, Order *order, const ChannelItem *item) {
  GstBuffer *buffer = gst_buffer_copy(item->buffer); /* the memory stays shared, times and flags are ours */
  GST_BUFFER_PTS(buffer) = in_order(order, local_time(element, item), item->discont);
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  if (item->discont)
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  else
    GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DISCONT);
  gst_buffer_unref(item->buffer);
  return buffer;
}

static GstFlowReturn create(GstPushSrc *src, GstBuffer **out) {
  RostraSub *self = (RostraSub *)src;
  ChannelItem item;
  if (!rostra_subscriber_pull(self->subscriber, &item)) return GST_FLOW_FLUSHING;
  GstBuffer *buffer = rostra_delivered(GST_ELEMENT(self), &self->order, &item);
  gboolean fits = TRUE;
  if (item.caps && (!self->caps || !gst_caps_is_equal(self->caps, item.caps))) {
    fits = gst_base_src_set_caps(GST_BASE_SRC(self), item.caps);
    gst_caps_replace(&self->caps, item.caps);
  }
  if (item.caps) gst_caps_unref(item.caps);
  if (!fits) {
    gst_buffer_unref(buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  *out = buffer;
  return GST_FLOW_OK;
}

static gboolean event(GstBaseSrc *src, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM && gst_video_event_is_force_key_unit(event)) {
    rostra_subscriber_request_key(((RostraSub *)src)->subscriber);
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(rostra_sub_parent_class)->event(src, event);
}

static void finalize(GObject *object) {
  RostraSub *self = (RostraSub *)object;
  rostra_subscriber_free(self->subscriber);
  g_free(self->name);
  G_OBJECT_CLASS(rostra_sub_parent_class)->finalize(object);
}

static void rostra_sub_class_init(RostraSubClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstBaseSrcClass *src = GST_BASE_SRC_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  src->start = start;
  src->stop = stop;
  src->unlock = unlock;
  src->unlock_stop = unlock_stop;
  src->negotiate = negotiate;
  src->event = event;
  GST_PUSH_SRC_CLASS(klass)->create = create;
  g_object_class_install_property(object, PROP_CHANNEL,
                                  g_param_spec_string("channel", "Channel",
                                                      "Id of the channel to show; may change at any time", NULL,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                          GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property(object, PROP_PLAYING,
                                  g_param_spec_string("playing", "Playing", "Id of the channel that is shown now", NULL,
                                                      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &src_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Stage subscriber", "Source",
                                        "Encoded media published elsewhere in the process", "Rostra");
}

static void rostra_sub_init(RostraSub *self) {
  self->subscriber = rostra_subscriber_new(NULL, NULL);
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp(GST_BASE_SRC(self), FALSE);
}
