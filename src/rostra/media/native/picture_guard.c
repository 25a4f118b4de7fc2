/* What pictures of a far end may be at most; larger ones are neither decoded nor passed on.
 *
 * A decoder makes room for what a picture says it is before it finds out whether that is true, and what puts packets
 * together keeps all that has no end. So there are two bounds: of pixels (picture_sizes.c reads what is said), and of
 * octets from one end to the next. After a picture that is too large everything is dropped up to one that begins anew
 * with a size that fits. */
#include <string.h>

#include "rostra.h"

#define OCTETS_MOST (4u << 20) /* of one picture: twice what a screen of 4096 by 2304 takes as a key frame */
#define REMARKS 10             /* seconds between two messages */

typedef struct {
  RostraPictureSize read;
  gboolean refused;
  gint64 remarked;
} PictureGuard;

typedef struct {
  gboolean units; /* a packet may be whole without a marker: H.264 */
  guint32 stamp;
  gsize since_picture, since_end; /* octets since one began, and since what is put together now did */
} PacketGuard;

/* ---- pixels ----------------------------------------------------------------------------------------------------- */

static void remark(PictureGuard *guard, GstPad *pad, RostraSaid said) {
  gint64 now = g_get_monotonic_time();
  GstElement *element = gst_pad_get_parent_element(pad);
  if (element && (!guard->remarked || now - guard->remarked > REMARKS * G_USEC_PER_SEC)) {
    guard->remarked = now;
    GstStructure *told = gst_structure_new("rostra-too-large", "width", G_TYPE_INT, said.width, "height", G_TYPE_INT,
                                           said.height, NULL);
    gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), told));
  }
  if (element) gst_object_unref(element);
}

/* May what says this pass? */
static gboolean judge(PictureGuard *guard, GstPad *pad, RostraSaid said) {
  if (said.what == ROSTRA_TOO_LARGE) {
    guard->refused = TRUE;
    remark(guard, pad, said);
  } else if (said.what == ROSTRA_FITS) {
    guard->refused = FALSE;
  }
  return !guard->refused;
}

static gboolean picture_passes(PictureGuard *guard, GstPad *pad, GstBuffer *buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return FALSE;
  RostraSaid said = guard->read(map.data, map.size);
  gst_buffer_unmap(buffer, &map);
  return judge(guard, pad, said);
}

/* H.264 says in its caps how its units are told apart, and may have sizes there. */
static gboolean caps_pass(PictureGuard *guard, GstPad *pad, GstEvent *event) {
  GstCaps *caps;
  GstBuffer *data = NULL;
  GstMapInfo map;
  gst_event_parse_caps(event, &caps);
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  if (gst_structure_has_name(structure, "video/x-h264")) {
    const char *form = gst_structure_get_string(structure, "stream-format");
    guard->read = rostra_picture_size_of(g_strcmp0(form, "byte-stream") ? ROSTRA_AVC : "H264");
  }
  if (!gst_structure_get(structure, "codec_data", GST_TYPE_BUFFER, &data, NULL)) return TRUE;
  RostraSaid said = {.what = ROSTRA_SAYS_NOTHING};
  if (gst_structure_has_name(structure, "video/x-h264") && gst_buffer_map(data, &map, GST_MAP_READ)) {
    said = rostra_size_of_avcc(map.data, map.size);
    gst_buffer_unmap(data, &map);
  }
  gst_buffer_unref(data);
  return judge(guard, pad, said);
}

static GstPadProbeReturn pictures_come(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  PictureGuard *guard = data;
  gboolean passes = TRUE;
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    passes = picture_passes(guard, pad, GST_PAD_PROBE_INFO_BUFFER(info));
  } else if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    for (guint i = 0; i < gst_buffer_list_length(list); i++)
      passes &= picture_passes(guard, pad, gst_buffer_list_get(list, i));
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_CAPS) {
    passes = caps_pass(guard, pad, GST_PAD_PROBE_INFO_EVENT(info));
  }
  return passes ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

/* ---- octets ----------------------------------------------------------------------------------------------------- */

/* Is a packet of H.264 not in the middle of something, that is of FU-A or FU-B (RFC 6184 5.8)? */
static gboolean whole(GstBuffer *buffer, guint8 first) {
  guint8 extension[4], unit[2];
  gsize at = 12 + 4 * (first & 15);
  if (first & 0x10) {
    if (gst_buffer_extract(buffer, at, extension, sizeof extension) < sizeof extension) return FALSE;
    at += 4 + 4 * (gsize)GST_READ_UINT16_BE(extension + 2);
  }
  if (gst_buffer_extract(buffer, at, unit, sizeof unit) < sizeof unit) return FALSE;
  return ((unit[0] & 31) != 28 && (unit[0] & 31) != 29) || unit[1] & 0xC0;
}

static gboolean packet_passes(PacketGuard *guard, GstBuffer *buffer) {
  guint8 head[8];
  gsize size = gst_buffer_get_size(buffer);
  if (gst_buffer_extract(buffer, 0, head, sizeof head) < sizeof head) return FALSE;
  guint32 stamp = GST_READ_UINT32_BE(head + 4);
  gboolean marker = head[1] & 0x80;
  if (stamp != guard->stamp) guard->since_picture = 0;
  guard->stamp = stamp;
  guard->since_picture += size;
  guard->since_end += size;
  gboolean passes = MAX(guard->since_picture, guard->since_end) <= OCTETS_MOST;
  /* the gap that is left by what does not pass makes the depayloader begin anew */
  if (!passes || marker || (guard->units && whole(buffer, head[0]))) guard->since_end = 0;
  if (marker) guard->since_picture = 0;
  return passes;
}

static gboolean drop_endless(GstBuffer **buffer, guint index, gpointer guard) {
  if (packet_passes(guard, *buffer)) return TRUE;
  gst_buffer_unref(*buffer);
  *buffer = NULL;
  return TRUE;
}

static GstPadProbeReturn packets_come(GstPad *pad, GstPadProbeInfo *info, gpointer guard) {
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    return packet_passes(guard, GST_PAD_PROBE_INFO_BUFFER(info)) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  GstBufferList *list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
  GST_PAD_PROBE_INFO_DATA(info) = list;
  gst_buffer_list_foreach(list, drop_endless, guard);
  return GST_PAD_PROBE_OK;
}

/* On the pads of a depayloader of this codec. The older codecs cannot say more pixels than fit. */
ROSTRA_EXPORT void rostra_picture_guard(GstPad *packets, GstPad *pictures, const char *codec) {
  PacketGuard *in = g_new0(PacketGuard, 1);
  in->units = strcmp(codec, "H264") == 0;
  gst_pad_add_probe(packets, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, packets_come, in, g_free);
  RostraPictureSize read = rostra_picture_size_of(codec);
  if (!read) return;
  PictureGuard *out = g_new0(PictureGuard, 1);
  out->read = read;
  gst_pad_add_probe(
      pictures, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      pictures_come, out, g_free);
}
