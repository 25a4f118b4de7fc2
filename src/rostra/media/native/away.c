/* rostraaway: packets out of a UDP socket, those of a picture by one call.
 *
 * Packets of one size that follow each other, with at most a shorter one at the end, are handed to the kernel in one
 * piece (UDP_SEGMENT, since Linux 4.18), all such pieces of a list by one sendmmsg. Where a way does not take that, one by
 * one. Never waits: what does not fit into the socket's buffer is lost, as on the network. */
#define _GNU_SOURCE
#include <errno.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "rostra.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define PIECES 64       /* of a list that go at once, */
#define SEGMENTS 64     /* packets of a piece, */
#define OCTETS 60000    /* octets of it, */
#define PARTS 256       /* and blocks of memory of all of them */

typedef struct {
  GstBaseSink parent;
  GSocket *socket;             /* property; set before it starts */
  char *host;                  /* property; object lock, as what follows */
  int port;                    /* likewise */
  struct sockaddr_storage to;
  socklen_t length;
  gint apart;                  /* atomic: no pieces, the kernel does not know them */
} RostraAway;
typedef struct {
  GstBaseSinkClass parent;
} RostraAwayClass;

G_DEFINE_TYPE(RostraAway, rostra_away, GST_TYPE_BASE_SINK)

enum { PROP_SOCKET = 1, PROP_HOST, PROP_PORT };

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

typedef struct {
  int first, count; /* parts */
  int packets;
  gsize segment, last; /* octets of each packet, and of the last one */
} Piece;

typedef struct {
  struct iovec vectors[PARTS];
  GstMapInfo maps[PARTS];
  int parts, pieces;
  Piece piece[PIECES];
} Batch;

/* ---- what is sent together --------------------------------------------------------------------------------------- */

static gboolean joins(const Piece *piece, gsize size) {
  return piece->packets < SEGMENTS && piece->last == piece->segment && size <= piece->segment &&
         (gsize)piece->packets * piece->segment + size <= OCTETS;
}

/* FALSE: it is full. */
static gboolean add(Batch *batch, GstBuffer *buffer, gboolean apart) {
  int memories = (int)gst_buffer_n_memory(buffer);
  gsize size = gst_buffer_get_size(buffer);
  Piece *piece = batch->pieces ? &batch->piece[batch->pieces - 1] : NULL;
  gboolean joined = piece && !apart && joins(piece, size);
  if (batch->parts + memories > PARTS || (!joined && batch->pieces == PIECES)) return FALSE;
  if (!joined) {
    piece = &batch->piece[batch->pieces++];
    *piece = (Piece){.first = batch->parts, .segment = size};
  }
  piece->packets++;
  piece->last = size;
  for (int i = 0; i < memories; i++) {
    GstMemory *memory = gst_buffer_peek_memory(buffer, (guint)i);
    if (!gst_memory_map(memory, &batch->maps[batch->parts], GST_MAP_READ)) continue;
    batch->vectors[batch->parts] = (struct iovec){batch->maps[batch->parts].data, batch->maps[batch->parts].size};
    batch->parts++;
    piece->count++;
  }
  return TRUE;
}

static void release(Batch *batch) {
  for (int i = 0; i < batch->parts; i++) gst_memory_unmap(batch->maps[i].memory, &batch->maps[i]);
  batch->parts = batch->pieces = 0;
}

/* ---- sending ------------------------------------------------------------------------------------------------------- */

typedef union {
  char space[CMSG_SPACE(sizeof(guint16))];
  struct cmsghdr aligned;
} Control;

static void describe(struct msghdr *message, Control *control, const Piece *piece) {
  if (piece->packets < 2) return;
  *message = (struct msghdr){
      .msg_name = message->msg_name, .msg_namelen = message->msg_namelen, .msg_iov = message->msg_iov,
      .msg_iovlen = message->msg_iovlen, .msg_control = control, .msg_controllen = sizeof *control,
  };
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof(guint16));
  guint16 segment = (guint16)piece->segment;
  memcpy(CMSG_DATA(header), &segment, sizeof segment);
}

/* A piece that the kernel has not taken, packet by packet. */
static void send_apart(int socket, const struct msghdr *message, const Batch *batch, const Piece *piece) {
  int at = piece->first;
  for (int packet = 0; packet < piece->packets; packet++) {
    struct msghdr one = {.msg_name = message->msg_name, .msg_namelen = message->msg_namelen};
    one.msg_iov = (struct iovec *)&batch->vectors[at];
    gsize left = packet + 1 < piece->packets ? piece->segment : piece->last;
    for (; left && at < piece->first + piece->count; at++, one.msg_iovlen++)
      left -= MIN(left, batch->vectors[at].iov_len);
    while (sendmsg(socket, &one, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
  }
}

static void send_batch(RostraAway *self, Batch *batch, const struct sockaddr_storage *to, socklen_t length) {
  struct mmsghdr messages[PIECES];
  Control controls[PIECES];
  int socket = g_socket_get_fd(self->socket);
  memset(messages, 0, sizeof(struct mmsghdr) * (gsize)batch->pieces);
  for (int i = 0; i < batch->pieces; i++) {
    struct msghdr *message = &messages[i].msg_hdr;
    message->msg_name = (void *)to;
    message->msg_namelen = length;
    message->msg_iov = &batch->vectors[batch->piece[i].first];
    message->msg_iovlen = (gsize)batch->piece[i].count;
    describe(message, &controls[i], &batch->piece[i]);
  }
  for (int at = 0; at < batch->pieces;) {
    int sent = sendmmsg(socket, messages + at, (guint)(batch->pieces - at), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      at += sent;
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (batch->piece[at].packets > 1 && errno != EAGAIN) {
      if (errno == EINVAL || errno == EIO || errno == ENOPROTOOPT) g_atomic_int_set(&self->apart, TRUE);
      send_apart(socket, &messages[at].msg_hdr, batch, &batch->piece[at]);
    }
    at++; /* any other error: lost */
  }
}

static GstFlowReturn send_all(RostraAway *self, guint count, GstBuffer *(*nth)(gpointer, guint), gpointer data) {
  Batch batch;
  struct sockaddr_storage to;
  batch.parts = batch.pieces = 0;
  GST_OBJECT_LOCK(self);
  memcpy(&to, &self->to, sizeof to);
  socklen_t length = self->length;
  GST_OBJECT_UNLOCK(self);
  if (!length || !self->socket) return GST_FLOW_OK;
  gboolean apart = g_atomic_int_get(&self->apart);
  for (guint i = 0; i < count; i++) {
    if (add(&batch, nth(data, i), apart)) continue;
    gboolean some = batch.pieces > 0;
    send_batch(self, &batch, &to, length);
    release(&batch);
    if (some) i--;
  }
  send_batch(self, &batch, &to, length);
  release(&batch);
  return GST_FLOW_OK;
}

static GstBuffer *itself(gpointer data, guint index) { return data; }

static GstBuffer *of_list(gpointer data, guint index) { return gst_buffer_list_get(data, index); }

static GstFlowReturn render(GstBaseSink *sink, GstBuffer *buffer) {
  return send_all((RostraAway *)sink, 1, itself, buffer);
}

static GstFlowReturn render_list(GstBaseSink *sink, GstBufferList *list) {
  return send_all((RostraAway *)sink, gst_buffer_list_length(list), of_list, list);
}

/* ---- the element ------------------------------------------------------------------------------------------------- */

/* With the object's lock held. */
static void aim(RostraAway *self) {
  self->length = 0;
  GSocketAddress *address = self->host ? g_inet_socket_address_new_from_string(self->host, (guint)self->port) : NULL;
  if (!address) return;
  gssize size = g_socket_address_get_native_size(address);
  if (size > 0 && size <= (gssize)sizeof self->to &&
      g_socket_address_to_native(address, &self->to, sizeof self->to, NULL))
    self->length = (socklen_t)size;
  g_object_unref(address);
}

/* A paused sink would hold whoever brings it something until it is shut: one of the few threads that serve all. */
static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition) {
  GstBaseSink *sink = GST_BASE_SINK(element);
  GstStateChangeReturn result = GST_ELEMENT_CLASS(rostra_away_parent_class)->change_state(element, transition);
  if (transition != GST_STATE_CHANGE_PLAYING_TO_PAUSED && transition != GST_STATE_CHANGE_READY_TO_PAUSED) return result;
  GST_BASE_SINK_PREROLL_LOCK(sink);
  sink->need_preroll = sink->playing_async = FALSE;
  GST_BASE_SINK_PREROLL_BROADCAST(sink);
  GST_BASE_SINK_PREROLL_UNLOCK(sink);
  return result;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraAway *self = (RostraAway *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_SOCKET) {
    g_set_object(&self->socket, g_value_get_object(value));
  } else {
    if (id == PROP_PORT) {
      self->port = g_value_get_int(value);
    } else {
      g_free(self->host);
      self->host = g_value_dup_string(value);
    }
    aim(self);
  }
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraAway *self = (RostraAway *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_SOCKET)
    g_value_set_object(value, self->socket);
  else if (id == PROP_PORT)
    g_value_set_int(value, self->port);
  else
    g_value_set_string(value, self->host);
  GST_OBJECT_UNLOCK(self);
}

static void finalize(GObject *object) {
  RostraAway *self = (RostraAway *)object;
  g_clear_object(&self->socket);
  g_free(self->host);
  G_OBJECT_CLASS(rostra_away_parent_class)->finalize(object);
}

static void rostra_away_class_init(RostraAwayClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstBaseSinkClass *sink = GST_BASE_SINK_CLASS(klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  GST_ELEMENT_CLASS(klass)->change_state = change_state;
  sink->render = render;
  sink->render_list = render_list;
  g_object_class_install_property(
      object, PROP_SOCKET,
      g_param_spec_object("socket", "Socket", "Out of which packets go; set before it starts", G_TYPE_SOCKET, flags));
  g_object_class_install_property(
      object, PROP_HOST, g_param_spec_string("host", "Host", "Literal address they go to, of the socket's kind", NULL, flags));
  g_object_class_install_property(object, PROP_PORT,
                                  g_param_spec_int("port", "Port", "Port they go to", 0, 65535, 0, flags));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &sink_template);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Packets away", "Sink/Network",
                                        "Sends packets, those of a picture together", "Rostra");
}

static void rostra_away_init(RostraAway *self) { rostra_sink_setup(GST_BASE_SINK(self)); }
