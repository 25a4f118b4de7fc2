/* Sound between the far ends and the mixer: what its files share. 48 kHz mono throughout, in blocks of 20 ms.
 *
 * One lock, the mixer's, covers legs, rings and sums. Encoding and sending are done outside it, on coders.c's threads. */
#pragma once

#include "rostra.h"

#define ROSTRA_RATE 48000
#define ROSTRA_BLOCK 960 /* 20 ms */

/* ---- ring.c: one source's samples between its far end and the mixer; the caller locks ------------------- */

#define ROSTRA_RING_TARGET (ROSTRA_RATE / 25)   /* 40 ms gathered before it plays */
#define ROSTRA_RING_MOST (ROSTRA_RATE * 3 / 20) /* 150 ms: beyond it the oldest go */

typedef struct {
  gint16 samples[ROSTRA_RING_MOST + ROSTRA_RING_TARGET];
  guint read, fill;
  guint least, popped; /* least fill seen in the last `popped` blocks */
  guint reserve;       /* samples that may wait without being too much */
  guint dry, calm;     /* blocks since it ran dry (0: it has not), windows since something was late */
  gboolean playing, fade_in;
  gint16 last;
} Ring;

void rostra_ring_reset(Ring *ring);
void rostra_ring_push(Ring *ring, const gint16 *samples, gsize count);
/* Fill a block; FALSE (and nothing written) when there is nothing to play. */
gboolean rostra_ring_pop(Ring *ring, gint16 *block);
/* Something came later than it could be played: keep so many samples more from now on. */
void rostra_ring_late(Ring *ring, guint samples);

/* ---- speech.c: who talks, and how loud ------------------------------------------------------------------ */

#define ROSTRA_PERIOD 5 /* blocks: 100 ms, of which the beats of nearly all signalling tones are a part */

typedef struct {
  double squares; /* of the last `blocks` */
  int blocks;
  float level; /* of the last 100 ms, dBov; -127 silence */
  float now;   /* of this block */
  float floor; /* of the noise between words */
  float high, low;   /* how the loudness moves: speech does, tones and noise do not */
  float past[ROSTRA_PERIOD]; /* dBov of the blocks before, the latest first */
  float steady;      /* share of the loud blocks, lately, that are as loud as one of those: tones are, speech is not */
  float loudness;    /* of its speech, before the gain */
  float gain, asked; /* dB: as applied, and where it goes */
  float weight;      /* smoothed loudness by which the loudest are chosen */
  guint hold;        /* blocks it still counts as talking */
  gboolean talks, talked; /* now, and in the block before */
  gboolean faded;         /* its block has died away: what comes next begins anew */
} Speech;

void rostra_speech_reset(Speech *speech);
/* Look at a block (NULL: silence) before anything is done to it. */
void rostra_speech_measure(Speech *speech, const gint16 *block);
/* Bring the talker's block to the usual loudness, slowly. */
void rostra_speech_level(Speech *speech, gint16 *block);
/* Fade a block in or out where a talker begins or ends. */
void rostra_speech_fade(gint16 *block, gboolean in);

/* ---- clean.c: noise taken out ------------------------------------------------------------------------------- */

typedef struct _Cleaner Cleaner;

gboolean rostra_cleaning(void); /* it is wanted */
Cleaner *rostra_cleaner_new(void);
void rostra_cleaner_free(Cleaner *cleaner);
/* Whole blocks of what came, at most `count` and a block; returns samples. */
gsize rostra_clean(Cleaner *cleaner, const gint16 *samples, gsize count, gint16 *out);

/* ---- sums.c: the sums of one block; the caller locks ------------------------------------------------------ */

/* Groups of sources, as bits (media/messages.py names them); a listener hears a set of them. */
#define ROSTRA_GROUPS 3
#define ROSTRA_PARTICIPANT 1u
#define ROSTRA_EVERYBODY ((1u << ROSTRA_GROUPS) - 1)

typedef struct {
  float gain;
} Limiter; /* of one mix, over time */

typedef struct {
  gint32 group[ROSTRA_GROUPS][ROSTRA_BLOCK];
  guint sounding; /* groups with anything in them */
  gint32 sum[1 << ROSTRA_GROUPS][ROSTRA_BLOCK];
  gboolean made[1 << ROSTRA_GROUPS];
  GstBuffer *buffer[1 << ROSTRA_GROUPS];
  GstBuffer *before[1 << ROSTRA_GROUPS]; /* the block before this one, by what may be heard */
  Limiter limiter[1 << ROSTRA_GROUPS];
} Sums;

void rostra_sums_begin(Sums *sums);
void rostra_sums_add(Sums *sums, guint group, const gint16 *block);
const gint32 *rostra_sums_of(Sums *sums, guint groups);
/* The sum as a buffer, shared by all who ask for it, with a reference. */
GstBuffer *rostra_sums_buffer(Sums *sums, guint groups, GstBuffer *silence);
void rostra_sums_end(Sums *sums);
/* A block of its own, turned down smoothly where it would not fit into 16 bits. */
GstBuffer *rostra_block_buffer(const gint32 *sum, Limiter *limiter);

/* ---- voices.c: codecs ---------------------------------------------------------------------------------------- */

enum { ROSTRA_OPUS = 1, ROSTRA_PCMU, ROSTRA_PCMA, ROSTRA_G722, ROSTRA_EVENTS };

#define ROSTRA_PACKET_MOST 1500
#define ROSTRA_DECODED_MOST 5760 /* samples of the longest packet, 120 ms */

typedef struct _Decoder Decoder;
typedef struct _Encoder Encoder;

int rostra_codec_named(const char *name); /* 0: not one of ours */
guint rostra_codec_clock(int codec);      /* of RTP, Hz */

Decoder *rostra_decoder_new(int codec);
void rostra_decoder_free(Decoder *decoder);
/* Samples of a packet, at most ROSTRA_DECODED_MOST; 0 when it cannot be understood. */
int rostra_decode(Decoder *decoder, const guint8 *payload, gsize size, gint16 *out);
/* What was in the packet before this one, which is lost: as it tells, else as it sounds likely. */
int rostra_decode_lost(Decoder *decoder, const guint8 *payload, gsize size, gint16 *out);
/* What is likely to come next. */
int rostra_conceal(Decoder *decoder, gint16 *out);
/* Keys heard as tones in what was decoded of G.711 since the last call; NULL or "": none. */
const char *rostra_decoder_keys(Decoder *decoder);
void rostra_decoder_listen(Decoder *decoder); /* for keys, from now on */

Encoder *rostra_encoder_new(int codec);
void rostra_encoder_free(Encoder *encoder);
/* Bytes of the payload. `apart`: who takes it has not had the one before. */
int rostra_encode(Encoder *encoder, const gint16 *block, guint8 *out, gboolean apart);
/* Percent of packets that are lost on the way. */
void rostra_encoder_expect_loss(Encoder *encoder, int percent);

/* ---- resample.c: between 48 kHz and its parts ------------------------------------------------------------- */

#define ROSTRA_TAPS 24 /* of each phase */

typedef struct {
  int factor; /* 3 or 6 */
  gboolean quiet; /* nothing but silence is on the way */
  float past[ROSTRA_TAPS * 6];
} Resampler;

void rostra_resampler_init(Resampler *self, int factor);
/* `count` samples in, `count * factor` out. */
void rostra_raise(Resampler *self, const gint16 *in, int count, gint16 *out);
/* `count * factor` samples in, `count` out. */
void rostra_lower(Resampler *self, const gint16 *in, int count, gint16 *out);

/* ---- conceal.c: what is missing, made up ---------------------------------------------------------------- */

typedef struct {
  int rate; /* Hz, at most 16000 */
  gint16 past[562], cycle[243]; /* what is compared, 20 ms, after the longest period; one period */
  int pitch, at; /* of `cycle` */
  int missing;   /* samples made up in a row */
} Plc;

void rostra_plc_init(Plc *self, int rate);
void rostra_plc_take(Plc *self, gint16 *samples, int count); /* what came; its beginning is joined to what was made up */
void rostra_plc_fill(Plc *self, gint16 *out, int count);

/* ---- coders.c: one encoder for all who hear the same ---------------------------------------------------------- */

typedef struct _Coder Coder;
typedef struct _Ear Ear;
typedef struct _Leg Leg;

/* Called on a thread of coders.c, in the order of ticks; `tick` numbers blocks of 20 ms. */
typedef void (*RostraHear)(gpointer user, const guint8 *payload, gsize size, guint64 tick);

struct _Ear {
  Leg *leg;
  int codec;
  RostraHear hear;
  gpointer user;
  gint references;
  GMutex lock; /* over `gone`, and held while it hears */
  gboolean gone;
  gint loss;    /* percent, as its far end reports; atomic */
  Coder *coder; /* the one it was served by last; identity only, under the mixer's lock */
};

Ear *rostra_ear_ref(Ear *ear);
void rostra_ear_unref(Ear *ear);

Coder *rostra_coder_new(int codec);
void rostra_coder_unref(Coder *coder);
/* Under the mixer's lock: `ear` hears the next block of this coder. */
void rostra_coder_serve(Coder *coder, Ear *ear);
/* Under the mixer's lock: encode this for who is served, then forget them. `warm`: the block before, for a coder that
 * has not been used lately; `tick` the number of this block. */
void rostra_coder_feed(Coder *coder, GstBuffer *block, GstBuffer *warm, guint64 tick);
gboolean rostra_coder_idle(const Coder *coder, guint64 tick); /* nobody has been served for a while */
gboolean rostra_coder_wanted(const Coder *coder);             /* somebody is served in this block */
gint rostra_coders_count(void);
gint rostra_lines_count(void); /* line.c */

/* ---- mixer.c: everybody hears everybody else --------------------------------------------------------------- */

typedef struct _Listener Listener;

/* What comes next when it has not come in time; samples written. Not `playing`: only what has really come and waits for
 * what has not. Must not call the mixer. */
typedef int (*RostraConceal)(gpointer user, gboolean playing, gint16 *out);

struct _Leg {
  char *id;
  int speakers;
  GList *listeners, *ears;
  gboolean routed, speaks, hears, even; /* `even`: it is brought to the usual loudness */
  double loopback;
  guint group, listens; /* bits of ROSTRA_EVERYBODY */

  Ring ring;
  GMutex cleaning; /* over `cleaner` */
  Cleaner *cleaner;
  RostraConceal conceal;
  gpointer conceal_user;
  guint concealed; /* blocks in a row */
  gint16 block[ROSTRA_BLOCK];
  gboolean sounds; /* `block` has something in it */
  gboolean chosen; /* it is among those that are mixed */
  gboolean mixed;  /* its block is part of the sums */
  Speech speech;

  gint16 *delayed; /* loopback line */
  guint delay, delay_at;

  gint16 *prompt;
  gsize prompt_at, prompt_end;
  guint64 prompt_mark; /* the same for all who are played the same */

  Limiter limiter;
  Coder *coder[ROSTRA_EVENTS]; /* of what only this leg hears */
};

void rostra_hurry(void); /* the calling thread goes before others, where the system lets it */
void rostra_mixer_lock(void);
void rostra_mixer_unlock(void);
void rostra_mixer_wait(GCond *condition); /* with the lock, as the next two */
void rostra_mixer_use(void);              /* it runs as long as somebody uses it */
void rostra_mixer_unuse(void);
Leg *rostra_leg_of(const char *id); /* with the lock; made when it is not there */
Leg *rostra_leg_known(const char *id);
void rostra_leg_settle(Leg *leg); /* gone unless somebody uses it */
typedef void (*RostraEach)(Leg *leg, gpointer user);
void rostra_legs_each(RostraEach each, gpointer user);

Leg *rostra_speaker_join(const char *id, gboolean even, RostraConceal conceal, gpointer user);
void rostra_speaker_leave(Leg *leg);
void rostra_speaker_push(Leg *leg, const gint16 *samples, gsize count);
/* The same, of sound that should have been there `late` samples ago. */
void rostra_speaker_late(Leg *leg, guint late);

Listener *rostra_listener_join(const char *id);
void rostra_listener_leave(Listener *listener);
/* The next block, waiting for it; NULL once flushing. `tick` numbers blocks of 20 ms. */
GstBuffer *rostra_listener_pull(Listener *listener, guint64 *tick);
void rostra_listener_flush(Listener *listener, gboolean flushing);
void rostra_listener_deliver(Listener *listener, GstBuffer *buffer, guint64 tick);

gint rostra_listener_count(void); /* with the lock */

Ear *rostra_ear_join(const char *id, int codec, RostraHear hear, gpointer user);
void rostra_ear_leave(Ear *ear); /* nothing is heard any more when it returns */

/* ---- elements ------------------------------------------------------------------------------------------------ */

typedef struct {
  gboolean started;
  guint64 last, first; /* ticks: of the previous block, and of `origin` */
  GstClockTime origin; /* running time of tick `first` */
} BlockClock;

/* Give a buffer the running time of its tick. */
void rostra_block_stamp(BlockClock *clock, GstElement *element, GstBuffer *buffer, guint64 tick);

GType rostra_voice_src_get_type(void);

/* ---- hearing.c: what each leg hears of a block ------------------------------------------------------------------ */

void rostra_hearing_tick(guint64 tick, Sums *sums, GstBuffer *silence);
void rostra_hearing_end(Sums *sums); /* nobody is there any more */
void rostra_leg_quiet(Leg *leg);     /* drop what is played to it alone */
void rostra_leg_deafen(Leg *leg);    /* free what it needed to hear */
