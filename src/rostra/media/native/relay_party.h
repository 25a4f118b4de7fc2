/* A relay's endpoint: which sources are it, and where its packets go (relay_party.c). Not exported. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "relay.h"

#define RELAY_ASKING_BURST 20
#define RELAY_ASKED 64 /* requests remembered: more than strangers can ask at once and push out */
#define RELAY_PROVEN 4 /* addresses an ICE endpoint may have at a time */

typedef struct sockaddr_in Address;

typedef struct {
  double tokens, time;
} Bucket;

typedef struct {
  uint8_t transaction[12];
  Address source;
  bool nominates, used;
} Asked;

typedef struct {
  uint64_t packets, bytes, dropped, strangers;
  int64_t heard; /* ms; 0: never */
} Way;

typedef struct {
  uint32_t generation;
  bool ice;
  int outside, inside;                 /* -1: closed */
  Address target, announced, endpoint; /* port 0: none */
  bool latched;                        /* without ICE: `endpoint` was found by its packets */
  int64_t endpoint_heard, opened;
  uint64_t moves;
  Bucket moving, asking;
  Address proven[RELAY_PROVEN]; /* the latest first */
  Asked asked[RELAY_ASKED];
  unsigned next_asked;
  Way inward, outward;
} Relay;

/* The lock of all relays is held in each of these. */

bool rostra_same_address(const Address *one, const Address *two);

/* Whether a packet from outside is the endpoint's; takes note of what it says about where the endpoint is. */
bool rostra_admit(Relay *relay, const Address *source, const uint8_t *data, unsigned size, int64_t now);

/* Where a packet of the worker goes; port 0: nowhere. */
Address rostra_destination(Relay *relay, const uint8_t *data, unsigned size, int64_t now);

/* Another worker: an ICE endpoint has to prove itself to it. */
void rostra_forget_proofs(Relay *relay);

void rostra_announce(Relay *relay, const Address *at);
