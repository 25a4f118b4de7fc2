/* The sizes a frame has been scaled to: once each, for all views. */
#include "pictures.h"

typedef struct {
  Rendition rendition;
  int width, height;
  gboolean contain, ready;
} Size;

static gint renditions;

static void size_free(gpointer data) {
  Size *size = data;
  rostra_planes_clear(&size->rendition.planes);
  g_free(size);
  g_atomic_int_dec_and_test(&renditions);
}

void rostra_sizes_clear(Picture *picture) { g_list_free_full(picture->sizes, size_free); }

int rostra_sizes_list(Picture *picture, int (*out)[2], int room) {
  int count = 0;
  g_mutex_lock(&picture->lock);
  for (GList *item = picture->sizes; item && count < room; item = item->next) {
    const Size *size = item->data;
    if (!size->ready || !size->rendition.planes.data) continue; /* as large as it came */
    out[count][0] = size->rendition.planes.width;
    out[count++][1] = size->rendition.planes.height;
  }
  g_mutex_unlock(&picture->lock);
  return count;
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

void rostra_sizes_state(RostraState *state) { state->renditions = g_atomic_int_get(&renditions); }
