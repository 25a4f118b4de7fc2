/* The stage: what the elements of librostrastage.so share. Each section is one .c file.
 *
 * Locking: every file has one lock over its table, held for look-ups and pointer swaps; pixels and events are
 * handled outside it, on references (the mixer's lock also covers a tick's sums). No two files' locks are ever
 * held together. */
#pragma once

#include <gst/base/gstbasesink.h>
#include <gst/base/gstpushsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#define ROSTRA_ID_SIZE 128
#define REQUEST_COPY "rostra-copy" /* field of a request to send a packet again that goes before the same without it */
#define ROSTRA_EXPORT __attribute__((visibility("default")))

GST_DEBUG_CATEGORY_EXTERN(rostra_debug);
#define GST_CAT_DEFAULT rostra_debug

/* ---- exported structures (mirrored in engine/stage.py) ------------------------------------------------- */

typedef struct {
  const char *source;
  gint32 x, y, width, height;
  gint32 contain;
  gint32 filled; /* with `colour`, where nothing else is */
  guint32 colour;
  gint32 frozen;      /* without colours, however old */
  double delay;       /* seconds */
  const char *image;  /* a bitmap in place of a picture that is not there; NULL: none */
  gint32 image_x, image_y, image_width, image_height;
  const char *bitmap; /* over everything; NULL: none */
  gint32 bitmap_x, bitmap_y;
} RostraTile;

typedef struct {
  char id[ROSTRA_ID_SIZE];
  float level;
} RostraLevel;

typedef struct {
  char id[ROSTRA_ID_SIZE];
  gint32 width, height;
} RostraPicture;

typedef struct {
  char id[ROSTRA_ID_SIZE];
  gint32 idle, waits, passed, dropped;
} RostraGate;

typedef struct {
  char id[ROSTRA_ID_SIZE];
  gint32 width, height;
} RostraScaling;

typedef struct {
  gint32 sources, pictures, renditions, views, scenes, bitmaps;
  gint32 legs, speakers, listeners, mixers;
  gint32 channels, publishers, subscribers;
  gint32 coders, ears, talkers, lines;
} RostraState;

/* What a far end reported of our packets since the last look. Times are its clock's less ours, seconds. */
typedef struct {
  gint32 reports, arrived, lost;
  gint64 octets;
  double span;        /* between the arrival of the last packet of the look before and of this one */
  double least, mean; /* of the packets' delays; their zero is anywhere */
} RostraFeedback;

/* ---- planes.c: pixel work on I420 ---------------------------------------------------------------------- */

/* Three planes of 8-bit samples; chroma is half size, rounded up. `data` is NULL when somebody else owns them. */
typedef struct {
  guint8 *plane[3];
  int stride[3];
  int width, height;
  guint8 *data;
} Planes;

typedef struct {
  guint8 y, u, v;
} Yuv;

Yuv rostra_yuv(guint32 rgb);
void rostra_planes_alloc(Planes *planes, int width, int height);
void rostra_planes_clear(Planes *planes);
void rostra_planes_of_frame(Planes *planes, const GstVideoFrame *frame); /* I420 only */
void rostra_fill(Planes *to, int x, int y, int width, int height, Yuv colour);
/* Take the colours out of a rectangle. */
void rostra_grey(Planes *to, int x, int y, int width, int height);
/* Mix `other`, of the same size, into `to`: `share` of 256 remain of `to`. */
void rostra_mix(Planes *to, const Planes *other, int share);
/* Copy all of `from` to (x, y), clipped to `to`. */
void rostra_copy(Planes *to, int x, int y, const Planes *from);
/* Scale a rectangle of `from` (even origin) to all of `to`. */
void rostra_scale(Planes *to, const Planes *from, int x, int y, int width, int height);
/* Scale one plane. */
void rostra_scale_plane(guint8 *to, int to_stride, int to_width, int to_height, const guint8 *from, int from_stride,
                        int from_width, int from_height);

/* ---- pictures.c: the latest frame of every source; sizes.c: its renditions -------------------------------- */

typedef struct _Picture Picture;

typedef struct {
  Planes planes;
  int x, y;  /* where it goes within the tile (bars around it are left out) */
} Rendition;

/* A `standby` gives way to another owner of the same source for as long as that one has pictures. */
void rostra_pictures_publish(const char *source, gpointer owner, gboolean standby, GstBuffer *buffer,
                             const GstVideoInfo *info);
void rostra_pictures_withdraw(const char *source, gpointer owner);
/* Does a source have a picture at present? */
gboolean rostra_pictures_there(const char *source);
/* Its picture is still what it was: another one has come that nobody wanted to see. */
void rostra_pictures_touch(const char *source, gboolean standby);
/* The picture of a source, or NULL; `late`: it should have been replaced by another long ago. After some time it is
 * taken only `anyway`. */
Picture *rostra_pictures_take(const char *source, gboolean anyway, gboolean *late);
/* The picture of some seconds ago, small; it is kept from the first call on. */
Picture *rostra_pictures_recall(const char *source, double seconds);
void rostra_picture_unref(Picture *picture);
/* The picture at this size; valid as long as the picture is held. */
const Rendition *rostra_picture_rendition(Picture *picture, int width, int height, gboolean contain);
void rostra_pictures_state(RostraState *state);

/* ---- video_gate.c: what is looked at ----------------------------------------------------------------------- */

/* Somebody looks at a source. FALSE: what there is to see is old, a new picture has been asked for. */
gboolean rostra_look(const char *source);
/* Of a rostravideogate: what comes would be kept back, unless it is a key frame. */
gboolean rostra_gate_rests(GstElement *gate);
/* A picture that would have come to it was kept back before. */
void rostra_gate_skip(GstElement *gate);

/* ---- picture_sizes.c: what an encoded picture says of its size; picture_guard.c: what may pass --------------- */

typedef enum { ROSTRA_SAYS_NOTHING, ROSTRA_FITS, ROSTRA_TOO_LARGE } RostraWhatSaid;
typedef struct {
  RostraWhatSaid what;
  int width, height;
} RostraSaid;
typedef RostraSaid (*RostraPictureSize)(const guint8 *data, gsize size);

#define ROSTRA_AVC "H264 avc" /* with lengths and not start codes */
RostraPictureSize rostra_picture_size_of(const char *codec); /* NULL: it cannot say one that is too large */
RostraSaid rostra_size_of_avcc(const guint8 *data, gsize size);

/* ---- bitmaps.c: RGBA pictures to blend -------------------------------------------------------------------- */

typedef struct _Bitmap Bitmap;

Bitmap *rostra_bitmap_take(const char *id);
Bitmap *rostra_bitmap_ref(Bitmap *bitmap);
void rostra_bitmap_unref(Bitmap *bitmap);
void rostra_bitmap_size(const Bitmap *bitmap, int *width, int *height);
/* Blend into a rectangle, clipped to the target. */
void rostra_bitmap_blend(Bitmap *bitmap, Planes *to, int x, int y, int width, int height);
void rostra_bitmaps_state(RostraState *state);

/* ---- scenes.c: views and how they are painted ------------------------------------------------------------- */

void rostra_view_paint(const char *view, Planes *to);
void rostra_scenes_state(RostraState *state);

/* Sound is in sound.h. */
void rostra_mixer_state(RostraState *state);

/* ---- channels.c: encoded media from one publisher to many subscribers ---------------------------------------- */

typedef struct _Channel Channel;
typedef struct _Subscriber Subscriber;

typedef struct {
  GstBuffer *buffer;
  GstCaps *caps;
  GstClockTime time; /* on `clock`; NONE: unknown */
  GstClock *clock;   /* identity only, no reference */
  gboolean discont;
} ChannelItem;

Channel *rostra_channel_open(const char *id, GstElement *publisher);
void rostra_channel_close(Channel *channel, GstElement *publisher);
void rostra_channel_push(Channel *channel, const ChannelItem *item);

/* `arrived`, where given, is told of each item, with locks held: it may only have somebody else take it. */
Subscriber *rostra_subscriber_new(void (*arrived)(gpointer), gpointer data);
void rostra_subscriber_free(Subscriber *subscriber);
/* What plays now goes on until the other channel has a key frame (not for long). "" or NULL: nothing, at once. */
void rostra_subscriber_tune(Subscriber *subscriber, const char *channel);
char *rostra_subscriber_playing(Subscriber *subscriber); /* id of the channel; NULL: none */
gboolean rostra_subscriber_pull(Subscriber *subscriber, ChannelItem *item); /* waits; FALSE: flushing */
gboolean rostra_subscriber_take(Subscriber *subscriber, ChannelItem *item); /* FALSE: there is none */
void rostra_subscriber_flush(Subscriber *subscriber, gboolean flushing);
void rostra_subscriber_request_key(Subscriber *subscriber);
/* Does anybody take what is published on a channel? */
gboolean rostra_channel_taken(const char *id);
void rostra_channels_state(RostraState *state);

/* ---- sub.c: what a subscriber's pipeline is given ------------------------------------------------------------- */

typedef struct {
  GstClockTime last;
  GstClockTimeDiff shift; /* added to the times of a channel, so that none follows a later one */
} Order;
#define ORDER_NEW ((Order){GST_CLOCK_TIME_NONE, 0})

/* The item's buffer with times of `element`; takes the item's own. */
GstBuffer *rostra_delivered(GstElement *element, Order *order, const ChannelItem *item);

/* ---- elements ------------------------------------------------------------------------------------------------- */

GType rostra_video_gate_get_type(void);
GType rostra_video_sink_get_type(void);
GType rostra_video_src_get_type(void);
GType rostra_audio_sink_get_type(void);
GType rostra_audio_src_get_type(void);
GType rostra_pub_get_type(void);
GType rostra_sub_get_type(void);
GType rostra_fan_get_type(void);
GType rostra_away_get_type(void);
GType rostra_again_get_type(void);
GType rostra_pace_get_type(void);
GType rostra_red_get_type(void);
GType rostra_socket_src_get_type(void);
GType rostra_g729_enc_get_type(void);

/* Common settings of our sinks: never wait for the clock, never hold up a pipeline's state or a last sample. */
void rostra_sink_setup(GstBaseSink *sink);
