/* What RTCP tells, taken down in C until somebody asks: the threads that read the sockets of many legs must not wait for
 * the interpreter. Reports are counted, feedback about rates is kept as it came. */
#include <string.h>

#include "rostra.h"

#define KEPT 16     /* messages that wait; older ones are overtaken */
#define LONGEST 512 /* octets of a message */

enum { TRANSPORT = 205, PAYLOAD = 206 };         /* RTPFB, PSFB (RFC 4585 6.1) */
enum { TMMBR = 3, TMMBN = 4, APPLICATION = 15 }; /* RFC 5104 4.2, RFC 4585 6.4 */

typedef struct {
  guint32 kind, form, sender;
  guint32 size;
  guint8 octets[LONGEST];
} Message;

typedef struct {
  GMutex lock;
  guint first, count;
  Message messages[KEPT];
  gint reports; /* atomic */
} Heard;

static GQuark heard_quark(void) { return g_quark_from_static_string("rostra-heard"); }

static void heard_free(gpointer data, GClosure *closure) {
  Heard *heard = data;
  g_mutex_clear(&heard->lock);
  g_free(heard);
}

/* A signal's callback; what it needs goes with the object. */
static Heard *listen(GObject *object, const char *signal, GCallback callback) {
  Heard *heard = g_new0(Heard, 1);
  g_mutex_init(&heard->lock);
  g_signal_connect_data(object, signal, callback, heard, heard_free, 0);
  g_object_set_qdata(object, heard_quark(), heard);
  return heard;
}

static void feedback_came(GObject *session, guint kind, guint form, guint sender, guint media, GstBuffer *control,
                          gpointer data) {
  Heard *heard = data;
  gboolean rates = kind == TRANSPORT ? form == TMMBR || form == TMMBN : kind == PAYLOAD && form == APPLICATION;
  if (!rates || !control) return;
  g_mutex_lock(&heard->lock);
  if (heard->count == KEPT) {
    heard->first = (heard->first + 1) % KEPT;
    heard->count--;
  }
  Message *message = &heard->messages[(heard->first + heard->count++) % KEPT];
  message->kind = kind;
  message->form = form;
  message->sender = sender;
  message->size = (guint32)gst_buffer_extract(control, 0, message->octets, LONGEST);
  g_mutex_unlock(&heard->lock);
}

static void report_came(GObject *rtpbin, guint session, guint source, gpointer data) {
  g_atomic_int_inc(&((Heard *)data)->reports);
}

/* Keep what a session (RTPSession) hears of rates from now on. */
ROSTRA_EXPORT void rostra_hear_feedback(GObject *session) {
  if (!g_object_get_qdata(session, heard_quark())) listen(session, "on-feedback-rtcp", G_CALLBACK(feedback_came));
}

/* The oldest that nobody has taken: its octets (there is room for LONGEST), and what they are; -1: none. */
ROSTRA_EXPORT gint32 rostra_feedback_taken(GObject *session, guint32 *kind, guint32 *form, guint32 *sender, guint8 *octets) {
  Heard *heard = g_object_get_qdata(session, heard_quark());
  gint32 size = -1;
  if (!heard) return size;
  g_mutex_lock(&heard->lock);
  if (heard->count) {
    const Message *message = &heard->messages[heard->first];
    heard->first = (heard->first + 1) % KEPT;
    heard->count--;
    *kind = message->kind;
    *form = message->form;
    *sender = message->sender;
    size = (gint32)message->size;
    memcpy(octets, message->octets, message->size);
  }
  g_mutex_unlock(&heard->lock);
  return size;
}

/* Count the reports that an `rtpbin` hears from now on. */
ROSTRA_EXPORT void rostra_count_reports(GObject *rtpbin) {
  if (!g_object_get_qdata(rtpbin, heard_quark())) listen(rtpbin, "on-ssrc-active", G_CALLBACK(report_came));
}

ROSTRA_EXPORT gint32 rostra_reports(GObject *rtpbin) {
  Heard *heard = g_object_get_qdata(rtpbin, heard_quark());
  return heard ? g_atomic_int_get(&heard->reports) : 0;
}
