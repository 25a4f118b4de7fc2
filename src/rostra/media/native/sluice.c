/* Pictures that nobody sees go no further than their RTP session: a probe where what was received leaves it.
 *
 * So the session counts and reports what came, while jitter buffer and depayloader have no work. Kept back are whole
 * pictures of H.264 (RFC 6184), whose packets tell where a key frame begins; now and then such a one goes through, as
 * video_gate.c has it. Who looks again is let see from the next picture on, and the gate asks for a key frame.
 *
 * The jitter buffer must take nothing for lost that was kept back. So what passes is numbered in a row, and what is
 * asked for again is given its true number. A stretch ends with the first packet of the picture after it: then the
 * end of the last picture is missed in time, if it is. What comes late passes as long as its stretch is remembered.
 *
 * Lock: one for each probe, over its flows; not held while anything else is called. */
#include <string.h>

#include "rostra.h"

#define FLOWS 4 /* sources (SSRC) that are known; others pass */
#define STRETCHES 4
#define GLIMPSES (6 * G_USEC_PER_SEC)                      /* no more often than the gate lets key frames through */
#define LONGEST (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC) /* then a picture passes: stamps tell 6.6 hours */
#define LATE (2 * G_USEC_PER_SEC)                          /* no jitter buffer waits so long */
#define BACK (-100)                                        /* numbers that begin anew (RFC 3550 A.1) */
#define REMEMBERED 16384 /* packets of a stretch, and before it where a flow is first seen */

/* What they are for: where pictures would come, and be passed on from. */
typedef struct {
  GstElement *gate;
  char *channel;
} Takers;

/* Packets that passed: true numbers, and by how much they exceed those they were given. */
typedef struct {
  guint16 first, last, excess;
  gint64 ended; /* 0: it goes on */
} Stretch;

typedef struct {
  guint32 ssrc;
  guint8 type;                  /* of the payload that `takers` take */
  Takers *takers;               /* NULL: there are none */
  Stretch stretches[STRETCHES]; /* the newest first */
  guint count;
  guint16 newest;
  guint32 stamp; /* of the newest picture */
  gboolean wanted;
  gboolean begun; /* of the newest picture something was kept back, or is missing */
  gint64 glimpsed;
} Flow;

typedef struct {
  GMutex lock;
  Flow flows[FLOWS];
  guint used;
  guint64 dropped;
} Sluice;

typedef struct {
  guint16 number;
  guint32 stamp, ssrc;
  guint8 type;
  const guint8 *payload;
  gsize size;
} Packet;

static void takers_clear(gpointer data) {
  gst_object_unref(((Takers *)data)->gate);
  g_free(((Takers *)data)->channel);
}

static void takers_release(Takers *takers) {
  if (takers) g_atomic_rc_box_release_full(takers, takers_clear);
}

static void sluice_free(gpointer data) {
  Sluice *sluice = data;
  for (guint i = 0; i < sluice->used; i++) takers_release(sluice->flows[i].takers);
  g_mutex_clear(&sluice->lock);
  g_free(sluice);
}

/* With the lock held, as for all that has a flow. */
static Flow *flow_of(Sluice *sluice, guint32 ssrc) {
  for (guint i = 0; i < sluice->used; i++)
    if (sluice->flows[i].ssrc == ssrc) return &sluice->flows[i];
  return NULL;
}

/* ---- packets ---------------------------------------------------------------------------------------------------- */

static gboolean parse(const GstMapInfo *map, Packet *packet) {
  if (map->size < 12 || map->data[0] >> 6 != 2) return FALSE;
  gsize head = 12 + 4 * (gsize)(map->data[0] & 0x0f);
  if (map->data[0] & 0x10 && map->size >= head + 4) head += 4 + 4 * (gsize)GST_READ_UINT16_BE(map->data + head + 2);
  packet->type = map->data[1] & 0x7f;
  packet->number = GST_READ_UINT16_BE(map->data + 2);
  packet->stamp = GST_READ_UINT32_BE(map->data + 4);
  packet->ssrc = GST_READ_UINT32_BE(map->data + 8);
  packet->payload = map->data + MIN(head, map->size);
  packet->size = map->size - MIN(head, map->size);
  return TRUE;
}

enum { SLICE = 0, KEY, BESIDE };

/* RFC 6184 5.2, and table 7-1 of H.264. */
static int unit(guint8 type) {
  if (type == 5 || type == 7) return KEY; /* IDR, or the parameters before one */
  return type == 6 || type == 8 || type == 9 ? BESIDE : SLICE;
}

static int contents(const Packet *packet) {
  guint8 type = packet->size ? packet->payload[0] & 0x1f : 0;
  if (type == 24 && packet->size > 3) { /* STAP-A */
    int found = BESIDE;
    for (gsize at = 1; at + 2 < packet->size; at += 2 + (gsize)GST_READ_UINT16_BE(packet->payload + at)) {
      int one = unit(packet->payload[at + 2] & 0x1f);
      if (one == KEY) return KEY;
      if (one == SLICE) found = SLICE;
    }
    return found;
  }
  if (type == 28 && packet->size > 1) /* FU-A, of which the first part counts */
    return packet->payload[1] & 0x80 ? unit(packet->payload[1] & 0x1f) : SLICE;
  return unit(type);
}

/* ---- stretches -------------------------------------------------------------------------------------------------- */

static gboolean within(const Stretch *stretch, guint16 number) {
  return (guint16)(number - stretch->first) <= (guint16)(stretch->last - stretch->first);
}

static void begin(Flow *flow, guint16 first, guint16 number, guint16 excess) {
  memmove(flow->stretches + 1, flow->stretches, (STRETCHES - 1) * sizeof *flow->stretches);
  flow->stretches[0] = (Stretch){.first = first, .last = number, .excess = excess};
  flow->count = MIN(flow->count + 1, STRETCHES);
}

/* That of a packet, by its true number. */
static const Stretch *stretch_of(const Flow *flow, guint16 number, gint64 now) {
  for (guint i = 0; i < flow->count; i++) {
    const Stretch *one = &flow->stretches[i];
    if ((!one->ended || now - one->ended < LATE) && within(one, number)) return one;
  }
  return NULL;
}

static gboolean open(const Flow *flow) { return flow->count && !flow->stretches[0].ended; }

/* ---- what passes ------------------------------------------------------------------------------------------------ */

/* Of a flow that is open: the excess of a packet, or -1. */
static int pass_on(Flow *flow, const Packet *packet, gboolean wanted, gint64 now) {
  Stretch *here = &flow->stretches[0];
  gint16 ahead = (gint16)(packet->number - here->last);
  if (ahead > 0) {
    here->last = flow->newest = packet->number;
    if ((guint16)(here->last - here->first) > REMEMBERED) here->first = (guint16)(here->last - REMEMBERED);
    if (packet->stamp != flow->stamp && !wanted) here->ended = now;
  } else if (ahead < BACK && !stretch_of(flow, packet->number, now)) { /* a jump, for the jitter buffer to follow */
    here->first = here->last = flow->newest = packet->number;
    flow->count = 1;
  }
  const Stretch *its = stretch_of(flow, packet->number, now);
  return its ? its->excess : -1;
}

/* Of a flow that is shut: may this packet be the first that passes again? */
static gboolean opens(Flow *flow, const Packet *packet, gboolean wanted, gint64 now) {
  gboolean fresh = packet->stamp != flow->stamp;
  gboolean missed = packet->number != (guint16)(flow->newest + 1);
  if (packet->type != flow->type) return TRUE;
  int what = contents(packet);
  if (fresh) flow->begun = FALSE;
  flow->begun |= missed;
  if (!flow->begun && fresh && (wanted || now - flow->stretches[0].ended >= LONGEST)) return TRUE;
  if (!flow->begun && what == KEY && now - flow->glimpsed >= GLIMPSES) {
    flow->glimpsed = now;
    return TRUE;
  }
  flow->begun |= what != BESIDE;
  return FALSE;
}

/* The same for a flow that is shut. */
static int keep_back(Flow *flow, const Packet *packet, gboolean wanted, gint64 now) {
  const Stretch *its = stretch_of(flow, packet->number, now);
  gint16 ahead = (gint16)(packet->number - flow->newest);
  if (its) return its->excess;
  if (ahead <= 0 && ahead >= BACK) return -1;
  gboolean first = opens(flow, packet, wanted, now);
  flow->newest = packet->number;
  if (!first) return -1;
  const Stretch *before = &flow->stretches[0];
  begin(flow, packet->number, packet->number, (guint16)(before->excess + packet->number - before->last - 1));
  return flow->stretches[0].excess;
}

static gboolean seen(const Takers *takers) {
  return !rostra_gate_rests(takers->gate) || rostra_channel_taken(takers->channel);
}

typedef struct {
  int excess;     /* -1: it goes no further */
  gboolean first; /* after others that were kept back */
} Verdict;

static Verdict judge(Sluice *sluice, const Packet *packet) {
  Verdict found = {0};
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&sluice->lock);
  Flow *flow = flow_of(sluice, packet->ssrc);
  Takers *takers = flow && flow->takers ? g_atomic_rc_box_acquire(flow->takers) : NULL;
  gboolean other = flow && (!takers || packet->type != flow->type);
  gboolean fresh = flow && (!flow->count || packet->stamp != flow->stamp);
  gboolean before = flow && flow->wanted;
  g_mutex_unlock(&sluice->lock);
  if (!flow) return found;
  /* once a picture: its parts do not go apart */
  gboolean wanted = other || (fresh ? seen(takers) : before);
  g_mutex_lock(&sluice->lock);
  gboolean was_open = open(flow);
  if (!flow->count) {
    begin(flow, (guint16)(packet->number - REMEMBERED), packet->number, 0);
    flow->newest = packet->number;
    was_open = TRUE;
  }
  found.excess = was_open ? pass_on(flow, packet, wanted, now) : keep_back(flow, packet, wanted, now);
  found.first = !was_open && open(flow);
  fresh = fresh && flow->newest == packet->number;
  gboolean skipped = fresh && !was_open && found.excess < 0 && takers;
  if (fresh) {
    flow->stamp = packet->stamp;
    flow->wanted = wanted;
  }
  if (found.excess < 0) sluice->dropped++;
  g_mutex_unlock(&sluice->lock);
  if (skipped) rostra_gate_skip(takers->gate);
  takers_release(takers);
  return found;
}

static GstBuffer *renumbered(GstBuffer *buffer, guint16 number, gboolean first) {
  guint8 octets[2];
  buffer = gst_buffer_make_writable(buffer);
  if (first) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  GST_WRITE_UINT16_BE(octets, number);
  gst_buffer_fill(buffer, 2, octets, sizeof octets);
  return buffer;
}

/* What goes on of a packet, or NULL. */
static gboolean sort(GstBuffer **buffer, guint index, gpointer data) {
  GstMapInfo map;
  Packet packet;
  if (!gst_buffer_map(*buffer, &map, GST_MAP_READ)) return TRUE;
  Verdict verdict = parse(&map, &packet) ? judge(data, &packet) : (Verdict){0};
  gst_buffer_unmap(*buffer, &map);
  if (verdict.excess < 0)
    gst_clear_buffer(buffer);
  else if (verdict.excess || verdict.first)
    *buffer = renumbered(*buffer, (guint16)(packet.number - verdict.excess), verdict.first);
  return TRUE;
}

static GstPadProbeReturn passes(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
    GST_PAD_PROBE_INFO_DATA(info) = list;
    gst_buffer_list_foreach(list, sort, data);
    return GST_PAD_PROBE_OK;
  }
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  sort(&buffer, 0, data);
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  return buffer ? GST_PAD_PROBE_OK : GST_PAD_PROBE_HANDLED;
}

/* ---- what is asked for again ------------------------------------------------------------------------------------ */

/* By the number that was given: the true one, or -1. */
static int true_number(Sluice *sluice, guint ssrc, guint16 given) {
  int found = -1;
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&sluice->lock);
  Flow *flow = flow_of(sluice, ssrc);
  if (!flow || !flow->count) found = given;
  for (guint i = 0; flow && i < flow->count && found < 0; i++) {
    guint16 number = (guint16)(given + flow->stretches[i].excess);
    if (stretch_of(flow, number, now) == &flow->stretches[i]) found = number;
  }
  g_mutex_unlock(&sluice->lock);
  return found;
}

static GstPadProbeReturn wanted_again(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
  const GstStructure *structure = gst_event_get_structure(event);
  guint number, source;
  if (!structure || !gst_structure_has_name(structure, "GstRTPRetransmissionRequest") ||
      !gst_structure_get_uint(structure, "seqnum", &number) || !gst_structure_get_uint(structure, "ssrc", &source))
    return GST_PAD_PROBE_OK;
  int found = true_number(data, source, (guint16)number);
  if (found < 0) return GST_PAD_PROBE_DROP;
  if ((guint)found == number) return GST_PAD_PROBE_OK;
  event = gst_event_make_writable(event);
  gst_structure_set(gst_event_writable_structure(event), "seqnum", G_TYPE_UINT, (guint)found, NULL);
  GST_PAD_PROBE_INFO_DATA(info) = event;
  return GST_PAD_PROBE_OK;
}

/* ---- for others ------------------------------------------------------------------------------------------------- */

static GQuark quark(void) { return g_quark_from_static_string("rostra-sluice"); }

/* Of a session's pad; before anybody else looks at what is asked for by it. */
ROSTRA_EXPORT void rostra_sluice(GstPad *pad) {
  Sluice *sluice = g_new0(Sluice, 1);
  g_mutex_init(&sluice->lock);
  g_object_set_qdata_full(G_OBJECT(pad), quark(), sluice, sluice_free);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, passes, sluice, NULL);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, wanted_again, sluice, NULL);
}

static Flow *flow_to_use(Sluice *sluice, guint32 ssrc) {
  Flow *found = flow_of(sluice, ssrc);
  if (!found && sluice->used < FLOWS) return &sluice->flows[sluice->used++];
  for (guint i = 0; i < sluice->used && !found; i++)
    if (!sluice->flows[i].takers) {
      found = &sluice->flows[i];
      memset(found, 0, sizeof *found);
    }
  return found;
}

/* What comes from a source as this type of payload is for a gate, and for who takes a channel. */
ROSTRA_EXPORT void rostra_sluice_join(GstPad *pad, guint32 ssrc, guint type, GstElement *gate, const char *channel) {
  Sluice *sluice = g_object_get_qdata(G_OBJECT(pad), quark());
  Takers *takers = g_atomic_rc_box_new0(Takers), *previous = NULL;
  takers->gate = gst_object_ref(gate);
  takers->channel = g_strdup(channel);
  g_mutex_lock(&sluice->lock);
  Flow *flow = flow_to_use(sluice, ssrc);
  if (flow) {
    previous = flow->takers;
    flow->takers = g_steal_pointer(&takers);
    flow->ssrc = ssrc;
    flow->type = (guint8)type;
  }
  g_mutex_unlock(&sluice->lock);
  takers_release(previous);
  takers_release(takers);
}

ROSTRA_EXPORT void rostra_sluice_leave(GstPad *pad, GstElement *gate) {
  Sluice *sluice = g_object_get_qdata(G_OBJECT(pad), quark());
  Takers *previous = NULL;
  g_mutex_lock(&sluice->lock);
  for (guint i = 0; i < sluice->used && !previous; i++)
    if (sluice->flows[i].takers && sluice->flows[i].takers->gate == gate)
      previous = g_steal_pointer(&sluice->flows[i].takers);
  g_mutex_unlock(&sluice->lock);
  takers_release(previous);
}

/* Packets that went no further so far. */
ROSTRA_EXPORT guint64 rostra_sluice_dropped(GstPad *pad) {
  Sluice *sluice = g_object_get_qdata(G_OBJECT(pad), quark());
  g_mutex_lock(&sluice->lock);
  guint64 dropped = sluice->dropped;
  g_mutex_unlock(&sluice->lock);
  return dropped;
}
