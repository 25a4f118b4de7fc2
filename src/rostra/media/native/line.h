/* A line: the sound of one far end over RTP, from its sockets to the mixer and back, without a pipeline.
 *
 * line.c serves the sockets, line_guard.c bounds what comes, line_in.c takes it apart and in order, line_out.c sends,
 * line_rtcp.c reports, line_srtp.c locks and unlocks packets. `lock` covers what is received, `sending` what is sent; the
 * mixer may hold its lock when it takes `lock`, so nobody calls the mixer with `lock` held. */
#pragma once

#include <sys/socket.h>

#include "sound.h"

#define LINE_SOURCES 4  /* far ends that are counted at a time */
#define LINE_WAITING 16 /* packets that wait for one before them; a power of two */
#define LINE_ADDRESS 64

/* ---- exported structures (mirrored in engine/lines.py) -------------------------------------------------- */

typedef struct {
  gint32 suite;     /* as line_srtp.c numbers them; 0: in the clear */
  guint8 octets[64]; /* master key and salt */
} RostraLineKey;

typedef struct {
  const char *leg, *name; /* `name`: as reports name us (CNAME) */
  gint32 rtp, rtcp;       /* bound sockets, which are duplicated; no `rtcp`: -1, both come on one port */
  gint32 codecs[128];     /* by payload type; 0: not received */
  gint32 codec, payload_type;
  gint32 events, events_clock; /* payload type of keys as sent, and their clock; -1: none */
  gint32 tones;                /* look for keys as tones */
  RostraLineKey in, out;
  guint32 rollover; /* how often the number of what comes has rolled over, as far as it is known */
} RostraLineSetup;

typedef struct {
  guint32 source, clock;
  char address[LINE_ADDRESS], reports[LINE_ADDRESS]; /* where media and reports came from; "": not yet */
  guint32 port;
  gint32 trusted; /* media of it could be read */
  guint64 packets, octets;
  gint64 lost;
  double jitter, bitrate; /* seconds, bit/s */
} RostraLineSource;

typedef struct {
  RostraLineSource sources[LINE_SOURCES];
  gint32 count;
  guint32 source; /* ours */
  guint64 sent, sent_octets;
  gint64 sent_lost;
  double sent_jitter, sent_bitrate, round_trip;
  guint64 reports;   /* that have come */
  guint64 concealed; /* packets that had to be made up */
  guint64 late;      /* and came after all */
  guint32 rollover;
} RostraLineState;

/* ---- within ------------------------------------------------------------------------------------------------ */

typedef struct _Srtp Srtp;

typedef struct {
  gint64 since; /* us */
  guint64 octets;
  double bitrate;
} Rate;

void rostra_rate_count(Rate *rate, gsize octets, gint64 now);

typedef struct {
  double holds;
  gint64 filled; /* us; 0: it is full */
} Bucket;

typedef struct {
  gboolean used, reported;
  guint32 ssrc, clock;
  struct sockaddr_storage from, reports;
  guint64 packets, octets;
  guint32 base, cycles; /* RFC 3550 A.1 */
  guint16 highest;
  guint64 expected_before, received_before;
  double jitter; /* in units of its clock */
  guint32 transit;
  guint32 sender_report; /* middle of its time */
  gint64 sender_report_at, heard;
  Rate rate;
} Source;

typedef struct {
  gboolean used;
  guint16 number;
  guint32 stamp;
  int codec;
  gsize size;
  guint8 *payload;
} Waiting;

typedef struct {
  guint64 handle;
  int rtp, rtcp; /* rtcp -1: shared */
  gint32 codecs[128];
  gboolean tones;
  char name[ROSTRA_ID_SIZE];
  Leg *speaker;
  Ear *ear;

  GMutex lock;
  Srtp *unlocking;
  GHashTable *rollovers; /* tries, by source */
  guint32 rollover;      /* the likely count */
  Source sources[LINE_SOURCES];
  Source *heard; /* which is played */
  Bucket own, strangers, sound; /* packets of who is played, and of others; samples to decode */
  Decoder *decoders[ROSTRA_EVENTS];
  int decoding;  /* the codec of the latest packet */
  gboolean muffled;
  Waiting waiting[LINE_WAITING];
  guint waits;
  guint16 next; /* number of the packet to play next */
  guint32 stamp; /* its time, as far as it is known */
  guint stretch; /* packets by which to play later, as others come that late */
  guint owed;   /* packets that were made up before it was known that they are missing */
  guint past;        /* packets in order that seem to be had already, with nothing newer between them */
  guint16 past_next; /* number of the one after those */
  guint16 made_up; /* which of the last 16 were, as bits */
  guint32 event; /* time of the latest key */
  gboolean any_event;
  guint64 reports, concealed, late;

  GMutex sending;
  Srtp *locking;
  int codec, payload_type, events, events_clock;
  struct sockaddr_storage to, to_reports;
  gboolean open, flowing;
  guint32 ssrc, offset;
  guint16 number;
  guint64 tick; /* of the latest packet */
  guint64 sent, sent_octets;
  Rate sent_rate;
  int key, key_left; /* the key that is down (-1: none), packets that tell of its end */
  guint64 key_tick;
  gint64 sent_lost, report_due;
  double sent_jitter, round_trip;
} Line;

/* line_in.c */
/* FALSE: it was dropped unseen. */
gboolean rostra_line_take(Line *line, guint8 *packet, gsize size, const struct sockaddr_storage *from);
int rostra_line_conceal(gpointer line, gboolean playing, gint16 *out);
void rostra_line_forget(Line *line);
void rostra_line_tell(Line *line, char key); /* line.c: a key was pressed */
Source *rostra_line_source(Line *line, guint32 ssrc, gboolean make, gint64 now);
gint64 rostra_line_lost(const Source *source);

/* line_out.c */
void rostra_line_hear(gpointer line, const guint8 *payload, gsize size, guint64 tick);
void rostra_line_send_report(Line *line, gint64 now);

/* line_rtcp.c */
gsize rostra_line_report(Line *line, guint8 *out, gint64 now); /* both locks held */
void rostra_line_take_report(Line *line, const guint8 *packet, gsize size, const struct sockaddr_storage *from);

/* line_guard.c, with the line's lock */
gboolean rostra_line_wants(Line *line, guint32 ssrc, const struct sockaddr_storage *from, gint64 now);
gboolean rostra_line_may_decode(Line *line, gint64 now);

/* line_srtp.c */
Srtp *rostra_srtp_new(const RostraLineKey *key, gboolean outbound); /* NULL: cannot be used */
void rostra_srtp_free(Srtp *self);
gsize rostra_srtp_lock(Srtp *self, guint8 *packet, gsize size, gboolean report); /* 0: not possible */
/* With the line's lock. */
gsize rostra_srtp_unlock(Line *line, guint8 *packet, gsize size, gboolean report);
guint32 rostra_srtp_rollover(Line *line);
/* The count to try: every second time the one that is most likely, in between those after it. */
guint32 rostra_srtp_rollovers(guint trial, guint32 likely);
/* Is this packet, which is opened, of this source, whose number has rolled over so often? It leaves nothing behind. */
gboolean rostra_srtp_try(Srtp *self, guint32 ssrc, guint32 rolled_over, guint8 *packet, gsize size, gboolean report);
