/* Between 48 kHz and a third or a sixth of it: a windowed sinc, taken apart by phases. */
#include <math.h>
#include <string.h>

#include "sound.h"

#define MOST_IN ROSTRA_DECODED_MOST /* samples at 48 kHz of one call, at most */
#define BETA 5.5                    /* of the Kaiser window: 56 dB */
#define PASSED 0.94                 /* of half the lower rate: the middle of the slope */

typedef float Four __attribute__((vector_size(16)));

typedef struct {
  float raise[6][ROSTRA_TAPS]; /* of each phase, the latest sample last */
  float lower[6 * ROSTRA_TAPS];
} Filter;

static double bessel(double x) {
  double sum = 1, term = 1;
  for (int i = 1; i < 30; i++) sum += term *= (x / 2 / i) * (x / 2 / i);
  return sum;
}

static void design(Filter *filter, int factor) {
  const int length = factor * ROSTRA_TAPS;
  double taps[6 * ROSTRA_TAPS], sum = 0;
  for (int i = 0; i < length; i++) {
    double t = i - (length - 1) / 2.0, x = t * PASSED / factor, edge = 2.0 * i / (length - 1) - 1;
    taps[i] = sin(G_PI * x) / (G_PI * x) * bessel(BETA * sqrt(1 - edge * edge)); /* length is even: t is never 0 */
    sum += taps[i];
  }
  for (int i = 0; i < length; i++) {
    filter->raise[i % factor][ROSTRA_TAPS - 1 - i / factor] = (float)(taps[i] * factor / sum);
    filter->lower[length - 1 - i] = (float)(taps[i] / sum);
  }
}

static const Filter *filter_of(int factor) {
  static Filter filters[2];
  static gsize made;
  if (g_once_init_enter(&made)) {
    design(&filters[0], 3);
    design(&filters[1], 6);
    g_once_init_leave(&made, 1);
  }
  return &filters[factor == 6];
}

static float dot(const float *taps, const float *samples, int length) {
  Four sum = {0}, one, other;
  for (int i = 0; i < length; i += 4) {
    memcpy(&one, taps + i, sizeof one);
    memcpy(&other, samples + i, sizeof other);
    sum += one * other;
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

static gint16 rounded(float value) { return (gint16)CLAMP(lrintf(value), -32768, 32767); }

static gboolean silent(const gint16 *samples, int count) {
  for (int i = 0; i < count; i++)
    if (samples[i]) return FALSE;
  return TRUE;
}

void rostra_resampler_init(Resampler *self, int factor) {
  memset(self, 0, sizeof *self);
  self->factor = factor;
  self->quiet = TRUE;
}

void rostra_raise(Resampler *self, const gint16 *in, int count, gint16 *out) {
  const Filter *filter = filter_of(self->factor);
  const int kept = ROSTRA_TAPS - 1;
  float line[ROSTRA_TAPS + MOST_IN / 3];
  gboolean quiet = silent(in, count);
  if (quiet && self->quiet) {
    memset(out, 0, sizeof *out * (gsize)(count * self->factor));
    return;
  }
  memcpy(line, self->past, sizeof *line * kept);
  for (int i = 0; i < count; i++) line[kept + i] = in[i];
  for (int i = 0; i < count; i++)
    for (int phase = 0; phase < self->factor; phase++) *out++ = rounded(dot(filter->raise[phase], line + i, ROSTRA_TAPS));
  memcpy(self->past, line + count, sizeof *line * kept);
  self->quiet = quiet && count >= kept;
}

void rostra_lower(Resampler *self, const gint16 *in, int count, gint16 *out) {
  const Filter *filter = filter_of(self->factor);
  const int length = self->factor * ROSTRA_TAPS, kept = length - self->factor, given = count * self->factor;
  float line[6 * ROSTRA_TAPS + MOST_IN];
  memcpy(line, self->past, sizeof *line * (gsize)kept);
  for (int i = 0; i < given; i++) line[kept + i] = in[i];
  for (int i = 0; i < count; i++) out[i] = rounded(dot(filter->lower, line + i * self->factor, length));
  memcpy(self->past, line + given, sizeof *line * (gsize)kept);
}
