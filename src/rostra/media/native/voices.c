/* Codecs of voice: packets to samples and back (RFC 7587, RFC 3551 4.5.2 and 4.5.14). */
#include <string.h>

#include <opus/opus.h>
#include <spandsp.h>

#include "sound.h"

#define BITRATE 40000   /* of Opus, bit/s */
#define COMPLEXITY 6    /* of Opus: more is hardly heard in speech */
#define USUAL_LOSS 5    /* percent that is always provided for: losses are told late */
#define LOWEST (-42)    /* dBm0 of a key's tones, of each */
#define TWIST 8         /* dB between them */
#define REVERSE_TWIST 4

struct _Decoder {
  int codec, last; /* samples of the packet before, at 48 kHz */
  OpusDecoder *opus;
  g722_decode_state_t *g722;
  Plc plc;
  Resampler raise;
  dtmf_rx_state_t *keys;
  char heard[16];
};

struct _Encoder {
  int codec;
  OpusEncoder *opus;
  g722_encode_state_t *g722;
  Resampler lower;
};

static const struct {
  const char *name;
  guint clock;
  int factor; /* from the rate of its samples to 48 kHz */
} table[] = {
    [ROSTRA_OPUS] = {"OPUS", 48000, 1}, [ROSTRA_PCMU] = {"PCMU", 8000, 6}, [ROSTRA_PCMA] = {"PCMA", 8000, 6},
    [ROSTRA_G722] = {"G722", 8000, 3}, [ROSTRA_EVENTS] = {"TELEPHONE-EVENT", 8000, 6},
};

ROSTRA_EXPORT int rostra_codec_named(const char *name) {
  for (guint i = 1; name && i < G_N_ELEMENTS(table); i++)
    if (g_str_equal(table[i].name, name)) return (int)i;
  return 0;
}

guint rostra_codec_clock(int codec) { return codec > 0 && codec < (int)G_N_ELEMENTS(table) ? table[codec].clock : 8000; }

/* ---- G.711 --------------------------------------------------------------------------------------------------- */

static const gint16 *expanded(gboolean alaw) {
  static gint16 tables[2][256];
  static gsize made;
  if (g_once_init_enter(&made)) {
    for (int i = 0; i < 256; i++) {
      tables[0][i] = ulaw_to_linear((guint8)i);
      tables[1][i] = alaw_to_linear((guint8)i);
    }
    g_once_init_leave(&made, 1);
  }
  return tables[alaw];
}

/* ---- decoding -------------------------------------------------------------------------------------------------- */

Decoder *rostra_decoder_new(int codec) {
  Decoder *self = g_new0(Decoder, 1);
  int problem = OPUS_OK;
  self->codec = codec;
  self->last = ROSTRA_BLOCK;
  if (codec == ROSTRA_OPUS) self->opus = opus_decoder_create(ROSTRA_RATE, 1, &problem);
  if (codec == ROSTRA_G722) self->g722 = g722_decode_init(NULL, 64000, 0);
  if (codec != ROSTRA_OPUS) {
    rostra_plc_init(&self->plc, ROSTRA_RATE / table[codec].factor);
    rostra_resampler_init(&self->raise, table[codec].factor);
  }
  return self;
}

void rostra_decoder_free(Decoder *self) {
  if (!self) return;
  if (self->opus) opus_decoder_destroy(self->opus);
  if (self->g722) g722_decode_free(self->g722);
  if (self->keys) dtmf_rx_free(self->keys);
  g_free(self);
}

void rostra_decoder_listen(Decoder *self) {
  if (self->keys || (self->codec != ROSTRA_PCMU && self->codec != ROSTRA_PCMA)) return;
  self->keys = dtmf_rx_init(NULL, NULL, NULL);
  dtmf_rx_parms(self->keys, FALSE, TWIST, REVERSE_TWIST, LOWEST);
}

const char *rostra_decoder_keys(Decoder *self) {
  if (!self->keys) return NULL;
  self->heard[dtmf_rx_get(self->keys, self->heard, sizeof self->heard - 1)] = '\0';
  return self->heard;
}

static int raised(Decoder *self, gint16 *samples, int count, gint16 *out) {
  rostra_raise(&self->raise, samples, count, out);
  return self->last = count * self->raise.factor;
}

int rostra_decode(Decoder *self, const guint8 *payload, gsize size, gint16 *out) {
  if (self->codec == ROSTRA_OPUS) {
    int count = opus_decode(self->opus, payload, (opus_int32)size, out, ROSTRA_DECODED_MOST, 0);
    return count > 0 ? self->last = count : 0;
  }
  gint16 samples[ROSTRA_DECODED_MOST / 3];
  int count = (int)size;
  if (self->codec == ROSTRA_G722) {
    if (!count || 2 * count > (int)G_N_ELEMENTS(samples)) return 0;
    count = g722_decode(self->g722, samples, payload, count);
  } else {
    if (!count || count > ROSTRA_DECODED_MOST / 6) return 0;
    const gint16 *expand = expanded(self->codec == ROSTRA_PCMA);
    for (int i = 0; i < count; i++) samples[i] = expand[payload[i]];
    if (self->keys) dtmf_rx(self->keys, samples, count);
  }
  rostra_plc_take(&self->plc, samples, count);
  return raised(self, samples, count, out);
}

int rostra_conceal(Decoder *self, gint16 *out) {
  if (self->codec == ROSTRA_OPUS) {
    int count = opus_decode(self->opus, NULL, 0, out, self->last, 0);
    return MAX(count, 0);
  }
  gint16 samples[ROSTRA_DECODED_MOST / 3];
  int count = self->last / self->raise.factor;
  if (self->keys) dtmf_rx_fillin(self->keys, count);
  rostra_plc_fill(&self->plc, samples, count);
  return raised(self, samples, count, out);
}

int rostra_decode_lost(Decoder *self, const guint8 *payload, gsize size, gint16 *out) {
  if (self->codec != ROSTRA_OPUS || !size) return rostra_conceal(self, out);
  int count = opus_decode(self->opus, payload, (opus_int32)size, out, self->last, 1);
  return MAX(count, 0);
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

Encoder *rostra_encoder_new(int codec) {
  Encoder *self = g_new0(Encoder, 1);
  int problem = OPUS_OK;
  self->codec = codec;
  if (codec == ROSTRA_OPUS) {
    self->opus = opus_encoder_create(ROSTRA_RATE, 1, OPUS_APPLICATION_VOIP, &problem);
    opus_encoder_ctl(self->opus, OPUS_SET_BITRATE(BITRATE));
    opus_encoder_ctl(self->opus, OPUS_SET_COMPLEXITY(COMPLEXITY));
    opus_encoder_ctl(self->opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(self->opus, OPUS_SET_INBAND_FEC(1));
    rostra_encoder_expect_loss(self, 0);
  } else {
    if (codec == ROSTRA_G722) self->g722 = g722_encode_init(NULL, 64000, 0);
    rostra_resampler_init(&self->lower, table[codec].factor);
  }
  return self;
}

void rostra_encoder_free(Encoder *self) {
  if (!self) return;
  if (self->opus) opus_encoder_destroy(self->opus);
  if (self->g722) g722_encode_free(self->g722);
  g_free(self);
}

void rostra_encoder_expect_loss(Encoder *self, int percent) {
  if (self->opus) opus_encoder_ctl(self->opus, OPUS_SET_PACKET_LOSS_PERC(CLAMP(percent, USUAL_LOSS, 50)));
}

int rostra_encode(Encoder *self, const gint16 *block, guint8 *out, gboolean apart) {
  if (self->opus) {
    if (apart) opus_encoder_ctl(self->opus, OPUS_SET_PREDICTION_DISABLED(1));
    int size = opus_encode(self->opus, block, ROSTRA_BLOCK, out, ROSTRA_PACKET_MOST);
    if (apart) opus_encoder_ctl(self->opus, OPUS_SET_PREDICTION_DISABLED(0));
    return MAX(size, 0);
  }
  gint16 samples[ROSTRA_BLOCK / 3];
  int count = ROSTRA_BLOCK / self->lower.factor;
  rostra_lower(&self->lower, block, count, samples);
  if (self->g722) return g722_encode(self->g722, out, samples, count);
  for (int i = 0; i < count; i++)
    out[i] = self->codec == ROSTRA_PCMA ? linear_to_alaw(samples[i]) : linear_to_ulaw(samples[i]);
  return count;
}
