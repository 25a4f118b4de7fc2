/* Everybody hears everybody else: one thread, one tick of 20 ms, N-1 sums.
 *
 * A leg is known by its id as long as it has a sink (speaker), a source (listener), a route or something to play.
 * One lock covers all of it: a tick over hundreds of legs takes well under a millisecond, a push a few
 * microseconds. Buffers are made and handed out inside it, but nothing in it waits. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "rostra.h"

#define LEVEL_BLOCKS 5              /* 100 ms */
#define QUEUE_BLOCKS 3              /* a listener that is later than this loses the oldest */
#define LOOPBACK_MOST 30            /* s */
#define PLAY_MOST (ROSTRA_RATE * 600u)
#define TICK_NS 20000000

struct _Leg {
  char id[ROSTRA_ID_SIZE];
  int speakers;
  GList *listeners;
  gboolean routed, speaks, hears;
  double loopback;
  guint group, listens; /* bits of ROSTRA_EVERYBODY */

  Ring ring;
  gint16 block[ROSTRA_BLOCK];
  gboolean sounds; /* `block` has something in it */

  double squares;
  int blocks;
  float level;

  gint16 *delayed; /* loopback line */
  guint delay, delay_at;

  gint16 *prompt;
  gsize prompt_at, prompt_end;
};

typedef struct {
  GstBuffer *buffer;
  guint64 tick;
} Block;

struct _Listener {
  Leg *leg;
  GCond arrived;
  gboolean flushing;
  Block queue[QUEUE_BLOCKS];
  guint count;
};

static GMutex lock;
static GHashTable *legs;
static int users; /* speakers and listeners */
static gboolean running;
static gint speaker_count, listener_count, mixers;

/* ---- legs ---------------------------------------------------------------------------------------------- */

static void route_default(Leg *leg) {
  leg->routed = FALSE;
  leg->speaks = leg->hears = TRUE;
  leg->loopback = 0;
  leg->group = ROSTRA_PARTICIPANT;
  leg->listens = ROSTRA_EVERYBODY;
}

static Leg *leg_of(const char *id) {
  if (!legs) legs = g_hash_table_new(g_str_hash, g_str_equal);
  Leg *leg = g_hash_table_lookup(legs, id);
  if (!leg) {
    leg = g_new0(Leg, 1);
    g_strlcpy(leg->id, id, sizeof leg->id);
    route_default(leg);
    leg->level = -127;
    g_hash_table_insert(legs, leg->id, leg);
  }
  return leg;
}

static Leg *leg_known(const char *id) { return legs ? g_hash_table_lookup(legs, id) : NULL; }

static void leg_settle(Leg *leg) {
  if (leg->speakers || leg->listeners || leg->routed || leg->prompt) return;
  g_hash_table_remove(legs, leg->id);
  g_free(leg->delayed);
  g_free(leg);
}

static void prompt_drop(Leg *leg) {
  g_clear_pointer(&leg->prompt, g_free);
  leg->prompt_at = leg->prompt_end = 0;
}

/* ---- one source -------------------------------------------------------------------------------------------- */

static void speaker_reset(Leg *leg) {
  rostra_ring_reset(&leg->ring);
  leg->sounds = FALSE;
  leg->squares = leg->blocks = 0;
  leg->level = -127;
}

void rostra_speaker_push(Leg *leg, const gint16 *samples, gsize count) {
  g_mutex_lock(&lock);
  rostra_ring_push(&leg->ring, samples, count);
  g_mutex_unlock(&lock);
}

static void measure(Leg *leg) {
  double squares = 0;
  if (leg->sounds) {
    gint64 sum = 0;
    for (int i = 0; i < ROSTRA_BLOCK; i++) sum += (gint32)leg->block[i] * leg->block[i];
    squares = (double)sum;
  }
  leg->squares += squares;
  leg->sounds = squares > 0;
  if (++leg->blocks < LEVEL_BLOCKS) return;
  double mean = leg->squares / (LEVEL_BLOCKS * ROSTRA_BLOCK) / (32768.0 * 32768.0);
  leg->level = mean > 0 ? (float)MAX(-127.0, 10 * log10(mean)) : -127.0f;
  leg->squares = leg->blocks = 0;
}

/* ---- mixing ------------------------------------------------------------------------------------------------ */

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

static void add_prompt(Leg *leg, gint32 *sum) {
  gsize count = MIN((gsize)ROSTRA_BLOCK, leg->prompt_end - leg->prompt_at);
  for (gsize i = 0; i < count; i++) sum[i] += leg->prompt[leg->prompt_at + i];
  leg->prompt_at += count;
  if (leg->prompt_at == leg->prompt_end) prompt_drop(leg);
}

/* What one leg hears in this block; the shared buffers serve everybody without anything of their own. */
static GstBuffer *heard(Leg *leg, Sums *sums, GstBuffer *silence) {
  gint32 sum[ROSTRA_BLOCK];
  guint listens = leg->hears ? leg->listens : 0;
  gboolean own = leg->sounds && leg->speaks && leg->loopback <= 0 && (listens & leg->group);
  if (leg->loopback > 0) {
    add_loopback(leg, sum);
  } else {
    g_clear_pointer(&leg->delayed, g_free);
    if (!own && !leg->prompt) return rostra_sums_buffer(sums, listens, silence);
    memcpy(sum, rostra_sums_of(sums, listens), sizeof sum);
    if (own)
      for (int i = 0; i < ROSTRA_BLOCK; i++) sum[i] -= leg->block[i];
  }
  if (leg->prompt) add_prompt(leg, sum);
  return rostra_block_buffer(sum);
}

static void deliver(Listener *listener, GstBuffer *buffer, guint64 tick) {
  if (listener->count == QUEUE_BLOCKS) {
    gst_buffer_unref(listener->queue[0].buffer);
    memmove(listener->queue, listener->queue + 1, sizeof(Block) * (QUEUE_BLOCKS - 1));
    listener->count--;
  }
  listener->queue[listener->count++] = (Block){gst_buffer_ref(buffer), tick};
  g_cond_signal(&listener->arrived);
}

static void mix(guint64 tick, GstBuffer *silence) {
  static Sums sums; /* under the lock; too big for a stack */
  GHashTableIter iter;
  gpointer value;
  rostra_sums_begin(&sums);
  g_hash_table_iter_init(&iter, legs);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Leg *leg = value;
    if (!leg->speakers) continue;
    leg->sounds = rostra_ring_pop(&leg->ring, leg->block);
    measure(leg);
    if (leg->sounds && leg->speaks && leg->loopback <= 0) rostra_sums_add(&sums, leg->group, leg->block);
  }
  g_hash_table_iter_init(&iter, legs);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Leg *leg = value;
    if (!leg->listeners) continue;
    GstBuffer *buffer = heard(leg, &sums, silence);
    for (GList *item = leg->listeners; item; item = item->next) deliver(item->data, buffer, tick);
    gst_buffer_unref(buffer);
  }
  rostra_sums_end(&sums);
}

static gint64 now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static gpointer run(gpointer data) {
  gint32 nothing[ROSTRA_BLOCK] = {0};
  GstBuffer *silence = rostra_block_buffer(nothing);
  GST_BUFFER_FLAG_SET(silence, GST_BUFFER_FLAG_GAP);
  gint64 tick = now_ns() / TICK_NS + 1;
  for (;;) {
    struct timespec until = {tick * TICK_NS / 1000000000, tick * TICK_NS % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
    g_mutex_lock(&lock);
    if (users == 0) {
      running = FALSE;
      g_mutex_unlock(&lock);
      break;
    }
    mix((guint64)tick, silence);
    g_mutex_unlock(&lock);
    tick = MAX(tick + 1, now_ns() / TICK_NS); /* what was missed is gone */
  }
  gst_buffer_unref(silence);
  g_atomic_int_dec_and_test(&mixers);
  return NULL;
}

static void ensure_running(void) {
  if (running) return;
  running = TRUE;
  g_atomic_int_inc(&mixers);
  g_thread_unref(g_thread_new("rostra-mixer", run, NULL));
}

/* ---- speakers and listeners ------------------------------------------------------------------------------------ */

Leg *rostra_speaker_join(const char *id) {
  g_mutex_lock(&lock);
  Leg *leg = leg_of(id);
  if (leg->speakers++ == 0) speaker_reset(leg);
  users++;
  speaker_count++;
  ensure_running();
  g_mutex_unlock(&lock);
  return leg;
}

void rostra_speaker_leave(Leg *leg) {
  g_mutex_lock(&lock);
  users--;
  speaker_count--;
  if (--leg->speakers == 0) speaker_reset(leg);
  leg_settle(leg);
  g_mutex_unlock(&lock);
}

Listener *rostra_listener_join(const char *id) {
  Listener *listener = g_new0(Listener, 1);
  g_cond_init(&listener->arrived);
  g_mutex_lock(&lock);
  listener->leg = leg_of(id);
  listener->leg->listeners = g_list_prepend(listener->leg->listeners, listener);
  users++;
  listener_count++;
  ensure_running();
  g_mutex_unlock(&lock);
  return listener;
}

void rostra_listener_leave(Listener *listener) {
  g_mutex_lock(&lock);
  listener->leg->listeners = g_list_remove(listener->leg->listeners, listener);
  leg_settle(listener->leg);
  users--;
  listener_count--;
  g_mutex_unlock(&lock);
  for (guint i = 0; i < listener->count; i++) gst_buffer_unref(listener->queue[i].buffer);
  g_cond_clear(&listener->arrived);
  g_free(listener);
}

GstBuffer *rostra_listener_pull(Listener *listener, guint64 *tick) {
  GstBuffer *buffer = NULL;
  g_mutex_lock(&lock);
  while (!listener->flushing && listener->count == 0) g_cond_wait(&listener->arrived, &lock);
  if (!listener->flushing) {
    buffer = listener->queue[0].buffer;
    *tick = listener->queue[0].tick;
    memmove(listener->queue, listener->queue + 1, sizeof(Block) * --listener->count);
  }
  g_mutex_unlock(&lock);
  return buffer;
}

void rostra_listener_flush(Listener *listener, gboolean flushing) {
  g_mutex_lock(&lock);
  listener->flushing = flushing;
  g_cond_signal(&listener->arrived);
  g_mutex_unlock(&lock);
}

/* ---- control ------------------------------------------------------------------------------------------------------ */

ROSTRA_EXPORT void rostra_set_route(const char *id, int speaks, int hears, double loopback, int group, int listens) {
  g_mutex_lock(&lock);
  Leg *leg = leg_of(id);
  leg->routed = TRUE;
  leg->speaks = speaks != 0;
  leg->hears = hears != 0;
  leg->loopback = isfinite(loopback) ? loopback : 0;
  leg->group = (guint)group;
  leg->listens = (guint)listens;
  g_mutex_unlock(&lock);
}

ROSTRA_EXPORT void rostra_remove_route(const char *id) {
  g_mutex_lock(&lock);
  Leg *leg = leg_known(id);
  if (leg) {
    route_default(leg);
    prompt_drop(leg);
    leg_settle(leg);
  }
  g_mutex_unlock(&lock);
}

ROSTRA_EXPORT double rostra_play(const char *id, const gint16 *samples, gsize count) {
  g_mutex_lock(&lock);
  Leg *leg = leg_of(id);
  gsize left = leg->prompt_end - leg->prompt_at;
  count = MIN(count, PLAY_MOST - MIN(left, PLAY_MOST));
  if (count) {
    gint16 *joined = g_new(gint16, left + count);
    if (left) memcpy(joined, leg->prompt + leg->prompt_at, left * sizeof *joined);
    memcpy(joined + left, samples, count * sizeof *joined);
    g_free(leg->prompt);
    leg->prompt = joined;
    leg->prompt_at = 0;
    leg->prompt_end = left + count;
  }
  double seconds = (double)(left + count) / ROSTRA_RATE;
  leg_settle(leg);
  g_mutex_unlock(&lock);
  return seconds;
}

ROSTRA_EXPORT void rostra_stop_playing(const char *id) {
  g_mutex_lock(&lock);
  Leg *leg = leg_known(id);
  if (leg) {
    prompt_drop(leg);
    leg_settle(leg);
  }
  g_mutex_unlock(&lock);
}

ROSTRA_EXPORT int rostra_levels(RostraLevel *out, int room) {
  int count = 0;
  GHashTableIter iter;
  gpointer value;
  g_mutex_lock(&lock);
  if (legs) {
    g_hash_table_iter_init(&iter, legs);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
      const Leg *leg = value;
      if (!leg->speakers || !(leg->group & ROSTRA_PARTICIPANT)) continue;
      if (count < room) {
        g_strlcpy(out[count].id, leg->id, ROSTRA_ID_SIZE);
        out[count].level = leg->level;
      }
      count++;
    }
  }
  g_mutex_unlock(&lock);
  return count;
}

void rostra_mixer_state(RostraState *state) {
  g_mutex_lock(&lock);
  state->legs = legs ? (gint32)g_hash_table_size(legs) : 0;
  state->speakers = speaker_count;
  state->listeners = listener_count;
  g_mutex_unlock(&lock);
  state->mixers = g_atomic_int_get(&mixers);
}
