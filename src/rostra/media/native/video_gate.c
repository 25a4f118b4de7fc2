/* rostravideogate: lets encoded pictures through to a decoder while somebody looks at what is decoded.
 *
 * Looked at is what a painted view shows (scenes.c says so, each time). While nobody looks, key frames alone go through,
 * and not many: they tell the size of the picture and are what is seen first when somebody looks again. That it is
 * there at all is told for every picture that is kept back. Who looks again waits for a key frame, asked for at once.
 *
 * What goes no further than its session (sluice.c) is the same picture kept back, only sooner.
 *
 * Lock: over the table, the lists in it, `asked` and `times`. Events go upstream with none held. */
#include "rostra.h"

typedef struct {
  GstElement parent;
  GstPad *sink, *src;
  char *source;                  /* set before READY */
  gboolean standby, always;      /* likewise */
  gint shut, need_key;           /* atomic */
  gint passed, dropped;          /* atomic */
  gint64 asked;                  /* for a key frame, and how often since the last */
  int times;
  gint64 glimpsed;               /* when a key frame went through that nobody looks at; streaming thread */
} RostraVideoGate;
typedef struct {
  GstElementClass parent;
} RostraVideoGateClass;

/* A source with gates. */
typedef struct {
  gint64 looked;
  GList *gates;
} Sight;

G_DEFINE_TYPE(RostraVideoGate, rostra_video_gate, GST_TYPE_ELEMENT)

enum { PROP_SOURCE = 1, PROP_STANDBY, PROP_ALWAYS, PROP_SHUT };

static const gint64 LINGERING = 2 * G_USEC_PER_SEC; /* layouts change to and fro; each time costs a key frame */
static const gint64 GLIMPSES = G_USEC_PER_SEC;
static const gint64 PATIENCE = 500 * G_TIME_SPAN_MILLISECOND; /* a request or its answer may be lost; doubled each time */
static const int DOUBLED = 3;
static const gint64 UNANSWERED = 300 * G_TIME_SPAN_MILLISECOND;

static GMutex lock;
static GHashTable *sights;

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void ask(RostraVideoGate *self) {
  gst_pad_push_event(self->sink, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

/* With the lock held. */
static gboolean due(RostraVideoGate *self, gint64 now) {
  if (!g_atomic_int_get(&self->need_key) || g_atomic_int_get(&self->shut)) return FALSE;
  if (self->asked && now - self->asked < PATIENCE << MIN(self->times, DOUBLED)) return FALSE;
  if (self->asked) self->times++;
  self->asked = now;
  return TRUE;
}

static Sight *sight_of(const char *source) {
  return sights && source ? g_hash_table_lookup(sights, source) : NULL;
}

gboolean rostra_look(const char *source) {
  GList *waiting = NULL;
  gboolean current = TRUE;
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&lock);
  Sight *sight = sight_of(source);
  if (sight) sight->looked = now;
  for (GList *item = sight ? sight->gates : NULL; item; item = item->next) {
    RostraVideoGate *gate = item->data;
    if (!gate->standby) current &= !g_atomic_int_get(&gate->need_key);
    if (due(gate, now)) waiting = g_list_prepend(waiting, gst_object_ref(gate));
  }
  g_mutex_unlock(&lock);
  for (GList *item = waiting; item; item = item->next) ask(item->data);
  g_list_free_full(waiting, gst_object_unref);
  return current;
}

/* With the lock held. */
static gboolean seen(const Sight *sight, gint64 now) {
  return sight && sight->looked && now - sight->looked < LINGERING;
}

static gboolean looked_at(const RostraVideoGate *self, gint64 now) {
  g_mutex_lock(&lock);
  gboolean found = seen(sight_of(self->source), now);
  g_mutex_unlock(&lock);
  return found;
}

static GstFlowReturn keep_back(RostraVideoGate *self, GstBuffer *buffer) {
  g_atomic_int_set(&self->need_key, TRUE);
  g_atomic_int_inc(&self->dropped);
  gst_buffer_unref(buffer);
  return GST_FLOW_OK;
}

static GstFlowReturn let_through(RostraVideoGate *self, GstBuffer *buffer) {
  if (g_atomic_int_get(&self->need_key)) {
    buffer = gst_buffer_make_writable(buffer);
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    g_atomic_int_set(&self->need_key, FALSE);
    g_mutex_lock(&lock);
    self->asked = self->times = 0;
    g_mutex_unlock(&lock);
  }
  g_atomic_int_inc(&self->passed);
  return gst_pad_push(self->src, buffer);
}

static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  RostraVideoGate *self = (RostraVideoGate *)parent;
  gboolean delta = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  gint64 now = g_get_monotonic_time();
  if (g_atomic_int_get(&self->shut)) return keep_back(self, buffer);
  if (self->always || looked_at(self, now) || !rostra_pictures_there(self->source)) {
    if (!delta || !g_atomic_int_get(&self->need_key)) return let_through(self, buffer);
    g_mutex_lock(&lock);
    gboolean wanted = due(self, now);
    g_mutex_unlock(&lock);
    if (wanted) ask(self);
    return keep_back(self, buffer);
  }
  if (!delta && (!self->glimpsed || now - self->glimpsed >= GLIMPSES)) {
    self->glimpsed = now;
    return let_through(self, buffer);
  }
  rostra_pictures_touch(self->source, self->standby);
  return keep_back(self, buffer);
}

gboolean rostra_gate_rests(GstElement *gate) {
  RostraVideoGate *self = (RostraVideoGate *)gate;
  return !self->always && !g_atomic_int_get(&self->shut) && !looked_at(self, g_get_monotonic_time()) &&
         rostra_pictures_there(self->source);
}

void rostra_gate_skip(GstElement *gate) {
  RostraVideoGate *self = (RostraVideoGate *)gate;
  g_atomic_int_set(&self->need_key, TRUE);
  g_atomic_int_inc(&self->dropped);
  rostra_pictures_touch(self->source, self->standby);
}

static gboolean sink_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  RostraVideoGate *self = (RostraVideoGate *)parent;
  if (GST_EVENT_TYPE(event) == GST_EVENT_GAP && g_atomic_int_get(&self->need_key)) { /* nobody misses anything */
    gst_event_unref(event);
    return TRUE;
  }
  return gst_pad_event_default(pad, parent, event);
}

static void sight_free(gpointer data) {
  Sight *sight = data;
  g_list_free(sight->gates);
  g_free(sight);
}

static void enter(RostraVideoGate *self) {
  g_mutex_lock(&lock);
  if (!sights) sights = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, sight_free);
  Sight *sight = sight_of(self->source);
  if (!sight) {
    sight = g_new0(Sight, 1);
    g_hash_table_insert(sights, g_strdup(self->source), sight);
  }
  sight->gates = g_list_prepend(sight->gates, self);
  g_mutex_unlock(&lock);
}

static void leave(RostraVideoGate *self) {
  g_mutex_lock(&lock);
  Sight *sight = sight_of(self->source);
  if (sight) sight->gates = g_list_remove(sight->gates, self);
  if (sight && !sight->gates) g_hash_table_remove(sights, self->source);
  g_mutex_unlock(&lock);
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition) {
  RostraVideoGate *self = (RostraVideoGate *)element;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && self->source) enter(self);
  GstStateChangeReturn result = GST_ELEMENT_CLASS(rostra_video_gate_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) leave(self);
  return result;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraVideoGate *self = (RostraVideoGate *)object;
  switch (id) {
    case PROP_SOURCE:
      g_free(self->source);
      self->source = g_value_dup_string(value);
      break;
    case PROP_STANDBY:
      self->standby = g_value_get_boolean(value);
      break;
    case PROP_ALWAYS:
      self->always = g_value_get_boolean(value);
      break;
    default:
      g_atomic_int_set(&self->shut, g_value_get_boolean(value));
  }
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraVideoGate *self = (RostraVideoGate *)object;
  switch (id) {
    case PROP_SOURCE:
      g_value_set_string(value, self->source);
      break;
    case PROP_STANDBY:
      g_value_set_boolean(value, self->standby);
      break;
    case PROP_ALWAYS:
      g_value_set_boolean(value, self->always);
      break;
    default:
      g_value_set_boolean(value, g_atomic_int_get(&self->shut));
  }
}

static void finalize(GObject *object) {
  RostraVideoGate *self = (RostraVideoGate *)object;
  leave(self);
  g_free(self->source);
  G_OBJECT_CLASS(rostra_video_gate_parent_class)->finalize(object);
}

ROSTRA_EXPORT int rostra_gates(RostraGate *out, int room) {
  int count = 0;
  GHashTableIter iter;
  gpointer id, value;
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&lock);
  if (sights) g_hash_table_iter_init(&iter, sights);
  while (sights && g_hash_table_iter_next(&iter, &id, &value))
    for (GList *item = ((Sight *)value)->gates; item; item = item->next, count++) {
      RostraVideoGate *gate = item->data;
      if (count >= room) continue;
      g_strlcpy(out[count].id, id, ROSTRA_ID_SIZE);
      out[count].idle = g_atomic_int_get(&gate->need_key);
      gboolean unanswered = gate->asked && (gate->times || now - gate->asked >= UNANSWERED);
      out[count].waits = out[count].idle && unanswered && seen(value, now);
      out[count].passed = g_atomic_int_get(&gate->passed);
      out[count].dropped = g_atomic_int_get(&gate->dropped);
    }
  g_mutex_unlock(&lock);
  return count;
}

ROSTRA_EXPORT int rostra_want(const char *source) { return rostra_look(source); }

static void rostra_video_gate_class_init(RostraVideoGateClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  element->change_state = change_state;
  g_object_class_install_property(
      object, PROP_SOURCE, g_param_spec_string("source", "Source", "Id of the leg whose picture this is", NULL, flags));
  g_object_class_install_property(
      object, PROP_STANDBY,
      g_param_spec_boolean("standby", "Standby", "What comes is shown only while nothing better is", FALSE, flags));
  g_object_class_install_property(
      object, PROP_ALWAYS,
      g_param_spec_boolean("always", "Always", "Let everything through, whoever looks", FALSE, flags));
  g_object_class_install_property(object, PROP_SHUT,
                                  g_param_spec_boolean("shut", "Shut", "Let nothing through", FALSE, flags));
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Stage picture gate", "Filter/Video",
                                        "Keeps encoded pictures from a decoder that nobody looks at", "Rostra");
}

static void rostra_video_gate_init(RostraVideoGate *self) {
  self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
  self->src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_chain_function(self->sink, chain);
  gst_pad_set_event_function(self->sink, sink_event);
  GstPad *pads[] = {self->sink, self->src};
  for (guint i = 0; i < G_N_ELEMENTS(pads); i++) {
    GST_PAD_SET_PROXY_CAPS(pads[i]);
    GST_PAD_SET_PROXY_ALLOCATION(pads[i]);
    GST_PAD_SET_PROXY_SCHEDULING(pads[i]);
    gst_element_add_pad(GST_ELEMENT(self), pads[i]);
  }
}
