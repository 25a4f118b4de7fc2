/* RGBA pictures (text, icons, images), blended over I420. Each keeps its planes for the last sizes it was shown at. */
#include <math.h>
#include <string.h>

#include "rostra.h"

/* A bitmap at one size and chroma alignment: samples premultiplied by alpha, and what is left of the background. */
typedef struct {
  gint references;
  int width, height;
  guint8 *value[3];
  guint8 *rest[2]; /* 255 - alpha, for luma and for chroma; NULL: opaque */
} Shape;

#define SHAPES 4

struct _Bitmap {
  gint references;
  int width, height;
  guint8 *rgba;
  GMutex lock;
  gboolean opaque;
  Shape *shapes[SHAPES]; /* the last used first */
};

static GMutex lock;
static GHashTable *bitmaps;
static gint alive;

static void shape_unref(Shape *shape) {
  if (!shape || !g_atomic_int_dec_and_test(&shape->references)) return;
  for (int i = 0; i < 3; i++) g_free(shape->value[i]);
  for (int i = 0; i < 2; i++) g_free(shape->rest[i]);
  g_free(shape);
}

Bitmap *rostra_bitmap_ref(Bitmap *bitmap) {
  g_atomic_int_inc(&bitmap->references);
  return bitmap;
}

void rostra_bitmap_unref(Bitmap *bitmap) {
  if (!g_atomic_int_dec_and_test(&bitmap->references)) return;
  for (int i = 0; i < SHAPES; i++) shape_unref(bitmap->shapes[i]);
  g_mutex_clear(&bitmap->lock);
  g_free(bitmap->rgba);
  g_free(bitmap);
  g_atomic_int_dec_and_test(&alive);
}

ROSTRA_EXPORT void rostra_set_bitmap(const char *id, int width, int height, const guint8 *rgba) {
  Bitmap *bitmap = g_new0(Bitmap, 1);
  bitmap->references = 1;
  bitmap->width = width;
  bitmap->height = height;
  bitmap->rgba = g_memdup2(rgba, (gsize)width * height * 4);
  bitmap->opaque = TRUE;
  for (gsize i = 0; i < (gsize)width * height && bitmap->opaque; i++) bitmap->opaque = rgba[4 * i + 3] == 255;
  g_mutex_init(&bitmap->lock);
  g_atomic_int_inc(&alive);
  g_mutex_lock(&lock);
  if (!bitmaps)
    bitmaps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)rostra_bitmap_unref);
  g_hash_table_replace(bitmaps, g_strdup(id), bitmap);
  g_mutex_unlock(&lock);
}

ROSTRA_EXPORT void rostra_remove_bitmap(const char *id) {
  g_mutex_lock(&lock);
  if (bitmaps) g_hash_table_remove(bitmaps, id);
  g_mutex_unlock(&lock);
}

Bitmap *rostra_bitmap_take(const char *id) {
  g_mutex_lock(&lock);
  Bitmap *bitmap = bitmaps ? g_hash_table_lookup(bitmaps, id) : NULL;
  if (bitmap) rostra_bitmap_ref(bitmap);
  g_mutex_unlock(&lock);
  return bitmap;
}

static Shape *shape_new(const Bitmap *bitmap, int width, int height) {
  Shape *shape = g_new0(Shape, 1);
  int half_width = (width + 1) / 2, half_height = (height + 1) / 2;
  gsize all = (gsize)width * height, part = (gsize)half_width * half_height;
  gsize pixels = (gsize)bitmap->width * bitmap->height;
  guint8 *from[4], *to[4];
  shape->references = 1;
  shape->width = width;
  shape->height = height;
  for (int c = 0; c < 4; c++) { /* channels apart, each scaled like a plane */
    from[c] = g_malloc(pixels);
    to[c] = g_malloc(all);
    for (gsize i = 0; i < pixels; i++) from[c][i] = bitmap->rgba[4 * i + c];
    rostra_scale_plane(to[c], width, width, height, from[c], bitmap->width, bitmap->width, bitmap->height);
    g_free(from[c]);
  }
  shape->value[0] = g_malloc(all);
  shape->rest[0] = g_malloc(all);
  for (gsize i = 0; i < all; i++) {
    int r = to[0][i], g = to[1][i], b = to[2][i], a = to[3][i];
    shape->value[0][i] = (guint8)MIN(255, ((66 * r + 129 * g + 25 * b + 128) >> 8) + (16 * a + 127) / 255);
    shape->rest[0][i] = (guint8)(255 - a);
  }
  shape->value[1] = g_malloc(part);
  shape->value[2] = g_malloc(part);
  shape->rest[1] = g_malloc(part);
  for (int y = 0; y < half_height; y++)
    for (int x = 0; x < half_width; x++) {
      int sum[4] = {0};
      for (int k = 0; k < 4; k++) {
        int row = MIN(2 * y + k / 2, height - 1), column = MIN(2 * x + k % 2, width - 1);
        for (int c = 0; c < 4; c++) sum[c] += to[c][row * width + column];
      }
      int r = sum[0] / 4, g = sum[1] / 4, b = sum[2] / 4, a = sum[3] / 4, i = y * half_width + x;
      int base = (128 * a + 127) / 255;
      shape->value[1][i] = (guint8)CLAMP(((-38 * r - 74 * g + 112 * b + 128) >> 8) + base, 0, 255);
      shape->value[2][i] = (guint8)CLAMP(((112 * r - 94 * g - 18 * b + 128) >> 8) + base, 0, 255);
      shape->rest[1][i] = (guint8)(255 - a);
    }
  for (int c = 0; c < 4; c++) g_free(to[c]);
  if (bitmap->opaque)
    for (int i = 0; i < 2; i++) g_clear_pointer(&shape->rest[i], g_free);
  return shape;
}

static Shape *shape_of(Bitmap *bitmap, int width, int height) {
  g_mutex_lock(&bitmap->lock);
  int at = 0;
  while (at < SHAPES && bitmap->shapes[at] && (bitmap->shapes[at]->width != width || bitmap->shapes[at]->height != height))
    at++;
  Shape *shape = at < SHAPES ? bitmap->shapes[at] : NULL;
  if (!shape) {
    at = MIN(at, SHAPES - 1);
    shape_unref(bitmap->shapes[at]);
    shape = shape_new(bitmap, width, height);
  }
  for (; at > 0; at--) bitmap->shapes[at] = bitmap->shapes[at - 1];
  bitmap->shapes[0] = shape;
  g_atomic_int_inc(&shape->references);
  g_mutex_unlock(&bitmap->lock);
  return shape;
}

static void blend(guint8 *to, int stride, int to_width, int to_height, int x, int y, const guint8 *value,
                  const guint8 *rest, int width, int height) {
  int left = MAX(0, -x), top = MAX(0, -y), right = MIN(width, to_width - x), bottom = MIN(height, to_height - y);
  for (int row = top; row < bottom; row++) {
    guint8 *restrict out = to + (y + row) * stride + x;
    if (!rest) {
      if (left < right) memcpy(out + left, value + row * width + left, right - left);
      continue;
    }
    const guint8 *restrict v = value + row * width, *restrict r = rest + row * width;
    for (int i = left; i < right; i++) {
      guint16 under = (guint16)(out[i] * r[i] + 127);
      guint16 sum = (guint16)(v[i] + ((guint16)(under + 1 + (under >> 8)) >> 8)); /* under / 255 */
      out[i] = (guint8)MIN(sum, 255);
    }
  }
}

void rostra_bitmap_size(const Bitmap *bitmap, int *width, int *height) {
  *width = bitmap->width;
  *height = bitmap->height;
}

void rostra_bitmap_blend(Bitmap *bitmap, Planes *to, int x, int y, int width, int height) {
  width = MAX(1, width);
  height = MAX(1, height);
  if (width > 8192 || height > 8192) return;
  Shape *shape = shape_of(bitmap, width, height);
  x = x & ~1;
  y = y & ~1;
  blend(to->plane[0], to->stride[0], to->width, to->height, x, y, shape->value[0], shape->rest[0], width, height);
  for (int i = 1; i < 3; i++)
    blend(to->plane[i], to->stride[i], (to->width + 1) / 2, (to->height + 1) / 2, x / 2, y / 2, shape->value[i],
          shape->rest[1], (width + 1) / 2, (height + 1) / 2);
  shape_unref(shape);
}

void rostra_bitmaps_state(RostraState *state) { state->bitmaps = g_atomic_int_get(&alive); }
