/* rostrared: while it is `active`, packets of sound carry the one before them as well (RFC 2198), under another payload
 * type. Header and extensions stay as they are; so do caps, which name the type of what is inside. */
#include "rostra.h"

#include <gst/rtp/gstrtpbuffer.h>

#define RTP_HEADER 12u
#define RED_HEADERS 5u      /* of the packet before, and of this one */
#define OFFSET_MOST 0x3fffu /* ticks that can be said */
#define LENGTH_MOST 0x3ffu

typedef struct {
  GstElement parent;
  GstPad *sink, *src;
  guint payload_type; /* properties; object lock */
  gboolean active;
  /* of the stream's thread */
  GstBuffer *before; /* payload */
  guint16 number;
  guint32 time;
} RostraRed;
typedef struct {
  GstElementClass parent;
} RostraRedClass;

G_DEFINE_TYPE(RostraRed, rostra_red, GST_TYPE_ELEMENT)

enum { PROP_PAYLOAD_TYPE = 1, PROP_ACTIVE };

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  RostraRed *self = (RostraRed *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_ACTIVE)
    self->active = g_value_get_boolean(value);
  else
    self->payload_type = g_value_get_uint(value);
  GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  RostraRed *self = (RostraRed *)object;
  GST_OBJECT_LOCK(self);
  if (id == PROP_ACTIVE)
    g_value_set_boolean(value, self->active);
  else
    g_value_set_uint(value, self->payload_type);
  GST_OBJECT_UNLOCK(self);
}

/* Bytes of the header of a packet, extensions included (RFC 3550 5.1); 0: it is none, or is padded. */
static gsize header_of(const guint8 *packet, gsize size) {
  if (size < RTP_HEADER || packet[0] >> 6 != 2 || packet[0] & 0x20) return 0;
  gsize length = RTP_HEADER + 4u * (packet[0] & 0x0f);
  if (packet[0] & 0x10) {
    if (size < length + 4) return 0;
    length += 4 + 4u * GST_READ_UINT16_BE(packet + length + 2);
  }
  return length <= size ? length : 0;
}

static GstBuffer *joined(RostraRed *self, const guint8 *packet, gsize header, guint8 outer, guint32 offset) {
  gsize length = gst_buffer_get_size(self->before);
  guint8 *head = g_malloc(header + RED_HEADERS + length), *at = head + header, inner = packet[1] & 0x7f;
  for (gsize i = 0; i < header; i++) head[i] = packet[i];
  head[1] = (guint8)((packet[1] & 0x80) | outer);
  at[0] = 0x80 | inner;
  GST_WRITE_UINT24_BE(at + 1, offset << 10 | (guint32)length);
  at[4] = inner;
  gst_buffer_extract(self->before, 0, at + RED_HEADERS, length);
  return gst_buffer_new_wrapped(head, header + RED_HEADERS + length);
}

/* Of this packet, and of the one before if that is to be said: what goes out. Takes the packet. */
static GstBuffer *said(RostraRed *self, GstBuffer *buffer, guint8 outer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return buffer;
  gsize header = header_of(map.data, map.size);
  GstBuffer *out = NULL, *payload = NULL;
  if (header) {
    guint16 number = GST_READ_UINT16_BE(map.data + 2);
    guint32 time = GST_READ_UINT32_BE(map.data + 4), offset = time - self->time;
    payload = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_MEMORY, header, map.size - header);
    if (outer && self->before && number == (guint16)(self->number + 1) && offset && offset <= OFFSET_MOST)
      out = joined(self, map.data, header, outer, offset);
    self->number = number;
    self->time = time;
  }
  gst_buffer_unmap(buffer, &map);
  gst_clear_buffer(&self->before);
  if (payload && map.size - header <= LENGTH_MOST) self->before = gst_buffer_ref(payload);
  if (out) {
    gst_buffer_copy_into(out, buffer, GST_BUFFER_COPY_METADATA, 0, -1);
    out = gst_buffer_append(out, g_steal_pointer(&payload));
    gst_buffer_unref(buffer);
  }
  gst_clear_buffer(&payload);
  return out ? out : buffer;
}

static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  RostraRed *self = (RostraRed *)parent;
  GST_OBJECT_LOCK(self);
  guint8 outer = self->active ? (guint8)self->payload_type : 0;
  GST_OBJECT_UNLOCK(self);
  return gst_pad_push(self->src, said(self, buffer, outer));
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange change) {
  GstStateChangeReturn done = GST_ELEMENT_CLASS(rostra_red_parent_class)->change_state(element, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) gst_clear_buffer(&((RostraRed *)element)->before);
  return done;
}

/* ---- the other way ------------------------------------------------------------------------------------------------- */

static GstPadProbeReturn restored(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_RTP_BUFFER_FLAG_REDUNDANT)) {
    GST_PAD_PROBE_INFO_DATA(info) = buffer = gst_buffer_make_writable(buffer);
    GST_BUFFER_FLAG_UNSET(buffer, GST_RTP_BUFFER_FLAG_REDUNDANT);
  }
  return GST_PAD_PROBE_OK;
}

/* What rtpreddec has restored goes the way of all packets. Marked, it would be kept in a storage until the jitter buffer
 * gives it up, for an element that asks for it then. */
ROSTRA_EXPORT void rostra_pass_restored(GstPad *pad) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, restored, NULL, NULL);
}

static void rostra_red_class_init(RostraRedClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  object->set_property = set_property;
  object->get_property = get_property;
  element->change_state = change_state;
  g_object_class_install_property(
      object, PROP_PAYLOAD_TYPE,
      g_param_spec_uint("payload-type", "Payload type", "Of packets that carry two; 0: there are none", 0, 127, 0, flags));
  g_object_class_install_property(
      object, PROP_ACTIVE,
      g_param_spec_boolean("active", "Active", "Whether packets carry the one before them", FALSE, flags));
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Redundancy", "Codec/Payloader/Network/RTP",
                                        "Has packets carry the one before them as well", "Rostra");
}

static void rostra_red_init(RostraRed *self) {
  self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
  self->src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_chain_function(self->sink, chain);
  GST_PAD_SET_PROXY_CAPS(self->sink);
  GST_PAD_SET_PROXY_ALLOCATION(self->sink);
  gst_element_add_pad(GST_ELEMENT(self), self->sink);
  gst_element_add_pad(GST_ELEMENT(self), self->src);
}
