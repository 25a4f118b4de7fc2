/* Pixel work on I420: fill, copy and scale. Written so that the compiler vectorises the inner loops. */
#include <string.h>
#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

#include "rostra.h"

/* Plain loops are compiled for newer processors as well; which is taken is found out when the library is loaded. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

/* BT.601 limited range: what browsers and phones send unless they say otherwise. */
Yuv rostra_yuv(guint32 rgb) {
  int r = (rgb >> 16) & 255, g = (rgb >> 8) & 255, b = rgb & 255;
  return (Yuv){(guint8)(((66 * r + 129 * g + 25 * b + 128) >> 8) + 16),
               (guint8)(((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128),
               (guint8)(((112 * r - 94 * g - 18 * b + 128) >> 8) + 128)};
}

static int chroma(int size) { return (size + 1) / 2; }

void rostra_planes_alloc(Planes *planes, int width, int height) {
  int stride = (width + 15) & ~15, half = (chroma(width) + 15) & ~15;
  gsize luma = (gsize)stride * height, part = (gsize)half * chroma(height);
  planes->data = g_malloc(luma + 2 * part + 16);
  planes->plane[0] = planes->data;
  planes->plane[1] = planes->data + luma;
  planes->plane[2] = planes->data + luma + part;
  planes->stride[0] = stride;
  planes->stride[1] = planes->stride[2] = half;
  planes->width = width;
  planes->height = height;
}

void rostra_planes_clear(Planes *planes) {
  g_free(planes->data);
  planes->data = NULL;
}

void rostra_planes_of_frame(Planes *planes, const GstVideoFrame *frame) {
  for (int i = 0; i < 3; i++) {
    planes->plane[i] = GST_VIDEO_FRAME_COMP_DATA(frame, i);
    planes->stride[i] = GST_VIDEO_FRAME_COMP_STRIDE(frame, i);
  }
  planes->width = GST_VIDEO_FRAME_WIDTH(frame);
  planes->height = GST_VIDEO_FRAME_HEIGHT(frame);
  planes->data = NULL;
}

void rostra_fill(Planes *to, int x, int y, int width, int height, Yuv colour) {
  int right = MIN(x + width, to->width), bottom = MIN(y + height, to->height);
  x = MAX(x, 0);
  y = MAX(y, 0);
  if (x >= right || y >= bottom) return;
  for (int row = y; row < bottom; row++) memset(to->plane[0] + row * to->stride[0] + x, colour.y, right - x);
  for (int row = y / 2; row < chroma(bottom); row++) {
    memset(to->plane[1] + row * to->stride[1] + x / 2, colour.u, chroma(right) - x / 2);
    memset(to->plane[2] + row * to->stride[2] + x / 2, colour.v, chroma(right) - x / 2);
  }
}

void rostra_grey(Planes *to, int x, int y, int width, int height) {
  int right = MIN(x + width, to->width), bottom = MIN(y + height, to->height);
  x = MAX(x, 0);
  y = MAX(y, 0);
  if (x >= right || y >= bottom) return;
  for (int i = 1; i < 3; i++)
    for (int row = y / 2; row < chroma(bottom); row++)
      memset(to->plane[i] + row * to->stride[i] + x / 2, 128, chroma(right) - x / 2);
}

WIDE static void mix_row(guint8 *restrict to, const guint8 *restrict other, int share, int width) {
  guint16 first = (guint16)share, second = (guint16)(256 - share);
  for (int i = 0; i < width; i++) to[i] = (guint8)((guint16)(to[i] * first + other[i] * second + 127) >> 8);
}

void rostra_mix(Planes *to, const Planes *other, int share) {
  for (int i = 0; i < 3; i++) {
    int width = i ? chroma(to->width) : to->width, height = i ? chroma(to->height) : to->height;
    for (int row = 0; row < height; row++)
      mix_row(to->plane[i] + row * to->stride[i], other->plane[i] + row * other->stride[i], share, width);
  }
}

static void copy_plane(guint8 *to, int to_stride, int to_width, int to_height, int x, int y, const guint8 *from,
                       int from_stride, int width, int height) {
  int left = MAX(0, -x), top = MAX(0, -y);
  int right = MIN(width, to_width - x), bottom = MIN(height, to_height - y);
  if (left >= right) return;
  for (int row = top; row < bottom; row++)
    memcpy(to + (y + row) * to_stride + x + left, from + row * from_stride + left, right - left);
}

void rostra_copy(Planes *to, int x, int y, const Planes *from) {
  copy_plane(to->plane[0], to->stride[0], to->width, to->height, x, y, from->plane[0], from->stride[0], from->width,
             from->height);
  for (int i = 1; i < 3; i++)
    copy_plane(to->plane[i], to->stride[i], chroma(to->width), chroma(to->height), x / 2, y / 2, from->plane[i],
               from->stride[i], chroma(from->width), chroma(from->height));
}

/* Average of 2x2, the size halved (an odd last row or column is dropped). */
WIDE static void halve(guint8 *restrict to, int to_stride, const guint8 *restrict from, int from_stride, int width,
                  int height) {
  for (int row = 0; row < height; row++) {
    const guint8 *restrict a = from + 2 * row * from_stride;
    const guint8 *restrict b = a + from_stride;
    guint8 *restrict out = to + row * to_stride;
    for (int i = 0; i < width; i++)
      out[i] = (guint8)((a[2 * i] + a[2 * i + 1] + b[2 * i] + b[2 * i + 1] + 2) >> 2);
  }
}

/* Two rows weighted in 128ths: a plain loop over bytes, so it becomes vector code. */
WIDE static void blend_rows(guint8 *restrict out, const guint8 *restrict a, const guint8 *restrict b, int weight,
                       int width) {
  guint16 second = (guint16)weight, first = (guint16)(128 - weight);
  for (int i = 0; i < width; i++) out[i] = (guint8)((guint16)(a[i] * first + b[i] * second + 64) >> 7);
}

typedef guint16 __attribute__((aligned(1), may_alias)) PairOfSamples;

/* One row to another width: output i is between samples `at[i]` and the next, weighted in 64ths. */
static void stretch_row(guint8 *restrict out, const guint8 *restrict line, const guint16 *at, const guint8 *weights,
                        int width) {
  int i = 0;
#ifdef __SSSE3__
  const __m128i half = _mm_set1_epi16(32);
  for (; i + 8 <= width; i += 8) { /* eight pairs of neighbours, each pair one 16-bit load */
#define PAIR(k) (*(const PairOfSamples *)(line + at[i + k]))
    __m128i pairs = _mm_cvtsi32_si128(PAIR(0));
    pairs = _mm_insert_epi16(pairs, PAIR(1), 1);
    pairs = _mm_insert_epi16(pairs, PAIR(2), 2);
    pairs = _mm_insert_epi16(pairs, PAIR(3), 3);
    pairs = _mm_insert_epi16(pairs, PAIR(4), 4);
    pairs = _mm_insert_epi16(pairs, PAIR(5), 5);
    pairs = _mm_insert_epi16(pairs, PAIR(6), 6);
    pairs = _mm_insert_epi16(pairs, PAIR(7), 7);
#undef PAIR
    __m128i sum = _mm_maddubs_epi16(pairs, _mm_loadu_si128((const __m128i *)(weights + 2 * i)));
    sum = _mm_srli_epi16(_mm_add_epi16(sum, half), 6);
    _mm_storel_epi64((__m128i *)(out + i), _mm_packus_epi16(sum, sum));
  }
#endif
  for (; i < width; i++) {
    const guint8 *pair = line + at[i];
    out[i] = (guint8)((pair[0] * weights[2 * i] + pair[1] * weights[2 * i + 1] + 32) >> 6);
  }
}

static void bilinear(guint8 *to, int to_stride, int to_width, int to_height, const guint8 *from, int from_stride,
                     int from_width, int from_height) {
  guint8 *row = g_malloc(from_width + 1), *weights = g_malloc(2 * to_width);
  guint16 *at = g_new(guint16, to_width);
  gint64 step_x = ((gint64)from_width << 16) / to_width, step_y = ((gint64)from_height << 16) / to_height;
  for (int i = 0; i < to_width; i++) {
    gint64 place = CLAMP(i * step_x + step_x / 2 - 32768, 0, (gint64)(from_width - 1) << 16);
    at[i] = (guint16)(place >> 16);
    weights[2 * i + 1] = (guint8)((place & 65535) >> 10);
    weights[2 * i] = 64 - weights[2 * i + 1];
  }
  for (int j = 0; j < to_height; j++) {
    gint64 place = CLAMP(j * step_y + step_y / 2 - 32768, 0, (gint64)(from_height - 1) << 16);
    int top = (int)(place >> 16), weight = (int)((place & 65535) >> 9);
    const guint8 *a = from + (gsize)top * from_stride;
    if (weight != 0 && top + 1 < from_height)
      blend_rows(row, a, a + from_stride, weight, from_width);
    else
      memcpy(row, a, from_width);
    row[from_width] = row[from_width - 1];
    stretch_row(to + (gsize)j * to_stride, row, at, weights, to_width);
  }
  g_free(weights);
  g_free(at);
  g_free(row);
}

void rostra_scale_plane(guint8 *to, int to_stride, int to_width, int to_height, const guint8 *from, int from_stride,
                        int from_width, int from_height) {
  guint8 *spare = NULL;
  while (from_width >= 2 * to_width && from_height >= 2 * to_height && from_width > 1 && from_height > 1) {
    int width = from_width / 2, height = from_height / 2;
    gboolean last = width == to_width && height == to_height;
    int stride = last ? to_stride : (width + 15) & ~15;
    guint8 *half = last ? to : g_malloc((gsize)stride * height);
    halve(half, stride, from, from_stride, width, height);
    g_free(spare);
    if (last) return;
    spare = half;
    from = half;
    from_stride = stride;
    from_width = width;
    from_height = height;
  }
  if (from_width == to_width && from_height == to_height)
    copy_plane(to, to_stride, to_width, to_height, 0, 0, from, from_stride, from_width, from_height);
  else
    bilinear(to, to_stride, to_width, to_height, from, from_stride, from_width, from_height);
  g_free(spare);
}

void rostra_scale(Planes *to, const Planes *from, int x, int y, int width, int height) {
  rostra_scale_plane(to->plane[0], to->stride[0], to->width, to->height, from->plane[0] + y * from->stride[0] + x,
                     from->stride[0], width, height);
  for (int i = 1; i < 3; i++)
    rostra_scale_plane(to->plane[i], to->stride[i], chroma(to->width), chroma(to->height),
                       from->plane[i] + (y / 2) * from->stride[i] + x / 2, from->stride[i],
                       MIN(chroma(width), chroma(from->width) - x / 2),
                       MIN(chroma(height), chroma(from->height) - y / 2));
}
