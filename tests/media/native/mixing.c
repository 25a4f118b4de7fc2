/* The mixer without its thread: the test says when 20 ms have passed. Built together with the sound of the stage. */
#include "mixer.c"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "line.h"

GST_DEBUG_CATEGORY(rostra_debug);
void rostra_sink_setup(GstBaseSink *sink) {}

typedef struct {
  Ear *ear;
  Decoder *decoder;
  GMutex lock;
  GCond came;
  guint64 count;
  gint16 block[ROSTRA_BLOCK];
} Sim;

static guint64 now_tick = 1000;
static GPtrArray *ears_there;

static void sim_hear(gpointer user, const guint8 *payload, gsize size, guint64 tick) {
  Sim *sim = user;
  gint16 out[ROSTRA_DECODED_MOST] = {0};
  rostra_decode(sim->decoder, payload, size, out);
  g_mutex_lock(&sim->lock);
  memcpy(sim->block, out, sizeof sim->block);
  sim->count = tick;
  g_cond_signal(&sim->came);
  g_mutex_unlock(&sim->lock);
}

ROSTRA_EXPORT Leg *sim_speaker(const char *id, int even) {
  running = TRUE; /* no thread of its own */
  return rostra_speaker_join(id, even, NULL, NULL);
}

ROSTRA_EXPORT Listener *sim_listener(const char *id) {
  running = TRUE;
  return rostra_listener_join(id);
}

ROSTRA_EXPORT Sim *sim_ear(const char *id, int codec) {
  Sim *sim = g_new0(Sim, 1);
  running = TRUE;
  sim->decoder = rostra_decoder_new(codec);
  sim->ear = rostra_ear_join(id, codec, sim_hear, sim);
  if (!ears_there) ears_there = g_ptr_array_new();
  g_ptr_array_add(ears_there, sim);
  return sim;
}

ROSTRA_EXPORT void sim_tick(void) {
  static Sums sums;
  gint32 nothing[ROSTRA_BLOCK] = {0};
  Limiter none = {1};
  GstBuffer *silence = rostra_block_buffer(nothing, &none);
  g_mutex_lock(&lock);
  mix(++now_tick, &sums, silence);
  g_mutex_unlock(&lock);
  gst_buffer_unref(silence);
  for (guint i = 0; ears_there && i < ears_there->len; i++) {
    Sim *sim = ears_there->pdata[i];
    g_mutex_lock(&sim->lock);
    while (sim->count != now_tick) g_cond_wait(&sim->came, &sim->lock);
    g_mutex_unlock(&sim->lock);
  }
}

ROSTRA_EXPORT void sim_heard(Listener *listener, gint16 *out) {
  guint64 tick;
  GstBuffer *buffer = rostra_listener_pull(listener, &tick);
  gst_buffer_extract(buffer, 0, out, ROSTRA_BLOCK * sizeof *out);
  gst_buffer_unref(buffer);
}

ROSTRA_EXPORT void sim_ear_heard(Sim *sim, gint16 *out) { memcpy(out, sim->block, sizeof sim->block); }

ROSTRA_EXPORT void sim_ear_end(Sim *sim) {
  g_ptr_array_remove(ears_there, sim);
  rostra_ear_leave(sim->ear);
  rostra_decoder_free(sim->decoder);
  g_free(sim);
}

ROSTRA_EXPORT int sim_chosen(Leg *leg) { return leg->chosen; }
ROSTRA_EXPORT int sim_coders(void) { return rostra_coders_count(); }

ROSTRA_EXPORT Line *rostra_line_open(const RostraLineSetup *setup);

/* `suite`: both ways with the same key, 0: in the clear. */
ROSTRA_EXPORT Line *sim_line(const char *id, int codec, int type, int events, int tones, int suite) {
  int endpoint = socket(AF_INET, SOCK_DGRAM, 0);
  RostraLineSetup setup = {.leg = id, .name = "test@rostra", .rtp = endpoint, .rtcp = -1, .codec = codec,
                           .payload_type = type, .events = events, .events_clock = 8000, .tones = tones,
                           .in.suite = suite, .out.suite = suite};
  setup.codecs[type] = codec;
  setup.codecs[events] = ROSTRA_EVENTS;
  running = TRUE;
  Line *line = rostra_line_open(&setup);
  close(endpoint);
  return line;
}

/* Lock a packet as the far end of the line would, as its first. */
ROSTRA_EXPORT int sim_lock(int suite, guint8 *packet, int size) {
  RostraLineKey key = {.suite = suite};
  Srtp *far = rostra_srtp_new(&key, TRUE);
  int length = (int)rostra_srtp_lock(far, packet, (gsize)size, FALSE);
  rostra_srtp_free(far);
  return length;
}

/* Seconds that would be decoded now. */
ROSTRA_EXPORT double sim_room(Line *line) {
  g_mutex_lock(&line->lock);
  rostra_line_may_decode(line, g_get_monotonic_time());
  double room = line->sound.holds / ROSTRA_RATE;
  g_mutex_unlock(&line->lock);
  return room;
}

ROSTRA_EXPORT void sim_take(Line *line, const guint8 *packet, gsize size) {
  struct sockaddr_storage from = {0};
  guint8 copy[2048];
  ((struct sockaddr_in *)&from)->sin_family = AF_INET;
  memcpy(copy, packet, MIN(size, sizeof copy));
  rostra_line_take(line, copy, MIN(size, sizeof copy), &from);
}

ROSTRA_EXPORT int sim_report(Line *line, guint8 *out) {
  g_mutex_lock(&line->lock);
  g_mutex_lock(&line->sending);
  int size = (int)rostra_line_report(line, out, g_get_monotonic_time());
  g_mutex_unlock(&line->sending);
  g_mutex_unlock(&line->lock);
  return size;
}
