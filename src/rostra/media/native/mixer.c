/* Everybody hears everybody else: one thread, one tick of 20 ms.
 *
 * A leg is known by its id as long as it has a sink (speaker), a source (listener or ear), a route or something to play.
 * One lock covers all of it: a tick over hundreds of legs takes well under a millisecond, a push a few microseconds.
 * Buffers are made and handed out inside it, but nothing in it waits, and nothing is encoded in it. */
#include <errno.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sound.h"

#define TICK_NS 20000000
#define LOUDEST 8u         /* participants that are mixed at a time */
#define STAYS 6            /* dB by which another must be louder than who is mixed already */
#define URGENT (-11)       /* nice value: a picture may be late, sound may not */
#define CONCEALED_MOST 5u  /* blocks in a row: after that, silence is better */

static GMutex lock;
static GHashTable *legs;
static int users; /* speakers, listeners and ears */
static gboolean running;
static gint speaker_count, ear_count, talker_count, mixers;

void rostra_mixer_lock(void) { g_mutex_lock(&lock); }
void rostra_mixer_unlock(void) { g_mutex_unlock(&lock); }
void rostra_mixer_wait(GCond *condition) { g_cond_wait(condition, &lock); }

/* ---- legs ---------------------------------------------------------------------------------------------- */

static void route_default(Leg *leg) {
  leg->routed = FALSE;
  leg->speaks = leg->hears = TRUE;
  leg->loopback = 0;
  leg->group = ROSTRA_PARTICIPANT;
  leg->listens = ROSTRA_EVERYBODY;
}

Leg *rostra_leg_of(const char *id) {
  if (!legs) legs = g_hash_table_new(g_str_hash, g_str_equal);
  Leg *leg = g_hash_table_lookup(legs, id);
  if (!leg) {
    leg = g_new0(Leg, 1);
    leg->id = g_strdup(id);
    g_mutex_init(&leg->cleaning);
    route_default(leg);
    rostra_speech_reset(&leg->speech);
    g_hash_table_insert(legs, leg->id, leg);
  }
  return leg;
}

Leg *rostra_leg_known(const char *id) { return legs ? g_hash_table_lookup(legs, id) : NULL; }

void rostra_leg_settle(Leg *leg) {
  if (leg->speakers || leg->listeners || leg->ears || leg->routed || leg->prompt) return;
  g_hash_table_remove(legs, leg->id);
  rostra_leg_deafen(leg);
  rostra_cleaner_free(leg->cleaner);
  g_mutex_clear(&leg->cleaning);
  g_free(leg->id);
  g_free(leg);
}

void rostra_legs_each(RostraEach each, gpointer user) {
  GHashTableIter iter;
  gpointer value;
  if (!legs) return;
  g_hash_table_iter_init(&iter, legs);
  while (g_hash_table_iter_next(&iter, NULL, &value)) each(value, user);
}

/* ---- what comes ------------------------------------------------------------------------------------------ */

static void speaker_reset(Leg *leg) {
  rostra_ring_reset(&leg->ring);
  rostra_speech_reset(&leg->speech);
  leg->sounds = leg->chosen = leg->mixed = FALSE;
  leg->concealed = 0;
}

static void push(Leg *leg, const gint16 *samples, gsize count) {
  g_mutex_lock(&lock);
  leg->concealed = 0;
  rostra_ring_push(&leg->ring, samples, count);
  g_mutex_unlock(&lock);
}

void rostra_speaker_push(Leg *leg, const gint16 *samples, gsize count) {
  gint16 clean[ROSTRA_DECODED_MOST + ROSTRA_BLOCK];
  if (!leg->even || !rostra_cleaning()) {
    push(leg, samples, count);
    return;
  }
  while (count) { /* outside the lock: it takes its time */
    gsize part = MIN(count, ROSTRA_DECODED_MOST);
    g_mutex_lock(&leg->cleaning);
    if (!leg->cleaner) leg->cleaner = rostra_cleaner_new();
    gsize done = rostra_clean(leg->cleaner, samples, part, clean);
    g_mutex_unlock(&leg->cleaning);
    if (done) push(leg, clean, done);
    samples += part;
    count -= part;
  }
}

void rostra_speaker_late(Leg *leg, guint late) {
  g_mutex_lock(&lock);
  rostra_ring_late(&leg->ring, late);
  g_mutex_unlock(&lock);
}

static gboolean wants(const Leg *leg) {
  if (!leg->ring.playing) return leg->ring.fill < ROSTRA_RING_TARGET;
  return leg->ring.fill < ROSTRA_BLOCK && leg->concealed < CONCEALED_MOST;
}

/* Its sound is about to run out: what is missing may be made up for a while. After a pause, what has come waits for
 * nothing. */
static void fill_in(Leg *leg) {
  gint16 likely[ROSTRA_DECODED_MOST];
  gboolean playing = leg->ring.playing;
  while (wants(leg)) {
    int count = leg->conceal(leg->conceal_user, playing, likely);
    if (count <= 0) return;
    leg->concealed = playing ? leg->concealed + 1 : 0;
    rostra_ring_push(&leg->ring, likely, (gsize)count);
  }
}

static void take(Leg *leg, gpointer data) {
  if (!leg->speakers) return;
  GPtrArray *talkers = data;
  gboolean chosen = leg->chosen && !leg->speech.faded;
  leg->speech.faded = FALSE;
  if (leg->conceal) fill_in(leg);
  leg->sounds = rostra_ring_pop(&leg->ring, leg->block);
  rostra_speech_measure(&leg->speech, leg->sounds ? leg->block : NULL);
  if (leg->sounds && leg->speech.now <= -127) leg->sounds = FALSE;
  leg->mixed = leg->chosen = FALSE;
  if (!leg->speaks || leg->loopback > 0) return;
  if (leg->group & ROSTRA_PARTICIPANT) {
    if (!leg->speech.talks) return;
    leg->speech.talked = chosen;
    g_ptr_array_add(talkers, leg);
  } else {
    leg->chosen = leg->sounds;
  }
}

static float standing(const Leg *leg) { return leg->speech.weight + (leg->speech.talked ? STAYS : 0); }

static gint by_loudness(gconstpointer one, gconstpointer other) {
  float first = standing(*(Leg *const *)one), second = standing(*(Leg *const *)other);
  return first < second ? 1 : first > second ? -1 : 0;
}

static void choose(GPtrArray *talkers) {
  if (talkers->len > LOUDEST) g_ptr_array_sort(talkers, by_loudness);
  for (guint i = 0; i < talkers->len; i++) {
    Leg *leg = talkers->pdata[i];
    Speech *speech = &leg->speech;
    leg->chosen = i < LOUDEST;
    if (!leg->sounds) continue;
    if (leg->even) rostra_speech_level(speech, leg->block);
    if (leg->chosen && !speech->talked) rostra_speech_fade(leg->block, TRUE);
    speech->faded = speech->talked && !leg->chosen; /* it gives way to others: one block more, that dies away */
    if (speech->faded) leg->chosen = TRUE;
    if (leg->chosen && speech->hold == 1) speech->faded = TRUE;
    if (speech->faded) rostra_speech_fade(leg->block, FALSE);
  }
}

static void add(Leg *leg, gpointer data) {
  if (!leg->chosen || !leg->sounds) return;
  leg->mixed = TRUE;
  rostra_sums_add(data, leg->group, leg->block);
}

static void mix(guint64 tick, Sums *sums, GstBuffer *silence) {
  static GPtrArray *talkers; /* under the lock */
  if (!talkers) talkers = g_ptr_array_new();
  g_ptr_array_set_size(talkers, 0);
  rostra_sums_begin(sums);
  rostra_legs_each(take, talkers);
  choose(talkers);
  talker_count = (gint)MIN(talkers->len, LOUDEST);
  rostra_legs_each(add, sums);
  rostra_hearing_tick(tick, sums, silence);
  rostra_sums_end(sums);
}

static gint64 now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

void rostra_hurry(void) {
  if (setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), URGENT) == 0) return;
  GST_INFO("sound has no precedence: %s", g_strerror(errno)); /* it works without, on a machine that is not too busy */
}

static gpointer run(gpointer data) {
  static Sums sums; /* under the lock; too big for a stack */
  gint32 nothing[ROSTRA_BLOCK] = {0};
  Limiter none = {1};
  GstBuffer *silence = rostra_block_buffer(nothing, &none);
  GST_BUFFER_FLAG_SET(silence, GST_BUFFER_FLAG_GAP);
  gint64 tick = now_ns() / TICK_NS + 1;
  rostra_hurry();
  for (;;) {
    struct timespec until = {tick * TICK_NS / 1000000000, tick * TICK_NS % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
    g_mutex_lock(&lock);
    if (users == 0) {
      running = FALSE;
      rostra_hearing_end(&sums);
      g_mutex_unlock(&lock);
      break;
    }
    mix((guint64)tick, &sums, silence);
    g_mutex_unlock(&lock);
    tick = MAX(tick + 1, now_ns() / TICK_NS); /* what was missed is gone */
  }
  gst_buffer_unref(silence);
  g_atomic_int_dec_and_test(&mixers);
  return NULL;
}

void rostra_mixer_use(void) {
  users++;
  if (running) return;
  running = TRUE;
  g_atomic_int_inc(&mixers);
  g_thread_unref(g_thread_new("rostra-mixer", run, NULL));
}

void rostra_mixer_unuse(void) { users--; }

/* ---- speakers and ears ---------------------------------------------------------------------------- */

Leg *rostra_speaker_join(const char *id, gboolean even, RostraConceal conceal, gpointer user) {
  g_mutex_lock(&lock);
  Leg *leg = rostra_leg_of(id);
  if (leg->speakers++ == 0) speaker_reset(leg);
  leg->even = even;
  leg->conceal = conceal;
  leg->conceal_user = user;
  speaker_count++;
  rostra_mixer_use();
  g_mutex_unlock(&lock);
  return leg;
}

void rostra_speaker_leave(Leg *leg) {
  g_mutex_lock(&lock);
  users--;
  speaker_count--;
  leg->conceal = NULL;
  if (--leg->speakers == 0) speaker_reset(leg);
  rostra_leg_settle(leg);
  g_mutex_unlock(&lock);
}

Ear *rostra_ear_join(const char *id, int codec, RostraHear hear, gpointer user) {
  Ear *ear = g_new0(Ear, 1);
  ear->codec = codec;
  ear->hear = hear;
  ear->user = user;
  ear->references = 1;
  g_mutex_init(&ear->lock);
  g_mutex_lock(&lock);
  ear->leg = rostra_leg_of(id);
  ear->leg->ears = g_list_prepend(ear->leg->ears, ear);
  ear_count++;
  rostra_mixer_use();
  g_mutex_unlock(&lock);
  return ear;
}

void rostra_ear_leave(Ear *ear) {
  g_mutex_lock(&lock);
  ear->leg->ears = g_list_remove(ear->leg->ears, ear);
  rostra_leg_settle(ear->leg);
  users--;
  ear_count--;
  g_mutex_unlock(&lock);
  g_mutex_lock(&ear->lock);
  ear->gone = TRUE;
  g_mutex_unlock(&ear->lock);
  rostra_ear_unref(ear);
}

/* ---- control ------------------------------------------------------------------------------------------------------ */

ROSTRA_EXPORT void rostra_set_route(const char *id, int speaks, int hears, double loopback, int group, int listens) {
  g_mutex_lock(&lock);
  Leg *leg = rostra_leg_of(id);
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
  Leg *leg = rostra_leg_known(id);
  if (leg) {
    route_default(leg);
    rostra_leg_quiet(leg);
    rostra_leg_settle(leg);
  }
  g_mutex_unlock(&lock);
}

typedef struct {
  RostraLevel *out;
  int room, count;
} Listed;

static void list_level(Leg *leg, gpointer data) {
  Listed *listed = data;
  if (!leg->speakers || !(leg->group & ROSTRA_PARTICIPANT)) return;
  if (listed->count < listed->room) {
    g_strlcpy(listed->out[listed->count].id, leg->id, ROSTRA_ID_SIZE);
    listed->out[listed->count].level = leg->speech.level;
  }
  listed->count++;
}

ROSTRA_EXPORT int rostra_levels(RostraLevel *out, int room) {
  Listed listed = {out, room, 0};
  g_mutex_lock(&lock);
  rostra_legs_each(list_level, &listed);
  g_mutex_unlock(&lock);
  return listed.count;
}

void rostra_mixer_state(RostraState *state) {
  g_mutex_lock(&lock);
  state->legs = legs ? (gint32)g_hash_table_size(legs) : 0;
  state->speakers = speaker_count;
  state->listeners = rostra_listener_count();
  state->ears = ear_count;
  state->talkers = users ? talker_count : 0;
  g_mutex_unlock(&lock);
  state->mixers = g_atomic_int_get(&mixers);
  state->coders = rostra_coders_count();
  state->lines = rostra_lines_count();
}
