/* Registration, and the one call that looks at everything. */
#include "sound.h"

GST_DEBUG_CATEGORY(rostra_debug);

void rostra_sink_setup(GstBaseSink *sink) {
  gst_base_sink_set_sync(sink, FALSE);
  gst_base_sink_set_async_enabled(sink, FALSE);
  gst_base_sink_set_last_sample_enabled(sink, FALSE);
  gst_base_sink_set_qos_enabled(sink, FALSE);
}

ROSTRA_EXPORT void rostra_state(RostraState *state) {
  rostra_pictures_state(state);
  rostra_bitmaps_state(state);
  rostra_scenes_state(state);
  rostra_mixer_state(state);
  rostra_channels_state(state);
}

static gboolean init(GstPlugin *plugin) {
  GST_DEBUG_CATEGORY_INIT(rostra_debug, "rostra", 0, "Rostra media stage");
  return gst_element_register(plugin, "rostravideogate", GST_RANK_NONE, rostra_video_gate_get_type()) &&
         gst_element_register(plugin, "rostravideosink", GST_RANK_NONE, rostra_video_sink_get_type()) &&
         gst_element_register(plugin, "rostravideosrc", GST_RANK_NONE, rostra_video_src_get_type()) &&
         gst_element_register(plugin, "rostraaudiosink", GST_RANK_NONE, rostra_audio_sink_get_type()) &&
         gst_element_register(plugin, "rostraaudiosrc", GST_RANK_NONE, rostra_audio_src_get_type()) &&
         gst_element_register(plugin, "rostravoicesrc", GST_RANK_NONE, rostra_voice_src_get_type()) &&
         gst_element_register(plugin, "rostrapub", GST_RANK_NONE, rostra_pub_get_type()) &&
         gst_element_register(plugin, "rostrasub", GST_RANK_NONE, rostra_sub_get_type()) &&
         gst_element_register(plugin, "rostrafan", GST_RANK_NONE, rostra_fan_get_type()) &&
         gst_element_register(plugin, "rostraaway", GST_RANK_NONE, rostra_away_get_type()) &&
         gst_element_register(plugin, "rostraagain", GST_RANK_NONE, rostra_again_get_type()) &&
         gst_element_register(plugin, "rostrared", GST_RANK_NONE, rostra_red_get_type()) &&
         gst_element_register(plugin, "rostrapace", GST_RANK_NONE, rostra_pace_get_type()) &&
         gst_element_register(plugin, "rostrasocketsrc", GST_RANK_NONE, rostra_socket_src_get_type()) &&
         gst_element_register(plugin, "rostrag729enc", GST_RANK_NONE, rostra_g729_enc_get_type());
}

#define PACKAGE "rostra"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, rostrastage, "Joins the pipelines of a conference", init, "1",
                  "unknown", "rostra", "https://localhost/")
