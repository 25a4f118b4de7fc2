/* What a far end may send on a line at most; the rest is dropped before anything is done with it.
 *
 * Who is played has room of its own, so that strangers do not crowd it out: they share what is left. What is decoded is
 * counted in time, as one packet may hold six times as much as another. */
#include <netinet/in.h>
#include <string.h>

#include "line.h"

#define OWN 500      /* packets a second: five times what 10 ms packets take, twice over (RFC 2198) */
#define OWN_MOST 1000
#define STRANGERS 200 /* packets a second of all others; each may have to be tried with a key */
#define STRANGERS_MOST 600
#define SOUND (4 * ROSTRA_RATE) /* samples a second: what came late is made up for */
#define SOUND_MOST (10 * ROSTRA_RATE)

static void fill(Bucket *bucket, double rate, double most, gint64 now) {
  double seconds = (double)(now - bucket->filled) / G_USEC_PER_SEC;
  bucket->holds = bucket->filled ? MIN(most, bucket->holds + seconds * rate) : most;
  bucket->filled = now;
}

static gboolean draw(Bucket *bucket, double rate, double most, gint64 now) {
  fill(bucket, rate, most, now);
  if (bucket->holds < 1) return FALSE;
  bucket->holds--;
  return TRUE;
}

static gboolean same(const struct sockaddr_storage *one, const struct sockaddr_storage *other) {
  if (one->ss_family != other->ss_family) return FALSE;
  if (one->ss_family == AF_INET6) {
    const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)one, *b = (const struct sockaddr_in6 *)other;
    return a->sin6_port == b->sin6_port && !memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr);
  }
  const struct sockaddr_in *a = (const struct sockaddr_in *)one, *b = (const struct sockaddr_in *)other;
  return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

gboolean rostra_line_wants(Line *line, guint32 ssrc, const struct sockaddr_storage *from, gint64 now) {
  const Source *heard = line->heard;
  if (heard && heard->ssrc == ssrc && (same(from, &heard->from) || same(from, &heard->reports)))
    return draw(&line->own, OWN, OWN_MOST, now);
  return draw(&line->strangers, STRANGERS, STRANGERS_MOST, now);
}

gboolean rostra_line_may_decode(Line *line, gint64 now) {
  fill(&line->sound, SOUND, SOUND_MOST, now);
  return line->sound.holds > 0;
}
