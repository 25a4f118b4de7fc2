/* What is missing of a voice made up from what was there: the last period of its pitch again and again, dying away. */
#include <math.h>
#include <string.h>

#include "sound.h"

#define MS(plc, ms) ((plc)->rate * (ms) / 1000)
#define SHORTEST(plc) ((plc)->rate / 400) /* samples of a period */
#define LONGEST(plc) ((plc)->rate / 66)
#define WINDOW(plc) MS(plc, 20) /* that is compared */
#define WHOLE 10                /* ms at full loudness */
#define GONE 70                 /* ms until nothing is left */
#define JOIN 4                  /* ms over which the voice comes back */

void rostra_plc_init(Plc *self, int rate) {
  memset(self, 0, sizeof *self);
  self->rate = rate;
}

static void keep(Plc *self, const gint16 *samples, int count) {
  const int room = (int)G_N_ELEMENTS(self->past);
  if (count >= room) {
    memcpy(self->past, samples + count - room, sizeof self->past);
    return;
  }
  memmove(self->past, self->past + count, (size_t)(room - count) * sizeof *self->past);
  memcpy(self->past + room - count, samples, (size_t)count * sizeof *samples);
}

/* The lag at which what came last is most like what was before it. */
static int period(const Plc *self) {
  const gint16 *end = self->past + G_N_ELEMENTS(self->past);
  const int window = WINDOW(self);
  int found = SHORTEST(self);
  double best = -1;
  for (int lag = SHORTEST(self); lag <= LONGEST(self); lag++) {
    gint64 alike = 0, squares = 1;
    for (int i = 1; i <= window; i++) {
      alike += (gint32)end[-i] * end[-i - lag];
      squares += (gint32)end[-i - lag] * end[-i - lag];
    }
    double likeness = (double)alike / sqrt((double)squares);
    if (likeness <= best) continue;
    best = likeness;
    found = lag;
  }
  return found;
}

static void begin(Plc *self) {
  const gint16 *end = self->past + G_N_ELEMENTS(self->past);
  self->pitch = period(self);
  self->at = 0;
  int join = self->pitch / 4, from = self->pitch - join;
  for (int i = 0; i < self->pitch; i++) {
    int last = end[i - self->pitch], before = end[i - 2 * self->pitch];
    int share = i < from ? 0 : i - from + 1; /* its end leads on to its beginning */
    self->cycle[i] = (gint16)((last * (join + 1 - share) + before * share) / (join + 1));
  }
}

static void repeat(Plc *self, gint16 *out, int count) {
  const int whole = MS(self, WHOLE), gone = MS(self, GONE);
  for (int i = 0; i < count; i++, self->missing++) {
    int left = CLAMP(gone - self->missing, 0, gone - whole);
    out[i] = (gint16)(self->cycle[self->at] * left / (gone - whole));
    if (++self->at == self->pitch) self->at = 0;
  }
}

void rostra_plc_fill(Plc *self, gint16 *out, int count) {
  if (!self->missing) begin(self);
  repeat(self, out, count);
  keep(self, out, count);
}

void rostra_plc_take(Plc *self, gint16 *samples, int count) {
  if (self->missing) {
    gint16 made[64]; /* JOIN at 16 kHz */
    int join = MIN(MS(self, JOIN), count);
    repeat(self, made, join);
    for (int i = 0; i < join; i++) samples[i] = (gint16)((samples[i] * (i + 1) + made[i] * (join - i)) / (join + 1));
    self->missing = 0;
  }
  keep(self, samples, count);
}
