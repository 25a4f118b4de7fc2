/* The latest frame of every source. */
#include "pictures.h"

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
static gint alive;

static void source_free(gpointer data) {
  Source *source = data;
  if (source->picture) rostra_picture_unref(source->picture);
  if (source->spare) rostra_picture_unref(source->spare);
  g_queue_clear_full(&source->past, (GDestroyNotify)rostra_picture_unref);
  g_free(source);
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

void rostra_picture_unref(Picture *picture) {
  if (!g_atomic_int_dec_and_test(&picture->references)) return;
  rostra_sizes_clear(picture);
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
    if (previous) source->scalings = rostra_sizes_list(previous, source->scaled, SCALINGS);
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
  rostra_sizes_state(state);
}
