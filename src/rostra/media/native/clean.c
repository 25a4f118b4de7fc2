/* Noise taken out of what somebody says, before it is mixed; where the conference wants it. */
#include <string.h>

#include <speex/speex_preprocess.h>

#include "sound.h"

#define SUPPRESS (-24) /* dB at most: what is left covers up what goes wrong */
#define HUSH 24        /* samples are nothing below: neither noise nor voice to learn from */

struct _Cleaner {
  SpeexPreprocessState *state;
  gint16 kept[ROSTRA_BLOCK]; /* the beginning of a block */
  guint count;
};

static gint wanted;

ROSTRA_EXPORT void rostra_set_denoise(int on) { g_atomic_int_set(&wanted, on != 0); }

gboolean rostra_cleaning(void) { return g_atomic_int_get(&wanted); }

Cleaner *rostra_cleaner_new(void) {
  Cleaner *self = g_new0(Cleaner, 1);
  self->state = speex_preprocess_state_init(ROSTRA_BLOCK, ROSTRA_RATE);
  spx_int32_t on = 1, suppress = SUPPRESS;
  speex_preprocess_ctl(self->state, SPEEX_PREPROCESS_SET_DENOISE, &on);
  speex_preprocess_ctl(self->state, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &suppress);
  return self;
}

void rostra_cleaner_free(Cleaner *self) {
  if (!self) return;
  speex_preprocess_state_destroy(self->state);
  g_free(self);
}

static gboolean hushed(const gint16 *block) {
  for (int i = 0; i < ROSTRA_BLOCK; i++)
    if (block[i] > HUSH || block[i] < -HUSH) return FALSE;
  return TRUE;
}

/* With what is left over of the time before, all whole blocks; the rest is kept. */
gsize rostra_clean(Cleaner *self, const gint16 *samples, gsize count, gint16 *out) {
  gsize done = 0;
  while (self->count + count >= ROSTRA_BLOCK) {
    gint16 *block = out + done;
    gsize taken = ROSTRA_BLOCK - self->count;
    memcpy(block, self->kept, self->count * sizeof *block);
    memcpy(block + self->count, samples, taken * sizeof *block);
    samples += taken;
    count -= taken;
    self->count = 0;
    if (!hushed(block)) speex_preprocess_run(self->state, block);
    done += ROSTRA_BLOCK;
  }
  memcpy(self->kept + self->count, samples, count * sizeof *samples);
  self->count += (guint)count;
  return done;
}
