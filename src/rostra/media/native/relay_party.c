/* Which sources are a relay's endpoint: the rules are in relay.h. No sockets, no clock. */
#include "relay_party.h"

#include <arpa/inet.h>
#include <string.h>

#define ASKING_RATE 50 /* binding requests a second from sources that are not proven */
#define MOVING_BURST 8
#define MOVING_RATE 1

#define STUN_HEADER 20
#define STUN_COOKIE 0x2112A442u
#define STUN_REQUEST 0x0001 /* binding */
#define STUN_SUCCESS 0x0101
#define STUN_ERROR 0x0111
#define STUN_USE_CANDIDATE 0x0025

static bool take(Bucket *bucket, double rate, double burst, int64_t now) {
  double time = (double)now / 1000;
  if (!bucket->time) *bucket = (Bucket){burst, time};
  bucket->tokens += (time - bucket->time) * rate;
  if (bucket->tokens > burst) bucket->tokens = burst;
  bucket->time = time;
  if (bucket->tokens < 1) return false;
  bucket->tokens -= 1;
  return true;
}

/* ---- addresses and packets ----------------------------------------------------------------------------------- */

bool rostra_same_address(const Address *one, const Address *two) {
  return one->sin_port == two->sin_port && one->sin_addr.s_addr == two->sin_addr.s_addr;
}

/* RTP or RTCP of version 2, or a DTLS record (RFC 7983). */
static bool is_media(const uint8_t *data, unsigned size) {
  return (size >= 8 && data[0] >= 128 && data[0] <= 191) || (size >= 13 && data[0] >= 20 && data[0] <= 63);
}

static unsigned word16(const uint8_t *data) { return (unsigned)data[0] << 8 | data[1]; }

/* The type of a STUN message, or 0 when it is none. */
static unsigned stun_type(const uint8_t *data, unsigned size) {
  if (size < STUN_HEADER || data[0] > 3 || word16(data + 2) + STUN_HEADER != size) return 0;
  uint32_t cookie = (uint32_t)word16(data + 4) << 16 | word16(data + 6);
  return cookie == STUN_COOKIE ? word16(data) : 0;
}

static bool stun_nominates(const uint8_t *data, unsigned size) {
  for (unsigned at = STUN_HEADER; at + 4 <= size; at += 4 + ((word16(data + at + 2) + 3) & ~3u))
    if (word16(data + at) == STUN_USE_CANDIDATE) return true;
  return false;
}

/* ---- who is the endpoint ------------------------------------------------------------------------------------- */

static bool move(Relay *relay, const Address *to, int64_t now) {
  if (relay->endpoint.sin_port && rostra_same_address(&relay->endpoint, to)) return true;
  if (!take(&relay->moving, MOVING_RATE, MOVING_BURST, now)) return false;
  relay->endpoint = *to;
  relay->moves++;
  return true;
}

static bool may_latch(const Relay *relay, const Address *source, int64_t now) {
  if (!relay->latched || now - relay->endpoint_heard >= ROSTRA_RELAY_SILENCE) return true;
  in_addr_t announced = relay->announced.sin_addr.s_addr;
  return relay->announced.sin_port && source->sin_addr.s_addr == announced &&
         relay->endpoint.sin_addr.s_addr != announced;
}

static bool admit_plain(Relay *relay, const Address *source, const uint8_t *data, unsigned size, int64_t now) {
  if (!relay->latched || !rostra_same_address(&relay->endpoint, source)) {
    if (!is_media(data, size) || !may_latch(relay, source, now) || !move(relay, source, now)) return false;
    relay->latched = true;
  }
  relay->endpoint_heard = now;
  return true;
}

static int proven_index(const Relay *relay, const Address *source) {
  for (int i = 0; i < RELAY_PROVEN; i++)
    if (relay->proven[i].sin_port && rostra_same_address(&relay->proven[i], source)) return i;
  return -1;
}

static void prove(Relay *relay, const Address *source) {
  int index = proven_index(relay, source);
  if (index < 0) index = RELAY_PROVEN - 1;
  memmove(relay->proven + 1, relay->proven, (size_t)index * sizeof *source);
  relay->proven[0] = *source;
}

static Asked *find_asked(Relay *relay, const uint8_t *transaction) {
  for (unsigned i = 0; i < RELAY_ASKED; i++)
    if (relay->asked[i].used && !memcmp(relay->asked[i].transaction, transaction, 12)) return &relay->asked[i];
  return NULL;
}

static void remember(Relay *relay, const Address *source, const uint8_t *data, unsigned size) {
  Asked *asked = find_asked(relay, data + 8);
  if (!asked) asked = &relay->asked[relay->next_asked++ % RELAY_ASKED];
  memcpy(asked->transaction, data + 8, 12);
  asked->source = *source;
  asked->nominates = stun_nominates(data, size);
  asked->used = true;
}

static bool admit_ice(Relay *relay, const Address *source, const uint8_t *data, unsigned size, int64_t now) {
  bool proven = proven_index(relay, source) >= 0;
  if (stun_type(data, size) == STUN_REQUEST) {
    if (!proven && !take(&relay->asking, ASKING_RATE, RELAY_ASKING_BURST, now)) return false;
    remember(relay, source, data, size);
    return true;
  }
  if (proven && is_media(data, size)) move(relay, source, now);
  return proven;
}

Address rostra_destination(Relay *relay, const uint8_t *data, unsigned size, int64_t now) {
  unsigned type = relay->ice ? stun_type(data, size) : 0;
  if (type != STUN_SUCCESS && type != STUN_ERROR) return relay->endpoint;
  Asked *asked = find_asked(relay, data + 8);
  if (!asked) return (Address){0};
  asked->used = false;
  if (type == STUN_SUCCESS) {
    prove(relay, &asked->source);
    if (asked->nominates || !relay->endpoint.sin_port) move(relay, &asked->source, now);
  }
  return asked->source;
}

bool rostra_admit(Relay *relay, const Address *source, const uint8_t *data, unsigned size, int64_t now) {
  return (relay->ice ? admit_ice : admit_plain)(relay, source, data, size, now);
}

void rostra_forget_proofs(Relay *relay) {
  if (!relay->ice) return;
  memset(relay->proven, 0, sizeof relay->proven);
  memset(relay->asked, 0, sizeof relay->asked);
  relay->endpoint = (Address){0};
}

void rostra_announce(Relay *relay, const Address *at) {
  if (relay->ice || rostra_same_address(&relay->announced, at)) return;
  relay->announced = relay->endpoint = *at;
  relay->latched = false;
}
