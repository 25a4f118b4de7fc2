/* The relay of an edge node: datagrams from an endpoint to a media worker and back, untouched (librostrarelay.so).
 *
 * A relay is two bound UDP sockets: outside, where one endpoint comes, and inside, connected to one port of a worker.
 * One thread serves all relays; nothing is allocated for a packet. Every function may be called from any thread.
 *
 * Who may use a relay. Exactly two parties: what comes inside is the target's (the kernel drops the rest), and what
 * comes outside is forwarded only from the endpoint, which proves itself in one of two ways:
 * - Without ICE it is the first source that sends RTP, RTCP or DTLS (RFC 4961), as long as it goes on sending. After
 *   ROSTRA_RELAY_SILENCE another source may take its place (a NAT that binds anew); a source at the address that was
 *   announced by signalling may do so at once. Until then packets go to the announced address.
 * - With ICE the worker knows the password and so the worker decides: binding requests are forwarded from any source,
 *   few at a time, and each answer goes back to who asked, nobody else. A source is the endpoint's when the worker has
 *   answered its request with success; media is forwarded from such sources only. Packets go to the source of the
 *   endpoint's latest media, or of the latest request that nominated (RFC 8445 8.1.1) and was answered.
 * Either way the endpoint moves at most a few times in a row, then once a second. A stranger thus gets nothing out of
 * a relay but answers to its own binding requests, which are not larger than those. */
#pragma once

#include <stdint.h>

#define ROSTRA_RELAY_SILENCE 3000 /* ms */

typedef struct RostraRelays RostraRelays;

/* An IPv4 transport address in host byte order; port 0: none. */
typedef struct {
  uint32_t address;
  uint32_t port;
} RostraRelayAddress;

/* One direction. Every packet received is in one of the three. */
typedef struct {
  uint64_t packets, bytes; /* forwarded */
  uint64_t dropped;        /* the party's own: too large, nowhere to go, or not taken by the network */
  uint64_t strangers;      /* from others */
  int64_t silent;          /* ms since the last one forwarded; -1: none yet */
} RostraRelayWay;

typedef struct {
  RostraRelayWay inward, outward; /* endpoint to worker, worker to endpoint */
  RostraRelayAddress endpoint;    /* where packets for the endpoint go now */
  uint64_t moves;                 /* how often that changed */
  int64_t age;                    /* ms since it was opened */
} RostraRelayState;

/* Starts the thread. NULL with errno set when that fails. */
RostraRelays *rostra_relays_new(void);

/* Closes every relay, ends the thread. */
void rostra_relays_free(RostraRelays *relays);

/* Forward between two bound IPv4 sockets, which belong to the relay from now on. Returns a handle, or -errno (the
 * sockets are the caller's then). */
int64_t rostra_relay_open(RostraRelays *relays, int outside, int inside, int ice);

/* Forward to this port of a worker. Another one than before begins with a new ICE endpoint. `local` becomes the
 * address the worker sees. Returns 0 or -errno; then there is no target. */
int rostra_relay_aim(RostraRelays *relays, int64_t handle, RostraRelayAddress target, RostraRelayAddress *local);

/* Without ICE: where signalling says the endpoint is. Another one than before forgets where it was found. */
int rostra_relay_expect(RostraRelays *relays, int64_t handle, RostraRelayAddress announced);

int rostra_relay_read(RostraRelays *relays, int64_t handle, RostraRelayState *state);

/* Closes both sockets. -EBADF: there is no such relay (any more), as of all the others. */
int rostra_relay_close(RostraRelays *relays, int64_t handle);
