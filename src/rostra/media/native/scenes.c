/* Views: named scenes, replaced whole and painted without a lock. */
#include <math.h>

#include "rostra.h"

typedef struct {
  char *source;
  int x, y, width, height;
  gboolean contain, filled, frozen;
  Yuv colour;
  double delay;
  Bitmap *image, *bitmap;
  int image_x, image_y, image_width, image_height;
  int bitmap_x, bitmap_y;
} SceneTile;

typedef struct _Scene Scene;
struct _Scene {
  gint references;
  Scene *previous; /* what was shown before, while it fades; the lock is over it */
  gint64 since;    /* when this one came */
  gint painted;
  int width, height, count;
  Yuv background;
  SceneTile tiles[];
};

static GMutex lock;
static GHashTable *views;
static gint alive;
static const guint32 DEFAULT_BACKGROUND = 0x0E1116;
static const gint64 FADE = 150 * G_TIME_SPAN_MILLISECOND;

static void scene_unref(gpointer data) {
  Scene *scene = data;
  if (!g_atomic_int_dec_and_test(&scene->references)) return;
  for (int i = 0; i < scene->count; i++) {
    g_free(scene->tiles[i].source);
    if (scene->tiles[i].bitmap) rostra_bitmap_unref(scene->tiles[i].bitmap);
    if (scene->tiles[i].image) rostra_bitmap_unref(scene->tiles[i].image);
  }
  if (scene->previous) scene_unref(scene->previous);
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
    tile->filled = tiles[i].filled != 0;
    tile->frozen = tiles[i].frozen != 0;
    tile->delay = tiles[i].delay;
    tile->colour = rostra_yuv(tiles[i].colour);
    tile->image = tiles[i].image ? rostra_bitmap_take(tiles[i].image) : NULL;
    tile->image_x = tiles[i].image_x;
    tile->image_y = tiles[i].image_y;
    tile->image_width = tiles[i].image_width;
    tile->image_height = tiles[i].image_height;
    tile->bitmap = tiles[i].bitmap ? rostra_bitmap_take(tiles[i].bitmap) : NULL;
    tile->bitmap_x = tiles[i].bitmap_x;
    tile->bitmap_y = tiles[i].bitmap_y;
  }
  scene->since = g_get_monotonic_time();
  g_atomic_int_inc(&alive);
  Scene *older = NULL;
  g_mutex_lock(&lock);
  if (!views) views = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, scene_unref);
  Scene *before = g_hash_table_lookup(views, id);
  if (before && g_atomic_int_get(&before->painted)) { /* the new one comes up over what is seen */
    older = g_steal_pointer(&before->previous);
    g_atomic_int_inc(&before->references);
    scene->previous = before;
  }
  g_hash_table_replace(views, g_strdup(id), scene);
  g_mutex_unlock(&lock);
  if (older) scene_unref(older);
}

ROSTRA_EXPORT void rostra_remove_view(const char *id) {
  g_mutex_lock(&lock);
  if (views) g_hash_table_remove(views, id);
  g_mutex_unlock(&lock);
}

/* The scene of a view and, in `previous`, what it comes up over. */
static Scene *scene_take(const char *view, Scene **previous, gint64 now) {
  Scene *faded = NULL;
  g_mutex_lock(&lock);
  Scene *scene = views ? g_hash_table_lookup(views, view) : NULL;
  if (scene) {
    g_atomic_int_inc(&scene->references);
    if (scene->previous && now - scene->since >= FADE) faded = g_steal_pointer(&scene->previous);
    *previous = scene->previous;
    if (*previous) g_atomic_int_inc(&(*previous)->references);
  }
  g_mutex_unlock(&lock);
  if (faded) scene_unref(faded);
  return scene;
}

static gboolean covers(const SceneTile *tile, const Scene *scene) {
  return tile->x <= 0 && tile->y <= 0 && tile->x + tile->width >= scene->width &&
         tile->y + tile->height >= scene->height;
}

static Picture *picture_of(const SceneTile *tile, gboolean *grey) {
  if (!tile->source[0]) return NULL;
  rostra_look(tile->source);
  if (tile->delay > 0) return rostra_pictures_recall(tile->source, tile->delay);
  Picture *picture = rostra_pictures_take(tile->source, tile->frozen, grey);
  *grey = *grey || tile->frozen;
  return picture;
}

/* Edges of what is laid over a tile go to even pixels, so that chroma lines up. */
static int even(double place) { return (int)lround(place / 2) * 2; }

typedef struct {
  Planes *to;
  double scale_x, scale_y;
} Canvas;

static void paint_image(const SceneTile *tile, const Canvas *canvas) {
  rostra_bitmap_blend(tile->image, canvas->to, even(tile->image_x * canvas->scale_x),
                      even(tile->image_y * canvas->scale_y), (int)lround(tile->image_width * canvas->scale_x),
                      (int)lround(tile->image_height * canvas->scale_y));
}

static void paint_tile(const SceneTile *tile, const Scene *scene, const Canvas *canvas) {
  Planes *to = canvas->to;
  int x = (int)floor(tile->x * canvas->scale_x), y = (int)floor(tile->y * canvas->scale_y);
  int width = tile->width, height = tile->height;
  if (covers(tile, scene)) {
    x = y = 0;
    width = to->width;
    height = to->height;
  } else if (canvas->scale_x != 1 || canvas->scale_y != 1) { /* sizes are even, as is said of layouts */
    width = (int)floor(width * canvas->scale_x) & ~1;
    height = (int)floor(height * canvas->scale_y) & ~1;
  }
  if (width > 0 && height > 0 && width <= 8192 && height <= 8192 && x < to->width && y < to->height &&
      x + width > 0 && y + height > 0) {
    gboolean grey = FALSE;
    Picture *picture = picture_of(tile, &grey);
    if (picture) {
      const Rendition *rendition = rostra_picture_rendition(picture, width, height, tile->contain);
      if (tile->filled && (rendition->planes.width < width || rendition->planes.height < height))
        rostra_fill(to, x, y, width, height, tile->colour);
      rostra_copy(to, x + rendition->x, y + rendition->y, &rendition->planes);
      if (grey)
        rostra_grey(to, x + rendition->x, y + rendition->y, rendition->planes.width, rendition->planes.height);
      rostra_picture_unref(picture);
    } else {
      if (tile->filled) rostra_fill(to, x, y, width, height, tile->colour);
      if (tile->image) paint_image(tile, canvas);
    }
  }
  if (tile->bitmap) {
    rostra_bitmap_size(tile->bitmap, &width, &height);
    rostra_bitmap_blend(tile->bitmap, to, even(tile->bitmap_x * canvas->scale_x),
                        even(tile->bitmap_y * canvas->scale_y), (int)lround(width * canvas->scale_x),
                        (int)lround(height * canvas->scale_y));
  }
}

static void paint(const Scene *scene, Planes *to) {
  Canvas canvas = {to, (double)to->width / scene->width, (double)to->height / scene->height};
  if (scene->count == 0 || !covers(&scene->tiles[0], scene) || !scene->tiles[0].filled)
    rostra_fill(to, 0, 0, to->width, to->height, scene->background);
  for (int i = 0; i < scene->count; i++) paint_tile(&scene->tiles[i], scene, &canvas);
}

void rostra_view_paint(const char *view, Planes *to) {
  Scene *previous = NULL;
  gint64 now = g_get_monotonic_time();
  Scene *scene = scene_take(view, &previous, now);
  if (!scene) {
    rostra_fill(to, 0, 0, to->width, to->height, rostra_yuv(DEFAULT_BACKGROUND));
    return;
  }
  paint(scene, to);
  g_atomic_int_set(&scene->painted, 1);
  if (previous) {
    Planes before;
    rostra_planes_alloc(&before, to->width, to->height);
    paint(previous, &before);
    rostra_mix(to, &before, (int)(256 * CLAMP(now - scene->since, 0, FADE) / FADE));
    rostra_planes_clear(&before);
    scene_unref(previous);
  }
  scene_unref(scene);
}

ROSTRA_EXPORT void rostra_paint(const char *view, int width, int height, guint8 *i420) {
  int half = (width + 1) / 2;
  guint8 *u = i420 + (gsize)width * height, *v = u + (gsize)half * ((height + 1) / 2);
  Planes to = {.plane = {i420, u, v}, .stride = {width, half, half}, .width = width, .height = height};
  rostra_view_paint(view, &to);
}

void rostra_scenes_state(RostraState *state) {
  g_mutex_lock(&lock);
  state->views = views ? (gint32)g_hash_table_size(views) : 0;
  g_mutex_unlock(&lock);
  state->scenes = g_atomic_int_get(&alive);
}
