/* SRTP of a line (RFC 3711, RFC 6188, RFC 7714), with keys that signalling carried.
 *
 * A packet can only be read by who knows how often the 16 bits of its number have rolled over (RFC 3711 3.3.1), which
 * nobody says who has been sending before we began to listen. So each further trial of a source is with another count,
 * and a source that nothing genuine came from is forgotten at once. Each source has a session of its own, as a session
 * keeps something of every source that it is made to forget (libsrtp 2.5 with NSS: 29 kB). */
#include <string.h>

#include <srtp2/srtp.h>

#include "line.h"

#define TRIED_MOST 64u   /* sources on trial */
#define ROLLOVERS 128u   /* at 50 packets a second it comes to this after two days */

/* In the order of media/encryption.py, from 1. */
static void (*const suites[])(srtp_crypto_policy_t *) = {
    NULL,
    srtp_crypto_policy_set_aes_gcm_256_16_auth,
    srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
    srtp_crypto_policy_set_aes_gcm_128_16_auth,
    srtp_crypto_policy_set_rtp_default,
    srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
};

typedef struct {
  guint32 ssrc;
  srtp_t session; /* NULL: unused */
} Known;

struct _Srtp {
  srtp_t session; /* outbound */
  srtp_policy_t policy;
  guint8 key[64];
  Known known[LINE_SOURCES]; /* inbound: those that something genuine came from */
  guint next;                /* the one to give way */
};

static void set_policy(srtp_policy_t *policy, int suite) {
  suites[suite](&policy->rtp);
  suites[suite](&policy->rtcp);
  if (suite == 5) srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp); /* RFC 4568 6.2: the short tag is for RTP */
  if (suite == 6) srtp_crypto_policy_set_rtp_default(&policy->rtcp);
}

/* GStreamer's plugin prepares the same library when it is loaded, and the library does not stand two who do so at once:
 * a session that is made meanwhile fails (srtp_err_status_init_fail). To load a file is to wait for who is loading it. */
static void prepare(void) {
  static gsize ready;
  if (!g_once_init_enter(&ready)) return;
  GstPlugin *found = gst_registry_find_plugin(gst_registry_get(), "srtp");
  GstPlugin *loaded = found ? gst_plugin_load_file(gst_plugin_get_filename(found), NULL) : NULL;
  gst_clear_object(&loaded);
  gst_clear_object(&found);
  srtp_init();
  g_once_init_leave(&ready, 1);
}

Srtp *rostra_srtp_new(const RostraLineKey *key, gboolean outbound) {
  prepare();
  if (key->suite < 1 || key->suite >= (gint32)G_N_ELEMENTS(suites)) return NULL;
  Srtp *self = g_new0(Srtp, 1);
  memcpy(self->key, key->octets, sizeof self->key);
  set_policy(&self->policy, key->suite);
  self->policy.key = self->key;
  self->policy.window_size = 128;
  self->policy.allow_repeat_tx = 1;
  self->policy.ssrc.type = ssrc_any_outbound;
  if (outbound && srtp_create(&self->session, &self->policy) != srtp_err_status_ok) {
    g_free(self);
    return NULL;
  }
  return self;
}

void rostra_srtp_free(Srtp *self) {
  if (!self) return;
  if (self->session) srtp_dealloc(self->session);
  for (guint i = 0; i < LINE_SOURCES; i++)
    if (self->known[i].session) srtp_dealloc(self->known[i].session);
  g_free(self);
}

gsize rostra_srtp_lock(Srtp *self, guint8 *packet, gsize size, gboolean report) {
  int length = (int)size;
  srtp_err_status_t done = report ? srtp_protect_rtcp(self->session, packet, &length)
                                  : srtp_protect(self->session, packet, &length);
  return done == srtp_err_status_ok ? (gsize)length : 0;
}

/* Its size when it can be read, else 0. */
static gsize open_packet(srtp_t session, guint8 *packet, gsize size, gboolean report) {
  int length = (int)size;
  srtp_err_status_t done =
      report ? srtp_unprotect_rtcp(session, packet, &length) : srtp_unprotect(session, packet, &length);
  return done == srtp_err_status_ok ? (gsize)length : 0;
}

guint32 rostra_srtp_rollovers(guint trial, guint32 likely) {
  return trial % 2 ? (likely + (trial + 1) / 2) % ROLLOVERS : likely;
}

static srtp_t known_session(const Srtp *self, guint32 ssrc) {
  for (guint i = 0; i < LINE_SOURCES; i++)
    if (self->known[i].session && self->known[i].ssrc == ssrc) return self->known[i].session;
  return NULL;
}

static void keep(Srtp *self, guint32 ssrc, srtp_t session, const Source *heard) {
  Known *place = &self->known[self->next++ % LINE_SOURCES];
  if (place->session && heard && place->ssrc == heard->ssrc) place = &self->known[self->next++ % LINE_SOURCES];
  if (place->session) srtp_dealloc(place->session);
  *place = (Known){ssrc, session};
}

static srtp_t session_on_trial(Srtp *self, guint32 ssrc, guint32 rolled_over) {
  srtp_t session = NULL;
  self->policy.ssrc.type = ssrc_specific;
  self->policy.ssrc.value = ssrc;
  if (srtp_create(&session, &self->policy) != srtp_err_status_ok) return NULL;
  srtp_set_stream_roc(session, ssrc, rolled_over);
  return session;
}

gboolean rostra_srtp_try(Srtp *self, guint32 ssrc, guint32 rolled_over, guint8 *packet, gsize size, gboolean report) {
  srtp_t session = session_on_trial(self, ssrc, rolled_over);
  if (!session) return FALSE;
  gsize length = open_packet(session, packet, size, report);
  srtp_dealloc(session);
  return length > 0;
}

gsize rostra_srtp_unlock(Line *line, guint8 *packet, gsize size, gboolean report) {
  Srtp *self = line->unlocking;
  if (size < 12) return 0;
  guint32 ssrc = GST_READ_UINT32_BE(packet + (report ? 4 : 8));
  srtp_t session = known_session(self, ssrc);
  if (session) return open_packet(session, packet, size, report);
  if (!line->rollovers) line->rollovers = g_hash_table_new(NULL, NULL);
  guint trial = GPOINTER_TO_UINT(g_hash_table_lookup(line->rollovers, GUINT_TO_POINTER(ssrc)));
  if (!(session = session_on_trial(self, ssrc, rostra_srtp_rollovers(trial, line->rollover)))) return 0;
  gsize length = open_packet(session, packet, size, report);
  if (length && !report) {
    g_hash_table_remove(line->rollovers, GUINT_TO_POINTER(ssrc));
    keep(self, ssrc, session, line->heard);
    return length;
  }
  srtp_dealloc(session); /* a report says nothing of the count: the source is tried by media */
  if (!report) {
    if (g_hash_table_size(line->rollovers) >= TRIED_MOST) g_hash_table_remove_all(line->rollovers);
    g_hash_table_insert(line->rollovers, GUINT_TO_POINTER(ssrc), GUINT_TO_POINTER(trial + 1));
  }
  return length;
}

guint32 rostra_srtp_rollover(Line *line) {
  guint32 count = 0;
  srtp_t session = line->unlocking && line->heard ? known_session(line->unlocking, line->heard->ssrc) : NULL;
  if (session) srtp_get_stream_roc(session, line->heard->ssrc, &count);
  return count;
}
