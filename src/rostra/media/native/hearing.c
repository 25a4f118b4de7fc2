/* What each leg hears of a block: what all with the same route hear, or something of its own, because it talks, is
 * played something, or hears itself. Whatever is encoded is encoded once for all who hear it. */
#include <math.h>
#include <string.h>

#include "sound.h"

#define LOOPBACK_MOST 30 /* s */
#define PLAY_MOST (ROSTRA_RATE * 600u)
#define FADE 240          /* 5 ms */
#define COMFORT 10.0      /* RMS: 70 dB below full scale */

static Coder *shared[1 << ROSTRA_GROUPS][ROSTRA_EVENTS]; /* by what is listened to and codec */

/* ---- comfort noise: a line without a sound would seem dead ------------------------------------------------------- */

static GstBuffer *comfort(guint64 tick) {
  static gint16 noise[ROSTRA_RATE];
  static gboolean made;
  if (!made) {
    guint32 seed = 1;
    float dull = 0;
    for (guint i = 0; i < G_N_ELEMENTS(noise); i++) {
      seed = seed * 1664525u + 1013904223u;
      float white = (float)(gint32)seed / 2147483648.0f;
      dull += 0.3f * (white - dull); /* more of the low, as in a room; a quarter of the power of the noise remains */
      noise[i] = (gint16)lrintf(dull * (float)(COMFORT * 1.732 * 2.38));
    }
    made = TRUE;
  }
  gsize at = tick % (G_N_ELEMENTS(noise) / ROSTRA_BLOCK) * ROSTRA_BLOCK;
  return gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, noise + at, ROSTRA_BLOCK * sizeof *noise, 0,
                                     ROSTRA_BLOCK * sizeof *noise, NULL, NULL);
}

/* ---- what one leg hears alone -------------------------------------------------------------------------------------- */

static void add_loopback(Leg *leg, gint32 *sum) {
  guint wanted = (guint)(CLAMP(leg->loopback, 0.02, LOOPBACK_MOST) * ROSTRA_RATE);
  if (leg->delay != wanted || !leg->delayed) {
    g_free(leg->delayed);
    leg->delayed = g_new0(gint16, wanted);
    leg->delay = wanted;
    leg->delay_at = 0;
  }
  for (int i = 0; i < ROSTRA_BLOCK; i++) {
    sum[i] = leg->delayed[leg->delay_at];
    leg->delayed[leg->delay_at] = leg->sounds ? leg->block[i] : 0;
    if (++leg->delay_at == leg->delay) leg->delay_at = 0;
  }
}

void rostra_leg_quiet(Leg *leg) {
  g_clear_pointer(&leg->prompt, g_free);
  leg->prompt_at = leg->prompt_end = 0;
}

/* `sum` may be NULL: only time passes. */
static void add_prompt(Leg *leg, gint32 *sum) {
  gsize count = MIN((gsize)ROSTRA_BLOCK, leg->prompt_end - leg->prompt_at);
  for (gsize i = 0; sum && i < count; i++) sum[i] += leg->prompt[leg->prompt_at + i];
  leg->prompt_at += count;
  if (leg->prompt_at == leg->prompt_end) rostra_leg_quiet(leg);
}

static gboolean silent(const gint32 *sum) {
  gint32 any = 0;
  for (int i = 0; i < ROSTRA_BLOCK; i++) any |= sum[i];
  return !any;
}

/* NULL: nothing but silence. */
static GstBuffer *alone(Leg *leg, Sums *sums, guint listens) {
  gint32 sum[ROSTRA_BLOCK];
  if (leg->loopback > 0) {
    add_loopback(leg, sum);
  } else {
    memcpy(sum, rostra_sums_of(sums, listens), sizeof sum);
    if (leg->mixed && (listens & leg->group))
      for (int i = 0; i < ROSTRA_BLOCK; i++) sum[i] -= leg->block[i];
  }
  if (leg->prompt) add_prompt(leg, sum);
  return silent(sum) ? NULL : rostra_block_buffer(sum, &leg->limiter);
}

/* ---- what several are played at once, such as the tone when somebody enters ------------------------------------------ */

typedef struct {
  guint64 mark, start; /* what is played, and since when */
  guint listens;
  guint64 tick; /* of `buffer` */
  GstBuffer *buffer;
  Coder *coder[ROSTRA_EVENTS];
} Choir;

static GArray *choirs;

static void choir_clear(gpointer data) {
  Choir *choir = data;
  gst_clear_buffer(&choir->buffer);
  for (int codec = 0; codec < ROSTRA_EVENTS; codec++) g_clear_pointer(&choir->coder[codec], rostra_coder_unref);
}

static Choir *choir_of(const Leg *leg, guint listens, guint64 tick) {
  guint64 start = tick - leg->prompt_at / ROSTRA_BLOCK;
  if (!choirs) {
    choirs = g_array_new(FALSE, TRUE, sizeof(Choir));
    g_array_set_clear_func(choirs, choir_clear);
  }
  for (guint i = 0; i < choirs->len; i++) {
    Choir *one = &g_array_index(choirs, Choir, i);
    if (one->mark == leg->prompt_mark && one->start == start && one->listens == listens) return one;
  }
  Choir fresh = {.mark = leg->prompt_mark, .start = start, .listens = listens};
  g_array_append_val(choirs, fresh);
  return &g_array_index(choirs, Choir, choirs->len - 1);
}

/* The block of who neither talks nor hears himself, with a reference; NULL: silence. */
static GstBuffer *sung(Leg *leg, Sums *sums, guint listens, guint64 tick) {
  Choir *choir = choir_of(leg, listens, tick);
  if (choir->tick == tick) {
    add_prompt(leg, NULL);
  } else {
    gst_clear_buffer(&choir->buffer);
    choir->buffer = alone(leg, sums, listens);
    choir->tick = tick;
  }
  for (GList *item = leg->ears; item; item = item->next) {
    Coder **coder = &choir->coder[((Ear *)item->data)->codec];
    if (!*coder) *coder = rostra_coder_new(((Ear *)item->data)->codec);
    rostra_coder_serve(*coder, item->data);
  }
  return choir->buffer ? gst_buffer_ref(choir->buffer) : NULL;
}

static void feed_choirs(Sums *sums, GstBuffer *nothing, guint64 tick) {
  for (guint i = choirs ? choirs->len : 0; i-- > 0;) {
    Choir *choir = &g_array_index(choirs, Choir, i);
    if (choir->tick != tick) {
      g_array_remove_index_fast(choirs, i);
      continue;
    }
    GstBuffer *buffer = choir->buffer ? choir->buffer : nothing;
    for (int codec = 0; codec < ROSTRA_EVENTS; codec++)
      if (choir->coder[codec] && rostra_coder_wanted(choir->coder[codec]))
        rostra_coder_feed(choir->coder[codec], buffer, sums->before[choir->listens], tick);
  }
}

/* ---- a block for everybody ------------------------------------------------------------------------------------------ */

typedef struct {
  guint64 tick;
  Sums *sums;
  GstBuffer *silence, *comfort;
  guint used; /* sets of groups that anybody with an ear listens to, as bits */
} Block;

static GstBuffer *common(Block *block, guint listens, gboolean soothing) {
  gboolean nothing = !(listens & block->sums->sounding);
  return rostra_sums_buffer(block->sums, listens, nothing && soothing && listens ? block->comfort : block->silence);
}

static void serve_alone(Leg *leg, Block *block, GstBuffer *buffer, guint listens) {
  for (GList *item = leg->ears; item; item = item->next) {
    Ear *ear = item->data;
    Coder **coder = &leg->coder[ear->codec];
    if (!*coder) *coder = rostra_coder_new(ear->codec);
    rostra_coder_serve(*coder, ear);
  }
  for (int codec = 0; codec < ROSTRA_EVENTS; codec++)
    if (leg->coder[codec] && rostra_coder_wanted(leg->coder[codec]))
      rostra_coder_feed(leg->coder[codec], buffer, block->sums->before[listens], block->tick);
}

static void serve_shared(Leg *leg, guint listens) {
  for (GList *item = leg->ears; item; item = item->next) {
    Ear *ear = item->data;
    Coder **coder = &shared[listens][ear->codec];
    if (!*coder) *coder = rostra_coder_new(ear->codec);
    rostra_coder_serve(*coder, ear);
  }
}

static void forget_idle(Coder **coders, guint64 tick) {
  for (int codec = 0; codec < ROSTRA_EVENTS; codec++)
    if (coders[codec] && rostra_coder_idle(coders[codec], tick)) g_clear_pointer(&coders[codec], rostra_coder_unref);
}

static void hear(Leg *leg, gpointer data) {
  if (!leg->listeners && !leg->ears) return;
  Block *block = data;
  guint listens = leg->hears ? leg->listens & ROSTRA_EVERYBODY : 0;
  if (leg->loopback <= 0) g_clear_pointer(&leg->delayed, g_free);
  gboolean single = leg->loopback > 0 || (leg->chosen && (listens & leg->group)), apart = single || leg->prompt;
  gboolean together = apart && !single && leg->ears;
  GstBuffer *own = together ? sung(leg, block->sums, listens, block->tick)
                   : apart  ? alone(leg, block->sums, listens)
                            : NULL;
  if (leg->ears) block->used |= 1u << listens;
  if (leg->ears && apart && !together) {
    gboolean soothing = listens && leg->loopback <= 0;
    serve_alone(leg, block, own ? own : soothing ? block->comfort : block->silence, listens);
  } else if (leg->ears && !together) {
    serve_shared(leg, listens);
  }
  forget_idle(leg->coder, block->tick);
  if (leg->listeners) {
    GstBuffer *buffer = own ? gst_buffer_ref(own) : apart ? gst_buffer_ref(block->silence) : common(block, listens, FALSE);
    for (GList *item = leg->listeners; item; item = item->next) rostra_listener_deliver(item->data, buffer, block->tick);
    gst_buffer_unref(buffer);
  }
  if (own) gst_buffer_unref(own);
}

void rostra_hearing_tick(guint64 tick, Sums *sums, GstBuffer *silence) {
  Block block = {tick, sums, silence, comfort(tick), 0};
  rostra_legs_each(hear, &block);
  feed_choirs(sums, block.comfort, tick);
  for (guint listens = 0; listens < 1u << ROSTRA_GROUPS; listens++) {
    gst_clear_buffer(&sums->before[listens]);
    if (!(block.used & 1u << listens)) continue;
    GstBuffer *buffer = common(&block, listens, TRUE);
    for (int codec = 0; codec < ROSTRA_EVENTS; codec++)
      if (shared[listens][codec] && rostra_coder_wanted(shared[listens][codec]))
        rostra_coder_feed(shared[listens][codec], buffer, NULL, tick);
    sums->before[listens] = buffer;
  }
  for (guint listens = 0; listens < 1u << ROSTRA_GROUPS; listens++) forget_idle(shared[listens], tick);
  gst_buffer_unref(block.comfort);
}

void rostra_hearing_end(Sums *sums) {
  if (choirs) g_array_set_size(choirs, 0);
  for (guint listens = 0; listens < 1u << ROSTRA_GROUPS; listens++) {
    gst_clear_buffer(&sums->before[listens]);
    for (int codec = 0; codec < ROSTRA_EVENTS; codec++) g_clear_pointer(&shared[listens][codec], rostra_coder_unref);
  }
}

void rostra_leg_deafen(Leg *leg) {
  for (int codec = 0; codec < ROSTRA_EVENTS; codec++) g_clear_pointer(&leg->coder[codec], rostra_coder_unref);
  g_clear_pointer(&leg->delayed, g_free);
  rostra_leg_quiet(leg);
}

/* ---- what is played to one leg --------------------------------------------------------------------------------------- */

/* FNV-1a, by samples. */
static guint64 marked(guint64 mark, const gint16 *samples, gsize count) {
  for (gsize i = 0; i < count; i++) mark = (mark ^ (guint16)samples[i]) * 0x100000001b3u;
  return mark ^ count;
}

ROSTRA_EXPORT double rostra_play(const char *id, const gint16 *samples, gsize count) {
  guint64 mark = marked(0xcbf29ce484222325u, samples, count);
  rostra_mixer_lock();
  Leg *leg = rostra_leg_of(id);
  gsize left = leg->prompt_end - leg->prompt_at;
  count = MIN(count, PLAY_MOST - MIN(left, PLAY_MOST));
  if (count) {
    gint16 *joined = g_new(gint16, left + count);
    if (left) memcpy(joined, leg->prompt + leg->prompt_at, left * sizeof *joined);
    memcpy(joined + left, samples, count * sizeof *joined);
    g_free(leg->prompt);
    leg->prompt_mark = left ? marked(mark ^ leg->prompt_mark, joined, left) : mark;
    leg->prompt = joined;
    leg->prompt_at = 0;
    leg->prompt_end = left + count;
  }
  double seconds = (double)(left + count) / ROSTRA_RATE;
  rostra_leg_settle(leg);
  rostra_mixer_unlock();
  return seconds;
}

ROSTRA_EXPORT void rostra_stop_playing(const char *id) {
  rostra_mixer_lock();
  Leg *leg = rostra_leg_known(id);
  if (leg && leg->prompt && (leg->listeners || leg->ears)) { /* what is cut off dies away */
    gsize left = MIN(leg->prompt_end - leg->prompt_at, (gsize)FADE);
    gint16 *next = leg->prompt + leg->prompt_at;
    for (gsize i = 0; i < left; i++) next[i] = (gint16)(next[i] * (int)(left - i) / (int)(left + 1));
    leg->prompt_end = leg->prompt_at + left;
    leg->prompt_mark = marked(leg->prompt_mark, next, left);
  } else if (leg) {
    rostra_leg_quiet(leg);
    rostra_leg_settle(leg);
  }
  rostra_mixer_unlock();
}
