/* Who talks, and how loud: the noise between somebody's words, a slow gain for the words, nothing for what is no speech.
 *
 * Loudness in dBov throughout. A block counts as talk the moment it is louder than the noise, so that no beginning is
 * lost, and for a while after. */
#include <math.h>
#include <string.h>

#include "sound.h"

#define LEVEL_BLOCKS 5   /* 100 ms */
#define SILENT (-127.0f)
#define QUIETEST (-58.0f) /* what is below is nobody's voice */
#define LOUDEST_NOISE (-40.0f) /* what is above is heard, whatever it is */
#define ABOVE 6.0f       /* of talk over noise, dB */
#define HOLD 50          /* blocks */
#define FLOOR_DOWN 0.3f  /* of the way, a block */
#define FLOOR_UP 0.03f   /* dB a block: 1.5 dB/s */
#define FORGET 0.2f      /* dB a block: how fast peaks and pauses are forgotten */
#define SPEECHLIKE 12.0f /* dB between peaks and pauses */
#define SAME 0.1f        /* dB between blocks that are equally loud */
#define STEADY 0.03f     /* of the way, a block: how fast a tone is believed */
#define TONE 0.5f        /* share of steady blocks from which it is one */
#define TARGET (-24.0f)  /* of speech while it lasts */
#define BAND 3.0f        /* dB around it that nobody minds */
#define MOST 15.0f
#define LEAST (-9.0f)
#define NOISE_MOST (-52.0f) /* noise is not brought above this */
#define SLOW 0.03f       /* of the way, a block: how fast its loudness is believed */
#define UP 0.06f         /* dB a block: 3 dB/s */
#define DOWN 0.2f
#define FULL 32000.0f
#define SUDDEN 48        /* samples, 1 ms */
#define FADE 240         /* 5 ms */

void rostra_speech_reset(Speech *self) {
  memset(self, 0, sizeof *self);
  self->level = self->now = self->weight = SILENT;
  self->floor = QUIETEST - ABOVE;
  self->high = self->low = TARGET;
  self->loudness = TARGET;
  self->steady = TONE;
}

static float decibels(double squares, int count) {
  double mean = squares / count / (32768.0 * 32768.0);
  return mean > 0 ? (float)MAX(SILENT, 10 * log10(mean)) : SILENT;
}

static void follow_floor(Speech *self) {
  float now = MAX(self->now, -80.0f);
  self->floor += now < self->floor ? FLOOR_DOWN * (now - self->floor) : MIN(FLOOR_UP, now - self->floor);
}

/* Beeps, ringback and alarms come and go as words do, but each is as loud as it was a block or a period before. */
static void follow_tones(Speech *self, gboolean loud) {
  gboolean same = fabsf(self->now - self->past[0]) < SAME || fabsf(self->now - self->past[ROSTRA_PERIOD - 1]) < SAME;
  if (loud) self->steady += STEADY * ((same ? 1 : 0) - self->steady);
  memmove(self->past + 1, self->past, sizeof self->past - sizeof *self->past);
  self->past[0] = self->now;
}

static void follow_loudness(Speech *self, gboolean loud) {
  float now = MAX(self->now, -70.0f);
  self->high = MAX(now, self->high - FORGET);
  self->low = MIN(now, self->low + FORGET);
  if (!loud || self->steady > TONE || self->high - self->low < SPEECHLIKE || self->now < self->high - SPEECHLIKE) return;
  self->loudness += SLOW * (self->now - self->loudness);
  float wanted = CLAMP(TARGET - self->loudness, LEAST, MOST);
  wanted = MIN(wanted, MAX(0, NOISE_MOST - self->floor));
  if (fabsf(wanted - self->asked) > BAND || (fabsf(wanted) < 1 && self->asked != 0)) self->asked = wanted;
}

void rostra_speech_measure(Speech *self, const gint16 *block) {
  gint64 squares = 0;
  for (int i = 0; block && i < ROSTRA_BLOCK; i++) squares += (gint32)block[i] * block[i];
  self->now = decibels((double)squares, ROSTRA_BLOCK);
  self->squares += (double)squares;
  if (++self->blocks == LEVEL_BLOCKS) {
    self->level = decibels(self->squares, LEVEL_BLOCKS * ROSTRA_BLOCK);
    self->squares = self->blocks = 0;
  }
  gboolean loud = self->now > MAX(QUIETEST, MIN(self->floor + ABOVE, LOUDEST_NOISE));
  if (loud)
    self->hold = HOLD;
  else if (self->hold)
    self->hold--;
  self->talks = self->hold > 0;
  self->weight = MAX(self->now, self->weight - 1);
  if (self->now > SILENT) follow_floor(self);
  follow_tones(self, loud);
  if (self->talks) follow_loudness(self, loud);
}

/* dB by which a block may be raised, if at all. */
static float room(const gint16 *block) {
  int peak = 1;
  for (int i = 0; i < ROSTRA_BLOCK; i++) peak = MAX(peak, ABS((int)block[i]));
  return MAX(0, 20 * log10f(FULL / (float)peak));
}

void rostra_speech_level(Speech *self, gint16 *block) {
  float before = self->gain;
  self->gain += CLAMP(self->asked - self->gain, -DOWN, UP);
  if (before == 0 && self->gain == 0) return;
  if (self->gain > 0) self->gain = MIN(self->gain, room(block)); /* who gets loud suddenly is not cut off */
  int length = self->gain < before - DOWN ? SUDDEN : ROSTRA_BLOCK;
  float gain = powf(10, before / 20), after = powf(10, self->gain / 20), step = (after - gain) / (float)length;
  for (int i = 0; i < ROSTRA_BLOCK; i++) {
    float value = (float)block[i] * (i < length ? gain + step * (float)i : after);
    block[i] = (gint16)CLAMP(value, -32768.0f, 32767.0f);
  }
}

void rostra_speech_fade(gint16 *block, gboolean in) {
  gint16 *from = in ? block : block + ROSTRA_BLOCK - FADE;
  for (int i = 0; i < FADE; i++) from[i] = (gint16)(from[i] * (in ? i : FADE - i) / FADE);
}
