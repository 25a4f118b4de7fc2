/* Lines and the threads that serve their sockets: many lines to a thread, nothing allocated for a packet in order. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "line.h"

#define THREADS_MOST 4u
#define BATCH 64           /* packets a look */
#define PACKET_ROOM 2048
#define DROPPED_MOST 32u   /* packets that are dropped in a look */
#define PAUSE_NS 2000000   /* between two looks while there are many lines: less waking up; or a flood */
#define MANY 8u            /* lines of a thread */
#define LOOK_MS 250
#define REPORTS (5 * G_USEC_PER_SEC) /* between two reports, give or take half */
#define KEYS_MOST 256u

typedef struct {
  GMutex lock; /* over the table, and held while packets are taken */
  GHashTable *lines; /* by handle */
  int poll;
  gboolean running;
  gint64 looked;
} Server;

static GMutex lock; /* over all below, and the making of servers */
static Server *servers;
static guint server_count;
static guint64 handles;
static gint line_count;
static GQueue keys = G_QUEUE_INIT;
static int keys_signal = -1;

typedef struct {
  guint64 handle;
  char key;
} Pressed;

/* ---- serving ----------------------------------------------------------------------------------------------------- */

/* FALSE: nothing of use came, and there may be much more of it. */
static gboolean take_packets(Line *line, int socket) {
  static _Thread_local guint8 packet[PACKET_ROOM];
  for (guint dropped = 0; dropped < DROPPED_MOST; dropped++) {
    struct sockaddr_storage from = {0};
    socklen_t length = sizeof from;
    ssize_t size = recvfrom(socket, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    if (size <= 0 || rostra_line_take(line, packet, (gsize)size, &from)) return TRUE;
  }
  return FALSE;
}

static void report_all(Server *server, gint64 now) {
  GHashTableIter iter;
  gpointer value;
  server->looked = now;
  g_hash_table_iter_init(&iter, server->lines);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Line *line = value;
    if (now < line->report_due) continue;
    line->report_due = now + REPORTS / 2 + g_random_int_range(0, REPORTS);
    rostra_line_send_report(line, now);
  }
}

static gpointer serve(gpointer data) {
  Server *server = data;
  struct epoll_event events[BATCH];
  rostra_hurry();
  for (;;) {
    int count = epoll_wait(server->poll, events, BATCH, LOOK_MS);
    gboolean flooded = FALSE;
    g_mutex_lock(&server->lock);
    for (int i = 0; i < count; i++) {
      guint64 handle = events[i].data.u64 >> 1;
      Line *line = g_hash_table_lookup(server->lines, &handle);
      if (line) flooded |= !take_packets(line, events[i].data.u64 & 1 ? line->rtcp : line->rtp);
    }
    gint64 now = g_get_monotonic_time();
    if (now - server->looked > LOOK_MS * 1000) report_all(server, now);
    guint lines = g_hash_table_size(server->lines);
    if (!lines) {
      server->running = FALSE;
      g_mutex_unlock(&server->lock);
      return NULL;
    }
    g_mutex_unlock(&server->lock);
    if (flooded || (lines > MANY && count > 0 && count < BATCH)) nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
  }
}

static Server *server_of(guint64 handle) {
  g_mutex_lock(&lock);
  if (!servers) {
    server_count = MIN(g_get_num_processors(), THREADS_MOST);
    servers = g_new0(Server, server_count);
    for (guint i = 0; i < server_count; i++) {
      g_mutex_init(&servers[i].lock);
      servers[i].lines = g_hash_table_new(g_int64_hash, g_int64_equal);
      servers[i].poll = epoll_create1(EPOLL_CLOEXEC);
    }
  }
  g_mutex_unlock(&lock);
  return &servers[handle % server_count];
}

static void watch(Server *server, int socket, guint64 mark) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = mark};
  epoll_ctl(server->poll, EPOLL_CTL_ADD, socket, &event);
}

static void begin(Server *server, Line *line) {
  g_mutex_lock(&server->lock);
  g_hash_table_insert(server->lines, &line->handle, line);
  watch(server, line->rtp, line->handle << 1);
  if (line->rtcp >= 0) watch(server, line->rtcp, line->handle << 1 | 1);
  if (!server->running) {
    server->running = TRUE;
    g_thread_unref(g_thread_new("rostra-lines", serve, server));
  }
  g_mutex_unlock(&server->lock);
}

/* ---- keys ----------------------------------------------------------------------------------------------------------- */

void rostra_line_tell(Line *line, char key) {
  g_mutex_lock(&lock);
  if (keys.length < KEYS_MOST) {
    Pressed *pressed = g_new(Pressed, 1);
    *pressed = (Pressed){line->handle, key};
    g_queue_push_tail(&keys, pressed);
    if (keys_signal >= 0) eventfd_write(keys_signal, 1);
  }
  g_mutex_unlock(&lock);
}

/* A descriptor that becomes readable when keys were pressed on any line. */
ROSTRA_EXPORT int rostra_line_keys_signal(void) {
  g_mutex_lock(&lock);
  if (keys_signal < 0) keys_signal = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  int found = keys_signal;
  g_mutex_unlock(&lock);
  return found;
}

/* The next key that was pressed and its line; 0: none, and the descriptor is quiet again. */
ROSTRA_EXPORT int rostra_line_next_key(guint64 *handle) {
  eventfd_t count;
  g_mutex_lock(&lock);
  if (g_queue_is_empty(&keys) && keys_signal >= 0) eventfd_read(keys_signal, &count);
  Pressed *pressed = g_queue_pop_head(&keys);
  g_mutex_unlock(&lock);
  if (!pressed) return 0;
  int key = pressed->key;
  *handle = pressed->handle;
  g_free(pressed);
  return key;
}

/* ---- control ---------------------------------------------------------------------------------------------------------- */

static gboolean keyed(const RostraLineKey *key, Srtp **srtp, gboolean outbound) {
  if (!key->suite) return TRUE;
  return (*srtp = rostra_srtp_new(key, outbound)) != NULL;
}

static void discard(Line *line) {
  rostra_srtp_free(line->unlocking);
  rostra_srtp_free(line->locking);
  if (line->rollovers) g_hash_table_unref(line->rollovers);
  rostra_line_forget(line);
  for (int codec = 0; codec < ROSTRA_EVENTS; codec++) rostra_decoder_free(line->decoders[codec]);
  g_mutex_clear(&line->lock);
  g_mutex_clear(&line->sending);
  if (line->rtp >= 0) close(line->rtp);
  if (line->rtcp >= 0) close(line->rtcp);
  g_free(line);
}

/* Begin to receive; nothing is sent before it is aimed and opened. NULL: a key or a socket cannot be used. */
ROSTRA_EXPORT Line *rostra_line_open(const RostraLineSetup *setup) {
  Line *line = g_new0(Line, 1);
  g_mutex_init(&line->lock);
  g_mutex_init(&line->sending);
  line->rtp = dup(setup->rtp);
  line->rtcp = setup->rtcp < 0 ? -1 : dup(setup->rtcp);
  if (line->rtp < 0 || (setup->rtcp >= 0 && line->rtcp < 0) || !keyed(&setup->in, &line->unlocking, FALSE) ||
      !keyed(&setup->out, &line->locking, TRUE)) {
    discard(line);
    return NULL;
  }
  for (int i = 0; i < 128; i++) line->codecs[i] = CLAMP(setup->codecs[i], 0, ROSTRA_EVENTS);
  line->codec = CLAMP(setup->codec, ROSTRA_OPUS, ROSTRA_G722);
  line->payload_type = setup->payload_type;
  line->events = setup->events;
  line->events_clock = setup->events_clock > 0 ? setup->events_clock : 8000;
  line->tones = setup->tones;
  line->rollover = setup->rollover;
  g_strlcpy(line->name, setup->name, sizeof line->name);
  line->key = -1;
  line->ssrc = g_random_int_range(1, G_MAXINT32);
  line->offset = g_random_int();
  line->number = (guint16)g_random_int_range(0, 0x8000);
  line->report_due = g_get_monotonic_time() + g_random_int_range(G_USEC_PER_SEC / 4, G_USEC_PER_SEC);
  g_mutex_lock(&lock);
  line->handle = ++handles;
  g_mutex_unlock(&lock);
  line->speaker = rostra_speaker_join(setup->leg, TRUE, rostra_line_conceal, line);
  line->ear = rostra_ear_join(setup->leg, line->codec, rostra_line_hear, line);
  begin(server_of(line->handle), line);
  g_atomic_int_inc(&line_count);
  return line;
}

ROSTRA_EXPORT void rostra_line_close(Line *line) {
  Server *server = server_of(line->handle);
  g_mutex_lock(&server->lock);
  epoll_ctl(server->poll, EPOLL_CTL_DEL, line->rtp, NULL);
  if (line->rtcp >= 0) epoll_ctl(server->poll, EPOLL_CTL_DEL, line->rtcp, NULL);
  g_hash_table_remove(server->lines, &line->handle);
  g_mutex_unlock(&server->lock);
  rostra_speaker_leave(line->speaker);
  rostra_ear_leave(line->ear);
  discard(line);
  g_atomic_int_add(&line_count, -1);
}

ROSTRA_EXPORT guint64 rostra_line_handle(const Line *line) { return line->handle; }

static void address(struct sockaddr_storage *to, const char *host, int port) {
  memset(to, 0, sizeof *to);
  struct sockaddr_in *four = (struct sockaddr_in *)to;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
  if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons((guint16)port);
  } else if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((guint16)port);
  }
}

ROSTRA_EXPORT void rostra_line_aim(Line *line, const char *host, int port, int reports) {
  g_mutex_lock(&line->sending);
  address(&line->to, host, port);
  address(&line->to_reports, host, reports);
  g_mutex_unlock(&line->sending);
}

ROSTRA_EXPORT void rostra_line_gate(Line *line, int open) {
  g_mutex_lock(&line->sending);
  line->open = open != 0;
  g_mutex_unlock(&line->sending);
}

ROSTRA_EXPORT void rostra_line_muffle(Line *line, int muffled) {
  g_mutex_lock(&line->lock);
  line->muffled = muffled != 0;
  g_mutex_unlock(&line->lock);
}

/* Press a key (its number of RFC 4733), or let go of it: -1. */
ROSTRA_EXPORT void rostra_line_press(Line *line, int key) {
  g_mutex_lock(&line->sending);
  if (line->events >= 0 && key >= 0) {
    line->key = key;
    line->key_left = 0;
    line->key_tick = 0;
  } else if (line->key >= 0) {
    line->key_left = 1;
  }
  g_mutex_unlock(&line->sending);
}

static guint32 write_address(const struct sockaddr_storage *from, char *out) {
  const struct sockaddr_in *four = (const struct sockaddr_in *)from;
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
  out[0] = '\0';
  if (from->ss_family == AF_INET) inet_ntop(AF_INET, &four->sin_addr, out, LINE_ADDRESS);
  if (from->ss_family == AF_INET6) inet_ntop(AF_INET6, &six->sin6_addr, out, LINE_ADDRESS);
  return ntohs(from->ss_family == AF_INET6 ? six->sin6_port : four->sin_port);
}

static void write_source(const Source *source, RostraLineSource *out) {
  out->source = source->ssrc;
  out->clock = source->clock ? source->clock : 8000;
  out->port = write_address(&source->from, out->address);
  write_address(&source->reports, out->reports);
  out->trusted = source->packets > 0;
  out->packets = source->packets;
  out->octets = source->octets;
  out->lost = rostra_line_lost(source);
  out->jitter = source->jitter / out->clock;
  out->bitrate = source->rate.bitrate;
}

ROSTRA_EXPORT void rostra_line_read(Line *line, RostraLineState *state) {
  memset(state, 0, sizeof *state);
  g_mutex_lock(&line->lock);
  for (int i = 0; i < LINE_SOURCES; i++)
    if (line->sources[i].used) write_source(&line->sources[i], &state->sources[state->count++]);
  state->reports = line->reports;
  state->concealed = line->concealed;
  state->late = line->late;
  state->rollover = rostra_srtp_rollover(line);
  g_mutex_lock(&line->sending);
  state->source = line->ssrc;
  state->sent = line->sent;
  state->sent_octets = line->sent_octets;
  state->sent_lost = line->sent_lost;
  state->sent_jitter = line->sent_jitter;
  state->sent_bitrate = line->sent_rate.bitrate;
  state->round_trip = line->round_trip;
  g_mutex_unlock(&line->sending);
  g_mutex_unlock(&line->lock);
}

gint rostra_lines_count(void) { return g_atomic_int_get(&line_count); }
