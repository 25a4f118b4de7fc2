/* The latest frame of every source, and the sizes it has been scaled to: once per frame, for all views. */
#include "rostra.h"

struct _Picture {
  gint references;
  GstVideoFrame frame;
  gint64 arrived;
  GMutex lock; /* over `sizes` and `planar` */
  GCond scaled;
  GList *sizes;
  Planes planes;
  gboolean planar;
};

typedef struct {
  Rendition rendition;
  int width, height;
  gboolean contain, ready;
} Size;

#define SCALINGS 12

typedef struct {
  Picture *picture;
  int scaled[SCALINGS][2], scalings; /* widths and heights the picture before was made in */
  gpointer owner; /* the sink that published last; a newer one takes over */
  gboolean standby;
  Picture *spare; /* the latest of a standby that has given way */
  gpointer spare_owner;
  gboolean lasting; /* slides: nothing may come for minutes while one is read */
  gint64 recalled, kept; /* when an earlier picture was last asked for, and one last put aside */
  GQueue past;           /* small pictures, oldest first */
} Source;

static GMutex lock;
static GHashTable *sources;
static gint64 timeout = 3 * G_USEC_PER_SEC;
static const gint64 GIVING_WAY = G_USEC_PER_SEC;
static const gint64 FORGOTTEN = 20 * G_USEC_PER_SEC; /* a late picture is not shown any more */
static const gint64 RECALLING = 5 * G_USEC_PER_SEC;  /* pictures are kept this long after the last call for one */
static const gint64 KEEPING = G_USEC_PER_SEC / 22;   /* between two kept ones */
static const gint64 KEPT = 12 * G_USEC_PER_SEC;
static gint alive, renditions;

static void source_free(gpointer data) {
  Source *source = data;
  if (source->picture) rostra_picture_unref(source->picture);
  if (source->spare) rostra_picture_unref(source->spare);
  g_queue_clear_full(&source->past, (GDestroyNotify)rostra_picture_unref);
  g_free(source);
}

/* Take down which sizes the picture had that is followed by another now. */
static void note_sizes(Source *source, Picture *picture) {
  source->scalings = 0;
  g_mutex_lock(&picture->lock);
  for (GList *item = picture->sizes; item && source->scalings < SCALINGS; item = item->next) {
    const Size *size = item->data;
    if (!size->ready || !size->rendition.planes.data) continue; /* as large as it came */
    source->scaled[source->scalings][0] = size->rendition.planes.width;
    source->scaled[source->scalings++][1] = size->rendition.planes.height;
  }
  g_mutex_unlock(&picture->lock);
}

/* The standby takes its place. Returns what was there. */
static Picture *promote(Source *source) {
  Picture *picture = source->picture;
  source->picture = g_steal_pointer(&source->spare);
  source->owner = source->spare_owner;
  source->standby = TRUE;
  return picture;
}

static Picture *picture_new(GstBuffer *buffer, const GstVideoInfo *info) {
  Picture *picture = g_new0(Picture, 1);
  if (!gst_video_frame_map(&picture->frame, info, buffer, GST_MAP_READ)) {
    g_free(picture);
    return NULL;
  }
  picture->references = 1;
  picture->arrived = g_get_monotonic_time();
  g_mutex_init(&picture->lock);
  g_cond_init(&picture->scaled);
  g_atomic_int_inc(&alive);
  return picture;
}

static void size_free(gpointer data) {
  Size *size = data;
  rostra_planes_clear(&size->rendition.planes);
  g_free(size);
  g_atomic_int_dec_and_test(&renditions);
}

void rostra_picture_unref(Picture *picture) {
  if (!g_atomic_int_dec_and_test(&picture->references)) return;
  g_list_free_full(picture->sizes, size_free);
  rostra_planes_clear(&picture->planes);
  gst_video_frame_unmap(&picture->frame);
  g_mutex_clear(&picture->lock);
  g_cond_clear(&picture->scaled);
  g_free(picture);
  g_atomic_int_dec_and_test(&alive);
}

/* A small copy, to be shown later: the decoder wants its own buffers back soon. */
static Picture *small_copy(GstBuffer *buffer, const GstVideoInfo *info) {
  Picture *copy = NULL, *whole = picture_new(buffer, info);
  if (!whole) return NULL;
  int width = MIN(640, GST_VIDEO_INFO_WIDTH(info)) & ~1;
  int height = MAX(2, (int)((gint64)GST_VIDEO_INFO_HEIGHT(info) * width / GST_VIDEO_INFO_WIDTH(info)) & ~1);
  const Rendition *small = rostra_picture_rendition(whole, MAX(2, width), height, FALSE);
  GstVideoInfo to;
  GstVideoFrame frame;
  gst_video_info_set_format(&to, GST_VIDEO_FORMAT_I420, (guint)small->planes.width, (guint)small->planes.height);
  GstBuffer *memory = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&to), NULL);
  if (memory && gst_video_frame_map(&frame, &to, memory, GST_MAP_WRITE)) {
    Planes planes;
    rostra_planes_of_frame(&planes, &frame);
    rostra_copy(&planes, 0, 0, &small->planes);
    gst_video_frame_unmap(&frame);
    copy = picture_new(memory, &to);
  }
  if (memory) gst_buffer_unref(memory);
  rostra_picture_unref(whole);
  return copy;
}

/* Put the picture aside if somebody will ask for it later. */
static void keep(const char *id, GstBuffer *buffer, const GstVideoInfo *info) {
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&lock);
  Source *source = sources ? g_hash_table_lookup(sources, id) : NULL;
  gboolean wanted = source && source->recalled && now - source->recalled < RECALLING;
  gboolean due = wanted && now - source->kept >= KEEPING;
  if (due) source->kept = now;
  if (source && !wanted) g_queue_clear_full(&source->past, (GDestroyNotify)rostra_picture_unref);
  g_mutex_unlock(&lock);
  Picture *copy = due ? small_copy(buffer, info) : NULL;
  if (!copy) return;
  g_mutex_lock(&lock);
  source = g_hash_table_lookup(sources, id);
  if (source) {
    g_queue_push_tail(&source->past, g_steal_pointer(&copy));
    while (now - ((Picture *)g_queue_peek_head(&source->past))->arrived > KEPT)
      rostra_picture_unref(g_queue_pop_head(&source->past));
  }
  g_mutex_unlock(&lock);
  if (copy) rostra_picture_unref(copy);
}

void rostra_pictures_publish(const char *id, gpointer owner, gboolean standby, GstBuffer *buffer,
                             const GstVideoInfo *info) {
  Picture *picture = picture_new(buffer, info), *previous = NULL;
  if (!picture) return;
  g_mutex_lock(&lock);
  if (!sources) sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, source_free);
  Source *source = g_hash_table_lookup(sources, id);
  if (!source) {
    source = g_new0(Source, 1);
    source->lasting = g_str_has_suffix(id, ":slides");
    g_hash_table_insert(sources, g_strdup(id), source);
  }
  if (standby && source->picture && !source->standby && source->owner != owner &&
      picture->arrived - source->picture->arrived < GIVING_WAY) {
    previous = source->spare;
    source->spare = picture;
    source->spare_owner = owner;
  } else {
    previous = source->picture;
    if (previous) note_sizes(source, previous);
    if (previous && !standby && source->standby && source->owner != owner) { /* it may be needed again */
      Picture *spare = source->spare;
      source->spare = previous;
      source->spare_owner = source->owner;
      previous = spare;
    }
    source->picture = picture;
    source->owner = owner;
    source->standby = standby;
  }
  g_mutex_unlock(&lock);
  if (previous) rostra_picture_unref(previous);
  keep(id, buffer, info);
}

void rostra_pictures_withdraw(const char *id, gpointer owner) {
  Picture *picture = NULL, *spare = NULL;
  g_mutex_lock(&lock);
  Source *source = sources ? g_hash_table_lookup(sources, id) : NULL;
  if (source && source->spare && source->spare_owner == owner) spare = g_steal_pointer(&source->spare);
  if (source && source->owner == owner) {
    if (source->spare) {
      picture = promote(source);
    } else {
      picture = g_steal_pointer(&source->picture);
      g_hash_table_remove(sources, id);
    }
  }
  g_mutex_unlock(&lock);
  if (picture) rostra_picture_unref(picture);
  if (spare) rostra_picture_unref(spare);
}

gboolean rostra_pictures_there(const char *id) {
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&lock);
  Source *source = sources ? g_hash_table_lookup(sources, id) : NULL;
  gboolean there = source && (source->lasting || now - source->picture->arrived <= timeout);
  g_mutex_unlock(&lock);
  return there;
}

void rostra_pictures_touch(const char *id, gboolean standby) {
  Picture *previous = NULL;
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&lock);
  Source *source = sources ? g_hash_table_lookup(sources, id) : NULL;
  if (source && standby && !source->standby && source->spare) {
    source->spare->arrived = now;
    if (now - source->picture->arrived >= GIVING_WAY) previous = promote(source);
  } else if (source && source->standby == standby) {
    source->picture->arrived = now;
  }
  g_mutex_unlock(&lock);
  if (previous) rostra_picture_unref(previous);
}

Picture *rostra_pictures_take(const char *id, gboolean anyway, gboolean *late) {
  Picture *picture = NULL;
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&lock);
  Source *source = sources ? g_hash_table_lookup(sources, id) : NULL;
  if (source && (anyway || source->lasting || now - source->picture->arrived <= MAX(timeout, FORGOTTEN))) {
    picture = source->picture;
    *late = !source->lasting && now - picture->arrived > timeout;
    g_atomic_int_inc(&picture->references);
  }
  g_mutex_unlock(&lock);
  return picture;
}

Picture *rostra_pictures_recall(const char *id, double seconds) {
  Picture *picture = NULL;
  gint64 now = g_get_monotonic_time(), then = now - (gint64)(CLAMP(seconds, 0, 10) * G_USEC_PER_SEC);
  g_mutex_lock(&lock);
  Source *source = sources ? g_hash_table_lookup(sources, id) : NULL;
  if (source) {
    source->recalled = now;
    for (GList *item = source->past.tail; item && !picture; item = item->prev)
      if (((Picture *)item->data)->arrived <= then) picture = item->data;
    if (picture) g_atomic_int_inc(&picture->references);
  }
  g_mutex_unlock(&lock);
  return picture;
}

/* NV12 has its chroma interleaved; take it apart once per frame. Called with the picture's lock held. */
static const Planes *planar(Picture *picture) {
  if (picture->planar) return &picture->planes;
  picture->planar = TRUE;
  const GstVideoFrame *frame = &picture->frame;
  if (GST_VIDEO_FRAME_FORMAT(frame) == GST_VIDEO_FORMAT_I420) {
    rostra_planes_of_frame(&picture->planes, frame);
    return &picture->planes;
  }
  Planes *planes = &picture->planes;
  rostra_planes_alloc(planes, GST_VIDEO_FRAME_WIDTH(frame), GST_VIDEO_FRAME_HEIGHT(frame));
  planes->plane[0] = GST_VIDEO_FRAME_PLANE_DATA(frame, 0);
  planes->stride[0] = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
  int width = (planes->width + 1) / 2, height = (planes->height + 1) / 2;
  for (int row = 0; row < height; row++) {
    const guint8 *from = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(frame, 1) + row * GST_VIDEO_FRAME_PLANE_STRIDE(frame, 1);
    guint8 *u = planes->plane[1] + row * planes->stride[1], *v = planes->plane[2] + row * planes->stride[2];
    for (int i = 0; i < width; i++) {
      u[i] = from[2 * i];
      v[i] = from[2 * i + 1];
    }
  }
  return planes;
}

static void render(Size *size, const Planes *from) {
  Rendition *to = &size->rendition;
  int x = 0, y = 0, width = from->width, height = from->height;
  int out_width = size->width, out_height = size->height;
  gboolean wider = (gint64)width * size->height > (gint64)height * size->width;
  if (size->contain) {
    if (wider)
      out_height = CLAMP((int)((gint64)height * size->width / width) & ~1, 2, size->height);
    else
      out_width = CLAMP((int)((gint64)width * size->height / height) & ~1, 2, size->width);
    to->x = (size->width - out_width) / 2 & ~1;
    to->y = (size->height - out_height) / 2 & ~1;
  } else if (wider) {
    width = MAX(1, (int)((gint64)height * size->width / size->height));
    x = (from->width - width) / 2 & ~1;
  } else {
    height = MAX(1, (int)((gint64)width * size->height / size->width));
    y = (from->height - height) / 2 & ~1;
  }
  if (x == 0 && y == 0 && width == out_width && height == out_height) {
    to->planes = *from; /* the frame itself: no copy, the picture keeps it */
    to->planes.data = NULL;
    return;
  }
  rostra_planes_alloc(&to->planes, out_width, out_height);
  rostra_scale(&to->planes, from, x, y, width, height);
}

const Rendition *rostra_picture_rendition(Picture *picture, int width, int height, gboolean contain) {
  Size *size = NULL;
  g_mutex_lock(&picture->lock);
  for (GList *item = picture->sizes; item && !size; item = item->next) {
    Size *other = item->data;
    if (other->width == width && other->height == height && other->contain == contain) size = other;
  }
  if (size) {
    while (!size->ready) g_cond_wait(&picture->scaled, &picture->lock);
    g_mutex_unlock(&picture->lock);
    return &size->rendition;
  }
  size = g_new0(Size, 1);
  size->width = width;
  size->height = height;
  size->contain = contain;
  picture->sizes = g_list_prepend(picture->sizes, size);
  g_atomic_int_inc(&renditions);
  const Planes *from = planar(picture);
  g_mutex_unlock(&picture->lock);

  render(size, from); /* without the lock: other sizes of the same frame are made at the same time */

  g_mutex_lock(&picture->lock);
  size->ready = TRUE;
  g_cond_broadcast(&picture->scaled);
  g_mutex_unlock(&picture->lock);
  return &size->rendition;
}

static char stills; /* owner of pictures that come from no pipeline */

ROSTRA_EXPORT void rostra_show(const char *id, int width, int height, const guint8 *i420) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, (guint)width, (guint)height);
  GstBuffer *buffer = gst_buffer_new_memdup(i420, GST_VIDEO_INFO_SIZE(&info));
  rostra_pictures_publish(id, &stills, FALSE, buffer, &info);
  gst_buffer_unref(buffer);
}

ROSTRA_EXPORT void rostra_hide(const char *id) { rostra_pictures_withdraw(id, &stills); }

ROSTRA_EXPORT void rostra_set_picture_timeout(double seconds) {
  g_mutex_lock(&lock);
  timeout = (gint64)(CLAMP(seconds, 0.05, 3600) * G_USEC_PER_SEC);
  g_mutex_unlock(&lock);
}

ROSTRA_EXPORT int rostra_pictures(RostraPicture *out, int room) {
  int count = 0;
  GHashTableIter iter;
  gpointer id, value;
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&lock);
  if (sources) {
    g_hash_table_iter_init(&iter, sources);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
      const Source *source = value;
      const Picture *picture = source->picture;
      if (!source->lasting && now - picture->arrived > timeout) continue;
      if (count < room) {
        g_strlcpy(out[count].id, id, ROSTRA_ID_SIZE);
        out[count].width = GST_VIDEO_FRAME_WIDTH(&picture->frame);
        out[count].height = GST_VIDEO_FRAME_HEIGHT(&picture->frame);
      }
      count++;
    }
  }
  g_mutex_unlock(&lock);
  return count;
}

ROSTRA_EXPORT int rostra_scalings(RostraScaling *out, int room) {
  int count = 0;
  GHashTableIter iter;
  gpointer id, value;
  g_mutex_lock(&lock);
  if (sources) g_hash_table_iter_init(&iter, sources);
  while (sources && g_hash_table_iter_next(&iter, &id, &value)) {
    const Source *source = value;
    for (int i = 0; i < source->scalings; i++, count++) {
      if (count >= room) continue;
      g_strlcpy(out[count].id, id, ROSTRA_ID_SIZE);
      out[count].width = source->scaled[i][0];
      out[count].height = source->scaled[i][1];
    }
  }
  g_mutex_unlock(&lock);
  return count;
}

void rostra_pictures_state(RostraState *state) {
  g_mutex_lock(&lock);
  state->sources = sources ? (gint32)g_hash_table_size(sources) : 0;
  g_mutex_unlock(&lock);
  state->pictures = g_atomic_int_get(&alive);
  state->renditions = g_atomic_int_get(&renditions);
}
