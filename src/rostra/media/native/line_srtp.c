/* SRTP of a line (RFC 3711, RFC 6188, RFC 7714), with keys that signalling carried.
 *
 * A packet can only be read by who knows how often the 16 bits of its number have rolled over (RFC 3711 3.3.1), which
 * nobody says who has been sending before we began to listen. So each further trial of a source is with another count,
 * and a source that nothing genuine came from is forgotten at once. */
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

struct _Srtp {
  srtp_t session;
  srtp_policy_t policy;
  guint8 key[64];
};

static void set_policy(srtp_policy_t *policy, int suite) {
  suites[suite](&policy->rtp);
  suites[suite](&policy->rtcp);
  if (suite == 5) srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp); /* RFC 4568 6.2: the short tag is for RTP */
  if (suite == 6) srtp_crypto_policy_set_rtp_default(&policy->rtcp);
}

Srtp *rostra_srtp_new(const RostraLineKey *key, gboolean outbound) {
  static gsize ready;
  if (g_once_init_enter(&ready)) g_once_init_leave(&ready, srtp_init() == srtp_err_status_ok ? 1 : 2);
  if (key->suite < 1 || key->suite >= (gint32)G_N_ELEMENTS(suites)) return NULL;
  Srtp *self = g_new0(Srtp, 1);
  memcpy(self->key, key->octets, sizeof self->key);
  set_policy(&self->policy, key->suite);
  self->policy.key = self->key;
  self->policy.window_size = 128;
  self->policy.allow_repeat_tx = 1;
  self->policy.ssrc.type = ssrc_any_outbound;
  if (srtp_create(&self->session, outbound ? &self->policy : NULL) != srtp_err_status_ok) {
    g_free(self);
    return NULL;
  }
  return self;
}

void rostra_srtp_free(Srtp *self) {
    if (!self) return;
  srtp_dealloc(self->session);
  g_free(self);
}

gsize rostra_srtp_lock(Srtp *self, guint8 *packet, gsize size, gboolean report) {
    int length = (int)size;
  srtp_err_status_t done = report ? srtp_protect_rtcp(self->session, packet, &length)
                                  : srtp_protect(self->session, packet, &length);
  return done == srtp_err_status_ok ? (gsize)length : 0;
}

static srtp_err_status_t open_packet(Srtp *self, guint8 *packet, int *length, gboolean report) {
  return report ? srtp_unprotect_rtcp(self->session, packet, length) : srtp_unprotect(self->session, packet, length);
}

/* Every second time the count that is most likely, in between those after it. */
static guint32 rollover(guint trial, guint32 likely) {
  return trial % 2 ? (likely + (trial + 1) / 2) % ROLLOVERS : likely;
}

gsize rostra_srtp_unlock(Line *line, guint8 *packet, gsize size, gboolean report) {
  Srtp *self = line->unlocking;
  int length = (int)size;
  if (size < 12) return 0;
  guint32 ssrc = GST_READ_UINT32_BE(packet + (report ? 4 : 8));
  guint32 count;
  if (srtp_get_stream_roc(self->session, ssrc, &count) == srtp_err_status_ok)
    return open_packet(self, packet, &length, report) == srtp_err_status_ok ? (gsize)length : 0;
  if (!line->rollovers) line->rollovers = g_hash_table_new(NULL, NULL);
  guint trial = GPOINTER_TO_UINT(g_hash_table_lookup(line->rollovers, GUINT_TO_POINTER(ssrc)));
  self->policy.ssrc.type = ssrc_specific;
  self->policy.ssrc.value = ssrc;
  if (srtp_add_stream(self->session, &self->policy) != srtp_err_status_ok) return 0;
  srtp_set_stream_roc(self->session, ssrc, rollover(trial, line->rollover));
  if (open_packet(self, packet, &length, report) == srtp_err_status_ok && !report) {
    g_hash_table_remove(line->rollovers, GUINT_TO_POINTER(ssrc));
    return (gsize)length;
  }
  gboolean genuine = report && length != (int)size; /* a report says nothing of the count: the stream is tried by media */
  srtp_remove_stream(self->session, ssrc);
  if (!report) {
    if (g_hash_table_size(line->rollovers) >= TRIED_MOST) g_hash_table_remove_all(line->rollovers);
    g_hash_table_insert(line->rollovers, GUINT_TO_POINTER(ssrc), GUINT_TO_POINTER(trial + 1));
  }
  return genuine ? (gsize)length : 0;
}

guint32 rostra_srtp_rollover(Line *line) {
  guint32 count = 0;
  if (line->unlocking && line->heard) srtp_get_stream_roc(line->unlocking->session, line->heard->ssrc, &count);
  return count;
}
