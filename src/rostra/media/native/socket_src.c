/* rostrasocketsrc: packets of a socket. Two threads of the process read all sockets; the element has none of its own.
 *
 * Packets come in bursts, a picture at a time: a thread that has read everything rests a moment before it sleeps,
 * rather than be woken for each. A socket is with one thread at a time (EPOLLONESHOT), so its packets stay in order;
 * while a thread is held up downstream another takes its place, so that one leg holds up no others for long.
 *
 * Lock: over the tables, never while something is read or pushed. */
#define _GNU_SOURCE
#include <errno.h>
#include <gio/gio.h>
#include <gst/net/net.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "rostra.h"

#define BATCH 32
#define LONGEST 2048 /* bytes of a packet; a longer one is of no use to anybody */
#define SETS 2
#define HELPERS 4                            /* threads in place of one that is held up */
#define RESTING 1000                         /* microseconds */
#define STUCK (40 * G_TIME_SPAN_MILLISECOND) /* with one socket */
#define FAILURES 1000                        /* in a row: it is no passing complaint of the network */

typedef struct _Reader Reader;

/* Sockets that have a thread. */
typedef struct {
  int poll;
  Reader *readers[1 + HELPERS]; /* its thread, and those that take its place meanwhile; lock */
} Set;

typedef struct {
  GstElement parent;
  GstPad *src;
  Set *set;
  GSocket *socket; /* set before PAUSED, as is `caps` */
  GstCaps *caps;
  guint64 number;  /* in the table; 0: not read */
  GThread *reader; /* who reads it at present; lock */
  gboolean begun;  /* what follows: of who reads it */
  guint failures;
  GSocketAddress *from; /* of the packet before */
  struct sockaddr_storage address;
  socklen_t length;
} RostraSocketSrc;
typedef struct {
  GstElementClass parent;
} RostraSocketSrcClass;

struct _Reader {
  Set *set;
  guint place;
  gint64 since; /* when it got the socket that it is busy with; 0: none; lock */
  struct mmsghdr messages[BATCH];
  struct iovec places[BATCH];
  struct sockaddr_storage addresses[BATCH];
  guint8 octets[BATCH][LONGEST];
};

G_DEFINE_TYPE(RostraSocketSrc, rostra_socket_src, GST_TYPE_ELEMENT)

enum { PROP_SOCKET = 1, PROP_CAPS };

static GMutex lock;
static GCond let_go;
static guint leaving;       /* who waits for it */
static GHashTable *sockets; /* number to element, without a reference: who leaves waits until nobody reads it */
static guint64 numbers;
static Set sets[SETS];
static guint reader_count;

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* ---- one socket ------------------------------------------------------------------------------------------------- */

static void begin(RostraSocketSrc *self) {
  char *id = gst_pad_create_stream_id(self->src, GST_ELEMENT(self), NULL);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(self->src, gst_event_new_stream_start(id));
  if (self->caps) gst_pad_push_event(self->src, gst_event_new_caps(self->caps));
  gst_pad_push_event(self->src, gst_event_new_segment(&segment));
  g_free(id);
  self->begun = TRUE;
}

static GstClockTime running_time(RostraSocketSrc *self) {
  GstClockTime now = GST_CLOCK_TIME_NONE;
  GST_OBJECT_LOCK(self);
  GstClock *clock = GST_ELEMENT_CLOCK(self) ? gst_object_ref(GST_ELEMENT_CLOCK(self)) : NULL;
  GstClockTime base = GST_ELEMENT_CAST(self)->base_time;
  GST_OBJECT_UNLOCK(self);
  if (!clock) return now;
  now = gst_clock_get_time(clock);
  gst_object_unref(clock);
  return now > base ? now - base : 0;
}

/* Most packets come from where the one before came from. */
static GSocketAddress *from(RostraSocketSrc *self, const struct msghdr *header) {
  if (self->from && self->length == header->msg_namelen && !memcmp(&self->address, header->msg_name, self->length))
    return self->from;
  g_clear_object(&self->from);
  self->length = header->msg_namelen;
  memcpy(&self->address, header->msg_name, self->length);
  return self->from = g_socket_address_new_from_native(&self->address, self->length);
}

static GstBuffer *packet(RostraSocketSrc *self, const struct mmsghdr *message, GstClockTime time) {
  GstBuffer *buffer = gst_buffer_new_memdup(message->msg_hdr.msg_iov->iov_base, message->msg_len);
  GSocketAddress *address = from(self, &message->msg_hdr);
  if (address) gst_buffer_add_net_address_meta(buffer, address);
  GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = time;
  return buffer;
}

/* After an error that reading gave: is it still worth reading? */
static gboolean bears(RostraSocketSrc *self, int fd, int error) {
  int told;
  socklen_t size = sizeof told;
  if (error == EAGAIN || error == EINTR) return TRUE;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &told, &size); /* such as that nobody listens where something was sent to */
  if (++self->failures < FAILURES) return TRUE;
  GST_ELEMENT_ERROR(self, RESOURCE, READ, (NULL), ("%s", g_strerror(error)));
  return FALSE;
}

/* FALSE: it is not to be read any more. */
static gboolean pushed(RostraSocketSrc *self, GstBuffer *buffer) {
  GstFlowReturn flow = gst_pad_push(self->src, buffer);
  if (flow == GST_FLOW_NOT_LINKED || flow <= GST_FLOW_EOS) GST_ELEMENT_FLOW_ERROR(self, flow);
  return flow >= GST_FLOW_OK;
}

static gboolean serve(RostraSocketSrc *self, Reader *reader) {
  int fd = g_socket_get_fd(self->socket);
  for (int i = 0; i < BATCH; i++) reader->messages[i].msg_hdr.msg_namelen = sizeof reader->addresses[i];
  int count = recvmmsg(fd, reader->messages, BATCH, MSG_DONTWAIT, NULL);
  if (count < 0) return bears(self, fd, errno);
  self->failures = 0;
  if (!self->begun) begin(self);
  GstClockTime now = running_time(self);
  for (int i = 0; i < count; i++) {
    if (reader->messages[i].msg_hdr.msg_flags & MSG_TRUNC || !reader->messages[i].msg_len) continue;
    if (!pushed(self, packet(self, &reader->messages[i], now))) return FALSE;
  }
  return TRUE;
}

/* ---- who reads -------------------------------------------------------------------------------------------------- */

static gpointer read_all(gpointer data);

/* With the lock held. */
static void add_reader(Set *set, guint place) {
  Reader *reader = set->readers[place] = g_new0(Reader, 1);
  reader->set = set;
  reader->place = place;
  for (int i = 0; i < BATCH; i++) {
    reader->places[i] = (struct iovec){.iov_base = reader->octets[i], .iov_len = LONGEST};
    reader->messages[i].msg_hdr.msg_iov = &reader->places[i];
    reader->messages[i].msg_hdr.msg_iovlen = 1;
    reader->messages[i].msg_hdr.msg_name = &reader->addresses[i];
  }
  reader_count++;
  g_thread_unref(g_thread_new("rostra-sockets", read_all, reader));
}

/* With the lock held: see that somebody reads a set. */
static void attend(Set *set, gint64 now) {
  int free = -1;
  for (int i = HELPERS; i >= 0; i--) {
    const Reader *reader = set->readers[i];
    if (!reader) free = i;
    if (reader && (!reader->since || now - reader->since < STUCK)) return;
  }
  if (free > 0) add_reader(set, (guint)free);
}

static gpointer keep(gpointer data) {
  for (;;) {
    g_usleep(STUCK);
    g_mutex_lock(&lock);
    for (int i = 0; i < SETS; i++) attend(&sets[i], g_get_monotonic_time());
    g_mutex_unlock(&lock);
  }
  return NULL;
}

static gboolean arm(RostraSocketSrc *self, int how) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = self->number};
  return !epoll_ctl(self->set->poll, how, g_socket_get_fd(self->socket), &event);
}

static RostraSocketSrc *take(Reader *reader, guint64 number) {
  g_mutex_lock(&lock);
  RostraSocketSrc *self = g_hash_table_lookup(sockets, &number);
  if (self && self->reader) self = NULL; /* from before a pause, who goes on when that is done */
  if (self) {
    gst_object_ref(self);
    self->reader = g_thread_self();
    reader->since = g_get_monotonic_time();
  }
  g_mutex_unlock(&lock);
  return self;
}

static void give_back(Reader *reader, RostraSocketSrc *self, gboolean again) {
  g_mutex_lock(&lock);
  self->reader = NULL;
  reader->since = 0;
  if (again && self->number) arm(self, EPOLL_CTL_MOD);
  if (leaving) g_cond_broadcast(&let_go);
  g_mutex_unlock(&lock);
  gst_object_unref(self);
}

/* Until whom it helps is at work again. */
static gboolean needed(Reader *reader) {
  if (!reader->place) return TRUE;
  g_mutex_lock(&lock);
  gboolean still = reader->set->readers[0]->since != 0;
  if (!still) {
    reader->set->readers[reader->place] = NULL;
    reader_count--;
  }
  g_mutex_unlock(&lock);
  return still;
}

static gpointer read_all(gpointer data) {
  Reader *reader = data;
  int patience = reader->place ? STUCK / G_TIME_SPAN_MILLISECOND : -1;
  for (gboolean rested = TRUE; needed(reader);) {
    struct epoll_event event;
    int count = epoll_wait(reader->set->poll, &event, 1, rested ? patience : 0);
    if (count > 0) {
      RostraSocketSrc *self = take(reader, event.data.u64);
      if (self) give_back(reader, self, serve(self, reader));
      rested = FALSE;
    } else if (!rested) {
      g_usleep(RESTING);
      rested = TRUE;
    }
  }
  g_free(reader);
  return NULL;
}

/* With the lock held. */
static void start(void) {
  sockets = g_hash_table_new(g_int64_hash, g_int64_equal);
  for (Set *set = sets; set < sets + SETS; set++) {
    set->poll = epoll_create1(EPOLL_CLOEXEC);
    add_reader(set, 0);
  }
  g_thread_unref(g_thread_new("rostra-sockets", keep, NULL));
}

static void join(RostraSocketSrc *self) {
  if (!self->socket) return;
  g_mutex_lock(&lock);
  if (!sockets) start();
  self->number = ++numbers;
  /* scrambled, as legs always come with the same kinds of sockets in the same order */
  self->set = &sets[(self->number * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15) >> 32) % SETS];
  self->failures = 0;
  g_hash_table_insert(sockets, &self->number, self);
  int refused = arm(self, EPOLL_CTL_ADD) ? 0 : errno;
  g_mutex_unlock(&lock);
  if (refused) GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ, (NULL), ("%s", g_strerror(refused)));
}

static void leave(RostraSocketSrc *self) {
  g_mutex_lock(&lock);
  if (self->number) {
    epoll_ctl(self->set->poll, EPOLL_CTL_DEL, g_socket_get_fd(self->socket), NULL);
    g_hash_table_remove(sockets, &self->number);
    self->number = 0;
  }
  g_mutex_unlock(&lock);
}

/* Until nothing is pushed any more, unless what is pushed is what called it. Not sooner than downstream has been told
 * to let go: a sink that pauses holds what it gets. */
static void settle(RostraSocketSrc *self) {
  g_mutex_lock(&lock);
  leaving++;
  while (self->reader && self->reader != g_thread_self()) g_cond_wait(&let_go, &lock);
  leaving--;
  g_mutex_unlock(&lock);
  self->begun = FALSE;
}

/* Threads that read at present. */
ROSTRA_EXPORT int rostra_socket_readers(void) {
  g_mutex_lock(&lock);
  int count = (int)reader_count;
  g_mutex_unlock(&lock);
  return count;
}

/* ---- the element ------------------------------------------------------------------------------------------------ */

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition) {
  RostraSocketSrc *self = (RostraSocketSrc *)element;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) leave(self);
  GstStateChangeReturn result = GST_ELEMENT_CLASS(rostra_socket_src_parent_class)->change_state(element, transition);
  if (result == GST_STATE_CHANGE_FAILURE) return result;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) join(self);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) settle(self);
  gboolean paused = transition == GST_STATE_CHANGE_READY_TO_PAUSED || transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
  return paused ? GST_STATE_CHANGE_NO_PREROLL : result;
}

static gboolean query(GstPad *pad, GstObject *parent, GstQuery *asked) {
  if (GST_QUERY_TYPE(asked) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, asked);
  gst_query_set_latency(asked, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraSocketSrc *self = (RostraSocketSrc *)object;
  switch (id) {
    case PROP_SOCKET:
      g_set_object(&self->socket, g_value_get_object(value));
      break;
    case PROP_CAPS:
      gst_caps_replace(&self->caps, (GstCaps *)gst_value_get_caps(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraSocketSrc *self = (RostraSocketSrc *)object;
  switch (id) {
    case PROP_SOCKET:
      g_value_set_object(value, self->socket);
      break;
    case PROP_CAPS:
      gst_value_set_caps(value, self->caps);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void finalize(GObject *object) {
  RostraSocketSrc *self = (RostraSocketSrc *)object;
  g_clear_object(&self->socket);
  g_clear_object(&self->from);
  gst_caps_replace(&self->caps, NULL);
  G_OBJECT_CLASS(rostra_socket_src_parent_class)->finalize(object);
}

static void rostra_socket_src_class_init(RostraSocketSrcClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  element->change_state = change_state;
  g_object_class_install_property(
      object, PROP_SOCKET,
      g_param_spec_object("socket", "Socket", "What is read; set before PAUSED", G_TYPE_SOCKET, flags));
  g_object_class_install_property(
      object, PROP_CAPS, g_param_spec_boxed("caps", "Caps", "What comes; set before PAUSED", GST_TYPE_CAPS, flags));
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Packets of a socket", "Source/Network",
                                        "Packets of one of many sockets that few threads read", "Rostra");
}

static void rostra_socket_src_init(RostraSocketSrc *self) {
  self->src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_query_function(self->src, query);
  gst_pad_use_fixed_caps(self->src);
  gst_element_add_pad(GST_ELEMENT(self), self->src);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}
