/* rostravideosrc: paints a view, one frame a tick of the pipeline's clock, whatever else happens. */
#include "rostra.h"

typedef struct {
  GstPushSrc parent;
  char *view; /* property; object lock */
  GstVideoInfo info;
  GstClockTime start; /* running time of tick 0; NONE before the first frame of these caps */
  guint64 tick;
  GstClockID wait; /* object lock */
  gboolean flushing;
} RostraVideoSrc;
typedef struct {
  GstPushSrcClass parent;
} RostraVideoSrcClass;

G_DEFINE_TYPE(RostraVideoSrc, rostra_video_src, GST_TYPE_PUSH_SRC)

enum { PROP_VIEW = 1 };

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("video/x-raw, format = (string) I420, width = (int) [ 16, 4096 ], "
                                            "height = (int) [ 16, 4096 ], framerate = (fraction) [ 1/1, 120/1 ]"));

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraVideoSrc *self = (RostraVideoSrc *)object;
  GST_OBJECT_LOCK(self);
  g_free(self->view);
  self->view = g_value_dup_string(value);
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraVideoSrc *self = (RostraVideoSrc *)object;
  GST_OBJECT_LOCK(self);
  g_value_set_string(value, self->view);
  GST_OBJECT_UNLOCK(self);
}

static GstCaps *fixate(GstBaseSrc *src, GstCaps *caps) {
  caps = gst_caps_make_writable(gst_caps_truncate(caps));
  GstStructure *structure = gst_caps_get_structure(caps, 0);
  gst_structure_fixate_field_nearest_int(structure, "width", 1280);
  gst_structure_fixate_field_nearest_int(structure, "height", 720);
  gst_structure_fixate_field_nearest_fraction(structure, "framerate", 30, 1);
  if (gst_structure_has_field(structure, "colorimetry"))
    gst_structure_fixate_field_string(structure, "colorimetry", "bt601");
  else
    gst_structure_set(structure, "colorimetry", G_TYPE_STRING, "bt601", NULL);
  if (gst_structure_has_field(structure, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction(structure, "pixel-aspect-ratio", 1, 1);
  return GST_BASE_SRC_CLASS(rostra_video_src_parent_class)->fixate(src, caps);
}

static gboolean set_caps(GstBaseSrc *src, GstCaps *caps) {
  RostraVideoSrc *self = (RostraVideoSrc *)src;
  if (!gst_video_info_from_caps(&self->info, caps)) return FALSE;
  self->start = GST_CLOCK_TIME_NONE;
  gst_base_src_set_blocksize(src, (guint)GST_VIDEO_INFO_SIZE(&self->info));
  return TRUE;
}

static gboolean decide_allocation(GstBaseSrc *src, GstQuery *query) {
  RostraVideoSrc *self = (RostraVideoSrc *)src;
  GstBufferPool *pool = NULL;
  GstCaps *caps = NULL;
  guint size = (guint)GST_VIDEO_INFO_SIZE(&self->info), least = 0, most = 0;
  gst_query_parse_allocation(query, &caps, NULL);
  if (gst_query_get_n_allocation_pools(query) > 0) {
    gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &least, &most);
    size = MAX(size, (guint)GST_VIDEO_INFO_SIZE(&self->info));
  }
  gboolean ours = pool == NULL;
  if (!pool) pool = gst_video_buffer_pool_new();
  GstStructure *config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, size, least, most);
  if (gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL))
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_set_config(pool, config);
  if (ours)
    gst_query_add_allocation_pool(query, pool, size, least, most);
  else
    gst_query_set_nth_allocation_pool(query, 0, pool, size, least, most);
  gst_object_unref(pool);
  return GST_BASE_SRC_CLASS(rostra_video_src_parent_class)->decide_allocation(src, query);
}

static GstClockTime tick_time(RostraVideoSrc *self, guint64 tick) {
  return self->start + gst_util_uint64_scale(tick, GST_SECOND * (guint64)GST_VIDEO_INFO_FPS_D(&self->info),
                                             (guint64)GST_VIDEO_INFO_FPS_N(&self->info));
}

/* Wait for the next tick that is not past; FALSE when flushing. Ticks that were missed are left out. */
static gboolean await_tick(RostraVideoSrc *self) {
  GST_OBJECT_LOCK(self);
  GstClock *clock = GST_ELEMENT_CLOCK(self);
  GstClockTime base = GST_ELEMENT_CAST(self)->base_time;
  if (!clock || self->flushing) {
    GST_OBJECT_UNLOCK(self);
    return FALSE;
  }
  gst_object_ref(clock);
  GST_OBJECT_UNLOCK(self);
  GstClockTime now = gst_clock_get_time(clock);
  now = now > base ? now - base : 0;
  if (!GST_CLOCK_TIME_IS_VALID(self->start) || now + GST_SECOND < tick_time(self, self->tick)) {
    self->start = now; /* first frame, or the base time was set anew */
    self->tick = 0;
  } else {
    self->tick++;
    guint64 current = gst_util_uint64_scale(now - MIN(self->start, now), (guint64)GST_VIDEO_INFO_FPS_N(&self->info),
                                            GST_SECOND * (guint64)GST_VIDEO_INFO_FPS_D(&self->info));
    self->tick = MAX(self->tick, current);
  }
  GstClockReturn result = GST_CLOCK_OK;
  GST_OBJECT_LOCK(self);
  if (!self->flushing) {
    GstClockID wait = self->wait = gst_clock_new_single_shot_id(clock, base + tick_time(self, self->tick));
    GST_OBJECT_UNLOCK(self);
    result = gst_clock_id_wait(wait, NULL);
    GST_OBJECT_LOCK(self);
    self->wait = NULL;
    gst_clock_id_unref(wait);
  }
  gboolean flushing = self->flushing || result == GST_CLOCK_UNSCHEDULED;
  GST_OBJECT_UNLOCK(self);
  gst_object_unref(clock);
  return !flushing;
}

static GstFlowReturn fill(GstPushSrc *src, GstBuffer *buffer) {
  RostraVideoSrc *self = (RostraVideoSrc *)src;
  GstVideoFrame frame;
  Planes planes;
  if (!await_tick(self)) return GST_FLOW_FLUSHING;
  if (!gst_video_frame_map(&frame, &self->info, buffer, GST_MAP_WRITE)) return GST_FLOW_ERROR;
  GST_OBJECT_LOCK(self);
  char *view = g_strdup(self->view ? self->view : "");
  GST_OBJECT_UNLOCK(self);
  rostra_planes_of_frame(&planes, &frame);
  rostra_view_paint(view, &planes);
  g_free(view);
  gst_video_frame_unmap(&frame);
  GST_BUFFER_PTS(buffer) = tick_time(self, self->tick);
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer) = tick_time(self, self->tick + 1) - GST_BUFFER_PTS(buffer);
  GST_BUFFER_OFFSET(buffer) = self->tick;
  return GST_FLOW_OK;
}

static gboolean unlock(GstBaseSrc *src) {
  RostraVideoSrc *self = (RostraVideoSrc *)src;
  GST_OBJECT_LOCK(self);
  self->flushing = TRUE;
  if (self->wait) gst_clock_id_unschedule(self->wait);
  GST_OBJECT_UNLOCK(self);
  return TRUE;
}

static gboolean unlock_stop(GstBaseSrc *src) {
  RostraVideoSrc *self = (RostraVideoSrc *)src;
  GST_OBJECT_LOCK(self);
  self->flushing = FALSE;
  GST_OBJECT_UNLOCK(self);
  return TRUE;
}

static gboolean start(GstBaseSrc *src) {
  RostraVideoSrc *self = (RostraVideoSrc *)src;
  self->start = GST_CLOCK_TIME_NONE;
  self->tick = 0;
  return unlock_stop(src);
}

static void finalize(GObject *object) {
  g_free(((RostraVideoSrc *)object)->view);
  G_OBJECT_CLASS(rostra_video_src_parent_class)->finalize(object);
}

static void rostra_video_src_class_init(RostraVideoSrcClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstBaseSrcClass *src = GST_BASE_SRC_CLASS(klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  src->fixate = fixate;
  src->set_caps = set_caps;
  src->decide_allocation = decide_allocation;
  src->start = start;
  src->unlock = unlock;
  src->unlock_stop = unlock_stop;
  GST_PUSH_SRC_CLASS(klass)->fill = fill;
  g_object_class_install_property(object, PROP_VIEW,
                                  g_param_spec_string("view", "View", "Id of the view to paint", NULL,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &src_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Stage view source", "Source/Video",
                                        "Paints a view of the stage at a fixed rate", "Rostra");
}

static void rostra_video_src_init(RostraVideoSrc *self) {
  gst_video_info_init(&self->info);
  self->start = GST_CLOCK_TIME_NONE;
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp(GST_BASE_SRC(self), FALSE);
}
