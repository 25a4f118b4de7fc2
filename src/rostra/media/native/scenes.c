/* Views: named scenes, replaced whole and painted without a lock. */
#include <math.h>

#include "rostra.h"

typedef struct {
  char *source;
  int x, y, width, height;
  gboolean contain;
  Yuv colour;
  Bitmap *bitmap;
  int bitmap_x, bitmap_y;
} SceneTile;

typedef struct {
  gint references;
  int width, height, count;
  Yuv background;
  SceneTile tiles[];
} Scene;

static GMutex lock;
static GHashTable *views;
static gint alive;
static const guint32 DEFAULT_BACKGROUND = 0x0E1116;

static void scene_unref(gpointer data) {
  Scene *scene = data;
  if (!g_atomic_int_dec_and_test(&scene->references)) return;
  for (int i = 0; i < scene->count; i++) {
    g_free(scene->tiles[i].source);
    if (scene->tiles[i].bitmap) rostra_bitmap_unref(scene->tiles[i].bitmap);
  }
  g_free(scene);
  g_atomic_int_dec_and_test(&alive);
}

ROSTRA_EXPORT void rostra_set_view(const char *id, int width, int height, guint32 background, const RostraTile *tiles,
                                   int count) {
  Scene *scene = g_malloc0(sizeof(Scene) + sizeof(SceneTile) * (gsize)count);
  scene->references = 1;
  scene->width = MAX(1, width);
  scene->height = MAX(1, height);
  scene->count = count;
  scene->background = rostra_yuv(background);
  for (int i = 0; i < count; i++) {
    SceneTile *tile = &scene->tiles[i];
    tile->source = g_strdup(tiles[i].source ? tiles[i].source : "");
    tile->x = tiles[i].x;
    tile->y = tiles[i].y;
    tile->width = tiles[i].width;
    tile->height = tiles[i].height;
    tile->contain = tiles[i].contain != 0;
    tile->colour = rostra_yuv(tiles[i].colour);
    tile->bitmap = tiles[i].bitmap ? rostra_bitmap_take(tiles[i].bitmap) : NULL;
    tile->bitmap_x = tiles[i].bitmap_x;
    tile->bitmap_y = tiles[i].bitmap_y;
  }
  g_atomic_int_inc(&alive);
  g_mutex_lock(&lock);
  if (!views) views = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, scene_unref);
  g_hash_table_replace(views, g_strdup(id), scene);
  g_mutex_unlock(&lock);
}

ROSTRA_EXPORT void rostra_remove_view(const char *id) {
  g_mutex_lock(&lock);
  if (views) g_hash_table_remove(views, id);
  g_mutex_unlock(&lock);
}

static Scene *scene_take(const char *view) {
  g_mutex_lock(&lock);
  Scene *scene = views ? g_hash_table_lookup(views, view) : NULL;
  if (scene) g_atomic_int_inc(&scene->references);
  g_mutex_unlock(&lock);
  return scene;
}

/* Edges go to even pixels, so that chroma lines up and neighbouring tiles still meet. */
static int even(double place) { return (int)lround(place / 2) * 2; }

static void paint_tile(const SceneTile *tile, Planes *to, double scale_x, double scale_y) {
  int x = even(tile->x * scale_x), y = even(tile->y * scale_y);
  int width = even((tile->x + tile->width) * scale_x) - x, height = even((tile->y + tile->height) * scale_y) - y;
  if (width > 0 && height > 0 && width <= 8192 && height <= 8192 && x < to->width && y < to->height &&
      x + width > 0 && y + height > 0) {
    Picture *picture = tile->source[0] ? rostra_pictures_take(tile->source) : NULL;
    if (picture) {
      const Rendition *rendition = rostra_picture_rendition(picture, width, height, tile->contain);
      if (rendition->planes.width < width || rendition->planes.height < height)
        rostra_fill(to, x, y, width, height, tile->colour);
      rostra_copy(to, x + rendition->x, y + rendition->y, &rendition->planes);
      rostra_picture_unref(picture);
    } else {
      rostra_fill(to, x, y, width, height, tile->colour);
    }
  }
  if (tile->bitmap)
    rostra_bitmap_blend(tile->bitmap, to, even(tile->bitmap_x * scale_x), even(tile->bitmap_y * scale_y), scale_x,
                        scale_y);
}

static gboolean covers(const SceneTile *tile, const Scene *scene) {
  return tile->x <= 0 && tile->y <= 0 && tile->x + tile->width >= scene->width &&
         tile->y + tile->height >= scene->height;
}

void rostra_view_paint(const char *view, Planes *to) {
  Scene *scene = scene_take(view);
  if (!scene) {
    rostra_fill(to, 0, 0, to->width, to->height, rostra_yuv(DEFAULT_BACKGROUND));
    return;
  }
  double scale_x = (double)to->width / scene->width, scale_y = (double)to->height / scene->height;
  if (scene->count == 0 || !covers(&scene->tiles[0], scene))
    rostra_fill(to, 0, 0, to->width, to->height, scene->background);
  for (int i = 0; i < scene->count; i++) paint_tile(&scene->tiles[i], to, scale_x, scale_y);
  scene_unref(scene);
}

void rostra_scenes_state(RostraState *state) {
  g_mutex_lock(&lock);
  state->views = views ? (gint32)g_hash_table_size(views) : 0;
  g_mutex_unlock(&lock);
  state->scenes = g_atomic_int_get(&alive);
}
