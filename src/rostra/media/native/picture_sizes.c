/* Which size an encoded picture says it has, read before a decoder believes it.
 *
 * The most is what level 5.1 of H.264 has (ITU-T H.264 table A-1), for every codec: 4096 by 2304, and as many pictures
 * kept as take 184320 macroblocks. Only 4:2:0 of 8 bits is agreed with anybody. What cannot be read is too large: a
 * decoder might read it otherwise. A second picture of VP9 within one that names no parts is not seen here. */
#include <string.h>

#include "rostra.h"

#define BLOCKS_MOST 36864u   /* macroblocks of a picture */
#define KEPT_MOST 184320u    /* macroblocks of all that a decoder is told to keep */
#define SIDE_MOST 8688u      /* sqrt(8 * BLOCKS_MOST) macroblocks */
#define SPS_MOST 512u

/* ---- bits ------------------------------------------------------------------------------------------------------- */

typedef struct {
  const guint8 *data;
  gsize bits, at;
  gboolean broken; /* read past the end, or what cannot be */
} Bits;

static guint32 take(Bits *bits, guint count) {
  guint32 found = 0;
  if (bits->at + count > bits->bits) bits->broken = TRUE;
  for (; count && !bits->broken; count--, bits->at++)
    found = found << 1 | (bits->data[bits->at >> 3] >> (7 - (bits->at & 7)) & 1);
  return bits->broken ? 0 : found;
}

/* ue(v), 9.1 */
static guint32 golomb(Bits *bits) {
  guint zeros = 0;
  while (!bits->broken && !take(bits, 1))
    if (++zeros > 31) bits->broken = TRUE;
  return bits->broken ? 0 : (guint32)((1ull << zeros) - 1 + take(bits, zeros));
}

static gint32 signed_golomb(Bits *bits) {
  guint32 found = golomb(bits);
  return found & 1 ? (gint32)(found / 2 + 1) : -(gint32)(found / 2);
}

static RostraSaid judged(guint64 width, guint64 height, guint64 kept) {
  guint64 blocks = ((width + 15) / 16) * ((height + 15) / 16);
  gboolean fits = width && height && width <= SIDE_MOST && height <= SIDE_MOST && blocks <= BLOCKS_MOST &&
                  blocks * kept <= KEPT_MOST;
  return (RostraSaid){fits ? ROSTRA_FITS : ROSTRA_TOO_LARGE, (gint)MIN(width, G_MAXINT), (gint)MIN(height, G_MAXINT)};
}

static RostraSaid worse(RostraSaid one, RostraSaid other) { return other.what > one.what ? other : one; }

/* ---- H.264 ------------------------------------------------------------------------------------------------------ */

static void skip_scaling(Bits *bits, guint lists) {
  for (guint i = 0; i < lists; i++) {
    if (!take(bits, 1)) continue;
    gint32 last = 8, next = 8;
    for (guint n = i < 6 ? 16 : 64; n && !bits->broken; n--) {
      if (next) next = (last + signed_golomb(bits)) & 255;
      if (next) last = next;
    }
  }
}

static void skip_order(Bits *bits) {
  guint32 type = golomb(bits);
  if (type == 0) golomb(bits);
  if (type != 1) return;
  take(bits, 1);
  golomb(bits), golomb(bits);
  guint32 cycle = golomb(bits);
  if (cycle > 255) bits->broken = TRUE;
  for (; cycle && !bits->broken; cycle--) golomb(bits);
}

/* Past what only some profiles have; FALSE: not 4:2:0 of 8 bits, or a profile that nobody knows. */
static gboolean skip_profile(Bits *bits, guint32 profile) {
  static const guint8 plain[] = {66, 77, 88}, high[] = {100, 110, 122, 244, 44, 83, 86, 118, 128};
  if (memchr(plain, (int)profile, sizeof plain)) return TRUE;
  if (!memchr(high, (int)profile, sizeof high)) return FALSE;
  guint32 chroma = golomb(bits), luma_bits = golomb(bits), chroma_bits = golomb(bits);
  if (chroma > 1 || luma_bits || chroma_bits) return FALSE;
  take(bits, 1);
  if (take(bits, 1)) skip_scaling(bits, 8);
  return TRUE;
}

/* 7.3.2.1.1 */
static RostraSaid size_of_sps(const guint8 *unit, gsize size) {
  static const RostraSaid refused = {.what = ROSTRA_TOO_LARGE};
  guint8 plain[SPS_MOST];
  gsize length = 0;
  guint zeros = 0;
  for (gsize i = 1; i < size && length < sizeof plain; i++) { /* without emulation prevention, 7.4.1 */
    gboolean prevents = zeros >= 2 && unit[i] == 3;
    zeros = unit[i] == 0 ? zeros + 1 : 0;
    if (!prevents) plain[length++] = unit[i];
  }
  Bits bits = {.data = plain, .bits = 8 * length};
  guint32 profile = take(&bits, 8);
  take(&bits, 16);
  golomb(&bits);
  if (!skip_profile(&bits, profile)) return refused;
  golomb(&bits);
  skip_order(&bits);
  guint64 kept = golomb(&bits);
  take(&bits, 1);
  guint64 across = (guint64)golomb(&bits) + 1, units = (guint64)golomb(&bits) + 1;
  gboolean frames = take(&bits, 1);
  return bits.broken ? refused : judged(16 * across, 16 * units * (frames ? 1 : 2), kept);
}

static RostraSaid size_of_unit(const guint8 *unit, gsize size) {
  guint type = size ? unit[0] & 31 : 0;
  return type == 7 ? size_of_sps(unit, size) : (RostraSaid){.what = ROSTRA_SAYS_NOTHING};
}

/* Units between start codes (annex B). */
static RostraSaid size_of_codes(const guint8 *data, gsize size) {
  RostraSaid said = {.what = ROSTRA_SAYS_NOTHING};
  for (gsize at = 0; at + 3 < size; at++)
    if (!data[at] && !data[at + 1] && data[at + 2] == 1) said = worse(said, size_of_unit(data + at + 3, size - at - 3));
  return said;
}

/* Units by their lengths of four octets. Those between 256 and 511 look like start codes: only caps tell. */
static RostraSaid size_of_lengths(const guint8 *data, gsize size) {
  RostraSaid said = {.what = ROSTRA_SAYS_NOTHING};
  for (gsize at = 0; at + 4 < size;) {
    gsize length = MIN(GST_READ_UINT32_BE(data + at), size - at - 4);
    said = worse(said, size_of_unit(data + at + 4, length));
    at += 4 + length;
  }
  return said;
}

/* AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.2.4.1.1) */
RostraSaid rostra_size_of_avcc(const guint8 *data, gsize size) {
  RostraSaid said = {.what = ROSTRA_SAYS_NOTHING};
  gsize at = 6;
  for (guint count = size > 6 ? data[5] & 31 : 0; count && at + 2 <= size; count--) {
    gsize length = MIN(GST_READ_UINT16_BE(data + at), size - at - 2);
    said = worse(said, size_of_unit(data + at + 2, length));
    at += 2 + length;
  }
  return said;
}

/* ---- VP8 (RFC 6386 9.1) ------------------------------------------------------------------------------------------- */

static RostraSaid size_of_vp8(const guint8 *data, gsize size) {
  if (!size || data[0] & 1) return (RostraSaid){.what = ROSTRA_SAYS_NOTHING};
  if (size < 10) return (RostraSaid){.what = ROSTRA_TOO_LARGE};
  return judged(GST_READ_UINT16_LE(data + 6) & 0x3FFF, GST_READ_UINT16_LE(data + 8) & 0x3FFF, 1);
}

/* ---- VP9 (bitstream specification 6.2) ---------------------------------------------------------------------------- */

#define SYNC 0x498342u

static RostraSaid vp9_frame_size(Bits *bits) {
  guint32 width = take(bits, 16) + 1, height = take(bits, 16) + 1;
  return bits->broken ? (RostraSaid){.what = ROSTRA_TOO_LARGE} : judged(width, height, 1);
}

static RostraSaid vp9_inter(Bits *bits, gboolean shown, gboolean resilient) {
  gboolean intra = shown ? FALSE : take(bits, 1);
  if (!resilient) take(bits, 2);
  if (intra && take(bits, 24) != SYNC) bits->broken = TRUE;
  take(bits, 8);
  if (intra) return vp9_frame_size(bits);
  take(bits, 12);
  for (guint i = 0; i < 3; i++)
    if (take(bits, 1)) return (RostraSaid){.what = ROSTRA_SAYS_NOTHING}; /* the size of one before it */
  RostraSaid said = vp9_frame_size(bits);
  return said.what == ROSTRA_FITS ? (RostraSaid){.what = ROSTRA_SAYS_NOTHING} : said; /* begins nothing anew */
}

static RostraSaid vp9_frame(const guint8 *data, gsize size) {
  static const RostraSaid refused = {.what = ROSTRA_TOO_LARGE}, nothing = {.what = ROSTRA_SAYS_NOTHING};
  Bits bits = {.data = data, .bits = 8 * size};
  if (take(&bits, 2) != 2) return nothing; /* no decoder takes it either */
  if (take(&bits, 2)) return refused;      /* a profile that nobody agreed */
  if (take(&bits, 1)) return nothing;      /* shows one that is there */
  gboolean inter = take(&bits, 1), shown = take(&bits, 1), resilient = take(&bits, 1);
  if (inter) return vp9_inter(&bits, shown, resilient);
  if (take(&bits, 24) != SYNC || take(&bits, 3) == 7) return refused;
  take(&bits, 1);
  return vp9_frame_size(&bits);
}

/* Annex B: several in one, with their sizes at the end. */
static RostraSaid size_of_vp9(const guint8 *data, gsize size) {
  RostraSaid said = {.what = ROSTRA_SAYS_NOTHING};
  guint last = size ? data[size - 1] : 0, count = (last & 7) + 1, octets = (last >> 3 & 3) + 1;
  gsize index = 2 + octets * count, at = 0;
  if ((last & 0xE0) != 0xC0 || size < index || data[size - index] != last) return vp9_frame(data, size);
  const guint8 *entry = data + size - index + 1;
  for (; count; count--, entry += octets) {
    gsize length = 0;
    for (guint i = 0; i < octets; i++) length |= (gsize)entry[i] << 8 * i;
    length = MIN(length, size - index - at);
    said = worse(said, vp9_frame(data + at, length));
    at += length;
  }
  return said;
}

/* ----------------------------------------------------------------------------------------------------------------- */

RostraPictureSize rostra_picture_size_of(const char *codec) {
  static const struct {
    const char *codec;
    RostraPictureSize read;
  } known[] = {{"H264", size_of_codes}, {ROSTRA_AVC, size_of_lengths}, {"VP8", size_of_vp8}, {"VP9", size_of_vp9}};
  for (guint i = 0; i < G_N_ELEMENTS(known); i++)
    if (!strcmp(known[i].codec, codec)) return known[i].read;
  return NULL;
}

/* For tests: 0 says nothing, 1 fits, 2 is too large. */
ROSTRA_EXPORT int rostra_picture_says(const char *codec, const guint8 *data, size_t size, int *width, int *height) {
  RostraSaid said = rostra_picture_size_of(codec)(data, size);
  *width = said.width;
  *height = said.height;
  return (int)said.what;
}
