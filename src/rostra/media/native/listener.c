/* Who hears samples: a queue of blocks for each, which the mixer fills and never waits for. The mixer's lock covers it. */
#include "sound.h"

#define QUEUE_BLOCKS 3 /* a listener that is later than this loses the oldest */

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

static gint listener_count;

Listener *rostra_listener_join(const char *id) {
  Listener *listener = g_new0(Listener, 1);
  g_cond_init(&listener->arrived);
  rostra_mixer_lock();
  listener->leg = rostra_leg_of(id);
  listener->leg->listeners = g_list_prepend(listener->leg->listeners, listener);
  listener_count++;
  rostra_mixer_use();
  rostra_mixer_unlock();
  return listener;
}

void rostra_listener_leave(Listener *listener) {
  rostra_mixer_lock();
  listener->leg->listeners = g_list_remove(listener->leg->listeners, listener);
  rostra_leg_settle(listener->leg);
  rostra_mixer_unuse();
  listener_count--;
  rostra_mixer_unlock();
  for (guint i = 0; i < listener->count; i++) gst_buffer_unref(listener->queue[i].buffer);
  g_cond_clear(&listener->arrived);
  g_free(listener);
}

void rostra_listener_deliver(Listener *listener, GstBuffer *buffer, guint64 tick) {
  if (listener->count == QUEUE_BLOCKS) {
    gst_buffer_unref(listener->queue[0].buffer);
    for (guint i = 1; i < QUEUE_BLOCKS; i++) listener->queue[i - 1] = listener->queue[i];
    listener->count--;
  }
  listener->queue[listener->count++] = (Block){gst_buffer_ref(buffer), tick};
  g_cond_signal(&listener->arrived);
}

GstBuffer *rostra_listener_pull(Listener *listener, guint64 *tick) {
  GstBuffer *buffer = NULL;
  rostra_mixer_lock();
  while (!listener->flushing && listener->count == 0) rostra_mixer_wait(&listener->arrived);
  if (!listener->flushing) {
    buffer = listener->queue[0].buffer;
    *tick = listener->queue[0].tick;
    listener->count--;
    for (guint i = 0; i < listener->count; i++) listener->queue[i] = listener->queue[i + 1];
  }
  rostra_mixer_unlock();
  return buffer;
}

void rostra_listener_flush(Listener *listener, gboolean flushing) {
  rostra_mixer_lock();
  listener->flushing = flushing;
  g_cond_signal(&listener->arrived);
  rostra_mixer_unlock();
}

gint rostra_listener_count(void) { return listener_count; }
