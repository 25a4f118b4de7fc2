/* rostrag729enc: G.729 Annex A at 8 kbit/s, by a library that is looked for when the element starts. */
#include "rostra.h"

#include <dlfcn.h>
#include <gst/audio/audio.h>

#define NAME "libbcg729.so.0"
#define SAMPLES 80 /* 10 ms at 8 kHz (ITU-T G.729 1.1) */
#define CODED 10   /* bytes of them */

typedef struct Context Context;
typedef struct {
  GstAudioEncoder parent;
  void *library;
  Context *context;
  void (*encode)(Context *, const gint16 *, guint8 *, guint8 *);
  void (*end)(Context *);
} RostraG729Enc;
typedef struct {
  GstAudioEncoderClass parent;
} RostraG729EncClass;

G_DEFINE_TYPE(RostraG729Enc, rostra_g729_enc, GST_TYPE_AUDIO_ENCODER)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format = (string) " GST_AUDIO_NE(S16) ", rate = (int) 8000, channels = (int) 1, "
                    "layout = (string) interleaved"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("audio/G729, rate = (int) 8000, channels = (int) 1"));

static gboolean stop(GstAudioEncoder *encoder) {
  RostraG729Enc *self = (RostraG729Enc *)encoder;
  if (self->context)
    self->end(self->context);
  if (self->library)
    dlclose(self->library);
  self->context = NULL;
  self->library = NULL;
  return TRUE;
}

static gboolean start(GstAudioEncoder *encoder) {
  RostraG729Enc *self = (RostraG729Enc *)encoder;
  self->library = dlopen(NAME, RTLD_NOW | RTLD_LOCAL);
  Context *(*begin)(guint8) = NULL;
  if (self->library) {
    *(void **)&begin = dlsym(self->library, "initBcg729EncoderChannel");
    *(void **)&self->encode = dlsym(self->library, "bcg729Encoder");
    *(void **)&self->end = dlsym(self->library, "closeBcg729EncoderChannel");
  }
  if (begin && self->encode && self->end)
    self->context = begin(0);
  if (self->context)
    return TRUE;
  GST_ELEMENT_ERROR(self, LIBRARY, INIT, ("G.729 needs %s.", NAME), (NULL));
  stop(encoder);
  return FALSE;
}

static gboolean set_format(GstAudioEncoder *encoder, GstAudioInfo *info) {
  gst_audio_encoder_set_frame_samples_min(encoder, SAMPLES);
  gst_audio_encoder_set_frame_samples_max(encoder, SAMPLES);
  gst_audio_encoder_set_frame_max(encoder, 1);
  GstCaps *caps = gst_static_pad_template_get_caps(&src_template);
  gboolean set = gst_audio_encoder_set_output_format(encoder, caps);
  gst_caps_unref(caps);
  return set;
}

static GstFlowReturn handle_frame(GstAudioEncoder *encoder, GstBuffer *sound) {
  RostraG729Enc *self = (RostraG729Enc *)encoder;
  gint16 frame[SAMPLES] = {0};
  guint8 coded[CODED], length = 0;
  if (!sound || gst_buffer_extract(sound, 0, frame, sizeof frame) == 0)
    return GST_FLOW_OK; /* at the end there is nothing left */
  self->encode(self->context, frame, coded, &length);
  GstBuffer *made = gst_buffer_new_memdup(coded, MIN(length, CODED));
  return gst_audio_encoder_finish_frame(encoder, made, SAMPLES);
}

static void rostra_g729_enc_class_init(RostraG729EncClass *class) {
  GstElementClass *element = GST_ELEMENT_CLASS(class);
  GstAudioEncoderClass *encoder = GST_AUDIO_ENCODER_CLASS(class);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "G.729 encoder", "Codec/Encoder/Audio",
                                        "Encodes speech by a library of the machine", "rostra");
  encoder->start = start;
  encoder->stop = stop;
  encoder->set_format = set_format;
  encoder->handle_frame = handle_frame;
}

static void rostra_g729_enc_init(RostraG729Enc *self) {}
