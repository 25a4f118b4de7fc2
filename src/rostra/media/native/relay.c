/* Relays and the thread that serves them.
 *
 * The thread holds the lock while it works on what one `epoll_wait` has found, never while it waits. A handle is the
 * slot of a relay and the slot's generation, so that an event of a relay closed meanwhile finds nothing. */
#define _GNU_SOURCE
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "relay_party.h"

#define EXPORT __attribute__((visibility("default")))
#define BATCH 64
#define DATAGRAM 2048 /* more than any packet of media; larger ones are dropped */
#define EVENTS 64
#define MOST_RELAYS (1 << 20)

struct RostraRelays {
  pthread_mutex_t turnstile, lock;
  pthread_t thread;
  int epoll, ending;
  Relay **slots; /* each stays allocated, closed or not, until the end */
  uint32_t count;
  /* the thread's */
  struct mmsghdr received[BATCH], sent[BATCH];
  struct iovec received_parts[BATCH], sent_parts[BATCH];
  Address sources[BATCH], destinations[BATCH];
  uint8_t data[BATCH][DATAGRAM];
};

/* ---- small things -------------------------------------------------------------------------------------------- */

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static Address from_outer(RostraRelayAddress address) {
  Address made = {.sin_family = AF_INET, .sin_port = htons((uint16_t)address.port)};
  made.sin_addr.s_addr = htonl(address.address);
  return made;
}

static RostraRelayAddress to_outer(const Address *address) {
  return (RostraRelayAddress){ntohl(address->sin_addr.s_addr), ntohs(address->sin_port)};
}

/* Through a turnstile, so that a thread that is busy with floods cannot keep others out. */
static void enter(RostraRelays *relays) {
  pthread_mutex_lock(&relays->turnstile);
  pthread_mutex_lock(&relays->lock);
  pthread_mutex_unlock(&relays->turnstile);
}

static void leave(RostraRelays *relays) { pthread_mutex_unlock(&relays->lock); }

/* ---- forwarding ---------------------------------------------------------------------------------------------- */

static void prepare(RostraRelays *relays) {
  for (int i = 0; i < BATCH; i++) {
    relays->received_parts[i] = (struct iovec){relays->data[i], DATAGRAM};
    relays->received[i].msg_hdr = (struct msghdr){.msg_name = &relays->sources[i], .msg_namelen = sizeof(Address),
                                                  .msg_iov = &relays->received_parts[i], .msg_iovlen = 1};
  }
}

/* What waits at a socket, at most a batch; an error that waits there is taken off and is nobody's. */
static int receive(RostraRelays *relays, int socket) {
  int count = recvmmsg(socket, relays->received, BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) relays->received[i].msg_hdr.msg_namelen = sizeof(Address);
  return count < 0 ? 0 : count;
}

static void put(RostraRelays *relays, int at, int index, const Address *to) {
  relays->sent_parts[at] = (struct iovec){relays->data[index], relays->received[index].msg_len};
  struct msghdr *header = &relays->sent[at].msg_hdr;
  *header = (struct msghdr){.msg_iov = &relays->sent_parts[at], .msg_iovlen = 1};
  if (!to) return;
  relays->destinations[at] = *to;
  header->msg_name = &relays->destinations[at];
  header->msg_namelen = sizeof *to;
}

static void send_all(RostraRelays *relays, int socket, int count, Way *way, int64_t now) {
  for (int at = 0; at < count;) {
    int sent = sendmmsg(socket, relays->sent + at, (unsigned)(count - at), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) { /* this one cannot go, perhaps for what an earlier one met (ECONNREFUSED) */
      way->dropped++;
      at++;
      continue;
    }
    for (int i = at; i < at + sent; i++) way->bytes += relays->sent_parts[i].iov_len;
    way->packets += (uint64_t)sent;
    way->heard = now;
    at += sent;
  }
}

static void forward_inward(RostraRelays *relays, Relay *relay, int64_t now) {
  int count = receive(relays, relay->outside), out = 0;
  for (int i = 0; i < count; i++) {
    const struct mmsghdr *message = &relays->received[i];
    bool whole = !(message->msg_hdr.msg_flags & MSG_TRUNC) && message->msg_len;
    if (!whole || !relay->target.sin_port) {
      relay->inward.dropped++;
    } else if (!rostra_admit(relay, &relays->sources[i], relays->data[i], message->msg_len, now)) {
      relay->inward.strangers++;
    } else {
      put(relays, out++, i, NULL);
    }
  }
  send_all(relays, relay->inside, out, &relay->inward, now);
}

static void forward_outward(RostraRelays *relays, Relay *relay, int64_t now) {
  int count = receive(relays, relay->inside), out = 0;
  for (int i = 0; i < count; i++) {
    const struct mmsghdr *message = &relays->received[i];
    if (!rostra_same_address(&relays->sources[i], &relay->target)) { /* it came before there was a target */
      relay->outward.strangers++;
      continue;
    }
    bool whole = !(message->msg_hdr.msg_flags & MSG_TRUNC) && message->msg_len;
    Address to = whole ? rostra_destination(relay, relays->data[i], message->msg_len, now) : (Address){0};
    if (to.sin_port)
      put(relays, out++, i, &to);
    else
      relay->outward.dropped++;
  }
  send_all(relays, relay->outside, out, &relay->outward, now);
}

/* ---- the thread ---------------------------------------------------------------------------------------------- */

static Relay *find(RostraRelays *relays, uint64_t handle) {
  uint32_t slot = (uint32_t)(handle & (MOST_RELAYS - 1));
  Relay *relay = slot < relays->count ? relays->slots[slot] : NULL;
  return relay && relay->outside >= 0 && relay->generation == handle >> 32 ? relay : NULL;
}

#define INSIDE (1u << 31) /* in an event: which socket of the relay */

static void *serve(void *context) {
  RostraRelays *relays = context;
  struct epoll_event events[EVENTS];
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are for the threads of the process that expect them */
  pthread_setname_np(pthread_self(), "relay");
  for (;;) {
    int count = epoll_wait(relays->epoll, events, EVENTS, -1);
    enter(relays);
    int64_t now = now_ms();
    for (int i = 0; i < count; i++) {
      uint64_t data = events[i].data.u64;
      if (data == UINT64_MAX) {
        leave(relays);
        return NULL;
      }
      Relay *relay = find(relays, data & ~(uint64_t)INSIDE);
      if (relay) (data & INSIDE ? forward_outward : forward_inward)(relays, relay, now);
    }
    leave(relays);
  }
}

/* ---- exported ------------------------------------------------------------------------------------------------ */

static int watch(RostraRelays *relays, int descriptor, uint64_t data) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = data};
  return epoll_ctl(relays->epoll, EPOLL_CTL_ADD, descriptor, &event) ? -errno : 0;
}

EXPORT RostraRelays *rostra_relays_new(void) {
  RostraRelays *relays = calloc(1, sizeof *relays);
  if (!relays) return NULL;
  pthread_mutex_init(&relays->turnstile, NULL);
  pthread_mutex_init(&relays->lock, NULL);
  prepare(relays);
  relays->epoll = epoll_create1(EPOLL_CLOEXEC);
  relays->ending = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int problem = relays->epoll < 0 || relays->ending < 0 ? errno : -watch(relays, relays->ending, UINT64_MAX);
  if (!problem) problem = pthread_create(&relays->thread, NULL, serve, relays);
  if (!problem) return relays;
  if (relays->epoll >= 0) close(relays->epoll);
  if (relays->ending >= 0) close(relays->ending);
  free(relays);
  errno = problem;
  return NULL;
}

static void shut(Relay *relay) {
  close(relay->outside);
  close(relay->inside);
  relay->outside = relay->inside = -1;
}

EXPORT void rostra_relays_free(RostraRelays *relays) {
  eventfd_write(relays->ending, 1);
  pthread_join(relays->thread, NULL);
  for (uint32_t i = 0; i < relays->count; i++) {
    if (relays->slots[i]->outside >= 0) shut(relays->slots[i]);
    free(relays->slots[i]);
  }
  free(relays->slots);
  close(relays->epoll);
  close(relays->ending);
  pthread_mutex_destroy(&relays->lock);
  pthread_mutex_destroy(&relays->turnstile);
  free(relays);
}

/* The slot of a closed relay, else a new one; -errno. */
static int64_t free_slot(RostraRelays *relays) {
  for (uint32_t i = 0; i < relays->count; i++)
    if (relays->slots[i]->outside < 0) return i;
  if (relays->count == MOST_RELAYS) return -ENFILE;
  Relay **grown = realloc(relays->slots, (relays->count + 1) * sizeof *grown);
  if (!grown) return -ENOMEM;
  relays->slots = grown;
  Relay *made = calloc(1, sizeof *made);
  if (!made) return -ENOMEM;
  made->outside = made->inside = -1;
  grown[relays->count] = made;
  return relays->count++;
}

static int64_t open_locked(RostraRelays *relays, int outside, int inside, int ice) {
  int64_t slot = free_slot(relays);
  if (slot < 0) return slot;
  Relay *relay = relays->slots[slot];
  uint32_t generation = (relay->generation + 1) & INT32_MAX;
  uint64_t handle = (uint64_t)generation << 32 | (uint64_t)slot;
  int problem = watch(relays, outside, handle);
  if (problem) return problem;
  problem = watch(relays, inside, handle | INSIDE);
  if (problem) {
    epoll_ctl(relays->epoll, EPOLL_CTL_DEL, outside, NULL);
    return problem;
  }
  *relay = (Relay){.generation = generation, .ice = ice, .outside = outside, .inside = inside, .opened = now_ms()};
  return (int64_t)handle;
}

EXPORT int64_t rostra_relay_open(RostraRelays *relays, int outside, int inside, int ice) {
  enter(relays);
  int64_t handle = open_locked(relays, outside, inside, ice);
  leave(relays);
  return handle;
}

static int aim_locked(Relay *relay, const Address *target, Address *local) {
  socklen_t size = sizeof *local;
  if (!rostra_same_address(&relay->target, target)) {
    /* disconnected first: else the address chosen for the old target would stay */
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    relay->target = (Address){0};
    rostra_forget_proofs(relay);
    if (connect(relay->inside, &nowhere, sizeof nowhere)) return -errno;
    if (connect(relay->inside, (const struct sockaddr *)target, sizeof *target)) return -errno;
    relay->target = *target;
  }
  return getsockname(relay->inside, (struct sockaddr *)local, &size) ? -errno : 0;
}

EXPORT int rostra_relay_aim(RostraRelays *relays, int64_t handle, RostraRelayAddress target,
                            RostraRelayAddress *local) {
  Address to = from_outer(target), found = {0};
  if (!to.sin_port) return -EINVAL;
  enter(relays);
  Relay *relay = find(relays, (uint64_t)handle);
  int result = relay ? aim_locked(relay, &to, &found) : -EBADF;
  leave(relays);
  *local = to_outer(&found);
  return result;
}

EXPORT int rostra_relay_expect(RostraRelays *relays, int64_t handle, RostraRelayAddress announced) {
  Address at = from_outer(announced);
  enter(relays);
  Relay *relay = find(relays, (uint64_t)handle);
  if (relay) rostra_announce(relay, &at);
  leave(relays);
  return relay ? 0 : -EBADF;
}

static RostraRelayWay way_state(const Way *way, int64_t now) {
  return (RostraRelayWay){way->packets, way->bytes, way->dropped, way->strangers, way->heard ? now - way->heard : -1};
}

EXPORT int rostra_relay_read(RostraRelays *relays, int64_t handle, RostraRelayState *state) {
  enter(relays);
  Relay *relay = find(relays, (uint64_t)handle);
  if (relay) {
    int64_t now = now_ms();
    *state = (RostraRelayState){way_state(&relay->inward, now), way_state(&relay->outward, now),
                                to_outer(&relay->endpoint), relay->moves, now - relay->opened};
  }
  leave(relays);
  return relay ? 0 : -EBADF;
}

EXPORT int rostra_relay_close(RostraRelays *relays, int64_t handle) {
  enter(relays);
  Relay *relay = find(relays, (uint64_t)handle);
  if (relay) shut(relay);
  leave(relays);
  return relay ? 0 : -EBADF;
}
