/* What comes on a line: packets into order, packets to samples, keys.
 *
 * A packet that is missing is waited for as long as there is something to play; when the mixer runs short it is made up,
 * from the packet after it where that tells. So nothing is decoded sooner or later than it must be. */
#include <string.h>

#include "line.h"

#define FAR 3000       /* packets: a jump, not a loss */
#define BACK 100       /* packets: numbers that begin anew, not a late one (RFC 3550 A.1) */
#define ENOUGH 2u      /* packets after one that is missing, before a pause is over without it */
#define OTHER 200000   /* us without a packet before another source is played instead */
#define STRETCH_MOST 3u /* packets */
#define ANEW 2u         /* packets in order from before, of a time to come: numbers have begun anew (RFC 3550 A.1) */
#define ANEW_BEFORE 5u  /* the same, of a time that is over: as many are hardly sent twice in a row */

/* ---- sources (RFC 3550 A.1, A.3, A.8) ----------------------------------------------------------------------- */

Source *rostra_line_source(Line *line, guint32 ssrc, gboolean make, gint64 now) {
  Source *oldest = NULL;
  for (int i = 0; i < LINE_SOURCES; i++) {
    Source *one = &line->sources[i];
    if (one->used && one->ssrc == ssrc) return one;
    if (one == line->heard && one->used) continue;
    if (!oldest || !one->used || (oldest->used && one->heard < oldest->heard)) oldest = one;
  }
  if (!make) return NULL;
  memset(oldest, 0, sizeof *oldest);
  oldest->used = TRUE;
  oldest->ssrc = ssrc;
  oldest->heard = now;
  return oldest;
}

gint64 rostra_line_lost(const Source *source) {
  if (!source->packets) return 0;
  guint64 expected = (guint64)source->cycles + source->highest - source->base + 1;
  return (gint64)expected - (gint64)source->packets;
}

void rostra_rate_count(Rate *rate, gsize octets, gint64 now) {
  if (!rate->since) rate->since = now;
  rate->octets += octets;
  gint64 took = now - rate->since;
  if (took < G_USEC_PER_SEC) return;
  rate->bitrate = (double)rate->octets * 8 * G_USEC_PER_SEC / (double)took;
  rate->since = now;
  rate->octets = 0;
}

static void begin_counting(Source *source, guint16 number) {
  source->base = source->highest = number;
  source->cycles = 0;
  source->packets = source->expected_before = source->received_before = 0;
}

static void count(Source *source, guint16 number, guint32 stamp, gsize size, guint32 clock, gint64 now) {
  gint16 ahead = (gint16)(number - source->highest);
  if (!source->packets || ahead < -BACK || ahead > FAR) {
    begin_counting(source, number);
  } else if (ahead > 0) {
    if (number < source->highest) source->cycles += 65536;
    source->highest = number;
  }
  guint32 transit = (guint32)(now * clock / G_USEC_PER_SEC) - stamp;
  if (source->packets) {
    gint32 moved = (gint32)(transit - source->transit);
    source->jitter += (ABS((double)moved) - source->jitter) / 16;
  }
  source->transit = transit;
  source->clock = clock;
  source->packets++;
  source->octets += size;
  source->heard = now;
  rostra_rate_count(&source->rate, size, now);
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

static Waiting *slot(Line *line, guint16 number) { return &line->waiting[number % LINE_WAITING]; }

static Waiting *waiting(Line *line, guint16 number) {
  Waiting *one = slot(line, number);
  return one->used && one->number == number ? one : NULL;
}

static void drop(Line *line, Waiting *one) {
  g_clear_pointer(&one->payload, g_free);
  one->used = FALSE;
  line->waits--;
}

void rostra_line_forget(Line *line) {
  for (int i = 0; i < LINE_WAITING; i++)
    if (line->waiting[i].used) drop(line, &line->waiting[i]);
  line->owed = 0;
  line->made_up = 0;
  line->past = 0;
}

static void advance(Line *line, gboolean made_up) {
  line->next++;
  line->made_up = (guint16)(line->made_up << 1 | (made_up ? 1 : 0));
}

static Decoder *decoder(Line *line, int codec) {
  if (!line->decoders[codec]) {
    line->decoders[codec] = rostra_decoder_new(codec);
    if (line->tones) rostra_decoder_listen(line->decoders[codec]);
  }
  line->decoding = codec;
  return line->decoders[codec];
}

/* The time after a packet of so many samples. */
static guint32 after(guint32 stamp, int samples, int codec) {
  return stamp + (guint32)samples / (ROSTRA_RATE / rostra_codec_clock(codec));
}

/* The packet that is next, which is here. */
static int play(Line *line, Waiting *one, gint16 *out, guint *late) {
  int codec = one->codec, samples = 0;
  if (line->owed) {
    if (one->stamp == line->stamp) *late = line->owed * ROSTRA_BLOCK; /* else there was silence, which nobody sends */
    line->owed = 0;
  }
  line->stamp = one->stamp;
  if (codec != ROSTRA_EVENTS && !line->muffled && rostra_line_may_decode(line, g_get_monotonic_time())) {
    samples = rostra_decode(decoder(line, codec), one->payload, one->size, out);
    line->sound.holds -= samples;
    line->stamp = after(one->stamp, samples, codec);
  } else {
    line->decoding = 0;
  }
  drop(line, one);
  advance(line, FALSE);
  return samples;
}

/* The packet that is next, which is not here, while others after it are. */
static int make_up(Line *line, gint16 *out) {
  int samples = 0;
  if (line->owed) {
    line->owed--;
  } else if (line->decoding && !line->muffled) {
    Waiting *following = waiting(line, (guint16)(line->next + 1));
    gboolean tells = following && following->codec == line->decoding;
    Decoder *with = line->decoders[line->decoding];
    samples = tells ? rostra_decode_lost(with, following->payload, following->size, out) : rostra_conceal(with, out);
    line->concealed++;
  }
  line->stamp = after(line->stamp, samples ? samples : ROSTRA_BLOCK, line->decoding ? line->decoding : ROSTRA_OPUS);
  advance(line, TRUE);
  return samples;
}

/* Go on with what is here, unless what is missing may still be on its way. */
static void skip(Line *line) {
  if (line->waits < ENOUGH) return;
  while (!waiting(line, line->next)) advance(line, FALSE);
}

int rostra_line_conceal(gpointer data, gboolean playing, gint16 *out) {
  Line *line = data;
  int samples = 0;
  guint late = 0;
  g_mutex_lock(&line->lock);
  if (!playing) skip(line);
  if (playing && line->stretch && line->decoding && !line->muffled) {
    line->stretch--;
    samples = rostra_conceal(line->decoders[line->decoding], out);
  }
  while (line->waits && !samples) {
    Waiting *one = waiting(line, line->next);
    if (!one && !playing) break;
    samples = one ? play(line, one, out, &late) : make_up(line, out);
  }
  if (!samples && playing && line->decoding && !line->muffled) {
    samples = rostra_conceal(line->decoders[line->decoding], out);
    line->owed++;
    line->concealed++;
  }
  g_mutex_unlock(&line->lock);
  return samples;
}

/* A number that seems to be had already: has the far end begun anew? */
static gboolean begins_anew(Line *line, const Waiting *packet) {
  line->past = line->past && packet->number == line->past_next ? line->past + 1 : 1;
  line->past_next = (guint16)(packet->number + 1);
  gboolean to_come = (gint32)(packet->stamp - line->stamp) > 0;
  return line->past >= (to_come ? ANEW : ANEW_BEFORE);
}

static void begin_at(Line *line, const Waiting *packet, gboolean anew) {
  if (anew) {
    begin_counting(line->heard, packet->number);
    line->heard->packets = 1;
  }
  rostra_line_forget(line);
  line->next = packet->number;
  line->stamp = packet->stamp;
}

/* With the lock: put a packet where it belongs. Returns samples by which it came too late. */
static guint arrange(Line *line, const Waiting *packet) {
  gint16 ahead = (gint16)(packet->number - line->next);
  if (ahead < 0 && ahead >= -BACK) {
    gboolean missed = ahead >= -16 && (line->made_up >> (-ahead - 1) & 1);
    if (missed) {
      line->made_up &= (guint16)~(1u << (-ahead - 1));
      line->late++;
      line->stretch = MIN(line->stretch + 1, STRETCH_MOST);
      return ROSTRA_BLOCK;
    }
    if (!begins_anew(line, packet)) return 0; /* had already */
    begin_at(line, packet, TRUE);
  } else if (ahead >= LINE_WAITING || ahead < 0) { /* so much is missing that it is better to begin anew */
    begin_at(line, packet, ahead < 0);
  }
  line->past = 0;
  Waiting *free = slot(line, packet->number);
  if (free->used) return 0;
  *free = *packet;
  free->payload = g_memdup2(packet->payload, packet->size);
  line->waits++;
  return 0;
}

static void play_what_is_in_order(Line *line) {
  gint16 samples[ROSTRA_DECODED_MOST];
  for (;;) {
    guint late = 0;
    g_mutex_lock(&line->lock);
    Waiting *one = line->waits ? waiting(line, line->next) : NULL;
    int had = one ? play(line, one, samples, &late) : 0;
    const char *keys = had && line->tones ? rostra_decoder_keys(line->decoders[line->decoding]) : NULL;
    for (; keys && *keys; keys++) rostra_line_tell(line, *keys);
    g_mutex_unlock(&line->lock);
    if (!one) return;
    if (late) rostra_speaker_late(line->speaker, late);
    if (had) rostra_speaker_push(line->speaker, samples, (gsize)had);
  }
}

/* ---- packets ------------------------------------------------------------------------------------------------------ */

/* RFC 4733 2.3: all packets of one press have its time. */
static void take_event(Line *line, const Waiting *packet) {
  if (packet->size < 4 || (line->any_event && line->event == packet->stamp)) return;
  line->any_event = TRUE;
  line->event = packet->stamp;
  if (packet->payload[0] < 16) rostra_line_tell(line, "0123456789*#ABCD"[packet->payload[0]]);
}

/* Where its payload is (RFC 3550 5.1); FALSE: it is no packet of RTP. */
static gboolean parse(const guint8 *packet, gsize size, Waiting *found) {
  if (size < 12) return FALSE;
  gsize head = 12 + 4 * (gsize)(packet[0] & 0x0f), tail = 0;
  if (packet[0] & 0x10 && size >= head + 4) head += 4 + 4 * (gsize)GST_READ_UINT16_BE(packet + head + 2);
  if (packet[0] & 0x20) tail = packet[size - 1];
  if (head + tail > size) return FALSE;
  found->number = GST_READ_UINT16_BE(packet + 2);
  found->stamp = GST_READ_UINT32_BE(packet + 4);
  found->payload = (guint8 *)packet + head;
  found->size = size - head - tail;
  return TRUE;
}

static gboolean take(Line *line, guint8 *packet, gsize size, const struct sockaddr_storage *from, guint *late) {
  Waiting found = {.used = TRUE, .codec = line->codecs[packet[1] & 0x7f]};
  gint64 now = g_get_monotonic_time();
  if (!found.codec || !parse(packet, size, &found)) return FALSE;
  Source *source = rostra_line_source(line, GST_READ_UINT32_BE(packet + 8), TRUE, now);
  gint64 before = line->heard ? line->heard->heard : 0;
  guint32 clock = found.codec == ROSTRA_EVENTS ? (source->clock ? source->clock : 8000) : rostra_codec_clock(found.codec);
  count(source, found.number, found.stamp, found.size, clock, now);
  source->from = *from;
  if (source != line->heard) {
    if (line->heard && now - before < OTHER) return FALSE; /* one voice at a time */
    line->heard = source;
    rostra_line_forget(line);
    line->next = found.number;
    line->stamp = found.stamp;
  }
  if (found.codec == ROSTRA_EVENTS) take_event(line, &found);
  *late = arrange(line, &found);
  return TRUE;
}

gboolean rostra_line_take(Line *line, guint8 *packet, gsize size, const struct sockaddr_storage *from) {
  if (size < 8 || packet[0] >> 6 != 2) return FALSE;
  gboolean report = packet[1] >= 192 && packet[1] <= 223; /* RFC 5761 4 */
  if (!report && size < 12) return FALSE;
  guint late = 0;
  g_mutex_lock(&line->lock);
  gboolean wanted = rostra_line_wants(line, GST_READ_UINT32_BE(packet + (report ? 4 : 8)), from, g_get_monotonic_time());
  if (wanted && line->unlocking) size = rostra_srtp_unlock(line, packet, size, report);
  gboolean media = wanted && size && !report && take(line, packet, size, from, &late);
  if (wanted && size && report) rostra_line_take_report(line, packet, size, from);
  g_mutex_unlock(&line->lock);
  if (late) rostra_speaker_late(line->speaker, late);
  if (media) play_what_is_in_order(line);
  return wanted;
}
