/* One encoder for all who hear the same, and the threads that encode and send.
 *
 * A coder's blocks are encoded one after the other, on whichever thread is free. Who is served by a coder for the first
 * time has not had the packet before: then one is made that stands for itself. */
#include <string.h>

#include "sound.h"

#define MOST_THREADS 4
#define IDLE 250u     /* blocks, 5 s */
#define BEHIND 5u     /* blocks that may wait for their thread: then the machine is too slow, and the oldest go */
#define LOSS_LOOKS 50u /* blocks between two looks at what is lost */

typedef struct {
  GstBuffer *block, *warm;
  guint64 tick;
  gboolean apart;
  GPtrArray *ears;
} Job;

struct _Coder {
  int codec;
  gint references;
  /* under the mixer's lock */
  GPtrArray *served;
  gboolean apart;
  guint64 fed;
  /* under `lock` */
  GMutex lock;
  GQueue jobs;
  gboolean busy;
  /* of the thread that has made it busy */
  Encoder *encoder;
  guint looked;
};

static gint count;

/* ---- ears ------------------------------------------------------------------------------------------------------- */

Ear *rostra_ear_ref(Ear *ear) {
  g_atomic_int_inc(&ear->references);
  return ear;
}

void rostra_ear_unref(Ear *ear) {
  if (!g_atomic_int_dec_and_test(&ear->references)) return;
  g_mutex_clear(&ear->lock);
  g_free(ear);
}

/* ---- coders ------------------------------------------------------------------------------------------------------- */

Coder *rostra_coder_new(int codec) {
  Coder *self = g_new0(Coder, 1);
  self->codec = codec;
  self->references = 1;
  self->served = g_ptr_array_new_with_free_func((GDestroyNotify)rostra_ear_unref);
  g_mutex_init(&self->lock);
  g_queue_init(&self->jobs);
  g_atomic_int_inc(&count);
  return self;
}

static void job_free(gpointer data) {
  Job *job = data;
  gst_buffer_unref(job->block);
  if (job->warm) gst_buffer_unref(job->warm);
  g_ptr_array_unref(job->ears);
  g_free(job);
}

void rostra_coder_unref(Coder *self) {
  if (!g_atomic_int_dec_and_test(&self->references)) return;
  g_ptr_array_unref(self->served);
  g_queue_clear_full(&self->jobs, job_free);
  rostra_encoder_free(self->encoder);
  g_mutex_clear(&self->lock);
  g_free(self);
  g_atomic_int_add(&count, -1);
}

gint rostra_coders_count(void) { return g_atomic_int_get(&count); }

static void look_at_loss(Coder *self, const GPtrArray *ears) {
  if (self->looked++ % LOSS_LOOKS) return;
  gint most = 0;
  for (guint i = 0; i < ears->len; i++) most = MAX(most, g_atomic_int_get(&((Ear *)ears->pdata[i])->loss));
  rostra_encoder_expect_loss(self->encoder, most);
}

static int encode(Coder *self, GstBuffer *block, guint8 *payload, gboolean apart) {
  GstMapInfo map;
  if (!gst_buffer_map(block, &map, GST_MAP_READ)) return 0;
  int size = rostra_encode(self->encoder, (const gint16 *)map.data, payload, apart);
  gst_buffer_unmap(block, &map);
  return size;
}

static void carry_out(Coder *self, const Job *job) {
  guint8 payload[ROSTRA_PACKET_MOST];
  if (!self->encoder) self->encoder = rostra_encoder_new(self->codec);
  look_at_loss(self, job->ears);
  if (job->warm) encode(self, job->warm, payload, FALSE);
  int size = encode(self, job->block, payload, job->apart);
  for (guint i = 0; size > 0 && i < job->ears->len; i++) {
    Ear *ear = job->ears->pdata[i];
    g_mutex_lock(&ear->lock);
    if (!ear->gone) ear->hear(ear->user, payload, (gsize)size, job->tick);
    g_mutex_unlock(&ear->lock);
  }
}

static void work(gpointer data, gpointer unused) {
  static _Thread_local gboolean hurried;
  Coder *self = data;
  if (!hurried) rostra_hurry();
  hurried = TRUE;
  g_mutex_lock(&self->lock);
  Job *job;
  while ((job = g_queue_pop_head(&self->jobs))) {
    g_mutex_unlock(&self->lock);
    carry_out(self, job);
    job_free(job);
    g_mutex_lock(&self->lock);
  }
  self->busy = FALSE;
  g_mutex_unlock(&self->lock);
  rostra_coder_unref(self);
}

static GThreadPool *pool(void) {
  static GThreadPool *made;
  if (!made) made = g_thread_pool_new(work, NULL, (gint)MIN(g_get_num_processors(), MOST_THREADS), FALSE, NULL);
  return made;
}

void rostra_coder_serve(Coder *self, Ear *ear) {
  if (ear->coder != self) {
    ear->coder = self;
    self->apart = TRUE;
  }
  g_ptr_array_add(self->served, rostra_ear_ref(ear));
}

void rostra_coder_feed(Coder *self, GstBuffer *block, GstBuffer *warm, guint64 tick) {
  Job *job = g_new0(Job, 1);
  job->block = gst_buffer_ref(block);
  if (warm && self->fed + 1 != tick) job->warm = gst_buffer_ref(warm);
  job->tick = tick;
  job->apart = self->apart;
  job->ears = self->served;
  self->served = g_ptr_array_new_with_free_func((GDestroyNotify)rostra_ear_unref);
  self->apart = FALSE;
  self->fed = tick;
  g_mutex_lock(&self->lock);
  if (self->jobs.length >= BEHIND) job_free(g_queue_pop_head(&self->jobs));
  g_queue_push_tail(&self->jobs, job);
  gboolean begin = !self->busy;
  self->busy = TRUE;
  g_mutex_unlock(&self->lock);
  if (!begin) return;
  g_atomic_int_inc(&self->references);
  g_thread_pool_push(pool(), self, NULL);
}

gboolean rostra_coder_idle(const Coder *self, guint64 tick) { return self->fed + IDLE < tick; }

gboolean rostra_coder_wanted(const Coder *self) { return self->served->len > 0; }
